/**
 * What runs beside the database: the hot writes here, the reads of queries.ts. Each write is one transaction, with plain
 * data in and out.
 */
import { importModels } from './import/models.ts'
import { importPoints } from './import/points.ts'
import { importRuns } from './import/runs.ts'
import { logBatch, logMetric } from './metric-commands.ts'
import { sealMetrics } from './metrics/seal.ts'
import {
  createModel,
  deleteModelTag,
  finalizeModel,
  logInputs,
  logModelParams,
  logOutputs,
  setModelTags,
} from './model-commands.ts'
import { createRun, deleteTag, logParam, recordModel, setTag, updateRun } from './run-commands.ts'
import { dropSegment, openSegment, sealSegment } from './search/columns/seal.ts'
import { copyRuns } from './table/copy.ts'

export const trackingCommands = {
  'tracking.createRun': createRun,
  'tracking.updateRun': updateRun,
  'tracking.logMetric': logMetric,
  'tracking.logParam': logParam,
  'tracking.setTag': setTag,
  'tracking.deleteTag': deleteTag,
  'tracking.logBatch': logBatch,
  'tracking.recordModel': recordModel,
  'tracking.sealMetrics': sealMetrics,
  'tracking.logInputs': logInputs,
  'tracking.logOutputs': logOutputs,
  'tracking.createModel': createModel,
  'tracking.logModelParams': logModelParams,
  'tracking.setModelTags': setModelTags,
  'tracking.deleteModelTag': deleteModelTag,
  'tracking.finalizeModel': finalizeModel,
  'tracking.copyRuns': copyRuns,
  'tracking.importRuns': importRuns,
  'tracking.importModels': importModels,
  'tracking.importPoints': importPoints,
  'tracking.openSegment': openSegment,
  'tracking.sealSegment': sealSegment,
  'tracking.dropSegment': dropSegment,
}

export { createRunTexts, trackingQueries } from './queries.ts'
