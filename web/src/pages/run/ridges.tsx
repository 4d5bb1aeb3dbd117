import { linear, ticks } from '../../kit/charts/scale.ts'
import { useWidth } from '../../kit/charts/width.ts'
import { count, measure } from '../../kit/format.ts'
import styles from './board.module.css'

export type Bucket = readonly [left: number, right: number, count: number]

const ROW_PX = 15
const RISE_PX = 46
const PAD = { left: 12, right: 60, bottom: 24 }
/** Rows drawn; steps between them are left out evenly. */
const ROWS_MAX = 40

/** Histograms by step, each a ridge behind the next, the newest in front: one scale for all. */
export function Ridges({
  label,
  rows,
}: {
  label: string
  rows: readonly { step: number; buckets: readonly Bucket[] }[]
}) {
  const [ref, width] = useWidth<HTMLDivElement>(640)
  const every = Math.max(1, Math.ceil(rows.length / ROWS_MAX))
  const shown = rows.filter((_, at) => at % every === 0 || at === rows.length - 1)
  let [low, high, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const { buckets } of shown)
    for (const [left, right, height] of buckets) {
      low = Math.min(low, left)
      high = Math.max(high, right)
      most = Math.max(most, density([left, right, height]))
    }
  if (!(high > low)) return <p className="muted">The histograms are empty.</p>
  const tall = RISE_PX + shown.length * ROW_PX + PAD.bottom
  const sx = linear(low, high, PAD.left, width - PAD.right)
  return (
    <div ref={ref} className={styles.ridges}>
      <svg
        width={width}
        height={tall}
        role="img"
        aria-label={`${label}: histograms of ${count(rows.length)} steps, values from ${measure(low)} to ${measure(high)}`}
      >
        {ticks(low, high, Math.max(2, width / 110)).map((tick) => (
          <text key={tick} x={sx.at(tick)} y={tall - 6} textAnchor="middle">
            {measure(tick)}
          </text>
        ))}
        {shown.map(({ step, buckets }, at) => {
          const base = RISE_PX + (at + 1) * ROW_PX
          const y = (bucket: Bucket) => (base - (density(bucket) / (most || 1)) * RISE_PX).toFixed(1)
          const path = buckets
            .map((bucket) => `L${sx.at(bucket[0]).toFixed(1)} ${y(bucket)}H${sx.at(bucket[1]).toFixed(1)}`)
            .join('')
          const [first, last] = [buckets[0], buckets.at(-1)]
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: several of one step may stand in a row
            <g key={at}>
              {first && last && (
                <path
                  d={`M${sx.at(first[0]).toFixed(1)} ${base}${path}V${base}Z`}
                  className={styles.ridge}
                  fillOpacity={0.35 + (0.55 * at) / Math.max(1, shown.length - 1)}
                >
                  <title>{`step ${step}`}</title>
                </path>
              )}
              {(at % 4 === 0 || at === shown.length - 1) && (
                <text x={width - PAD.right + 8} y={base}>
                  {count(step)}
                </text>
              )}
            </g>
          )
        })}
      </svg>
    </div>
  )
}

/** Buckets have different widths: what is drawn is their area. A bucket of no width counts as it is. */
const density = ([left, right, height]: Bucket): number => (right > left ? height / (right - left) : height)
