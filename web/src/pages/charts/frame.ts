/** Where the runs and columns of a page come from. */
import { api } from '../../api/client.ts'
import { columnOf, type Frame, fieldOf } from './columns.ts'

const V1 = '/api/slipway/v1'
/** Runs of an experiment that are looked at, the newest. */
export const FRAME_ROWS_MAX = 1000
const FRAME_COLUMNS_MAX = 150

/** Chosen runs, or the newest of an experiment that a filter fits. */
export const frameQuery = (of: { runs: readonly string[]; experiment: string; filter: string }) => ({
  queryKey: ['tracking', 'frame', of] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    of.runs.length > 0 ? chosen(of.runs, signal) : newest(of.experiment, of.filter, signal),
})

async function chosen(run_ids: readonly string[], signal: AbortSignal): Promise<Frame> {
  const { data } = await api.POST(`${V1}/runs/compare`, { body: { run_ids: [...run_ids] }, signal })
  const columns = (['params', 'metrics'] as const).flatMap((kind) =>
    data![kind].map(({ key, values }) => columnOf(kind, key, values)),
  )
  return { rows: data!.runs, columns, total: data!.runs.length }
}

async function newest(experiment: string, filter: string, signal: AbortSignal): Promise<Frame> {
  const known = async (kind: 'metric' | 'param') => {
    const query = { experiment: [experiment], kind, limit: 100 }
    return (await api.GET(`${V1}/runs/columns`, { params: { query }, signal })).data!.items
  }
  const fields = [...(await known('param')), ...(await known('metric'))]
    .map(({ kind, key }) => ({ kind: kind === 'param' ? ('params' as const) : ('metrics' as const), key }))
    .filter(({ key }) => !key.startsWith('system/'))
    .slice(0, FRAME_COLUMNS_MAX)
  const body = {
    experiments: [experiment],
    columns: fields.map(({ kind, key }) => fieldOf(kind, key)),
    limit: FRAME_ROWS_MAX,
    ...(filter && { filter }),
  }
  const { data } = await api.POST(`${V1}/runs/table`, { body, signal })
  const rows = data!.rows ?? []
  const columns = fields.map(({ kind, key }, at) =>
    columnOf(
      kind,
      key,
      rows.map(({ values }) => values[at] ?? null),
    ),
  )
  return { rows, columns, total: data!.total }
}
