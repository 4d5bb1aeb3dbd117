import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { bytes, count } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import { VersionState } from './state.tsx'

export function Datasets() {
  const query = useInfiniteQuery(q.datasets())
  return (
    <Page
      title="Datasets"
      lead="Versions of data by their content: profiled, checked, and only then an input of a run."
    >
      <Panel>
        <List
          label="Datasets"
          what="datasets"
          query={query}
          keyOf={({ name }) => name}
          hrefOf={({ name }) => paths.dataset(name)}
          empty={
            <Empty title="No dataset yet" command="npm run -s slipway -- data add my-data data.parquet">
              A file or folder of CSV or Parquet becomes a version; equal content is the same version.
            </Empty>
          }
          columns={[
            {
              key: 'name',
              head: 'Dataset',
              cell: ({ name }) => <A href={paths.dataset(name)}>{name}</A>,
              sortBy: ({ name }) => name,
            },
            {
              key: 'versions',
              head: 'Versions',
              align: 'right',
              cell: ({ version_count }) => count(version_count),
              sortBy: ({ version_count }) => version_count,
            },
            { key: 'state', head: 'Latest', cell: ({ latest }) => latest && <VersionState version={latest} /> },
            {
              key: 'rows',
              head: 'Rows',
              align: 'right',
              cell: ({ latest }) => count(latest?.row_count),
              sortBy: ({ latest }) => latest?.row_count ?? null,
            },
            {
              key: 'size',
              head: 'Size',
              align: 'right',
              wide: true,
              cell: ({ latest }) => bytes(latest?.size_bytes),
              sortBy: ({ latest }) => latest?.size_bytes ?? null,
            },
            {
              key: 'reason',
              head: 'Why',
              grow: true,
              wide: true,
              cell: ({ latest }) => <span className="soft small">{latest?.reason}</span>,
            },
            {
              key: 'when',
              head: 'Registered',
              align: 'right',
              cell: ({ latest, created_at }) => <Time at={latest?.created_at ?? created_at} />,
              sortBy: ({ latest, created_at }) => latest?.created_at ?? created_at,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
