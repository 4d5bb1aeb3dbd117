import { type KeyboardEvent, type PointerEvent, useId, useMemo, useRef, useState } from 'react'
import { count, measure } from '../format.ts'
import styles from './chart.module.css'
import { type Marker, Marks, type Span, type Threshold } from './marks.tsx'
import { airy, linear, logarithmic, nearest, ticks, timeTicks, timeWords } from './scale.ts'
import { useWidth } from './width.ts'

export interface Line {
  key: string
  label: string
  /** A CSS colour, by a token. */
  color: string
  /** Rising in x; null where nothing is known: the line breaks. */
  points: readonly (readonly [x: number, y: number | null])[]
  dashed?: boolean
  /** Single values matter: each is a dot. */
  dots?: boolean
}

export interface LineChartProps {
  label: string
  lines: readonly Line[]
  /** What x is. `time` is epoch ms, shown in UTC. */
  x: 'step' | 'time'
  height?: number
  format?: (value: number) => string
  log?: boolean
  /** Part of x to show; all when left out. */
  range?: readonly [number, number] | undefined
  onRange?: (range: [number, number] | undefined) => void
  markers?: readonly Marker[]
  spans?: readonly Span[]
  thresholds?: readonly Threshold[]
  /** Shared between charts of one page, so that all speak of the same moment. */
  hover?: number | undefined
  onHover?: (x: number | undefined) => void
  onPick?: (x: number) => void
  picked?: number | undefined
  xWords?: (x: number) => string
  legend?: boolean
}

const PAD = { left: 52, right: 14, bottom: 24 }
/** A drag shorter than this is a click. */
const DRAG_PX = 6

export function LineChart({
  label,
  lines,
  x,
  height = 200,
  format = measure,
  log = false,
  range,
  onRange,
  markers = [],
  spans = [],
  thresholds = [],
  hover,
  onHover,
  onPick,
  picked,
  xWords,
  legend = true,
}: LineChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const [own, setOwn] = useState<number>()
  const [drag, setDrag] = useState<readonly [number, number]>()
  const started = useRef<number>(undefined)
  const clip = useId()
  const at = hover ?? own
  const setAt = (next: number | undefined) => (onHover ? onHover(next) : setOwn(next))

  const xs = useMemo(
    () => [...new Set(lines.flatMap(({ points }) => points.map(([px]) => px)))].sort((a, b) => a - b),
    [lines],
  )
  const [xMin, xMax] = range ?? [xs[0] ?? 0, xs.at(-1) ?? 1]
  const [yMin, yMax] = useMemo(() => domain(lines, thresholds, xMin, xMax, log), [lines, thresholds, xMin, xMax, log])
  const top = markers.length > 0 ? 26 : 10
  const [left, right, bottom] = [PAD.left, width - PAD.right, height - PAD.bottom]
  const flat = xMin === xMax
  const sx = linear(flat ? xMin - 1 : xMin, flat ? xMax + 1 : xMax, left, right)
  const sy = log ? logarithmic(yMin, yMax, bottom, top) : linear(yMin, yMax, bottom, top)
  const yTicks = log ? logTicks(yMin, yMax) : ticks(yMin, yMax, Math.max(2, Math.round(height / 48)))
  const xTicks = (x === 'time' ? timeTicks : ticks)(sx.min, sx.max, Math.max(2, Math.round(width / 110))).filter(
    (tick) => x === 'time' || Number.isInteger(tick),
  )
  const say = xWords ?? ((value: number) => (x === 'time' ? `${timeWords(value, 0)} UTC` : `step ${count(value)}`))

  const place = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    return Math.min(right, Math.max(left, event.clientX - box.left))
  }
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const px = place(event)
    if (started.current !== undefined && Math.abs(px - started.current) > DRAG_PX && onRange)
      setDrag([Math.min(px, started.current), Math.max(px, started.current)])
    if (xs.length > 0) setAt(xs[nearest(xs, sx.back(px))])
  }
  const release = () => {
    if (drag && onRange) onRange([sx.back(drag[0]), sx.back(drag[1])])
    else if (started.current !== undefined && at !== undefined) onPick?.(at)
    started.current = undefined
    setDrag(undefined)
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setAt(undefined)
    if (event.key === 'Enter' && at !== undefined) onPick?.(at)
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0 || xs.length === 0) return
    event.preventDefault()
    const from = at === undefined ? (step > 0 ? -1 : xs.length) : nearest(xs, at)
    setAt(xs[Math.min(xs.length - 1, Math.max(0, from + step))])
  }

  const atHover = at === undefined ? [] : lines.flatMap((line) => valueAt(line, at))
  return (
    <div className={styles.chart} ref={ref}>
      {legend && lines.length > 1 && (
        <ul className={styles.legend}>
          {lines.map(({ key, label: words, color, dashed }) => (
            <li key={key}>
              <svg width="16" height="8" aria-hidden="true">
                <line
                  x1="0"
                  x2="16"
                  y1="4"
                  y2="4"
                  stroke={color}
                  strokeWidth="2.5"
                  {...(dashed && { strokeDasharray: '4 3' })}
                />
              </svg>
              {words}
            </li>
          ))}
        </ul>
      )}
      <svg
        width={width}
        height={height}
        className={styles.svg}
        role="img"
        aria-label={`${label}. ${summary(lines, format)}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows walk along the values
        tabIndex={0}
        onPointerMove={move}
        onPointerLeave={() => setAt(undefined)}
        onPointerDown={(event) => {
          started.current = place(event)
        }}
        onPointerUp={release}
        onDoubleClick={() => onRange?.(undefined)}
        onKeyDown={press}
      >
        <clipPath id={clip}>
          <rect x={left - 4} y={0} width={Math.max(0, right - left + 8)} height={bottom + 4} />
        </clipPath>
        {yTicks.map((tick) => (
          <g key={tick}>
            <line x1={left} x2={right} y1={sy.at(tick)} y2={sy.at(tick)} className={styles.grid} />
            <text x={left - 8} y={sy.at(tick) + 4} textAnchor="end" className={styles.tick}>
              {format(tick)}
            </text>
          </g>
        ))}
        {xTicks.map((tick) => (
          <text key={tick} x={sx.at(tick)} y={height - 6} textAnchor="middle" className={styles.tick}>
            {x === 'time' ? timeWords(tick, sx.max - sx.min) : count(tick)}
          </text>
        ))}
        <Marks
          markers={markers}
          spans={spans}
          thresholds={thresholds}
          sx={sx}
          sy={sy}
          box={{ left, right, top, bottom }}
          clip={clip}
          format={format}
        />
        <g clipPath={`url(#${clip})`}>
          {picked !== undefined && (
            <line x1={sx.at(picked)} x2={sx.at(picked)} y1={top} y2={bottom} className={styles.picked} />
          )}
          {lines.map((line) => (
            <path
              key={line.key}
              d={pathOf(line, sx.at, sy.at)}
              fill="none"
              stroke={line.color}
              className={styles.line}
              {...(line.dashed && { strokeDasharray: '5 4' })}
            />
          ))}
          {lines.map((line) =>
            line.dots || line.points.length === 1
              ? line.points.map(
                  ([px, py]) =>
                    py !== null && <circle key={px} cx={sx.at(px)} cy={sy.at(py)} r={2.6} fill={line.color} />,
                )
              : null,
          )}
          {at !== undefined && <line x1={sx.at(at)} x2={sx.at(at)} y1={top} y2={bottom} className={styles.cross} />}
          {atHover.map(({ line, y }) => (
            <circle key={line.key} cx={sx.at(at!)} cy={sy.at(y)} r={4} fill={line.color} className={styles.dot} />
          ))}
        </g>
        {drag && <rect x={drag[0]} y={top} width={drag[1] - drag[0]} height={bottom - top} className={styles.drag} />}
      </svg>
      {at !== undefined && (atHover.length > 0 || hover === undefined) && (
        <div
          className={styles.tip}
          style={sx.at(at) > width / 2 ? { right: width - sx.at(at) + 12, top } : { left: sx.at(at) + 12, top }}
        >
          <strong>{say(at)}</strong>
          {atHover.map(({ line, y }) => (
            <span key={line.key}>
              <i style={{ background: line.color }} />
              {lines.length > 1 && <span className="grow">{line.label}</span>}
              <b>{format(y)}</b>
            </span>
          ))}
        </div>
      )}
    </div>
  )
}

function domain(
  lines: readonly Line[],
  thresholds: readonly Threshold[],
  xMin: number,
  xMax: number,
  log: boolean,
): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { points } of lines)
    for (const [px, py] of points) {
      if (py === null || px < xMin || px > xMax || (log && py <= 0)) continue
      if (py < low) low = py
      if (py > high) high = py
    }
  for (const { y } of thresholds) {
    low = Math.min(low, y)
    high = Math.max(high, y)
  }
  if (!log) return airy(low, high)
  return Number.isFinite(low) ? [low * 0.9, Math.max(high, low * 1.5) * 1.1] : [0.1, 1]
}

function logTicks(min: number, max: number): number[] {
  const found: number[] = []
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++)
    for (const factor of [1, 3])
      if (factor * 10 ** power >= min && factor * 10 ** power <= max)
        found.push(Number((factor * 10 ** power).toPrecision(3)))
  return found.length > 6 ? found.filter((each) => Number.isInteger(Math.log10(each))) : found
}

function pathOf({ points }: Line, sx: (x: number) => number, sy: (y: number) => number): string {
  let path = ''
  let open = false
  for (const [x, y] of points) {
    if (y === null) open = false
    else {
      path += `${open ? 'L' : 'M'}${sx(x).toFixed(1)} ${sy(y).toFixed(1)}`
      open = true
    }
  }
  return path
}

function valueAt(line: Line, x: number): { line: Line; y: number }[] {
  const xs = line.points.map(([px]) => px)
  if (xs.length === 0) return []
  const [px, y] = line.points[nearest(xs, x)]!
  // A series that has no value here says nothing here.
  const near = px === x || (xs.length > 20 && Math.abs(px - x) <= (xs.at(-1)! - xs[0]!) / xs.length)
  return y !== null && near ? [{ line, y }] : []
}

function summary(lines: readonly Line[], format: (value: number) => string): string {
  return lines
    .slice(0, 6)
    .map(({ label, points }) => {
      const values = points.flatMap(([, y]) => (y === null ? [] : [y]))
      if (values.length === 0) return `${label}: no values`
      return `${label}: ${values.length} values, last ${format(values.at(-1)!)}, from ${format(Math.min(...values))} to ${format(Math.max(...values))}`
    })
    .join('; ')
}
