import { event } from '#kernel/events/index.ts'
import type { ModelStatus, RunStatus } from './model.ts'

export interface ExperimentFact {
  experiment_id: string
  name: string
}

export interface RunFact {
  run_id: string
  experiment_id: string
  name: string
  status: RunStatus
}

export interface RunEnded extends RunFact {
  start_ms: number
  end_ms: number | null
}

/** Params and tags that changed after the run had ended; null where there was or is none. */
export interface RunAmended {
  run_id: string
  experiment_id: string
  params?: Record<string, string>
  tags?: Record<string, string | null>
}

/** Of what was taken in at once, those runs that are new. */
export interface RunsImported {
  source: string
  experiment_id: string
  run_ids: string[]
}

export interface LoggedModelFact {
  model_id: string
  experiment_id: string
  name: string
  source_run_id: string
  status: ModelStatus
}

export const experimentCreated = event<ExperimentFact>('tracking.experiment-created', 'An experiment was made.')
export const experimentRenamed = event<ExperimentFact>('tracking.experiment-renamed', 'An experiment got another name.')
export const experimentDeleted = event<ExperimentFact>(
  'tracking.experiment-deleted',
  'An experiment and its active runs were deleted; they can be restored.',
)
export const experimentRestored = event<ExperimentFact>(
  'tracking.experiment-restored',
  'A deleted experiment and the runs deleted with it came back.',
)
export const runCreated = event<RunFact>('tracking.run-created', 'A run began.')
export const runEnded = event<RunEnded>('tracking.run-ended', 'A run finished, failed or was killed.')
export const runDeleted = event<RunFact>('tracking.run-deleted', 'A run was deleted; it can be restored.')
export const runRestored = event<RunFact>('tracking.run-restored', 'A deleted run came back.')
export const runMoved = event<RunFact>('tracking.run-moved', 'A run was moved to another experiment.')
export const runsImported = event<RunsImported>(
  'tracking.runs-imported',
  'Runs of another system were taken in, with the history they had there.',
)
export const runAmended = event<RunAmended>(
  'tracking.run-amended',
  'A tag or param of a run changed after the run had ended.',
)
export const loggedModelFinalised = event<LoggedModelFact>(
  'tracking.logged-model-finalised',
  'The files of a logged model are complete, or their upload failed.',
)
export const loggedModelDeleted = event<LoggedModelFact>('tracking.logged-model-deleted', 'A logged model was deleted.')
