import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { memo, useMemo } from 'react'
import { type Columns, pointsOf, smoothed } from '../../kit/charts/curves.ts'
import { type Line, LineChart } from '../../kit/charts/line-chart.tsx'
import { measure } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import styles from './charts.module.css'
import { curvesQuery } from './data.ts'
import type { ChartOptions } from './options.tsx'
import { ValuesTable } from './values-table.tsx'

/** One curve: a metric of a run, and how it looks. */
export interface Drawn {
  run_id: string
  label: string
  color: string
  dash?: string | undefined
  start_ms: number
  series: Columns & { count: number }
}

export interface MetricChartProps {
  name: string
  drawn: readonly Drawn[]
  options: ChartOptions
  hover: number | undefined
  onHover: (x: number | undefined) => void
}

/** Curves of one metric. While zoomed in, the points of the shown part are fetched in full detail. */
export const MetricChart = memo(({ name, drawn, options, hover, onHover }: MetricChartProps) => {
  const { axis, smooth, log, clip, zoom, setZoom } = options
  const thinned = drawn.some(({ series }) => series.value.length < series.count)
  const run_ids = drawn.map(({ run_id }) => run_id)
  const detail = useQuery({
    ...curvesQuery({ run_ids, keys: [name], x: axis, ...(zoom && { from: zoom[0], to: zoom[1] }) }),
    enabled: zoom !== undefined && thinned,
    placeholderData: keepPreviousData,
  }).data
  const lines = useMemo(() => {
    const near = new Map(zoom && thinned ? detail?.series.map((each) => [each.run_id, each]) : [])
    const exact = drawn.map(({ run_id, label, color, dash, start_ms, series }): Line => {
      const points = pointsOf(near.get(run_id) ?? series, axis, start_ms)
      return { key: run_id, label, color, dash, points }
    })
    if (smooth === 0) return exact
    return [
      ...exact.map((line) => ({ ...line, key: `${line.key} as logged`, faint: true })),
      ...exact.map((line) => ({ ...line, points: smoothed(line.points, smooth) })),
    ]
  }, [drawn, detail, zoom, thinned, axis, smooth])
  const last = drawn[0]?.series.value.at(-1)
  return (
    <Panel
      title={<span className={styles.chartName}>{name}</span>}
      aside={drawn.length === 1 && <span className="num soft">{last === null ? 'NaN' : measure(last)}</span>}
    >
      <div className={styles.chart}>
        <LineChart
          label={name}
          x={axis === 'relative' ? 'span' : axis}
          lines={lines}
          height={drawn.length > 1 ? 230 : 180}
          log={log}
          clipped={clip}
          hover={hover}
          onHover={onHover}
          range={zoom}
          onRange={setZoom}
          legend={false}
        />
        <ValuesTable name={name} axis={axis} lines={lines} />
      </div>
    </Panel>
  )
})
