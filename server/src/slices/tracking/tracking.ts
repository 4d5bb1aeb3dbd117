import type { BlobRef } from '#kernel/blobs/index.ts'
import type { Events, Subject } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Random } from '#kernel/random.ts'
import type { MigrationSource, Sql, Tx } from '#kernel/store/index.ts'
import { pathOfUri } from './artifact-paths.ts'
import { type Artifacts, createArtifacts, fileAt, joinPath } from './artifacts.ts'
import { type Boards, createBoards } from './boards/index.ts'
import { createExperimentChanges, type ExperimentChanges } from './experiments.ts'
import { logBatch } from './metric-commands.ts'
import type {
  ArtifactEntry,
  ArtifactFile,
  DatasetInput,
  Experiment,
  KeyValue,
  LoggedModel,
  MetricInput,
  Run,
  RunInfo,
  Stamp,
} from './model.ts'
import { logInputs, setModelTags } from './model-commands.ts'
import { fillModels, findModel } from './model-rows.ts'
import { randomName } from './names.ts'
import { getExperiment, getLoggedModel, getRun } from './queries.ts'
import { type CreateRun, createRun, type UpdateRun, updateRun } from './run-commands.ts'
import { fillRuns, findRun, RUN_COLUMNS, type RunRow } from './run-rows.ts'
import { setExperimentFolder } from './table/folders.ts'
import { type MoveAsk, moveRuns } from './table/move.ts'

export const trackingMigrations: MigrationSource = {
  owner: 'tracking',
  dir: new URL('./migrations/', import.meta.url),
}

export interface TrackingDeps {
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld'>
  ids: Ids
  random: Random
  now: () => number
}

/** What commands are handed instead of a clock, ids and randomness of their own. */
export interface Draw {
  stamp(who: Who): Stamp
  run(who: Who): Stamp & { run_id: string; random_name: string }
  model(who: Who): Stamp & { model_id: string; random_name: string }
}

/**
 * Experiments, runs, logged models and artifacts. The hot writes are the commands in commands.ts, the reads the
 * queries in queries.ts; what is here needs holds and events, or serves other slices.
 */
export interface Tracking extends ExperimentChanges {
  draw: Draw
  artifacts: Artifacts
  boards: Boards
  getRun(sql: Sql, workspace: string, run_id: string): Promise<Run>
  getExperiment(sql: Sql, workspace: string, experiment_id: string): Promise<Experiment>
  /** Throws not-found for deleted ones as well. */
  getLoggedModel(sql: Sql, workspace: string, model_id: string): Promise<LoggedModel>
  /** Deleted ones as well; undefined when there is none. */
  findLoggedModel(sql: Sql, workspace: string, model_id: string): Promise<LoggedModel | undefined>
  findRun(sql: Sql, workspace: string, run_id: string): Promise<Run | undefined>
  /** The output of the run that has this name, the newest when there are several. */
  findOutput(sql: Sql, workspace: string, run_id: string, name: string): Promise<LoggedModel | undefined>
  /** Puts an experiment into a folder (`team/vision`); null takes it out. */
  setExperimentFolder(tx: Tx, who: Who, experiment_id: string, folder: string | null): Promise<void>
  /** All of them or none; throws conflict when a hold names one. Answers how many were elsewhere before. */
  moveRuns(tx: Tx, who: Who, ask: MoveAsk): Promise<{ moved: number; experiment_id: string }>
  setLoggedModelTags(tx: Tx, who: Who, model_id: string, tags: KeyValue[]): Promise<void>
  /** The commands of the same names, for slices that change a run together with something of their own. */
  createRun(tx: Tx, who: Who, run: NewRun): Promise<Run>
  updateRun(tx: Tx, who: Who, run_id: string, change: Pick<UpdateRun, 'status' | 'end_ms' | 'name'>): Promise<RunInfo>
  logBatch(tx: Tx, who: Who, run_id: string, batch: RunBatch): Promise<void>
  logInputs(tx: Tx, who: Who, run_id: string, datasets: DatasetInput[]): Promise<void>
  /** Whole runs that a pipeline step's processes made, oldest first; at most 1000. */
  runsOfStep(sql: Sql, workspace: string, step_run: string): Promise<Run[]>
  /** Runs nested directly under a run, oldest first; at most 1000. */
  childRuns(sql: Sql, workspace: string, run_id: string): Promise<Run[]>
  /** All files under an `mlflow-artifacts:` URI, by path. Undefined for a URI of another scheme: its bytes are elsewhere. */
  filesOfUri(sql: Sql, workspace: string, uri: string): Promise<ArtifactFile[] | undefined>
  /** One folder of a run or logged model; `path` relative to its root, also in the answer. */
  listUnder(sql: Sql, workspace: string, artifact_uri: string, path: string): Promise<ArtifactEntry[]>
  /** The bytes' address of one file below a root. Throws not-found, and invalid for a folder. */
  fileUnder(sql: Sql, workspace: string, artifact_uri: string, path: string): Promise<BlobRef>
  /** One line for pages and lineage: what the thing is called. Undefined for what is not tracking's or not there. */
  describe(
    sql: Sql,
    workspace: string,
    subject: Subject,
  ): Promise<{ label: string; facts: Record<string, unknown> } | undefined>
}

export type NewRun = Omit<CreateRun, keyof Stamp | 'run_id' | 'random_name' | 'tags'> & { tags?: KeyValue[] }
export type RunBatch = { metrics?: MetricInput[]; params?: KeyValue[]; tags?: KeyValue[] }

const RELATED_MAX = 1000

export function createTracking(deps: TrackingDeps): Tracking {
  const { ids, random, now } = deps
  const artifacts = createArtifacts(deps)
  const experiments = createExperimentChanges(deps)
  // Rights were looked at by whoever let the caller in; a stamp crosses threads with every write.
  const stamp = (who: Who): Stamp => ({ who: { ...who, rights: [] }, now_ms: now(), event_id: ids.next('event') })

  const byTag = async (sql: Sql, workspace: string, key: string, value: string): Promise<RunRow[]> =>
    await sql.all<RunRow>(
      `SELECT ${RUN_COLUMNS} FROM run_tag t JOIN run r ON r.run_key = t.run_key
       JOIN experiment e ON e.experiment = r.experiment
       WHERE t.key = '${key}' AND substr(t.value, 1, 64) = ? AND t.value = ? AND r.workspace = ? AND r.lifecycle = 'active'
       ORDER BY r.start_ms, r.run_id LIMIT ?`,
      [value.slice(0, 64), value, workspace, RELATED_MAX],
    )

  const draw: Draw = {
    stamp,
    run: (who) => ({ ...stamp(who), run_id: ids.hex(), random_name: randomName(random) }),
    model: (who) => ({ ...stamp(who), model_id: `m-${ids.hex()}`, random_name: randomName(random) }),
  }

  const changes: Pick<Tracking, 'createExperiment' | 'createRun' | 'updateRun' | 'logBatch'> = {
    createExperiment: experiments.createExperiment,
    createRun: (tx, who, run) => createRun(tx, { ...draw.run(who), tags: [], ...run }),
    updateRun: (tx, who, run_id, change) => updateRun(tx, { ...stamp(who), run_id, ...change }),
    logBatch: (tx, who, run_id, batch) =>
      logBatch(tx, { ...stamp(who), run_id, metrics: [], params: [], tags: [], ...batch }),
  }

  return {
    ...experiments,
    ...changes,
    boards: createBoards(changes),
    setExperimentFolder: (tx, who, id, folder) => setExperimentFolder(tx, who, id, folder, experiments),
    moveRuns: (tx, who, ask) => moveRuns(tx, who, ask, deps),
    artifacts,
    draw,

    logInputs: (tx, who, run_id, datasets) => logInputs(tx, { ...stamp(who), run_id, datasets, models: [] }),

    getRun: (sql, workspace, run_id) => getRun(sql, { workspace, run_id }),
    getExperiment: (sql, workspace, experiment_id) => getExperiment(sql, { workspace, experiment_id }),
    getLoggedModel: (sql, workspace, model_id) => getLoggedModel(sql, { workspace, model_id }),

    async findLoggedModel(sql, workspace, model_id) {
      const row = await findModel(sql, workspace, model_id)
      return row && (await fillModels(sql, [row]))[0]
    },

    async findRun(sql, workspace, run_id) {
      const row = await findRun(sql, workspace, run_id)
      return row && (await fillRuns(sql, [row]))[0]
    },

    async findOutput(sql, workspace, run_id, name) {
      const found = await sql.get<{ model_id: string }>(
        `SELECT m.model_id FROM run r JOIN run_model o ON o.run_key = r.run_key AND o.direction = 'output'
         JOIN logged_model m ON m.workspace = r.workspace AND m.model_id = o.model_id
         WHERE r.workspace = ? AND r.run_id = ? AND m.name = ? AND m.lifecycle = 'active'
         ORDER BY m.created_ms DESC, m.model_id DESC LIMIT 1`,
        [workspace, run_id, name],
      )
      return found && (await getLoggedModel(sql, { workspace, model_id: found.model_id }))
    },

    async setLoggedModelTags(tx, who, model_id, tags) {
      await setModelTags(tx, { ...stamp(who), model_id, tags })
    },

    async runsOfStep(sql, workspace, step_run) {
      return await fillRuns(sql, await byTag(sql, workspace, 'slipway.step_run', step_run))
    },

    async childRuns(sql, workspace, run_id) {
      return await fillRuns(sql, await byTag(sql, workspace, 'mlflow.parentRunId', run_id))
    },

    async filesOfUri(sql, workspace, uri) {
      const path = pathOfUri(uri)
      return path === undefined ? undefined : await artifacts.filesUnder(sql, workspace, path)
    },

    async listUnder(sql, workspace, artifact_uri, path) {
      const root = pathOfUri(artifact_uri)
      if (root === undefined) return []
      const relative = joinPath('', path)
      const entries = await artifacts.list(sql, workspace, joinPath(root, relative))
      return entries.map((entry) => ({ ...entry, path: relative === '' ? entry.path : `${relative}/${entry.path}` }))
    },

    async fileUnder(sql, workspace, artifact_uri, path) {
      const root = pathOfUri(artifact_uri)
      return await fileAt(artifacts, sql, workspace, root === undefined ? joinPath('', path) : joinPath(root, path))
    },

    async describe(sql, workspace, { kind, id }) {
      if (kind === 'run') {
        const run = await findRun(sql, workspace, id)
        return run && { label: run.name, facts: { status: run.status, experiment_id: String(run.experiment) } }
      }
      if (kind === 'logged-model') {
        const model = await findModel(sql, workspace, id)
        return model && { label: model.name, facts: { status: model.status, experiment_id: String(model.experiment) } }
      }
      if (kind !== 'experiment') return undefined
      const row = await sql.get<{ name: string; lifecycle: string }>(
        'SELECT name, lifecycle FROM experiment WHERE workspace = ? AND experiment = ?',
        [workspace, /^\d{1,15}$/.test(id) ? Number(id) : -1],
      )
      return row && { label: row.name, facts: { lifecycle: row.lifecycle } }
    },
  }
}
