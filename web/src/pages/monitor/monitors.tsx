import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import type { MonitorRow } from '../../api/types.ts'
import { Spark } from '../../kit/charts/bars.tsx'
import { Empty, Show } from '../../kit/condition.tsx'
import { measure } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { EventTime } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'

export function Monitors() {
  const query = useQuery(q.monitors())
  return (
    <Page
      title="Monitors"
      lead="What is asked and answered, window by window of event time, against the training data and the labels."
    >
      <Panel>
        <Show query={query} what="monitors">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing is watched yet" command="npm run -s slipway -- apply">
                Add <code>monitors:</code> to <code>slipway.yaml</code>: an endpoint, a window, and what may not fall.
              </Empty>
            ) : (
              <Table
                label="Monitors"
                rows={items}
                keyOf={({ name }) => name}
                hrefOf={({ name }) => paths.monitor(name)}
                columns={[
                  {
                    key: 'name',
                    head: 'Monitor',
                    cell: ({ name }) => <A href={paths.monitor(name)}>{name}</A>,
                    sortBy: ({ name }) => name,
                  },
                  {
                    key: 'endpoint',
                    head: 'Endpoint',
                    cell: ({ endpoint }) => <A href={paths.endpoint(endpoint)}>{endpoint}</A>,
                  },
                  {
                    key: 'alerts',
                    head: 'Alerts',
                    cell: ({ alerts_open }) => (
                      <State
                        value={alerts_open > 0 ? 'open' : 'ok'}
                        words={alerts_open > 0 ? `${alerts_open} open` : 'none'}
                      />
                    ),
                  },
                  {
                    key: 'trend',
                    head: 'Latest',
                    cell: (monitor) => <Trend monitor={monitor} />,
                    grow: true,
                    wide: true,
                  },
                  { key: 'window', head: 'Window', wide: true, cell: ({ spec }) => spec.window },
                  {
                    key: 'next',
                    head: 'Next window from',
                    align: 'right',
                    wide: true,
                    cell: ({ next_ms }) => <EventTime at={next_ms} />,
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

function Trend({ monitor }: { monitor: MonitorRow }) {
  const windows = useQuery(q.monitor(monitor.name)).data?.windows
  if (!windows || windows.length === 0) return <span className="muted small">no window yet</span>
  const metric = monitor.spec.metrics?.[0] ?? Object.keys(windows[0]!.facts.metrics)[0] ?? ''
  const values = [...windows].sort((a, b) => a.start_ms - b.start_ms).map(({ facts }) => facts.metrics[metric] ?? null)
  return (
    <span className="row">
      <Spark values={values.slice(-30)} />
      <span className="small num">
        {metric} {measure(values.findLast((value) => value !== null))}
      </span>
    </span>
  )
}
