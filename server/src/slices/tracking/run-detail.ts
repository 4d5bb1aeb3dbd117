import type { Blobs } from '#kernel/blobs/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import { pathOfUri } from './artifact-paths.ts'
import { datasetVersionOf } from './data-version.ts'
import type { ArtifactEntry, Experiment, KeyValue, LoggedModel, Run } from './model.ts'
import { infoReply, modelReply, rowReply, tagValue } from './replies.ts'
import type { Tracking } from './tracking.ts'

/** Models of a run that its page shows whole. */
const MODELS_MAX = 50
const REQUIREMENTS_BYTES_MAX = 256 * 1024

interface Seen {
  run: Run
  experiment: Experiment
  models: { model: LoggedModel; direction: 'input' | 'output'; step: number }[]
  artifacts: ArtifactEntry[]
  parent: Run | undefined
  children: Run[]
  /** Where the first output that has them keeps its `requirements.txt` and `python_env.yaml`. */
  environment: { model_id: string; requirements?: string; python_env?: string } | undefined
}

/** Everything that the page of a run needs, from one snapshot. Throws not-found. */
export async function readRunDetail(tracking: Tracking, sql: Sql, workspace: string, run_id: string): Promise<Seen> {
  const run = await tracking.getRun(sql, workspace, run_id)
  const experiment = await tracking.getExperiment(sql, workspace, run.experiment_id)
  const parent_id = tagValue(run.tags, 'mlflow.parentRunId')
  const models: Seen['models'] = []
  const named = [
    ...run.model_outputs.map(({ model_id, step }) => ({ model_id, direction: 'output' as const, step: Number(step) })),
    ...run.model_inputs.map((model_id) => ({ model_id, direction: 'input' as const, step: 0 })),
  ]
  for (const { model_id, direction, step } of named.slice(0, MODELS_MAX)) {
    const model = await tracking.findLoggedModel(sql, workspace, model_id)
    if (model) models.push({ model, direction, step })
  }
  return {
    run,
    experiment,
    models,
    artifacts: await tracking.listUnder(sql, workspace, run.artifact_uri, ''),
    parent: parent_id ? await tracking.findRun(sql, workspace, parent_id) : undefined,
    children: await tracking.childRuns(sql, workspace, run_id),
    environment: await findEnvironment(tracking, sql, workspace, models),
  }
}

async function findEnvironment(
  tracking: Tracking,
  sql: Sql,
  workspace: string,
  models: Seen['models'],
): Promise<Seen['environment']> {
  for (const { model, direction } of models) {
    const root = pathOfUri(model.artifact_uri)
    if (direction !== 'output' || root === undefined) continue
    const digest = async (name: string) => {
      const found = await tracking.artifacts.at(sql, workspace, `${root}/${name}`)
      return found?.kind === 'file' && found.size_bytes <= REQUIREMENTS_BYTES_MAX ? found.digest : undefined
    }
    const requirements = await digest('requirements.txt')
    const python_env = await digest('python_env.yaml')
    if (requirements) return { model_id: model.model_id, requirements, ...(python_env && { python_env }) }
  }
  return undefined
}

/** The two small files of an environment; empty for what is not there. */
export async function readEnvironment(environment: Seen['environment'], blobs: Pick<Blobs, 'read'>) {
  const text = async (digest: string | undefined) =>
    digest ? Buffer.from(await blobs.read(digest, REQUIREMENTS_BYTES_MAX)).toString('utf8') : ''
  return { requirements: await text(environment?.requirements), python_env: await text(environment?.python_env) }
}

/** Python's version as a `python_env.yaml` names it. */
export const pythonOf = (python_env: string): string | null =>
  /^python:\s*["']?([0-9.]+)/m.exec(python_env)?.[1] ?? null

/** Words what was seen; reads the two small files of the environment. */
export async function runDetailReply(seen: Seen, blobs: Pick<Blobs, 'read'>) {
  const { run, experiment, environment } = seen
  const files = await readEnvironment(environment, blobs)
  const requirements = files.requirements.split('\n').map((line) => line.trim())
  const tag = (key: string) => tagValue(run.tags, key)
  return {
    ...rowReply(run),
    experiment: { experiment_id: experiment.experiment_id, name: experiment.name, lifecycle: experiment.lifecycle },
    artifact_uri: run.artifact_uri,
    description: tag('mlflow.note.content'),
    inputs: run.dataset_inputs.map(({ dataset, tags }) => ({
      name: dataset.name,
      digest: dataset.digest,
      source_type: dataset.source_type,
      source: dataset.source,
      context: contextOf(tags),
      dataset_version: datasetVersionOf(dataset.source) ?? null,
    })),
    models: seen.models.map(({ model, direction, step }) => ({ ...modelReply(model), direction, step })),
    artifacts: seen.artifacts,
    parent: seen.parent ? infoReply(seen.parent) : null,
    children: seen.children.map(infoReply),
    step_run: tag('slipway.step_run'),
    environment: {
      source_name: tag('mlflow.source.name'),
      source_type: tag('mlflow.source.type'),
      git_commit: tag('mlflow.source.git.commit'),
      python_version: pythonOf(files.python_env),
      requirements: requirements.filter((line) => line !== '' && !line.startsWith('#')).slice(0, 2000),
      from_model: environment?.model_id ?? null,
    },
  }
}

const contextOf = (tags: readonly KeyValue[]) => tagValue(tags, 'mlflow.data.context')
