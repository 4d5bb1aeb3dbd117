/** What a step reads: which version of it, when it may be read, and where the step finds it. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { invalid } from '#kernel/errors.ts'
import type { JobContext } from '#kernel/jobs/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import type { DatasetVersion } from '#slices/datasets'
import type { InputState, PipelinesDeps } from './deps.ts'
import { envWord } from './graph.ts'
import * as rows from './pipelines-store.ts'
import type { StepSpec } from './schema.ts'

/** How often a pending input is looked at. */
const LOOK_MS = 200

export interface StepInputs {
  /** Pins the version of each dataset that the step reads, waiting until `deadline` (epoch ms) for one that is still being checked. */
  resolve(run: rows.PipelineRun, spec: StepSpec, context: JobContext, deadline: number): Promise<rows.StepInput[]>
  /** Writes them below `dir`; answers the variables that tell the step where. */
  materialise(run: rows.PipelineRun, inputs: readonly rows.StepInput[], dir: string): Promise<Record<string, string>>
}

type VersionInput = Omit<rows.StepInput, 'name'>
type Version = Pick<DatasetVersion, 'id' | 'name' | 'number' | 'digest'>
interface Found {
  version: Version
  input: InputState
}

export function createStepInputs(deps: Pick<PipelinesDeps, 'store' | 'blobs' | 'datasets' | 'inputState'>): StepInputs {
  const { store, blobs } = deps

  const resolve = async (
    run: rows.PipelineRun,
    spec: StepSpec,
    context: JobContext,
    deadline: number,
  ): Promise<rows.StepInput[]> => {
    const inputs: rows.StepInput[] = []
    for (const [name, read] of Object.entries(spec.reads ?? {})) {
      if ('step' in read) {
        const from = (await store.read((sql) => rows.stepsOf(sql, run.workspace, run.id)))
          .filter((one) => one.name === read.step && (one.state === 'done' || one.state === 'cached'))
          .at(-1)
        const output = from?.outputs.find((one) => one.name === read.output)
        if (!from || !output) throw invalid(`step '${read.step}' left no output '${read.output}'`)
        // What became a data version is one wherever it came from: its checks, its lineage and its holds hold here too.
        const input = output.version
          ? await versionInput(run, output.version, context, deadline)
          : { digest: output.digest }
        inputs.push({ name, ...input, from_step: from.id })
        continue
      }
      inputs.push({ name, ...(await datasetInput(run, read.dataset, context, deadline)) })
    }
    return inputs
  }

  /** Looks until the version may be an input; throws invalid when it may not, or when the step's time is over. */
  const whenReady = async (
    context: JobContext,
    deadline: number,
    look: () => Promise<Found>,
    take: (version: Version) => Promise<boolean>,
  ): Promise<VersionInput> => {
    for (;;) {
      context.signal.throwIfAborted()
      const { version, input } = await look()
      const dataset = version.name
      if (input.state === 'refused')
        throw invalid(`version ${version.number} of dataset '${dataset}' may not be an input: ${input.reason}`, {
          remedy: 'Mend the data, or accept the version with a reason.',
        })
      if (input.state === 'ready') {
        if (!(await take(version))) continue
        return { digest: version.digest, dataset, version: version.id, number: version.number }
      }
      if (Date.now() > deadline)
        throw invalid(
          `version ${version.number} of dataset '${dataset}' was still being checked when the step's time was over`,
        )
      context.progress(null, `waiting for the checks of ${dataset}@${version.number}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  const stateOf = async (sql: Sql, workspace: string, version: Version): Promise<Found> => ({
    version,
    input: await deps.inputState(sql, workspace, version.id),
  })

  const versionInput = (run: rows.PipelineRun, id: string, context: JobContext, deadline: number) =>
    whenReady(
      context,
      deadline,
      () => store.read(async (sql) => stateOf(sql, run.workspace, await deps.datasets.version(sql, run.workspace, id))),
      async () => true,
    )

  const datasetInput = (run: rows.PipelineRun, dataset: string, context: JobContext, deadline: number) =>
    whenReady(
      context,
      deadline,
      async () => {
        const found = await store.read(async (sql) => {
          const fresh = (await rows.runById(sql, run.workspace, run.id))!
          const pinned = fresh.inputs[dataset]
          if (pinned) return stateOf(sql, run.workspace, await deps.datasets.find(sql, run.workspace, pinned))
          // The newest that may be an input; newer ones that still wait for their verdict are waited for.
          for (const version of await deps.datasets.versions(sql, run.workspace, dataset, { limit: 50 })) {
            const one = await stateOf(sql, run.workspace, version)
            if (one.input.state !== 'refused') return one
          }
          return undefined
        })
        if (!found)
          throw invalid(`dataset '${dataset}' has no version that may be an input`, {
            remedy: `Register one: slipway data add ${dataset} <file>.`,
          })
        return found
      },
      async (version) => {
        const pinned = await context.write(async (tx) => {
          await tx.lock('pipelines.advance', run.workspace, run.id)
          const fresh = (await rows.runById(tx, run.workspace, run.id))!
          const id = fresh.inputs[dataset] ?? version.id
          await rows.updateRun(tx, run.workspace, run.id, { inputs: { ...fresh.inputs, [dataset]: id } })
          return id
        })
        // Another step of the run pinned one meanwhile: all steps read the same.
        return pinned === version.id
      },
    )

  const materialise = async (
    run: rows.PipelineRun,
    inputs: readonly rows.StepInput[],
    dir: string,
  ): Promise<Record<string, string>> => {
    const env: Record<string, string> = {}
    for (const input of inputs) {
      const to = join(dir, input.name)
      await mkdir(to, { recursive: true })
      let paths: string[]
      if (input.version) {
        const version = await store.read((sql) => deps.datasets.version(sql, run.workspace, input.version!))
        await deps.datasets.materialise(version, to)
        paths = await plainFiles(to)
      } else {
        const from = (await store.read((sql) => rows.stepById(sql, run.workspace, input.from_step!)))!
        const output = from.outputs.find((one) => one.digest === input.digest)!
        for (const file of output.files) {
          const path = join(to, ...file.path.split('/'))
          await mkdir(join(path, '..'), { recursive: true })
          await blobs.materialise(file.digest, path)
        }
        paths = output.files.map((file) => join(to, ...file.path.split('/')))
      }
      // A single file is named itself; several, their folder.
      env[`SLIPWAY_INPUT_${envWord(input.name)}`] = paths.length === 1 ? paths[0]! : to
    }
    return env
  }

  return { resolve, materialise }
}

async function plainFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
