/** Shapes of replies: what the API's description states is taken from schema.d.ts, the others are ours, by area. */
import type { paths } from './schema.d.ts'

type Ok<T> = T extends { responses: { 200: { content: { 'application/json': infer R } } } } ? R : never
/** The reply of a GET route as the API describes it. */
export type Reply<P extends keyof paths> = paths[P] extends { get: infer G } ? Ok<G> : never
export type Item<T> = T extends { items: (infer I)[] } ? I : never

type V1 = '/api/slipway/v1'

export type Me = Reply<`${V1}/me`>
export type AuditEvent = Item<Reply<`${V1}/audit`>>
export type RunDetail = Reply<`${V1}/runs/{run_id}`>
export type RunRow = Item<Reply<`${V1}/runs`>>
export type Series = Reply<`${V1}/runs/{run_id}/metrics`>['series'][number]
export type Experiment = Item<Reply<`${V1}/experiments`>>
export type Dataset = Item<Reply<`${V1}/datasets`>>
export type DatasetVersion = NonNullable<Dataset['latest']>
export type Profile = Reply<`${V1}/datasets/{name}/versions/{version}/profile`>
export type ProfileColumn = Profile['columns'][number]
export type Model = Item<Reply<`${V1}/models`>>
export type ModelVersion = Reply<`${V1}/models/{model}/versions/{version}`>
export type LineageGraph = Reply<`${V1}/lineage`>

export * from './types/common.ts'
export * from './types/insight.ts'
export * from './types/monitoring.ts'
export * from './types/pipelines.ts'
export * from './types/releases.ts'
export * from './types/serving.ts'
