/** Named reads that run beside the database; each is also an ordinary function over `Sql`. */
import { invalid, notFound } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { chart, charts } from './charts.ts'
import { fillExperiments, findExperimentByName, mustFindExperiment } from './experiment-rows.ts'
import { bulkHistory, history, historyColumns, intervalHistory } from './history.ts'
import { importState } from './import/state.ts'
import { LIMITS } from './limits.ts'
import { liveChange } from './live.ts'
import { batchedRuns } from './metrics/batches.ts'
import { unsealedSeries } from './metrics/seal.ts'
import type { Experiment, LoggedModel, Run, SearchPage } from './model.ts'
import { fillModels, mustFindModel } from './model-rows.ts'
import { fillRuns, mustFindRun } from './run-rows.ts'
import { looseCells, looseRuns, packSegment, wornSegments } from './search/columns/seal.ts'
import { searchExperiments } from './search/experiments.ts'
import { type SearchLoggedModels, searchLoggedModels } from './search/logged-models.ts'
import { experimentNumbers, type SearchRuns, searchRuns } from './search/runs.ts'
import { runColumns, tableKeys } from './table/table.ts'
import { comparisonText, csvText, tableText } from './table/texts.ts'

export async function getRun(sql: Sql, ask: { workspace: string; run_id: string }): Promise<Run> {
  const [run] = await fillRuns(sql, [await mustFindRun(sql, ask.workspace, ask.run_id)])
  return run!
}

/** Deleted ones as well. */
export async function getExperiment(sql: Sql, ask: { workspace: string; experiment_id: string }): Promise<Experiment> {
  const [experiment] = await fillExperiments(sql, [await mustFindExperiment(sql, ask.workspace, ask.experiment_id)])
  return experiment!
}

export async function getExperimentByName(sql: Sql, ask: { workspace: string; name: string }): Promise<Experiment> {
  const row = await findExperimentByName(sql, ask.workspace, ask.name)
  if (!row) {
    throw notFound(`Could not find experiment with name '${ask.name.slice(0, 500)}'`, { field: 'experiment_name' })
  }
  return (await fillExperiments(sql, [row]))[0]!
}

export async function getLoggedModel(
  sql: Sql,
  ask: { workspace: string; model_id: string; allow_deleted?: boolean },
): Promise<LoggedModel> {
  const [model] = await fillModels(sql, [await mustFindModel(sql, ask.workspace, ask.model_id, ask.allow_deleted)])
  return model!
}

export interface DatasetSummary {
  experiment_id: string
  name: string
  digest: string
  context: string | null
}

/** The datasets that runs of these experiments read, once for each context. */
export async function searchDatasets(
  sql: Sql,
  ask: { workspace: string; experiment_ids: readonly string[] },
): Promise<DatasetSummary[]> {
  if (ask.experiment_ids.length === 0) {
    throw invalid('SearchDatasets request must specify at least one experiment_id.', { field: 'experiment_ids' })
  }
  const most = LIMITS.dataset_summary_experiments
  if (ask.experiment_ids.length > most) {
    throw invalid(
      `SearchDatasets request cannot specify more than ${most} experiment_ids. Received ${ask.experiment_ids.length} experiment_ids.`,
      { field: 'experiment_ids' },
    )
  }
  const experiments = await experimentNumbers(sql, ask.workspace, ask.experiment_ids)
  if (experiments.length === 0) return []
  const rows = await sql.all<{ experiment: number; name: string; digest: string; context: string | null }>(
    `SELECT DISTINCT d.experiment, d.name, d.digest, t.value AS context
     FROM input_dataset d JOIN run_input i ON i.dataset_key = d.dataset_key
     LEFT JOIN run_input_tag t ON t.run_key = i.run_key AND t.dataset_key = i.dataset_key AND t.key = 'mlflow.data.context'
     WHERE d.experiment IN (${experiments.map(() => '?').join(', ')})
     ORDER BY d.experiment, d.name, d.digest, context LIMIT ?`,
    [...experiments, LIMITS.dataset_summaries],
  )
  return rows.map(({ experiment, name, digest, context }) => ({
    experiment_id: String(experiment),
    name,
    digest,
    context,
  }))
}

/** Experiments over which a list goes that names none. */
const EXPERIMENTS_MAX = 1000

/** The named experiments, else the workspace's newest active ones. */
async function experimentIds(sql: Sql, workspace: string, named: readonly string[]): Promise<readonly string[]> {
  if (named.length > 0) return named
  const { items } = await searchExperiments(sql, { workspace, limit: EXPERIMENTS_MAX })
  return items.map(({ experiment_id }) => experiment_id)
}

/** As searchRuns, over the whole workspace when no experiment is named. */
export async function listRuns(sql: Sql, ask: SearchRuns): Promise<SearchPage<Run>> {
  return await searchRuns(sql, { ...ask, experiment_ids: await experimentIds(sql, ask.workspace, ask.experiment_ids) })
}

export async function listLoggedModels(sql: Sql, ask: SearchLoggedModels): Promise<SearchPage<LoggedModel>> {
  const experiment_ids = await experimentIds(sql, ask.workspace, ask.experiment_ids)
  return await searchLoggedModels(sql, { ...ask, experiment_ids })
}

/** For wires that word whole runs as text beside the database. */
export { createRunTexts, type RunTexts } from './search/run-texts.ts'

export const trackingQueries = {
  'tracking.importState': importState,
  'tracking.listRuns': listRuns,
  'tracking.listLoggedModels': listLoggedModels,
  'tracking.getRun': getRun,
  'tracking.getExperiment': getExperiment,
  'tracking.getExperimentByName': getExperimentByName,
  'tracking.getLoggedModel': getLoggedModel,
  'tracking.searchRuns': searchRuns,
  'tracking.searchExperiments': searchExperiments,
  'tracking.searchLoggedModels': searchLoggedModels,
  'tracking.searchDatasets': searchDatasets,
  'tracking.history': history,
  'tracking.historyColumns': historyColumns,
  'tracking.batchedRuns': batchedRuns,
  'tracking.unsealedSeries': unsealedSeries,
  'tracking.bulkHistory': bulkHistory,
  'tracking.intervalHistory': intervalHistory,
  'tracking.chart': chart,
  'tracking.charts': charts,
  'tracking.liveChange': liveChange,
  'tracking.tableText': tableText,
  'tracking.runColumns': runColumns,
  'tracking.tableKeys': tableKeys,
  'tracking.csvText': csvText,
  'tracking.comparisonText': comparisonText,
  'tracking.looseRuns': looseRuns,
  'tracking.looseCells': looseCells,
  'tracking.packSegment': packSegment,
  'tracking.wornSegments': wornSegments,
}
