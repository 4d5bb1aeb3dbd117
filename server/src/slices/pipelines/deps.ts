import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Environments, ProcessOptions, RunningProcess } from '#kernel/environments/index.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Actor, Permission } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Tracking } from '#slices/tracking'

/** Whether a dataset version may be an input now: pending while it is profiled and checked. */
export type InputState = { state: 'ready' } | { state: 'pending' } | { state: 'refused'; reason: string }

export interface PipelinesDeps {
  store: Store
  events: Pick<Events, 'record'>
  jobs: Pick<Jobs, 'define' | 'enqueue' | 'cancel' | 'schedule' | 'unschedule'>
  blobs: Blobs
  environments: Pick<Environments, 'ensure'>
  startProcess(options: ProcessOptions): Promise<RunningProcess>
  datasets: Pick<Datasets, 'register' | 'version' | 'find' | 'materialise' | 'versions'>
  tracking: Pick<Tracking, 'ensureExperiment' | 'createRun' | 'updateRun' | 'logInputs' | 'findRun'>
  /** Slice quality: may this version be an input? */
  inputState(sql: Sql, workspace: string, version: string): Promise<InputState>
  /** Slice access: a token for what a step does. */
  issueRunToken(
    tx: Tx,
    input: { workspace: string; run: string; rights: readonly Permission[]; expires_ms: number; behalf: Actor },
  ): Promise<string>
  endRunTokens(tx: Tx, workspace: string, run: string): Promise<void>
  clock: Clock
  ids: Ids
  log: Log
  /** Where steps reach this server. */
  url(): string
  settings: { dir: string; concurrency: number; memory_bytes: number }
}

/** What the code of a step may do through its token. */
export const STEP_RIGHTS: readonly Permission[] = [
  'tracking.read',
  'tracking.write',
  'registry.read',
  'registry.write',
  'datasets.read',
  'datasets.write',
  'quality.read',
  'lineage.read',
  'serving.read',
  'serving.infer',
]
