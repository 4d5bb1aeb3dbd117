import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Edge } from '#kernel/events/index.ts'
import { recordEvent } from '#kernel/events/record.ts'
import type { Tx } from '#kernel/store/index.ts'
import { checkParam, checkTag } from './checks.ts'
import { datasetVersionOf } from './data-version.ts'
import { runAmended, runCreated, runEnded } from './events.ts'
import { ensureDefault, mustBeActive, mustFindExperiment } from './experiment-rows.ts'
import { refuseIfHeld } from './held.ts'
import { LIMITS } from './limits.ts'
import { insertMany } from './lists.ts'
import { noteEnded } from './metrics/unsealed.ts'
import { isEnded, type KeyValue, type Run, type RunInfo, type RunStatus, type Stamp } from './model.ts'
import { infoOf, mustFindRun, mustFindRunState, type RunState } from './run-rows.ts'

export const RUN_NAME_TAG = 'mlflow.runName'
export const STEP_RUN_TAG = 'slipway.step_run'
const LOGGED_MODELS_TAG = 'mlflow.log-model.history'

function refuseDeleted({ run_id, lifecycle }: RunState): void {
  if (lifecycle === 'active') return
  throw invalid(`The run ${run_id} must be in the 'active' state. Current state is ${lifecycle}.`, {
    field: 'run_id',
    remedy: 'Restore the run first.',
  })
}

export async function activeRun(tx: Tx, workspace: string, run_id: string): Promise<RunState> {
  const run = await mustFindRunState(tx, workspace, run_id)
  refuseDeleted(run)
  return run
}

/** For all but its tags and name: what a finished run tells stays as it is while a live release stands on it. */
export async function openRun(tx: Tx, workspace: string, run_id: string): Promise<RunState> {
  const run = await activeRun(tx, workspace, run_id)
  if (isEnded(run.status)) await refuseIfHeld(tx, workspace, 'run', run_id)
  return run
}

export interface CreateRun extends Stamp {
  /** Drawn by the caller: 32 hex digits. */
  run_id: string
  experiment_id: string
  /** Drawn by the caller for a run that comes without a name. */
  random_name: string
  name?: string
  user_id?: string
  start_ms?: number
  tags: KeyValue[]
}

/** Answers the whole run. Throws not-found for the experiment, invalid for a name that the tag contradicts. */
export async function createRun(tx: Tx, input: CreateRun): Promise<Run> {
  const { who, run_id } = input
  const { workspace } = who
  const isDefault = input.experiment_id === '' || input.experiment_id === '0'
  const experiment = isDefault
    ? await ensureDefault(tx, workspace, input.now_ms)
    : await mustFindExperiment(tx, workspace, input.experiment_id)
  mustBeActive(experiment)
  if (input.tags.length > LIMITS.create_tags) {
    throw invalid(`A run can be created with at most ${LIMITS.create_tags} tags, not ${input.tags.length}`, {
      field: 'tags',
    })
  }
  const tags = new Map<string, string>()
  for (const [index, tag] of input.tags.entries()) {
    const { key, value } = checkTag(tag, `tags[${index}]`)
    tags.set(key, value)
  }
  const tagged = tags.get(RUN_NAME_TAG)
  if (input.name && tagged && input.name !== tagged) {
    throw invalid(
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${input.name}', mlflow.runName='${tagged}').`,
      { field: 'run_name' },
    )
  }
  const { value: name } = checkTag({ key: RUN_NAME_TAG, value: input.name || tagged || input.random_name })
  tags.set(RUN_NAME_TAG, name)
  const step_run = who.kind === 'run' ? who.id : undefined
  if (step_run !== undefined) tags.set(STEP_RUN_TAG, step_run)
  const user_id = input.user_id || who.name
  const start_ms = input.start_ms || input.now_ms
  const made = await tx.get<{ run_key: number }>(
    `INSERT INTO run (workspace, run_id, experiment, name, user_id, status, start_ms, end_ms, lifecycle, deleted_with_experiment)
     VALUES (?, ?, ?, ?, ?, 'RUNNING', ?, NULL, 'active', 0) RETURNING run_key`,
    [workspace, run_id, experiment.experiment, name, user_id, start_ms],
  )
  await insertMany(
    tx,
    'run_tag (run_key, key, value)',
    [...tags].map(([key, value]) => [made!.run_key, key, value]),
  )
  await recordEvent(tx, runCreated, {
    id: input.event_id,
    at_ms: input.now_ms,
    who,
    subject: { kind: 'run', id: run_id },
    after: { run_id, experiment_id: String(experiment.experiment), name, status: 'RUNNING' },
    ...(step_run !== undefined && {
      edges: [{ from: { kind: 'run', id: run_id }, to: { kind: 'step-run', id: step_run }, relation: 'part-of' }],
    }),
  })
  return {
    ...infoOf({ ...experiment, run_key: made!.run_key, run_id, name, user_id, start_ms, ...FRESH }),
    metrics: [],
    params: [],
    tags: [...tags].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1)),
    dataset_inputs: [],
    model_inputs: [],
    model_outputs: [],
  }
}

const FRESH = { status: 'RUNNING', end_ms: null, lifecycle: 'active', artifact_uri: null, segment: null } as const

export interface UpdateRun extends Stamp {
  run_id: string
  status?: RunStatus
  end_ms?: number
  name?: string
}

/** Each part only when given. Records the end of the run when it ends by this. */
export async function updateRun(tx: Tx, input: UpdateRun): Promise<RunInfo> {
  const { who, run_id } = input
  await tx.lock('run', who.workspace, run_id)
  const run = await mustFindRun(tx, who.workspace, run_id)
  refuseDeleted(run)
  const status = input.status ?? run.status
  const end_ms = input.end_ms ?? run.end_ms
  if (isEnded(run.status) && (status !== run.status || end_ms !== run.end_ms))
    await refuseIfHeld(tx, who.workspace, 'run', run_id)
  const name = input.name ? checkTag({ key: RUN_NAME_TAG, value: input.name }).value : run.name
  await tx.run('UPDATE run SET status = ?, end_ms = ?, name = ? WHERE run_key = ?', [status, end_ms, name, run.run_key])
  if (input.name) await putTag(tx, run.run_key, { key: RUN_NAME_TAG, value: name })
  const info = infoOf({ ...run, status, end_ms, name })
  if (isEnded(status) && !isEnded(run.status)) {
    noteEnded(run.run_key)
    await recordEvent(tx, runEnded, {
      id: input.event_id,
      at_ms: input.now_ms,
      who,
      subject: { kind: 'run', id: run_id },
      before: { status: run.status },
      after: { run_id, experiment_id: info.experiment_id, name, status, start_ms: info.start_ms, end_ms },
      edges: await inputEdges(tx, run),
    })
  }
  return info
}

/** Dataset versions of ours among the run's inputs: their id stands in the source that the client sent. */
async function inputEdges(tx: Tx, run: RunState): Promise<Edge[]> {
  const inputs = await tx.all<{ source: string }>(
    `SELECT d.source FROM run_input i JOIN input_dataset d ON d.dataset_key = i.dataset_key
     WHERE i.run_key = ? ORDER BY i.position LIMIT ?`,
    [run.run_key, LIMITS.inputs],
  )
  const ids = new Set(inputs.map(({ source }) => datasetVersionOf(source)).filter((id) => id !== undefined))
  return [...ids].map((id) => ({
    from: { kind: 'dataset-version', id },
    to: { kind: 'run', id: run.run_id },
    relation: 'input',
  }))
}

const putTag = (tx: Tx, run_key: number, { key, value }: KeyValue) =>
  tx.run(
    `INSERT INTO run_tag (run_key, key, value) VALUES (?, ?, ?)
     ON CONFLICT (run_key, key) DO UPDATE SET value = excluded.value`,
    [run_key, key, value],
  )

/** Writes tags, renames the run when its name is among them. The last of a key repeated in one call stands. */
async function putTags(tx: Tx, run: RunState, tags: readonly KeyValue[]): Promise<void> {
  for (const tag of new Map(tags.map((each) => [each.key, each])).values()) {
    await putTag(tx, run.run_key, tag)
    if (tag.key === RUN_NAME_TAG) await tx.run('UPDATE run SET name = ? WHERE run_key = ?', [tag.value, run.run_key])
  }
}

/** Values as they stand; null where there is none. A map: a tag may be called `__proto__`. */
async function tagValues(tx: Tx, run_key: number, keys: readonly string[]): Promise<Map<string, string | null>> {
  const values = new Map<string, string | null>()
  for (const key of keys) {
    const found = await tx.get<{ value: string }>('SELECT value FROM run_tag WHERE run_key = ? AND key = ?', [
      run_key,
      key,
    ])
    values.set(key, found?.value ?? null)
  }
  return values
}

export interface Amendment {
  params?: readonly KeyValue[]
  /** Tags as they became; null for a deleted one. */
  tags?: Record<string, string | null>
  before?: Record<string, string | null>
}

/** A change of what a finished run says of itself is an event; what a running one logs is not. */
export async function amend(tx: Tx, run: RunState, stamp: Stamp, changed: Amendment): Promise<void> {
  const { params = [], tags = {}, before = {} } = changed
  if (!isEnded(run.status) || (params.length === 0 && Object.keys(tags).length === 0)) return
  await recordEvent(tx, runAmended, {
    id: stamp.event_id,
    at_ms: stamp.now_ms,
    who: stamp.who,
    subject: { kind: 'run', id: run.run_id },
    before: { tags: before },
    after: {
      run_id: run.run_id,
      experiment_id: String(run.experiment),
      ...(params.length > 0 && { params: Object.fromEntries(params.map(({ key, value }) => [key, value])) }),
      ...(Object.keys(tags).length > 0 && { tags }),
    },
  })
}

/** Writes checked tags into an active run; answers what became different, looked up for ended runs alone. */
export async function writeTags(tx: Tx, run: RunState, tags: readonly KeyValue[]): Promise<Amendment> {
  if (!isEnded(run.status)) {
    await putTags(tx, run, tags)
    return {}
  }
  const keys = tags.map(({ key }) => key)
  const before = await tagValues(tx, run.run_key, keys)
  await putTags(tx, run, tags)
  const changed = tags.filter(({ key, value }) => before.get(key) !== value)
  return {
    tags: Object.fromEntries(changed.map(({ key, value }) => [key, value])),
    before: Object.fromEntries(changed.map(({ key }) => [key, before.get(key) ?? null])),
  }
}

export interface SetTag extends Stamp {
  run_id: string
  tag: KeyValue
}

export async function setTag(tx: Tx, input: SetTag): Promise<void> {
  const tag = checkTag(input.tag)
  const run = await activeRun(tx, input.who.workspace, input.run_id)
  await amend(tx, run, input, await writeTags(tx, run, [tag]))
}

export interface DeleteTag extends Stamp {
  run_id: string
  key: string
}

export async function deleteTag(tx: Tx, input: DeleteTag): Promise<void> {
  const run = await activeRun(tx, input.who.workspace, input.run_id)
  const before = await tagValues(tx, run.run_key, [input.key])
  const { changes } = await tx.run('DELETE FROM run_tag WHERE run_key = ? AND key = ?', [run.run_key, input.key])
  if (changes === 0) {
    throw notFound(`No tag with name: ${input.key.slice(0, 300)} in run with id ${input.run_id}`, { field: 'key' })
  }
  const value = before.get(input.key) ?? null
  await amend(tx, run, input, {
    tags: Object.fromEntries([[input.key, null]]),
    before: Object.fromEntries([[input.key, value]]),
  })
}

/** Writes checked params, answers the new ones; throws what `refuse` makes of those that are there with another value. */
export async function writeParams(
  tx: Tx,
  run: RunState,
  params: readonly KeyValue[],
  refuse: (changed: { key: string; old_value: string; new_value: string }[]) => DomainError,
): Promise<KeyValue[]> {
  const changed: { key: string; old_value: string; new_value: string }[] = []
  const added: KeyValue[] = []
  for (const { key, value } of params) {
    const { changes } = await tx.run(
      'INSERT INTO run_param (run_key, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      [run.run_key, key, value],
    )
    if (changes > 0) added.push({ key, value })
    else {
      const old = await tx.get<{ value: string }>('SELECT value FROM run_param WHERE run_key = ? AND key = ?', [
        run.run_key,
        key,
      ])
      if (old && old.value !== value) changed.push({ key, old_value: old.value, new_value: value })
    }
  }
  if (changed.length > 0) throw refuse(changed)
  return added
}

export interface LogParam extends Stamp {
  run_id: string
  param: KeyValue
}

export async function logParam(tx: Tx, input: LogParam): Promise<void> {
  const param = checkParam(input.param)
  const run = await openRun(tx, input.who.workspace, input.run_id)
  const params = await writeParams(tx, run, [param], ([changed]) =>
    invalid(
      `Changing param values is not allowed. Param with key='${changed!.key}' was already logged with value='${changed!.old_value}' for run ID='${input.run_id}'. Attempted logging new value '${changed!.new_value}'.`,
      { field: 'value' },
    ),
  )
  await amend(tx, run, input, { params })
}

export interface RecordModel extends Stamp {
  run_id: string
  /** The MLmodel as an object, as old clients send it. */
  model: Record<string, unknown>
}

/** Old clients: appends the model to the list in a tag of the run. */
export async function recordModel(tx: Tx, input: RecordModel): Promise<void> {
  const run = await activeRun(tx, input.who.workspace, input.run_id)
  await tx.lock('run', input.who.workspace, input.run_id)
  const before = (await tagValues(tx, run.run_key, [LOGGED_MODELS_TAG])).get(LOGGED_MODELS_TAG)
  const list = JSON.parse(before ?? '[]') as unknown[]
  const value = JSON.stringify([...list, input.model])
  if (value.length > 1_000_000) {
    throw new DomainError('too-large', `run ${input.run_id} has too many models in its tag ${LOGGED_MODELS_TAG}`, {
      remedy: 'Log models as logged models, with a client of MLflow 3.',
    })
  }
  await amend(tx, run, input, await writeTags(tx, run, [{ key: LOGGED_MODELS_TAG, value }]))
}
