import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { measure } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { EventTime, Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'

export function Alerts() {
  const [state, setState] = useUrlState('state')
  const query = useQuery(q.alerts(state ? { state } : {}))
  return (
    <Page
      title="Alerts"
      lead="A rule of a monitor that held for as many windows as it says; it clears when the value is back by its margin."
    >
      <Panel
        aside={
          <SegmentedControl
            aria-label="State"
            data={[{ value: '', label: 'all' }, 'open', 'cleared']}
            value={state}
            onChange={setState}
          />
        }
      >
        <Show query={query} what="alerts">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title={state === 'open' ? 'No alert is open' : 'There was no alert yet'}>
                Rules stand under <code>alerts:</code> of a monitor in <code>slipway.yaml</code>.
              </Empty>
            ) : (
              <Table
                label="Alerts"
                rows={items}
                keyOf={({ id }) => id}
                hrefOf={({ monitor, opened_window_ms, metric }) =>
                  paths.monitor(monitor, { window: opened_window_ms, metric })
                }
                columns={[
                  {
                    key: 'name',
                    head: 'Alert',
                    cell: ({ name, monitor, opened_window_ms, metric }) => (
                      <A href={paths.monitor(monitor, { window: opened_window_ms, metric })}>{name}</A>
                    ),
                  },
                  {
                    key: 'state',
                    head: 'State',
                    cell: ({ state: value }) => <State value={value} />,
                    sortBy: ({ state: value }) => value,
                  },
                  {
                    key: 'endpoint',
                    head: 'Endpoint',
                    cell: ({ endpoint }) => <A href={paths.endpoint(endpoint)}>{endpoint}</A>,
                  },
                  {
                    key: 'value',
                    head: 'Value',
                    align: 'right',
                    cell: ({ metric, value }) => (
                      <>
                        <span className="muted">{metric}</span> {measure(value)}
                      </>
                    ),
                  },
                  { key: 'threshold', head: 'Bound', align: 'right', cell: ({ threshold }) => measure(threshold) },
                  {
                    key: 'reference',
                    head: 'Reference',
                    wide: true,
                    grow: true,
                    cell: ({ reference }) =>
                      reference ? (
                        <span className="small">
                          {measure(reference.value)}, version {reference.version}
                        </span>
                      ) : (
                        ''
                      ),
                  },
                  {
                    key: 'window',
                    head: 'Window from',
                    align: 'right',
                    wide: true,
                    cell: ({ opened_window_ms }) => <EventTime at={opened_window_ms} />,
                    sortBy: ({ opened_window_ms }) => opened_window_ms,
                  },
                  {
                    key: 'opened',
                    head: 'Raised',
                    align: 'right',
                    cell: ({ opened_ms }) => <Time at={opened_ms} />,
                    sortBy: ({ opened_ms }) => opened_ms,
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
