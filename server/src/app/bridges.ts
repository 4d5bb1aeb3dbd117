/** Small adapters between slices that know nothing of each other: what one asks, in the words of the other. */
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { SubjectKind } from '#kernel/events/index.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { InputState } from '#slices/pipelines'
import type { Quality } from '#slices/quality'
import type { Registry, RegistryRouteDeps } from '#slices/registry'
import type { ReleasesDeps } from '#slices/releases'
import type { ServingDeps } from '#slices/serving'
import { datasetVersionOf, type Tracking } from '#slices/tracking'

export interface Bridges {
  /** What serving asks of the registry, tracking and datasets. */
  serving: Pick<ServingDeps, 'versionFiles' | 'trainedIn' | 'trainingRows'>
  /** Data versions behind a model version, with their verdicts: what gates, holds and drift stand on. */
  trainingData: ReleasesDeps['trainingData']
  /** Run, code, commit and environment behind a model version: what a release bundles. */
  provenance: ReleasesDeps['provenance']
  /** What pipelines ask of quality. */
  inputState(sql: Sql, workspace: string, version: string): Promise<InputState>
  /** Labels of tracking's things, for lineage. */
  describe(
    kind: SubjectKind,
  ): (sql: Sql, workspace: string, ids: readonly string[]) => Promise<Map<string, { label: string; state?: string }>>
  /** Data versions of ours that the run of a model version named as what it was trained on. */
  inputsOf(sql: Sql, workspace: string, model: string, version: number): Promise<string[]>
}

/** Tags that the local executor puts on a step's run. */
export const ENVIRONMENT_TAG = 'slipway.environment.lock'
export const PYTHON_TAG = 'slipway.environment.python'
/** MLflow's word for what an input is for; of a step, the name that it reads it by. */
const CONTEXT_TAG = 'mlflow.data.context'
/** Inputs that a run was judged on and not trained on. Any other context counts as training. */
const JUDGED_ON = /^(eval|evaluation|test|testing|val|validation|hold_?-?out)$/i

export function createBridges({
  blobs,
  datasets,
  quality,
  tracking,
  registry,
  store,
}: {
  blobs: Blobs
  datasets: Datasets
  quality: Quality
  tracking: Tracking
  registry: () => Registry
  store: Store
}): Bridges {
  const runOf = async (sql: Sql, workspace: string, model: string, version: number) => {
    const { run_id } = await registry().getVersion(sql, workspace, { name: model, version })
    return run_id ? tracking.getRun(sql, workspace, run_id).catch(absent) : undefined
  }
  const inputsOf: Bridges['inputsOf'] = async (sql, workspace, model, version) => {
    const run = await runOf(sql, workspace, model, version)
    const ids = (run?.dataset_inputs ?? [])
      .filter(({ tags }) => !tags.some(({ key, value }) => key === CONTEXT_TAG && JUDGED_ON.test(value)))
      .map(({ dataset }) => datasetVersionOf(dataset.source))
    return [...new Set(ids.filter((id) => id !== undefined))]
  }

  return {
    async trainingData(sql, workspace, model, version) {
      const found = []
      for (const id of await inputsOf(sql, workspace, model, version)) {
        const data = await datasets.version(sql, workspace, id).catch(absent)
        if (data)
          found.push({
            id,
            name: data.name,
            number: data.number,
            digest: data.digest,
            verdict: data.verdict,
            time_to_ms: data.time_to_ms,
          })
      }
      return found
    },
    async provenance(sql, workspace, model, version) {
      const { digest } = await registry().getVersion(sql, workspace, { name: model, version })
      const run = await runOf(sql, workspace, model, version)
      const tag = (key: string) => run?.tags.find((one) => one.key === key)?.value ?? null
      return {
        model_digest: digest,
        run: run?.run_id ?? null,
        code: tag('slipway.code'),
        commit: tag('mlflow.source.git.commit'),
        environment: tag(ENVIRONMENT_TAG),
      }
    },
    async inputState(sql, workspace, version) {
      const { may, pending, reason } = await quality.mayBeInput(sql, workspace, version)
      if (pending) return { state: 'pending' }
      return may ? { state: 'ready' } : { state: 'refused', reason: reason ?? 'its checks failed' }
    },
    describe: (kind) => async (sql, workspace, ids) => {
      const described = new Map<string, { label: string; state?: string }>()
      for (const id of ids) {
        const found = await tracking.describe(sql, workspace, { kind, id })
        if (found) described.set(id, { label: found.label })
      }
      return described
    },
    serving: {
      async versionFiles(sql, workspace, model, version) {
        const at = { name: model, version }
        const found = await registry().getVersion(sql, workspace, at).catch(absent)
        if (!found) return undefined
        const manifest = await registry().versionManifest(sql, workspace, at)
        return {
          model,
          version,
          digest: found.digest,
          files: await registry().versionFiles(sql, workspace, at),
          signature: manifest.signature,
          flavors: manifest.flavors,
          requirements: manifest.requirements,
          python_version: manifest.python_version,
        }
      },
      async trainedIn(workspace, model, version) {
        const run = await store.read((sql) => runOf(sql, workspace, model, version))
        const tag = (key: string) => run?.tags.find((one) => one.key === key)?.value
        const digest = tag(ENVIRONMENT_TAG)
        if (!digest) return undefined
        const python = tag(PYTHON_TAG)
        return { lock: Buffer.from(await blobs.read(digest)).toString(), ...(python !== undefined && { python }) }
      },
      async trainingRows(workspace, model, version) {
        const [id] = await store.read((sql) => inputsOf(sql, workspace, model, version))
        if (id === undefined) return undefined
        const dataset = await store.read((sql) => datasets.version(sql, workspace, id)).catch(absent)
        if (!dataset) return undefined
        const { files, done } = await datasets.lend(dataset)
        if (files.length === 1) return { path: files[0]!.local_path, format: dataset.format, done }
        await done()
        return undefined
      },
    },
    inputsOf,
  }
}

function absent(error: unknown): undefined {
  if (error instanceof DomainError && error.problem === 'not-found') return undefined
  throw error
}

/** Params and metrics of what trained a version: its logged model's, else its run's. */
export const evidenceOf =
  ({ tracking }: { tracking: Tracking }): RegistryRouteDeps['evidence'] =>
  async (sql, workspace, version) => {
    const model = version.logged_model_id
      ? await tracking.getLoggedModel(sql, workspace, version.logged_model_id).catch(absent)
      : undefined
    const run = version.run_id ? await tracking.getRun(sql, workspace, version.run_id).catch(absent) : undefined
    return {
      params: model?.params.length ? model.params : (run?.params ?? []),
      metrics: model?.metrics.length ? model.metrics : (run?.metrics ?? []),
    }
  }
