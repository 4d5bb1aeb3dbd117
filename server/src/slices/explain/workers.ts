/** Warm Python processes that explain: one per version, few at a time, stopped when nobody asks. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Log } from '#kernel/log.ts'
import { type FrameLine, openFrames, type PythonHome, type Serving, type WorkerError } from '#slices/serving'

const WORKERS_MAX = 2
const IDLE_MS = 2 * 60_000
const START_MS = 120_000
const ANSWER_MS = 60_000
const MEMORY_BYTES = 4 * 1024 ** 3
/** Requests that wait for one worker. */
const WAITING_MAX = 32
const READY = 'slipway-worker: {"event": "ready"'

/** As python/slipway/explain.py tells it. */
export interface Explained {
  method: 'tree' | 'permutation'
  space: string
  class?: unknown
  base_value: number
  prediction: number
  attributions: { feature: string; value: unknown; attribution: number }[]
}

export interface ExplainWorkers {
  /** Starts the version's worker where none is warm. Throws invalid for rows that the model does not take, too-many, unavailable. */
  explain(version: VersionName, row: Readonly<Record<string, unknown>>): Promise<Explained>
  /** Workers that live. */
  readonly count: number
  stop(): Promise<void>
}

export interface VersionName {
  workspace: string
  model: string
  version: number
}

interface Worker {
  line: FrameLine
  /** What the version itself takes: a log may also have columns of other versions. */
  features: readonly string[] | undefined
  stop(): Promise<void>
}

interface Slot {
  key: string
  starting: Promise<Worker>
  waiting: number
  used: number
  idle: NodeJS.Timeout | undefined
}

export function createExplainWorkers(deps: {
  serving: Pick<Serving, 'openPython'>
  log: Log
  idle_ms?: number
}): ExplainWorkers {
  const { serving, log } = deps
  const idle_ms = deps.idle_ms ?? IDLE_MS
  const slots = new Map<string, Slot>()
  const endings = new Set<Promise<void>>()
  let uses = 0
  let stopped = false

  const launch = async ({ workspace, model, version }: VersionName, onEnd: () => void): Promise<Worker> => {
    const home = await serving.openPython(workspace, model, version)
    // Sockets have short paths: not below the data folder.
    const sockets = await mkdtemp(join(tmpdir(), 'slx-'))
    const tidy = () => Promise.all([home.done(), rm(sockets, { recursive: true, force: true })])
    try {
      const worker = await startWorker(home, join(sockets, 's'), onEnd)
      return {
        line: worker.line,
        features: home.features,
        async stop() {
          await worker.stop()
          await tidy()
        },
      }
    } catch (error) {
      await tidy()
      throw error
    }
  }

  const drop = (slot: Slot): void => {
    if (slots.get(slot.key) === slot) slots.delete(slot.key)
    clearTimeout(slot.idle)
    const ending = slot.starting
      .then((worker) => worker.stop())
      .catch(() => undefined)
      .finally(() => endings.delete(ending))
    endings.add(ending)
  }

  const slotOf = (name: VersionName): Slot => {
    const key = `${name.workspace}/${name.model}/${name.version}`
    const known = slots.get(key)
    if (known) return known
    if (slots.size >= WORKERS_MAX) {
      const [oldest] = [...slots.values()].filter((slot) => slot.waiting === 0).sort((a, b) => a.used - b.used)
      if (!oldest)
        throw new DomainError('too-many', `${WORKERS_MAX} other model versions are being explained`, {
          remedy: 'Ask again when they are done.',
        })
      drop(oldest)
    }
    const slot: Slot = {
      key,
      starting: launch(name, () => {
        if (slots.get(key) === slot) drop(slot)
      }),
      waiting: 0,
      used: 0,
      idle: undefined,
    }
    slot.starting.catch((error: unknown) => {
      log.warn({ err: error, ...name }, 'a model could not be loaded to be explained')
      drop(slot)
    })
    slots.set(key, slot)
    return slot
  }

  return {
    get count() {
      return slots.size
    },
    async explain(name, row) {
      if (stopped) throw new DomainError('unavailable', 'the server is stopping')
      const slot = slotOf(name)
      if (slot.waiting >= WAITING_MAX)
        throw new DomainError('too-many', `${WAITING_MAX} explanations of this model wait already`)
      slot.waiting++
      slot.used = ++uses
      clearTimeout(slot.idle)
      try {
        const worker = await slot.starting
        const columns = worker.features ?? Object.keys(row)
        const rows = [columns.map((column) => row[column] ?? null)]
        const answer = await within(worker.line.ask({ op: 'explain', columns, rows }), () => drop(slot))
        const error = answer.error as WorkerError | undefined
        if (error?.kind === 'bad-input')
          throw invalid(error.message, error.field === undefined ? {} : { field: error.field })
        if (error) throw new DomainError('conflict', `the model cannot be explained: ${error.message}`)
        const [explained] = answer.explanations as Explained[]
        return explained!
      } finally {
        slot.waiting--
        slot.idle = setTimeout(() => slot.waiting === 0 && drop(slot), idle_ms)
        slot.idle.unref()
      }
    },
    async stop() {
      stopped = true
      for (const slot of [...slots.values()]) drop(slot)
      await Promise.all(endings)
    },
  }
}

/** A worker that does not answer is not asked again: it is ended, since its model cannot be interrupted otherwise. */
async function within<T>(work: Promise<T>, onLate: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLate()
      reject(new DomainError('unavailable', `the model was not explained within ${ANSWER_MS / 1000} s`))
    }, ANSWER_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function startWorker(home: PythonHome, socket: string, onEnd: () => void): Promise<Omit<Worker, 'features'>> {
  const ready = Promise.withResolvers<undefined>()
  const { process, tail } = await home.start({
    module: 'slipway.worker',
    args: [
      '--socket',
      socket,
      '--model',
      home.model_dir,
      ...(home.rows === undefined ? [] : ['--background', home.rows]),
    ],
    limits: { memory_bytes: MEMORY_BYTES },
    onLine: (text) => text.startsWith(READY) && ready.resolve(undefined),
  })
  const stop = async () => {
    process.stop()
    await process.ended
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), START_MS)
  })
  try {
    const what = await Promise.race([ready.promise, process.ended, late])
    if (what === 'late')
      throw new DomainError('unavailable', `the model was not loaded within ${START_MS / 1000} s: ${tail()}`)
    if (what) throw new DomainError('conflict', `the model does not load in Python (${what.reason}): ${tail()}`)
    const line = await openFrames(socket, onEnd)
    return {
      line,
      async stop() {
        line.close()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
