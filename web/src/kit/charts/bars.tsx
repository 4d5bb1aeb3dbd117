import styles from './chart.module.css'
import { useWidth } from './width.ts'

export interface Bar {
  label: string
  value: number
  /** The same bin of what it is compared with. */
  reference?: number
}

/** Counts or shares by bin; with a reference, its outline lies over the bars. */
export function Bars({
  label,
  bars,
  height = 84,
  format,
  edges,
  color = 'var(--s1)',
}: {
  label: string
  bars: readonly Bar[]
  height?: number
  format: (value: number) => string
  edges?: readonly [string, string]
  color?: string
}) {
  const [ref, width] = useWidth<HTMLDivElement>(260)
  const most = Math.max(1e-12, ...bars.map(({ value, reference }) => Math.max(value, reference ?? 0)))
  const each = width / Math.max(1, bars.length)
  const gap = each > 6 ? 1.5 : 0.5
  const tall = (value: number) => (value / most) * (height - 4)
  const outline = bars.every(({ reference }) => reference !== undefined)
    ? bars
        .map(
          ({ reference }, at) =>
            `${at === 0 ? 'M' : 'L'}${(at * each).toFixed(1)} ${(height - tall(reference!)).toFixed(1)}H${((at + 1) * each).toFixed(1)}`,
        )
        .join('')
    : undefined
  return (
    <div ref={ref} className={styles.chart}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`${label}: ${bars
          .slice(0, 30)
          .map((bar) => `${bar.label} ${format(bar.value)}`)
          .join(', ')}`}
        className={styles.svg}
      >
        {bars.map((bar, at) => (
          <g key={bar.label}>
            <rect
              x={at * each + gap / 2}
              y={height - tall(bar.value)}
              width={Math.max(0.5, each - gap)}
              height={tall(bar.value)}
              fill={color}
              className={styles.bar}
            />
            <rect x={at * each} y={0} width={each} height={height} fill="transparent">
              <title>{`${bar.label}: ${format(bar.value)}${bar.reference === undefined ? '' : `, reference ${format(bar.reference)}`}`}</title>
            </rect>
          </g>
        ))}
        {outline && <path d={outline} className={styles.outline} />}
        <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} className={styles.grid} />
      </svg>
      {edges && (
        <div className={styles.edges}>
          <span>{edges[0]}</span>
          <span>{edges[1]}</span>
        </div>
      )}
    </div>
  )
}

/** A line without axes, for a table's cell. */
export function Spark({
  values,
  width = 96,
  height = 22,
  color = 'var(--s1)',
}: {
  values: readonly (number | null)[]
  width?: number
  height?: number
  color?: string
}) {
  const known = values.flatMap((value) => (value === null ? [] : [value]))
  if (known.length < 2) return <span className="muted">–</span>
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const x = (at: number) => 2 + (at / (values.length - 1)) * (width - 4)
  const y = (value: number) => height - 3 - ((value - low) / (high - low || 1)) * (height - 6)
  const path = values
    .map((value, at) =>
      value === null
        ? ''
        : `${at === 0 || values[at - 1] === null ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .join('')
  return (
    <svg width={width} height={height} aria-hidden="true" className={styles.svg}>
      <path d={path} fill="none" stroke={color} strokeWidth="1.5" />
      <circle cx={x(values.length - 1)} cy={y(known.at(-1)!)} r="2.2" fill={color} />
    </svg>
  )
}
