import { Checkbox, SegmentedControl, Slider, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Series } from '../../api/types.ts'
import { LineChart } from '../../kit/charts/line-chart.tsx'
import { Empty } from '../../kit/condition.tsx'
import { measure, span } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import styles from './run.module.css'

/** Charts drawn before a person asks for more: a run may log thousands of keys. */
const CHARTS_MAX = 24
const COLORS = ['var(--s1)', 'var(--s2)', 'var(--s3)', 'var(--s4)', 'var(--s5)', 'var(--s6)', 'var(--s7)', 'var(--s8)']

export type Axis = 'step' | 'time' | 'since'
export interface Drawn {
  /** Tells the lines of a chart apart: of a comparison, the run. */
  id: string
  label: string
  color: string
  series: Series
}

/** Metric charts: step, clock or time since the start below; smoothing and a logarithmic axis at will. All of it in the address. */
export function Charts({ series, running }: { series: readonly Series[]; running: boolean }) {
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
  return (
    <ChartGrid
      groups={series.map((each) => [each.key, [{ id: each.key, label: each.key, color: COLORS[0]!, series: each }]])}
    />
  )
}

export function ChartGrid({ groups }: { groups: readonly (readonly [key: string, drawn: readonly Drawn[]])[] }) {
  const [axis, setAxis] = useUrlState('x', 'step')
  const [smooth, setSmooth] = useUrlState('smooth', '0')
  const [log, setLog] = useUrlState('log')
  const [filter, setFilter] = useUrlState('metric')
  const [all, setAll] = useState(false)
  const [hover, setHover] = useState<number>()
  const wanted = groups.filter(([key]) => key.toLowerCase().includes(filter.toLowerCase()))
  const curves = wanted.filter(([, drawn]) => drawn.some(({ series }) => series.value.length > 1))
  const single = wanted.filter(([, drawn]) => drawn.every(({ series }) => series.value.length <= 1))
  const shown = all ? curves : curves.slice(0, CHARTS_MAX)
  return (
    <>
      <div className={styles.controls}>
        <SegmentedControl
          aria-label="Axis"
          data={[
            { value: 'step', label: 'Step' },
            { value: 'time', label: 'Time' },
            { value: 'since', label: 'Since start' },
          ]}
          value={axis}
          onChange={setAxis}
        />
        <div className={styles.smooth}>
          <span aria-hidden="true">Smoothing</span>
          <Slider
            size="sm"
            w={110}
            min={0}
            max={0.98}
            step={0.02}
            value={Number(smooth)}
            onChange={(value) => setSmooth(String(value))}
            label={(value) => value.toFixed(2)}
            thumbLabel="Smoothing"
          />
        </div>
        <Checkbox
          size="xs"
          label="Logarithmic"
          checked={log === '1'}
          onChange={(event) => setLog(event.currentTarget.checked ? '1' : undefined)}
        />
        <TextInput
          size="xs"
          placeholder="Metrics named …"
          aria-label="Metrics named"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          className={styles.filter!}
        />
      </div>
      {single.length > 0 && (
        <Panel title="Single values">
          <dl className={styles.singles}>
            {single.map(([key, drawn]) => (
              <div key={key}>
                <dt>{key}</dt>
                {drawn.map(({ id, label, color, series }) => (
                  <dd key={id} className="num" title={drawn.length > 1 ? label : undefined}>
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
          <MetricChart
            key={key}
            name={key}
            drawn={drawn}
            axis={axis as Axis}
            smooth={Number(smooth)}
            log={log === '1'}
            hover={hover}
            onHover={setHover}
          />
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

function MetricChart({
  name,
  drawn,
  axis,
  smooth,
  log,
  hover,
  onHover,
}: {
  name: string
  drawn: readonly Drawn[]
  axis: Axis
  smooth: number
  log: boolean
  hover: number | undefined
  onHover: (x: number | undefined) => void
}) {
  const [range, setRange] = useState<[number, number]>()
  const lines = useMemo(
    () =>
      drawn.map(({ id, label, color, series }) => {
        const xs =
          axis === 'step'
            ? series.step
            : axis === 'time'
              ? series.timestamp_ms
              : series.timestamp_ms.map((at) => at - (series.timestamp_ms[0] ?? 0))
        const values = smoothed(series.value, smooth)
        const order = xs.map((_, at) => at).sort((a, b) => xs[a]! - xs[b]!)
        return { key: id, label, color, points: order.map((at) => [xs[at]!, values[at]!] as const) }
      }),
    [drawn, axis, smooth],
  )
  const last = drawn[0]?.series.value.at(-1)
  return (
    <Panel
      title={<span className={styles.chartName}>{name}</span>}
      aside={drawn.length === 1 && <span className="num soft">{last === null ? 'NaN' : measure(last)}</span>}
    >
      <div className={styles.chart}>
        <LineChart
          label={name}
          x={axis === 'time' ? 'time' : 'step'}
          lines={lines}
          height={180}
          log={log}
          hover={hover}
          onHover={onHover}
          range={range}
          onRange={setRange}
          {...(axis === 'since' && { xWords: (x: number) => `after ${span(x)}` })}
        />
      </div>
    </Panel>
  )
}

/** Exponential mean, begun without a bias towards zero; gaps stay gaps. */
function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values]
  let mean = 0
  let mass = 0
  return values.map((value) => {
    if (value === null) return null
    mean = mean * weight + value * (1 - weight)
    mass = mass * weight + (1 - weight)
    return mean / mass
  })
}
