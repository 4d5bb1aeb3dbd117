import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { day } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { EventTime, Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'

/** What an alert set in motion, and what was held back by the brakes. */
export function Retrainings() {
  const [endpoint] = useUrlState('endpoint')
  const query = useQuery(q.retrainings(endpoint || undefined))
  return (
    <Page
      title="Retrainings"
      crumbs={[{ label: 'Releases', href: paths.releases() }]}
      lead="Begun by an alert, from what was really served and its labels; held back while one is under way or the last is too fresh."
    >
      <Panel>
        <Show query={query} what="retrainings">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing was retrained yet">
                <code>retrain:</code> under an endpoint's release rules says which alerts begin one, on which data, with
                which cooldown.
              </Empty>
            ) : (
              <Table
                label="Retrainings"
                rows={items}
                keyOf={({ id }) => id}
                hrefOf={({ release_id, pipeline_run }) =>
                  release_id ? paths.release(release_id) : pipeline_run ? paths.pipelineRun(pipeline_run) : undefined
                }
                columns={[
                  { key: 'alert', head: 'Alert', cell: ({ alert }) => <A href={paths.alerts()}>{alert}</A> },
                  {
                    key: 'endpoint',
                    head: 'Endpoint',
                    cell: (row) => <A href={paths.endpoint(row.endpoint)}>{row.endpoint}</A>,
                  },
                  {
                    key: 'state',
                    head: 'State',
                    cell: ({ state }) => <State value={state} />,
                    sortBy: ({ state }) => state,
                  },
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
                    key: 'data',
                    head: 'Data of',
                    wide: true,
                    cell: ({ from_ms, to_ms }) =>
                      from_ms === null ? (
                        ''
                      ) : (
                        <span className="nowrap small">
                          {day(from_ms)} to {day(to_ms)}
                        </span>
                      ),
                  },
                  {
                    key: 'run',
                    head: 'Run',
                    cell: ({ pipeline_run }) => (pipeline_run ? <A href={paths.pipelineRun(pipeline_run)}>run</A> : ''),
                  },
                  {
                    key: 'release',
                    head: 'Release',
                    cell: ({ release_id }) => (release_id ? <A href={paths.release(release_id)}>release</A> : ''),
                  },
                  {
                    key: 'event',
                    head: 'At event time',
                    align: 'right',
                    wide: true,
                    cell: ({ watermark_ms }) => <EventTime at={watermark_ms} />,
                    sortBy: ({ watermark_ms }) => watermark_ms,
                  },
                  {
                    key: 'when',
                    head: 'Began',
                    align: 'right',
                    cell: ({ created_ms }) => <Time at={created_ms} />,
                    sortBy: ({ created_ms }) => created_ms,
                  },
                ]}
              />
            )
          }
        </Show>
      </Panel>
    </Page>
  )
}
