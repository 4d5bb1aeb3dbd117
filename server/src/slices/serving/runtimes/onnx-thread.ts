/** A thread that runs one compiled model: batches and slow models, whose `run()` would hold the event loop. */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import ort from 'onnxruntime-node'
import { DomainError } from '#kernel/errors.ts'
import type { Cell, Features } from '../signature.ts'
import type { Report } from './runtime.ts'
import { feedsOf, outputsOf, tensorOf } from './tensors.ts'

const { path, report, features } = workerData as { path: string; report: Report; features: Features }
const feeds = feedsOf(
  report.inputs ?? [],
  features.map((feature) => feature.name),
)
const answer = report.answer!
const ready = readFile(path).then((bytes) =>
  ort.InferenceSession.create(bytes, {
    // One processor stays with the event loop.
    intraOpNumThreads: Math.max(1, availableParallelism() - 1),
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  }),
)

parentPort!.on('message', async ({ id, rows }: { id: number; rows: Cell[][] }) => {
  try {
    const session = await ready
    const inputs = Object.fromEntries(feeds.map((feed) => [feed.onnx_name, tensorOf(ort.Tensor as never, feed, rows)]))
    const result = await session.run(inputs, [answer.output])
    parentPort!.postMessage({
      id,
      outputs: outputsOf(result[answer.output]!, rows.length, answer.kind !== 'probabilities'),
    })
  } catch (error) {
    // A guard's refusal is the caller's mistake, on this side of the thread as on the other.
    const problem = error instanceof DomainError ? error.toJSON() : undefined
    parentPort!.postMessage({ id, problem, error: (error as Error).message })
  }
})
