/** What pages read: one entry for each thing, its key and its call. */
import { infiniteQueryOptions } from '@tanstack/react-query'
import { ApiProblem, api, ask } from './client.ts'
import type * as T from './types.ts'

const V1 = '/api/slipway/v1'
/** Counts and watermarks move without events; while something is under way they are asked for at this pace. */
const MOVING_MS = 1_500
const CALM_MS = 10_000
const PAGE = 50

type PageCall<I> = (cursor: string | undefined, signal: AbortSignal) => Promise<T.Page<I>>
const pages = <I>(queryKey: readonly unknown[], call: PageCall<I>) =>
  infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }) => call(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: T.Page<I>) => last.next_cursor,
  })
interface Reading<R> {
  queryKey: readonly unknown[]
  queryFn: (context: { signal: AbortSignal }) => Promise<R>
  refetchInterval?: (query: { state: { data: R | undefined } }) => number | false
}
const one = <R>(
  queryKey: readonly unknown[],
  call: (signal: AbortSignal) => Promise<R>,
  more: { every_ms?: (data: R | undefined) => number | false } = {},
): Reading<R> => {
  const { every_ms } = more
  return {
    queryKey,
    queryFn: ({ signal }) => call(signal),
    ...(every_ms && { refetchInterval: ({ state }) => every_ms(state.data) }),
  }
}
const clean = (query: Record<string, string | number | undefined>) =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== ''))

export const q = {
  me: () => one(['access', 'me'], async (signal) => (await api.GET(`${V1}/me`, { signal })).data!),
  overview: () =>
    one(['insight', 'overview'], (signal) => ask<T.Overview>('GET', `${V1}/overview`, { signal }), {
      every_ms: () => 3_000,
    }),
  search: (text: string) =>
    one(['insight', 'search', text], (signal) =>
      ask<{ items: T.SearchHit[] }>('GET', `${V1}/search`, { params: { query: { q: text } }, signal }),
    ),
  why: (prediction: string) =>
    one(['insight', 'why', prediction], (signal) =>
      ask<T.Why>('GET', `${V1}/why/{prediction}`, { params: { path: { prediction } }, signal }),
    ),
  jobs: (query: { state?: string | undefined }) =>
    pages<T.Job>(['jobs', query], (cursor, signal) =>
      ask('GET', `${V1}/jobs`, { params: { query: clean({ ...query, cursor, limit: PAGE }) }, signal }),
    ),

  audit: (
    query: { name?: string; who?: string; subject_kind?: string; subject_id?: string; from?: string; to?: string },
    limit = PAGE,
  ) =>
    pages<T.AuditEvent>(
      ['audit', query, limit],
      async (cursor, signal) =>
        (await api.GET(`${V1}/audit`, { params: { query: clean({ ...query, cursor, limit }) }, signal })).data!,
    ),
  auditEvent: (id: string) =>
    one(['audit', 'event', id], async (signal) => {
      const { items } = (await api.GET(`${V1}/audit`, { params: { query: { id } }, signal })).data!
      if (items[0]) return items[0]
      throw new ApiProblem(404, { title: 'not-found', detail: `there is no event '${id}' in this workspace` })
    }),
  auditChain: (cursor: string | undefined) =>
    one(
      ['audit-chain', cursor],
      async (signal) => (await api.GET(`${V1}/audit/verify`, { params: { query: clean({ cursor }) }, signal })).data!,
    ),

  experiments: () =>
    pages<T.Experiment>(
      ['tracking', 'experiments'],
      async (cursor, signal) =>
        (await api.GET(`${V1}/experiments`, { params: { query: clean({ cursor, limit: PAGE }) }, signal })).data!,
    ),
  experiment: (experiment_id: string) =>
    one(
      ['tracking', 'experiment', experiment_id],
      async (signal) =>
        (await api.GET(`${V1}/experiments/{experiment_id}`, { params: { path: { experiment_id } }, signal })).data!,
    ),
  runs: (query: { experiment?: string; filter?: string; order_by?: string }) =>
    pages<T.RunRow>(['tracking', 'runs', query], async (cursor, signal) => {
      const { experiment, filter, order_by } = query
      const given = {
        ...clean({ filter, cursor, limit: PAGE }),
        ...(experiment && { experiment: [experiment] }),
        ...(order_by && { order_by: [order_by] }),
      }
      return (await api.GET(`${V1}/runs`, { params: { query: given }, signal })).data!
    }),
  run: (run_id: string) =>
    one(
      ['tracking', 'run', run_id],
      async (signal) => (await api.GET(`${V1}/runs/{run_id}`, { params: { path: { run_id } }, signal })).data!,
      { every_ms: (run) => (run?.status === 'RUNNING' ? 5_000 : false) },
    ),
  runMetrics: (run_id: string, points = 600) =>
    one(
      ['run-metrics', run_id, points],
      async (signal) =>
        (await api.GET(`${V1}/runs/{run_id}/metrics`, { params: { path: { run_id }, query: { points } }, signal }))
          .data!.series,
    ),
  runFolder: (run_id: string, path: string) =>
    one(
      ['tracking', 'run-folder', run_id, path],
      async (signal) =>
        (
          await api.GET(`${V1}/runs/{run_id}/artifacts`, {
            params: { path: { run_id }, query: clean({ path }) },
            signal,
          })
        ).data!.items,
    ),
  loggedModel: (model_id: string) =>
    one(
      ['tracking', 'logged-model', model_id],
      async (signal) =>
        (await api.GET(`${V1}/logged-models/{model_id}`, { params: { path: { model_id } }, signal })).data!,
    ),

  datasets: () =>
    pages<T.Dataset>(
      ['datasets', 'all'],
      async (cursor, signal) =>
        (await api.GET(`${V1}/datasets`, { params: { query: clean({ cursor, limit: PAGE }) }, signal })).data!,
    ),
  datasetVersions: (name: string) =>
    pages<T.DatasetVersion>(
      ['datasets', 'versions', name],
      async (cursor, signal) =>
        (
          await api.GET(`${V1}/datasets/{name}/versions`, {
            params: { path: { name }, query: clean({ cursor, limit: PAGE }) },
            signal,
          })
        ).data!,
    ),
  datasetVersion: (name: string, version: string) =>
    one(
      ['datasets', 'version', name, version],
      async (signal) =>
        (await api.GET(`${V1}/datasets/{name}/versions/{version}`, { params: { path: { name, version } }, signal }))
          .data!,
    ),
  datasetVersionById: (id: string) =>
    one(
      ['datasets', 'version-by-id', id],
      async (signal) => (await api.GET(`${V1}/dataset-versions/{id}`, { params: { path: { id } }, signal })).data!,
    ),
  profile: (name: string, version: string) =>
    one(
      ['datasets', 'profile', name, version],
      async (signal) =>
        (
          await api.GET(`${V1}/datasets/{name}/versions/{version}/profile`, {
            params: { path: { name, version } },
            signal,
          })
        ).data!,
    ),
  rows: (name: string, version: string) =>
    one(
      ['datasets', 'rows', name, version],
      async (signal) =>
        (
          await api.GET(`${V1}/datasets/{name}/versions/{version}/rows`, {
            params: { path: { name, version } },
            signal,
          })
        ).data!,
    ),
  verdict: (name: string, version: string) =>
    one(
      ['quality', 'verdict', name, version],
      async (signal) =>
        (
          await api.GET(`${V1}/datasets/{name}/versions/{version}/verdict`, {
            params: { path: { name, version } },
            signal,
          })
        ).data!,
    ),

  models: () =>
    pages<T.Model>(
      ['registry', 'models'],
      async (cursor, signal) =>
        (await api.GET(`${V1}/models`, { params: { query: clean({ cursor, limit: PAGE }) }, signal })).data!,
    ),
  model: (model: string) =>
    one(
      ['registry', 'model', model],
      async (signal) => (await api.GET(`${V1}/models/{model}`, { params: { path: { model } }, signal })).data!,
    ),
  modelVersions: (model: string) =>
    pages(
      ['registry', 'versions', model],
      async (cursor, signal) =>
        (
          await api.GET(`${V1}/models/{model}/versions`, {
            params: { path: { model }, query: clean({ cursor, limit: PAGE }) },
            signal,
          })
        ).data!,
    ),
  modelVersion: (model: string, version: number) =>
    one(
      ['registry', 'version', model, version],
      async (signal) =>
        (await api.GET(`${V1}/models/{model}/versions/{version}`, { params: { path: { model, version } }, signal }))
          .data!,
    ),
  preparations: (model: string) =>
    one(['serving', 'preparations', model], (signal) =>
      ask<{ items: T.Preparation[] }>('GET', `${V1}/preparations`, { params: { query: { model } }, signal }),
    ),

  pipelines: () =>
    one(['pipelines', 'all'], (signal) => ask<{ items: T.Pipeline[] }>('GET', `${V1}/pipelines`, { signal })),
  pipeline: (project: string, pipeline: string) =>
    one(['pipelines', 'one', project, pipeline], (signal) =>
      ask<T.Pipeline>('GET', `${V1}/pipelines/{project}/{pipeline}`, {
        params: { path: { project, pipeline } },
        signal,
      }),
    ),
  pipelineRuns: (query: { project?: string; pipeline?: string; state?: string }) =>
    pages<T.PipelineRunSummary>(['pipelines', 'runs', query], (cursor, signal) =>
      ask('GET', `${V1}/pipeline-runs`, { params: { query: clean({ ...query, cursor, limit: PAGE }) }, signal }),
    ),
  pipelineRun: (run: string) =>
    one(
      ['pipelines', 'run', run],
      (signal) => ask<T.PipelineRun>('GET', `${V1}/pipeline-runs/{run}`, { params: { path: { run } }, signal }),
      { every_ms: (data) => (data?.state === 'running' ? MOVING_MS : false) },
    ),

  endpoints: () =>
    one(['serving', 'endpoints'], (signal) => ask<{ items: T.Endpoint[] }>('GET', `${V1}/endpoints`, { signal }), {
      every_ms: () => CALM_MS,
    }),
  endpoint: (endpoint: string) =>
    one(
      ['serving', 'endpoint', endpoint],
      (signal) =>
        ask<T.EndpointDetail>('GET', `${V1}/endpoints/{endpoint}`, { params: { path: { endpoint } }, signal }),
      { every_ms: () => MOVING_MS },
    ),
  predictions: (endpoint: string) =>
    one(['serving', 'predictions', endpoint], (signal) =>
      ask<{ items: T.Prediction[] }>('GET', `${V1}/endpoints/{endpoint}/predictions`, {
        params: { path: { endpoint }, query: { limit: 25 } },
        signal,
      }),
    ),

  releases: (query: { endpoint?: string; state?: string; model?: string; version?: number }, limit = PAGE) =>
    pages<T.ReleaseSummary>(['releases', 'all', query, limit], (cursor, signal) =>
      ask('GET', `${V1}/releases`, { params: { query: clean({ ...query, cursor, limit }) }, signal }),
    ),
  release: (release: string) =>
    one(
      ['releases', 'one', release],
      (signal) => ask<T.ReleaseDetail>('GET', `${V1}/releases/{release}`, { params: { path: { release } }, signal }),
      {
        every_ms: (data) =>
          data && ['checking', 'approved', 'loading', 'canary'].includes(data.state) ? MOVING_MS : CALM_MS,
      },
    ),
  retrainings: (endpoint?: string) =>
    one(['releases', 'retrainings', endpoint], (signal) =>
      ask<{ items: T.Retraining[] }>('GET', `${V1}/retrainings`, { params: { query: clean({ endpoint }) }, signal }),
    ),

  monitors: () =>
    one(['monitoring', 'all'], (signal) => ask<{ items: T.MonitorRow[] }>('GET', `${V1}/monitors`, { signal })),
  monitor: (monitor: string) =>
    one(['monitoring', 'one', monitor], (signal) =>
      ask<T.MonitorDetail>('GET', `${V1}/monitors/{monitor}`, {
        params: { path: { monitor }, query: { windows: 400 } },
        signal,
      }),
    ),
  alerts: (query: { state?: string; endpoint?: string }) =>
    one(['monitoring', 'alerts', query], (signal) =>
      ask<{ items: T.Alert[] }>('GET', `${V1}/alerts`, { params: { query: { ...clean(query), limit: 200 } }, signal }),
    ),

  lineage: (kind: string, id: string) =>
    one(
      ['lineage', kind, id],
      async (signal) => (await api.GET(`${V1}/lineage`, { params: { query: { kind, id, limit: 120 } }, signal })).data!,
    ),
  tokens: (of: 'mine' | 'all') =>
    pages(
      ['access', 'tokens', of],
      async (cursor, signal) =>
        (await api.GET(`${V1}/tokens`, { params: { query: { ...clean({ cursor, limit: PAGE }), of } }, signal })).data!,
    ),
  people: () =>
    pages(
      ['access', 'people'],
      async (cursor, signal) =>
        (await api.GET(`${V1}/people`, { params: { query: clean({ cursor, limit: PAGE }) }, signal })).data!,
    ),
  workspaces: () =>
    pages(
      ['access', 'workspaces'],
      async (cursor, signal) =>
        (await api.GET(`${V1}/workspaces`, { params: { query: clean({ cursor, limit: PAGE }) }, signal })).data!,
    ),
  members: (workspace: string) =>
    pages(
      ['access', 'members', workspace],
      async (cursor, signal) =>
        (
          await api.GET(`${V1}/workspaces/{workspace}/members`, {
            params: { path: { workspace }, query: clean({ cursor, limit: PAGE }) },
            signal,
          })
        ).data!,
    ),
}
