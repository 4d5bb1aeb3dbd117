/** What the run table reads: pages of rows or groups, keys of columns, saved views. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { paths as Api } from '../../api/schema.d.ts'

const V1 = '/api/slipway/v1'
type Post<P extends keyof Api> = Api[P] extends { post: infer R } ? R : never
type Body<P extends keyof Api> =
  Post<P> extends { requestBody: { content: { 'application/json': infer B } } } ? B : never
type Answer<P extends keyof Api> =
  Post<P> extends { responses: { 200: { content: { 'application/json': infer B } } } } ? B : never

export type TableAsk = Body<'/api/slipway/v1/runs/table'>
export type TablePage = Answer<'/api/slipway/v1/runs/table'>
export type Row = NonNullable<TablePage['rows']>[number]
export type Group = NonNullable<TablePage['groups']>[number]
export type Comparison = Answer<'/api/slipway/v1/runs/compare'>
export type Cell = Row['values'][number]

/** Rows of one request: a few screens. */
export const PAGE_ROWS = 100
/** Pages that were scrolled past are kept for so long. */
const KEPT_MS = 60_000
const COLUMNS_PAGE = 100

export const tablePage = (ask: TableAsk, page: number) =>
  queryOptions({
    queryKey: ['tracking', 'run-table', ask, page],
    queryFn: async ({ signal }): Promise<TablePage> =>
      (await api.POST(`${V1}/runs/table`, { body: { ...ask, limit: PAGE_ROWS, offset: page * PAGE_ROWS }, signal }))
        .data!,
    gcTime: KEPT_MS,
  })

/** One answer to a question of its own: the baseline, the children of a run. */
export const tableOnce = (ask: TableAsk) =>
  queryOptions({
    queryKey: ['tracking', 'run-table', ask],
    queryFn: async ({ signal }): Promise<TablePage> =>
      (await api.POST(`${V1}/runs/table`, { body: ask, signal })).data!,
    gcTime: KEPT_MS,
  })

type Kind = 'metric' | 'param' | 'tag'

/** Keys of the runs at hand; some of them by a part of their name. */
export const columnKeys = (
  experiments: readonly string[],
  kind: Kind | undefined,
  text: string,
  limit = COLUMNS_PAGE,
) =>
  infiniteQueryOptions({
    queryKey: ['tracking', 'run-columns', experiments, kind, text, limit],
    queryFn: async ({ pageParam, signal }) => {
      const query = {
        experiment: [...experiments],
        limit,
        ...(kind && { kind }),
        ...(text && { q: text }),
        ...(pageParam && { cursor: pageParam }),
      }
      return (await api.GET(`${V1}/runs/columns`, { params: { query }, signal })).data!
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 30_000,
  })

export const runViews = (experiment: string) =>
  queryOptions({
    queryKey: ['run-views', experiment],
    queryFn: async ({ signal }) =>
      (await api.GET(`${V1}/run-views`, { params: { query: { experiment } }, signal })).data!.items,
  })

export const comparison = (run_ids: readonly string[]) =>
  queryOptions({
    queryKey: ['tracking', 'run-comparison', run_ids],
    queryFn: async ({ signal }): Promise<Comparison> =>
      (await api.POST(`${V1}/runs/compare`, { body: { run_ids: [...run_ids] }, signal })).data!,
  })

/** Text as the language of filters quotes it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
