import { TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Series } from '../../api/types.ts'
import { looksOf } from '../../kit/charts/curves.ts'
import { Empty } from '../../kit/condition.tsx'
import { measure } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import chartStyles from '../charts/charts.module.css'
import { type Drawn, MetricChart } from '../charts/metric-chart.tsx'
import { ChartControls, useChartOptions } from '../charts/options.tsx'
import styles from './run.module.css'

/** Charts drawn before a person asks for more: a run may log thousands of keys. */
const CHARTS_MAX = 24

/** Metric charts of one run; how they are drawn stands in the address. */
export function Charts({
  run_id,
  start_ms,
  series,
  running,
}: {
  run_id: string
  start_ms: number
  series: readonly Series[]
  running: boolean
}) {
  const groups = useMemo(
    () =>
      series.map((each): [string, Drawn[]] => [
        each.key,
        [{ run_id, label: each.key, ...looksOf(0), start_ms, series: each }],
      ]),
    [series, run_id, start_ms],
  )
  if (series.length === 0) {
    return (
      <Panel>
        <Empty
          title={running ? 'Nothing is logged yet' : 'No metric was logged'}
          command={'mlflow.log_metric("loss", 0.3, step=1)'}
        >
          {running ? 'Charts appear here as the run logs.' : undefined}
        </Empty>
      </Panel>
    )
  }
  return <ChartGrid groups={groups} />
}

/** A chart for each metric; metrics of a single value stand as numbers. */
function ChartGrid({ groups }: { groups: readonly (readonly [key: string, drawn: readonly Drawn[]])[] }) {
  const options = useChartOptions()
  const [filter, setFilter] = useUrlState('metric')
  const [all, setAll] = useState(false)
  const [hover, setHover] = useState<number>()
  const wanted = groups.filter(([key]) => key.toLowerCase().includes(filter.toLowerCase()))
  const curves = wanted.filter(([, drawn]) => drawn.some(({ series }) => series.value.length > 1))
  const single = wanted.filter(([, drawn]) => drawn.every(({ series }) => series.value.length <= 1))
  const shown = all ? curves : curves.slice(0, CHARTS_MAX)
  return (
    <>
      <ChartControls>
        <TextInput
          size="xs"
          placeholder="Metrics named …"
          aria-label="Metrics named"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          className={chartStyles.filter!}
        />
      </ChartControls>
      {single.length > 0 && (
        <Panel title="Single values">
          <dl className={styles.singles}>
            {single.map(([key, drawn]) => (
              <div key={key}>
                <dt>{key}</dt>
                {drawn.map(({ run_id, label, color, series }) => (
                  <dd key={run_id} className="num" title={drawn.length > 1 ? label : undefined}>
                    {drawn.length > 1 && <i style={{ background: color }} />}
                    {series.value[0] === null ? 'NaN' : measure(series.value[0])}
                  </dd>
                ))}
              </div>
            ))}
          </dl>
        </Panel>
      )}
      <div className={styles.charts}>
        {shown.map(([key, drawn]) => (
          <MetricChart key={key} name={key} drawn={drawn} options={options} hover={hover} onHover={setHover} />
        ))}
      </div>
      {curves.length > shown.length && (
        <button type="button" className={styles.linkish} onClick={() => setAll(true)}>
          Draw the other {curves.length - shown.length}
        </button>
      )}
      {wanted.length === 0 && <p className="muted">No metric has “{filter}” in its name.</p>}
    </>
  )
}
