import { type KeyboardEvent, memo, type PointerEvent, useId, useMemo, useRef, useState } from 'react'
import { count, measure, span } from '../format.ts'
import styles from './chart.module.css'
import { Legend } from './legend.tsx'
import { domainOf, logTicks, pathOf, summaryOf, valueAt } from './line-domain.ts'
import { type Marker, Marks, type Span, type Threshold } from './marks.tsx'
import { linear, logarithmic, nearest, type Scale, ticks, timeTicks, timeWords } from './scale.ts'
import { useWidth } from './width.ts'

export interface Line {
  key: string
  label: string
  /** A CSS colour, by a token. */
  color: string
  /** Rising in x; null where nothing is known: the line breaks. */
  points: readonly (readonly [x: number, y: number | null])[]
  dashed?: boolean
  /** A stroke of its own, as SVG writes it. */
  dash?: string | undefined
  /** Behind the others, and silent: what another line was smoothed from. */
  faint?: boolean
  /** Single values matter: each is a dot. */
  dots?: boolean
}

export interface LineChartProps {
  label: string
  lines: readonly Line[]
  /** What x is. `time` is epoch ms, shown in UTC; `span` is milliseconds since something began. */
  x: 'step' | 'time' | 'span'
  height?: number
  format?: (value: number) => string
  log?: boolean
  /** The range of y is that of most values; the others fall off. */
  clipped?: boolean
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

const WORDS = {
  step: (value: number) => `step ${count(value)}`,
  time: (value: number) => `${timeWords(value, 0)} UTC`,
  span: (value: number) => `after ${span(value)}`,
}
const PAD = { left: 52, right: 14, bottom: 24 }
/** A drag shorter than this is a click. */
const DRAG_PX = 6
/** Lines whose value the crosshair tells, the highest first. */
const TOLD_MAX = 12
/** One press of + or −. */
const ZOOM = 0.5

export function LineChart({
  label,
  lines,
  x,
  height = 200,
  format = measure,
  log = false,
  clipped = false,
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
  const [yMin, yMax] = useMemo(
    () => domainOf(lines, { thresholds, x: [xMin, xMax], log, clip: clipped }),
    [lines, thresholds, xMin, xMax, log, clipped],
  )
  const top = markers.length > 0 ? 26 : 10
  const [left, right, bottom] = [PAD.left, width - PAD.right, height - PAD.bottom]
  const flat = xMin === xMax
  const sx = linear(flat ? xMin - 1 : xMin, flat ? xMax + 1 : xMax, left, right)
  const sy = log ? logarithmic(yMin, yMax, bottom, top) : linear(yMin, yMax, bottom, top)
  const yTicks = log ? logTicks(yMin, yMax) : ticks(yMin, yMax, Math.max(2, Math.round(height / 48)))
  const xTicks = (x === 'step' ? ticks : timeTicks)(sx.min, sx.max, Math.max(2, Math.round(width / 110))).filter(
    (tick) => x !== 'step' || Number.isInteger(tick),
  )
  const say = xWords ?? WORDS[x]

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
    if (onRange && event.key === '0') onRange(undefined)
    if (onRange && (event.key === '+' || event.key === '-') && xMax > xMin) {
      const middle = at ?? (xMin + xMax) / 2
      const half = ((xMax - xMin) / 2) * (event.key === '+' ? ZOOM : 1 / ZOOM)
      onRange([middle - half, middle + half])
    }
    if (event.key === 'Enter' && at !== undefined) onPick?.(at)
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0 || xs.length === 0) return
    event.preventDefault()
    const from = at === undefined ? (step > 0 ? -1 : xs.length) : nearest(xs, at)
    setAt(xs[Math.min(xs.length - 1, Math.max(0, from + step))])
  }

  const atHover = at === undefined ? [] : lines.flatMap((line) => (line.faint ? [] : valueAt(line, at)))
  const told = [...atHover].sort((a, b) => b.y - a.y).slice(0, TOLD_MAX)
  return (
    <div className={styles.chart} ref={ref}>
      {legend && lines.length > 1 && <Legend lines={lines.filter(({ faint }) => !faint)} />}
      <svg
        width={width}
        height={height}
        className={styles.svg}
        role="img"
        aria-label={`${label}. ${summaryOf(lines, format)}`}
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
            {x === 'time' ? timeWords(tick, sx.max - sx.min) : x === 'span' ? span(tick) : count(tick)}
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
          <Drawn
            lines={lines}
            x={`${xMin} ${xMax}`}
            y={`${yMin} ${yMax}`}
            log={log}
            width={width}
            height={height}
            sx={sx}
            sy={sy}
          />
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
          {told.map(({ line, y }) => (
            <span key={line.key}>
              <i style={{ background: line.color }} />
              {lines.length > 1 && <span className="grow">{line.label}</span>}
              <b>{format(y)}</b>
            </span>
          ))}
          {told.length < atHover.length && <span className="muted">and {atHover.length - told.length} more</span>}
        </div>
      )}
    </div>
  )
}

interface DrawnProps {
  lines: readonly Line[]
  x: string
  y: string
  log: boolean
  width: number
  height: number
  sx: Scale
  sy: Scale
}

/** Drawn anew only when it looks different: not with each move of the pointer. */
const Drawn = memo(
  ({ lines, sx, sy }: DrawnProps) => (
    <>
      {lines.map((line) => (
        <path
          key={line.key}
          d={pathOf(line, sx, sy)}
          fill="none"
          stroke={line.color}
          className={styles.line}
          {...(line.faint && { opacity: 0.28 })}
          {...((line.dash ?? line.dashed) && { strokeDasharray: line.dash ?? '5 4' })}
        />
      ))}
      {lines.map((line) =>
        line.dots || line.points.length === 1
          ? line.points.map(
              ([px, py]) => py !== null && <circle key={px} cx={sx.at(px)} cy={sy.at(py)} r={2.6} fill={line.color} />,
            )
          : null,
      )}
    </>
  ),
  (a, b) =>
    a.lines === b.lines &&
    a.x === b.x &&
    a.y === b.y &&
    a.log === b.log &&
    a.width === b.width &&
    a.height === b.height,
)
