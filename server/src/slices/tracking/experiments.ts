import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Events, EventType } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { checkArtifactLocation, checkExperimentName, checkExperimentTag } from './checks.ts'
import {
  type ExperimentFact,
  experimentCreated,
  experimentDeleted,
  experimentRenamed,
  experimentRestored,
  loggedModelDeleted,
  type RunFact,
  runDeleted,
  runRestored,
} from './events.ts'
import {
  type ExperimentRow,
  ensureDefault,
  findExperiment,
  findExperimentByName,
  insertExperiment,
  mustBeActive,
  mustFindExperiment,
} from './experiment-rows.ts'
import { LIMITS } from './limits.ts'
import { insertMany } from './lists.ts'
import type { KeyValue } from './model.ts'
import { mustFindModel } from './model-rows.ts'
import { mustFindRun, type RunRow } from './run-rows.ts'
import { loosenExperiment } from './search/columns/seal.ts'

interface Deps {
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld'>
  now: () => number
}

export interface NewExperiment {
  name: string
  artifact_location?: string
  tags: readonly KeyValue[]
}

export interface ExperimentChanges {
  /** The workspace's Default, made when missing. */
  ensureDefaultExperiment(tx: Tx, workspace: string): Promise<string>
  /** Throws already-exists for a name that is taken, also by a deleted one. Answers the id. */
  createExperiment(tx: Tx, who: Who, given: NewExperiment): Promise<string>
  /** The experiment of that name, made when missing; throws conflict when it is deleted. */
  ensureExperiment(tx: Tx, who: Who, name: string): Promise<string>
  renameExperiment(tx: Tx, who: Who, id: string, name: string): Promise<void>
  deleteExperiment(tx: Tx, who: Who, id: string): Promise<void>
  restoreExperiment(tx: Tx, who: Who, id: string): Promise<void>
  setExperimentTag(tx: Tx, who: Who, id: string, tag: KeyValue): Promise<void>
  deleteExperimentTag(tx: Tx, who: Who, id: string, key: string): Promise<void>
  /** Throws conflict when a hold names the run. Deleting twice is deleting once. */
  deleteRun(tx: Tx, who: Who, run_id: string): Promise<void>
  restoreRun(tx: Tx, who: Who, run_id: string): Promise<void>
  /** Throws conflict when a hold names the model. */
  deleteLoggedModel(tx: Tx, who: Who, model_id: string): Promise<void>
}

const factOf = (row: ExperimentRow): ExperimentFact => ({ experiment_id: String(row.experiment), name: row.name })

const runFact = (row: RunRow): RunFact => ({
  run_id: row.run_id,
  experiment_id: String(row.experiment),
  name: row.name,
  status: row.status,
})

export function createExperimentChanges({ events, holds, now }: Deps): ExperimentChanges {
  const told = (tx: Tx, who: Who, type: EventType<ExperimentFact>, row: ExperimentRow, before?: unknown) =>
    events.record(tx, type, {
      who,
      subject: { kind: 'experiment', id: String(row.experiment) },
      after: factOf(row),
      ...(before !== undefined && { before }),
    })

  const lockName = (tx: Tx, workspace: string, name: string) => tx.lock('experiment', workspace, name)

  const create: ExperimentChanges['createExperiment'] = async (tx, who, given) => {
    checkExperimentName(given.name)
    if (given.artifact_location) checkArtifactLocation(given.artifact_location)
    if (given.tags.length > LIMITS.create_tags) {
      throw invalid(`An experiment can be created with at most ${LIMITS.create_tags} tags`, { field: 'tags' })
    }
    for (const tag of given.tags) checkExperimentTag(tag)
    await lockName(tx, who.workspace, given.name)
    const taken = await findExperimentByName(tx, who.workspace, given.name)
    if (taken) {
      throw new DomainError(
        'already-exists',
        taken.lifecycle === 'deleted'
          ? `Experiment '${given.name}' already exists in deleted state. You can restore the experiment, or permanently delete the experiment to create a new one.`
          : `Experiment(name=${given.name}) already exists.`,
        { field: 'name' },
      )
    }
    const row = await insertExperiment(tx, who.workspace, {
      name: given.name,
      now_ms: now(),
      ...(given.artifact_location && { artifact_location: given.artifact_location }),
    })
    const tags = new Map(given.tags.map(({ key, value }) => [key, value]))
    await insertMany(
      tx,
      'experiment_tag (experiment, key, value)',
      [...tags].map(([key, value]) => [row.experiment, key, value]),
    )
    await told(tx, who, experimentCreated, row)
    return String(row.experiment)
  }

  const touch = (tx: Tx, row: ExperimentRow) =>
    tx.run('UPDATE experiment SET updated_ms = ? WHERE experiment = ?', [now(), row.experiment])

  /** Locked, so that on PostgreSQL two changes of one experiment follow one another. */
  const locked = async (tx: Tx, who: Who, id: string): Promise<ExperimentRow> => {
    await tx.lock('experiment-id', who.workspace, id)
    return await mustFindExperiment(tx, who.workspace, id)
  }

  const lockedActive = async (tx: Tx, who: Who, id: string): Promise<ExperimentRow> => {
    const row = await locked(tx, who, id)
    mustBeActive(row)
    return row
  }

  return {
    async ensureDefaultExperiment(tx, workspace) {
      return String((await ensureDefault(tx, workspace, now())).experiment)
    },

    createExperiment: create,

    async ensureExperiment(tx, who, name) {
      await lockName(tx, who.workspace, name)
      const found = await findExperimentByName(tx, who.workspace, name)
      if (!found) return await create(tx, who, { name, tags: [] })
      if (found.lifecycle === 'active') return String(found.experiment)
      throw new DomainError('conflict', `experiment '${name}' is deleted`, {
        field: 'experiment',
        remedy: 'Restore it, or use another name.',
      })
    },

    async renameExperiment(tx, who, id, name) {
      checkExperimentName(name, 'new_name')
      const row = await lockedActive(tx, who, id)
      if (row.name === name) return
      await lockName(tx, who.workspace, name)
      if (await findExperimentByName(tx, who.workspace, name)) {
        throw new DomainError('already-exists', `Experiment(name=${name}) already exists.`, { field: 'new_name' })
      }
      await tx.run('UPDATE experiment SET name = ?, updated_ms = ? WHERE experiment = ?', [name, now(), row.experiment])
      await told(tx, who, experimentRenamed, { ...row, name }, factOf(row))
    },

    async deleteExperiment(tx, who, id) {
      const row = await locked(tx, who, id)
      if (row.lifecycle !== 'active') throw notFound(`No Experiment with id=${id} exists`, { field: 'experiment_id' })
      await holds.refuseIfHeld(
        tx,
        who.workspace,
        [{ kind: 'experiment', id: String(row.experiment) }],
        `delete experiment '${row.name}'`,
      )
      await tx.run(`UPDATE experiment SET lifecycle = 'deleted', updated_ms = ? WHERE experiment = ?`, [
        now(),
        row.experiment,
      ])
      await loosenExperiment(tx, row.experiment)
      await tx.run(
        `UPDATE run SET lifecycle = 'deleted', deleted_with_experiment = 1 WHERE experiment = ? AND lifecycle = 'active'`,
        [row.experiment],
      )
      await told(tx, who, experimentDeleted, row)
    },

    async restoreExperiment(tx, who, id) {
      const row = await locked(tx, who, id)
      if (row.lifecycle !== 'deleted') throw notFound(`No Experiment with id=${id} exists`, { field: 'experiment_id' })
      await tx.run(`UPDATE experiment SET lifecycle = 'active', updated_ms = ? WHERE experiment = ?`, [
        now(),
        row.experiment,
      ])
      await loosenExperiment(tx, row.experiment)
      await tx.run(
        `UPDATE run SET lifecycle = 'active', deleted_with_experiment = 0
         WHERE experiment = ? AND lifecycle = 'deleted' AND deleted_with_experiment = 1`,
        [row.experiment],
      )
      await told(tx, who, experimentRestored, row)
    },

    async setExperimentTag(tx, who, id, tag) {
      checkExperimentTag(tag)
      const row = await lockedActive(tx, who, id)
      await tx.run(
        `INSERT INTO experiment_tag (experiment, key, value) VALUES (?, ?, ?)
         ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value`,
        [row.experiment, tag.key, tag.value],
      )
      await touch(tx, row)
    },

    async deleteExperimentTag(tx, who, id, key) {
      const row = await lockedActive(tx, who, id)
      const { changes } = await tx.run('DELETE FROM experiment_tag WHERE experiment = ? AND key = ?', [
        row.experiment,
        key,
      ])
      if (changes === 0) {
        throw notFound(`No tag with name: ${key.slice(0, 300)} in experiment with id ${id}`, { field: 'key' })
      }
      await touch(tx, row)
    },

    async deleteRun(tx, who, run_id) {
      await tx.lock('run', who.workspace, run_id)
      const row = await mustFindRun(tx, who.workspace, run_id)
      if (row.lifecycle === 'deleted') return
      await holds.refuseIfHeld(tx, who.workspace, [{ kind: 'run', id: run_id }], `delete run ${run_id}`)
      await tx.run(`UPDATE run SET lifecycle = 'deleted', deleted_with_experiment = 0 WHERE run_key = ?`, [row.run_key])
      await events.record(tx, runDeleted, { who, subject: { kind: 'run', id: run_id }, after: runFact(row) })
    },

    async restoreRun(tx, who, run_id) {
      await tx.lock('run', who.workspace, run_id)
      const row = await mustFindRun(tx, who.workspace, run_id)
      if (row.lifecycle === 'active') return
      const experiment = await findExperiment(tx, who.workspace, String(row.experiment))
      if (experiment) mustBeActive(experiment)
      await tx.run(`UPDATE run SET lifecycle = 'active', deleted_with_experiment = 0 WHERE run_key = ?`, [row.run_key])
      await events.record(tx, runRestored, { who, subject: { kind: 'run', id: run_id }, after: runFact(row) })
    },

    async deleteLoggedModel(tx, who, model_id) {
      await tx.lock('logged-model', who.workspace, model_id)
      const row = await mustFindModel(tx, who.workspace, model_id)
      const subject = { kind: 'logged-model' as const, id: model_id }
      await holds.refuseIfHeld(tx, who.workspace, [subject], `delete logged model ${model_id}`)
      await tx.run(`UPDATE logged_model SET lifecycle = 'deleted', updated_ms = ? WHERE model_key = ?`, [
        now(),
        row.model_key,
      ])
      await events.record(tx, loggedModelDeleted, {
        who,
        subject,
        after: {
          model_id,
          experiment_id: String(row.experiment),
          name: row.name,
          source_run_id: row.source_run_id,
          status: row.status,
        },
      })
    },
  }
}
