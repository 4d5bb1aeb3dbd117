import { useInfiniteQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { bytes, count, day, shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import { VersionState } from './state.tsx'

export function Dataset() {
  const { name } = useParams({ strict: false }) as { name: string }
  const query = useInfiniteQuery(q.datasetVersions(name))
  return (
    <Page title={name} crumbs={[{ label: 'Datasets', href: paths.datasets() }]}>
      <Panel title="Versions">
        <List
          label="Versions"
          what="versions"
          query={query}
          keyOf={({ id }) => id}
          hrefOf={({ number }) => paths.datasetVersion(name, number)}
          empty={<Empty title="No version is left">The ones there were are deleted.</Empty>}
          columns={[
            {
              key: 'number',
              head: 'Version',
              cell: ({ number }) => <A href={paths.datasetVersion(name, number)}>{number}</A>,
              sortBy: ({ number }) => number,
            },
            { key: 'state', head: 'State', cell: (version) => <VersionState version={version} /> },
            {
              key: 'rows',
              head: 'Rows',
              align: 'right',
              cell: ({ row_count }) => count(row_count),
              sortBy: ({ row_count }) => row_count,
            },
            {
              key: 'size',
              head: 'Size',
              align: 'right',
              wide: true,
              cell: ({ size_bytes }) => bytes(size_bytes),
              sortBy: ({ size_bytes }) => size_bytes,
            },
            {
              key: 'span',
              head: 'Data of',
              wide: true,
              cell: ({ time_from, time_to }) =>
                time_from && time_to ? (
                  <span className="small nowrap">
                    {day(Date.parse(time_from))} to {day(Date.parse(time_to))}
                  </span>
                ) : (
                  ''
                ),
            },
            { key: 'digest', head: 'Digest', wide: true, cell: ({ digest }) => <code>{shortId(digest)}</code> },
            {
              key: 'reason',
              head: 'Why',
              grow: true,
              wide: true,
              cell: ({ reason }) => (
                <span className="soft small">
                  <Words text={reason} />
                </span>
              ),
            },
            {
              key: 'who',
              head: 'By',
              wide: true,
              cell: ({ who }) => (
                <span className="small nowrap">
                  <Words text={who.name} />
                </span>
              ),
            },
            {
              key: 'when',
              head: 'Registered',
              align: 'right',
              cell: ({ created_at }) => <Time at={created_at} />,
              sortBy: ({ created_at }) => created_at,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
