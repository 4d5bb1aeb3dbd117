import { event } from '#kernel/events/index.ts'

export interface PipelineRunFact {
  run: string
  project: string
  pipeline: string
  number: number
  state: string
  cause: unknown
  reason?: string
}

export const pipelineApplied = event<{ project: string; pipeline: string; code: string }>(
  'pipelines.pipeline-applied',
  'A pipeline was made or changed.',
)
export const pipelineRemoved = event<{ project: string; pipeline: string }>(
  'pipelines.pipeline-removed',
  'A pipeline was taken out of its project.',
)
export const codeRecorded = event<{ code: string; commit: string | null; dirty: boolean; files: number }>(
  'pipelines.code-recorded',
  'A snapshot of code was recorded.',
)
export const pipelineRunStarted = event<PipelineRunFact>('pipelines.run-started', 'A pipeline run started.')
export const pipelineRunEnded = event<PipelineRunFact>(
  'pipelines.run-ended',
  'A pipeline run ended: done, failed or cancelled.',
)
export const stepEnded = event<{
  step: string
  name: string
  run: string
  state: string
  reason: string | null
  tracking_run: string | null
}>('pipelines.step-ended', 'A step of a pipeline run ended; its inputs, outputs and tracking run are the edges.')
