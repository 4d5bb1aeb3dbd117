import { Select } from '@mantine/core'
import { useMemo, useState } from 'react'
import { linear, ticks } from '../../kit/charts/scale.ts'
import { useWidth } from '../../kit/charts/width.ts'
import { Empty } from '../../kit/condition.tsx'
import { count, measure, plural } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { axisScale, heightOf } from './brush.ts'
import styles from './charts.module.css'
import { ramp } from './colors.ts'
import { differing, type Frame } from './columns.ts'

const HEIGHT = 420
const PAD = { left: 64, right: 20, top: 14, bottom: 46 }
const TEXT_TICKS_MAX = 8
const AIR = 0.05

/** Runs as dots: any two things they logged against each other, a third as colour. A dot leads to its run. */
export function Scatter({ frame }: { frame: Frame }) {
  const [ref, width] = useWidth<HTMLDivElement>(900)
  const columns = useMemo(() => differing(frame.columns), [frame])
  const params = columns.filter(({ kind }) => kind === 'params')
  const metrics = columns.filter(({ kind }) => kind === 'metrics')
  const [xName, setX] = useUrlState('sx', (params[0] ?? metrics[1] ?? metrics[0])?.name ?? '')
  const [yName, setY] = useUrlState('sy', (metrics[0] ?? params[1])?.name ?? '')
  const [cName, setC] = useUrlState('sc')
  const [lit, setLit] = useState<number>()
  const find = (name: string) => {
    const column = frame.columns.find((each) => each.name === name)
    return column && axisScale(column)
  }
  const [xAxis, yAxis, cAxis] = [find(xName), find(yName), find(cName)]
  const choose = (label: string, value: string, onChange: (next: string | undefined) => void, clearable = false) => (
    <Select
      label={label}
      size="xs"
      searchable
      clearable={clearable}
      limit={100}
      data={frame.columns.map(({ name }) => name)}
      value={value || null}
      onChange={(next) => onChange(next ?? undefined)}
    />
  )
  const sx = linear(-AIR, 1 + AIR, PAD.left, width - PAD.right)
  const sy = linear(-AIR, 1 + AIR, HEIGHT - PAD.bottom, PAD.top)
  const dots =
    xAxis && yAxis
      ? frame.rows.flatMap((row, at) => {
          const [x, y] = [heightOf(xAxis, xAxis.column.values[at]), heightOf(yAxis, yAxis.column.values[at])]
          return x === undefined || y === undefined ? [] : [{ row, at, x, y }]
        })
      : []
  const words = (at: number) =>
    [xAxis, yAxis, cAxis]
      .flatMap((axis) => (axis ? [`${axis.column.key} ${measure(axis.column.values[at] ?? null)}`] : []))
      .join(', ')
  return (
    <Panel title="Scatter" note={`${count(dots.length)} of ${plural(frame.rows.length, 'run')} have both values.`}>
      <div className={styles.picks}>
        {choose('Across', xName, setX)}
        {choose('Up', yName, setY)}
        {choose('Colour', cName, setC, true)}
      </div>
      <div ref={ref} className={styles.axes}>
        {!xAxis || !yAxis || dots.length === 0 ? (
          <Empty title="No run has both values" />
        ) : (
          // biome-ignore lint/a11y/useSemanticElements: a drawing with parts that are reached one by one
          <svg width={width} height={HEIGHT} role="group" aria-label={`${yName} over ${xName}, ${dots.length} runs`}>
            {ticksOf(yAxis).map(([height, text]) => (
              <g key={text}>
                <line x1={PAD.left} x2={width - PAD.right} y1={sy.at(height)} y2={sy.at(height)} stroke="var(--line)" />
                <text x={PAD.left - 8} y={sy.at(height) + 4} textAnchor="end" className={styles.tick}>
                  {text}
                </text>
              </g>
            ))}
            {ticksOf(xAxis).map(([height, text]) => (
              <text key={text} x={sx.at(height)} y={HEIGHT - 26} textAnchor="middle" className={styles.tick}>
                {text}
              </text>
            ))}
            <text x={(PAD.left + width) / 2} y={HEIGHT - 7} textAnchor="middle" className={styles.axisName}>
              {xName}
            </text>
            <g className={styles.dots}>
              {dots.map(({ row, at, x, y }) => {
                const share = cAxis && heightOf(cAxis, cAxis.column.values[at])
                return (
                  <A
                    key={row.run_id}
                    href={paths.run(row.run_id)}
                    aria-label={`${row.name}: ${words(at)}`}
                    onFocus={() => setLit(at)}
                    onPointerEnter={() => setLit(at)}
                  >
                    <circle
                      cx={sx.at(x)}
                      cy={sy.at(y)}
                      r={lit === at ? 7 : 5}
                      fill={cAxis ? (share === undefined ? 'var(--idle-mark)' : ramp(share)) : 'var(--s1)'}
                    />
                  </A>
                )
              })}
            </g>
          </svg>
        )}
      </div>
      <div className={styles.scale} aria-live="polite">
        {cAxis && (
          <>
            <span>
              {cName}: {ticksOf(cAxis)[0]?.[1]}
            </span>
            <svg width="120" height="10" aria-hidden="true">
              {Array.from({ length: 24 }, (_, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: steps of one ramp
                <rect key={at} x={at * 5} width={5.5} height={10} fill={ramp(at / 23)} />
              ))}
            </svg>
            <span>{ticksOf(cAxis).at(-1)?.[1]}</span>
          </>
        )}
        <span className="soft">
          {lit !== undefined && frame.rows[lit] ? `${frame.rows[lit].name}: ${words(lit)}` : ' '}
        </span>
      </div>
    </Panel>
  )
}

function ticksOf(axis: ReturnType<typeof axisScale>): [height: number, text: string][] {
  if (axis.column.numeric)
    return ticks(axis.low, axis.high, 5).map((value) => [(value - axis.low) / (axis.high - axis.low), measure(value)])
  const every = Math.max(1, Math.ceil(axis.texts.length / TEXT_TICKS_MAX))
  return axis.texts
    .filter((_, at) => at % every === 0)
    .map((text) => [heightOf(axis, text)!, text.length > 14 ? `${text.slice(0, 13)}…` : text])
}
