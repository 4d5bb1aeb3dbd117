/** What charts of several runs read. */
import { api } from '../../api/client.ts'
import type { Axis } from '../../kit/charts/curves.ts'

const V1 = '/api/slipway/v1'
const POINTS = 600
/** Of one call, as the API takes them. */
export const RUNS_MAX = 100
export const KEYS_MAX = 20

export interface CurvesAsk {
  run_ids: readonly string[]
  keys: readonly string[]
  x?: Axis
  from?: number
  to?: number
}

/** Curves of at most 100 runs and 20 metrics, thinned to about 600 points each. */
export const curvesQuery = ({ run_ids, keys, x, from, to }: CurvesAsk) => ({
  queryKey: ['run-charts', run_ids, keys, x, from, to] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const part = { ...(x && { x }), ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
    const body = { run_ids: [...run_ids], keys: [...keys], points: POINTS, ...part }
    return (await api.POST(`${V1}/runs/charts`, { body, signal })).data!
  },
})

export type Curves = Awaited<ReturnType<ReturnType<typeof curvesQuery>['queryFn']>>
