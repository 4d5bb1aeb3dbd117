import styles from './chart.module.css'
import type { Scale } from './scale.ts'

/** Something that happened at one moment. */
export interface Marker {
  x: number
  label: string
  tone: 'accent' | 'bad' | 'back' | 'run'
}
/** Something that went on from one moment to another. */
export interface Span {
  from: number
  to: number
  label: string
  tone: 'bad' | 'run'
}
/** A value that must not be crossed; the side to stay away from is tinted. */
export interface Threshold {
  y: number
  label: string
  bad: 'above' | 'below'
}

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Room for one flag's words. */
const CHAR_PX = 6.3
/** Where a flag without words hangs: below those that have some. */
const FLAG_PX = 22

export function Marks({
  markers,
  spans,
  thresholds,
  sx,
  sy,
  box,
  clip,
  format,
}: {
  markers: readonly Marker[]
  spans: readonly Span[]
  thresholds: readonly Threshold[]
  sx: Scale
  sy: Scale
  box: Box
  clip: string
  format: (value: number) => string
}) {
  let free = Number.NEGATIVE_INFINITY
  const inside = (x: number) => x >= sx.min && x <= sx.max
  return (
    <>
      <g clipPath={`url(#${clip})`}>
        {spans.map(({ from, to, label, tone }) => (
          <rect
            key={`${label}-${from}`}
            x={sx.at(from)}
            width={Math.max(2, sx.at(to) - sx.at(from))}
            y={box.top}
            height={box.bottom - box.top}
            className={styles.span}
            data-tone={tone}
          >
            <title>{label}</title>
          </rect>
        ))}
        {thresholds.map(({ y, bad, label }) => (
          <g key={label}>
            <rect
              x={box.left}
              width={box.right - box.left}
              y={bad === 'below' ? sy.at(y) : box.top}
              height={Math.max(0, bad === 'below' ? box.bottom - sy.at(y) : sy.at(y) - box.top)}
              className={styles.side}
            />
            <line x1={box.left} x2={box.right} y1={sy.at(y)} y2={sy.at(y)} className={styles.threshold} />
            <text
              x={box.right - 4}
              y={sy.at(y) + (bad === 'below' ? 13 : -5)}
              textAnchor="end"
              className={styles.thresholdWords}
            >
              {label} {format(y)}
            </text>
          </g>
        ))}
      </g>
      {markers
        .filter(({ x }) => inside(x))
        .sort((a, b) => a.x - b.x)
        .map(({ x, label, tone }) => {
          const place = sx.at(x)
          const wide = label.length * CHAR_PX + 8
          // Where the words would lie over those before, the flag alone stays; hovering tells.
          const start = place + wide > box.right ? place - wide : place
          const room = start > free
          if (room) free = start + wide + 4
          return (
            <g key={`${label}-${x}`} className={styles.marker} data-tone={tone}>
              <title>{label}</title>
              <line x1={place} x2={place} y1={room ? 4 : FLAG_PX} y2={box.bottom} />
              {room ? (
                <>
                  <rect x={start} y={2} width={wide} height={16} rx={2} />
                  <text x={start + 5} y={14}>
                    {label}
                  </text>
                </>
              ) : (
                <circle cx={place} cy={FLAG_PX} r={3} />
              )}
            </g>
          )
        })}
    </>
  )
}
