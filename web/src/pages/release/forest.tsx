import type { Estimate } from '../../api/types.ts'
import { linear } from '../../kit/charts/scale.ts'
import { measure, percent, signed } from '../../kit/format.ts'
import type { Tone } from '../../kit/state.tsx'
import styles from './release.module.css'

const WIDTH = 300
const HEIGHT = 46

/** One rule's estimate with its interval against its bound; the ground beyond the bound is tinted. */
export function Forest({
  estimate,
  threshold,
  good,
  zero,
  tone,
}: {
  estimate: Estimate
  threshold: number | undefined
  good: 'above' | 'below'
  zero: boolean
  tone: Tone
}) {
  const say = zero ? (value: number) => signed(value, 4) : measure
  const values = [
    estimate.low,
    estimate.high,
    estimate.value,
    ...(threshold === undefined ? [] : [threshold]),
    ...(zero ? [0] : []),
  ]
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const air = (high - low || Math.abs(high) || 1) * 0.16
  const x = linear(low - air, high + air, 6, WIDTH - 6)
  const y = 17
  const bound = threshold === undefined ? undefined : x.at(threshold)
  const words = `${say(estimate.value)}, ${percent(estimate.confidence)} interval ${say(estimate.low)} to ${say(estimate.high)}${threshold === undefined ? '' : `, bound ${say(threshold)}`}`
  const anchor = (place: number) => (place < 40 ? 'start' : place > WIDTH - 40 ? 'end' : 'middle')
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className={styles.forest} role="img" aria-label={words} data-tone={tone}>
      <title>{words}</title>
      {bound !== undefined && (
        <rect
          x={good === 'above' ? 0 : bound}
          width={good === 'above' ? bound : WIDTH - bound}
          y={4}
          height={27}
          className={styles.forbidden}
        />
      )}
      <line x1={0} x2={WIDTH} y1={31} y2={31} className={styles.axis} />
      {zero && <line x1={x.at(0)} x2={x.at(0)} y1={4} y2={31} className={styles.zero} />}
      {bound !== undefined && (
        <>
          <line x1={bound} x2={bound} y1={2} y2={34} className={styles.bound} />
          <text x={bound} y={44} textAnchor={anchor(bound)}>
            bound {say(threshold!)}
          </text>
        </>
      )}
      <line x1={x.at(estimate.low)} x2={x.at(estimate.high)} y1={y} y2={y} className={styles.interval} />
      <line x1={x.at(estimate.low)} x2={x.at(estimate.low)} y1={y - 5} y2={y + 5} className={styles.interval} />
      <line x1={x.at(estimate.high)} x2={x.at(estimate.high)} y1={y - 5} y2={y + 5} className={styles.interval} />
      <rect
        x={x.at(estimate.value) - 5}
        y={y - 5}
        width={10}
        height={10}
        transform={`rotate(45 ${x.at(estimate.value)} ${y})`}
        className={styles.estimate}
      />
    </svg>
  )
}
