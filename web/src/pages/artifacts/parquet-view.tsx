import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { Loading, Problem } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import styles from './artifacts.module.css'
import { Grid } from './grid.tsx'

/** The first thousand rows of a Parquet file, read by the server. */
export function ParquetView({ run, path }: { run: string; path: string }) {
  const query = useQuery({
    queryKey: ['run-parquet', run, path],
    queryFn: async ({ signal }) =>
      (
        await api.GET('/api/slipway/v1/runs/{run_id}/artifacts/table', {
          params: { path: { run_id: run }, query: { path } },
          signal,
        })
      ).data!,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} inline />
  if (!query.data) return <Loading what={path} lines={6} />
  const { columns, rows, total, columns_left_out } = query.data
  return (
    <>
      <p className="small soft">
        {plural(total, 'row')}, {plural(columns.length + columns_left_out.length, 'column')}
        {total > rows.length && `; the first ${count(rows.length)} are shown`}
        {columns_left_out.length > 0 && `; ${count(columns_left_out.length)} columns are left out`}
      </p>
      <Grid label={path} cells={{ columns: columns.map(({ name }) => name), rows, more: total > rows.length }} />
      <details className={styles.types}>
        <summary>Types of the columns</summary>
        <ul>
          {columns.map(({ name, type }) => (
            <li key={name}>
              <code>{name}</code> <span className="soft">{type}</span>
            </li>
          ))}
        </ul>
      </details>
    </>
  )
}
