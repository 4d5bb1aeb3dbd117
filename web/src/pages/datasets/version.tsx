import { Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import type { DatasetVersion as Version } from '../../api/types.ts'
import { Show } from '../../kit/condition.tsx'
import { bytes, count, day, shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Page, Panel } from '../../kit/page.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import styles from './dataset.module.css'
import { ProfilePanel } from './profile.tsx'
import { VersionState } from './state.tsx'
import { VerdictPanel } from './verdict.tsx'

export function DatasetVersion() {
  const { name, version: number } = useParams({ strict: false }) as { name: string; version: string }
  const query = useQuery({
    ...q.datasetVersion(name, number),
    refetchInterval: ({ state }) =>
      state.data?.state === 'pending' || state.data?.verdict === 'pending' ? 1500 : false,
  })
  const [tab, setTab] = useUrlState('tab', 'profile')
  const version = query.data
  return (
    <Page
      title={`${name} ${number}`}
      crumbs={[
        { label: 'Datasets', href: paths.datasets() },
        { label: name, href: paths.dataset(name) },
      ]}
      state={version && <VersionState version={version} />}
      lead={version?.reason}
      actions={version && <A href={paths.lineage('dataset-version', version.id)}>Lineage</A>}
      facts={version && <VersionFacts version={version} />}
    >
      <Show query={query} what="the version">
        {(data) => (
          <Tabs value={tab} onChange={(next) => setTab(next ?? undefined)} keepMounted={false}>
            <Tabs.List>
              <Tabs.Tab value="profile">Columns</Tabs.Tab>
              <Tabs.Tab value="checks">Checks</Tabs.Tab>
              <Tabs.Tab value="rows">Rows</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="profile" pt="md">
              <ProfilePanel name={name} version={number} pending={data.state === 'pending'} />
            </Tabs.Panel>
            <Tabs.Panel value="checks" pt="md">
              <VerdictPanel name={name} version={number} verdict={data.verdict} />
            </Tabs.Panel>
            <Tabs.Panel value="rows" pt="md">
              <Rows name={name} version={number} />
            </Tabs.Panel>
          </Tabs>
        )}
      </Show>
    </Page>
  )
}

function VersionFacts({ version }: { version: Version }) {
  return (
    <Facts
      items={[
        ['Rows', count(version.row_count)],
        [
          'Size',
          `${bytes(version.size_bytes)} in ${count(version.file_count)} ${version.file_count === 1 ? 'file' : 'files'}, ${version.format}`,
        ],
        version.time_from &&
          version.time_to && [
            'Data of',
            `${day(Date.parse(version.time_from))} to ${day(Date.parse(version.time_to))}`,
          ],
        version.time_column && ['Time column', <code key="c">{version.time_column}</code>],
        [
          'Digest',
          <Copy key="d" text={version.digest}>
            <code>{shortId(version.digest)}</code>
          </Copy>,
        ],
        ['Registered', <Time key="t" at={version.created_at} />],
        ['By', <Words key="w" text={version.who.name} />],
        [
          'Id',
          <Copy key="i" text={version.id}>
            <code>{shortId(version.id)}</code>
          </Copy>,
        ],
      ]}
    />
  )
}

function Rows({ name, version }: { name: string; version: string }) {
  const query = useQuery(q.rows(name, version))
  return (
    <Panel>
      <Show query={query} what="the first rows">
        {({ columns, rows, truncated }) => (
          <>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolls both ways */}
            <section className={styles.rows} aria-label="First rows" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    {columns.map((column) => (
                      <th key={column.name} scope="col">
                        {column.name}
                        <span className="muted small"> {column.type.toLowerCase()}</span>
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row, line) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: rows of data that do not change
                    <tr key={line}>
                      {row.map((cell, at) => (
                        <td key={columns[at]!.name} data-number={typeof cell === 'number' || undefined}>
                          {cell === null ? <span className="muted">null</span> : String(cell)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
            {truncated && <p className={styles.note}>The first {count(rows.length)} rows.</p>}
          </>
        )}
      </Show>
    </Panel>
  )
}
