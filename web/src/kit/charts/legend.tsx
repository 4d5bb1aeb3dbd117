import styles from './chart.module.css'
import type { Line } from './line-chart.tsx'

/** What each line is. With `onToggle` a click takes a line out of the chart, and brings it back. */
export function Legend({
  lines,
  hidden,
  onToggle,
}: {
  lines: readonly Pick<Line, 'key' | 'label' | 'color' | 'dash' | 'dashed'>[]
  hidden?: ReadonlySet<string> | undefined
  onToggle?: ((key: string) => void) | undefined
}) {
  return (
    <ul className={styles.legend} aria-label="Lines">
      {lines.map(({ key, label, color, dash, dashed }) => {
        const words = (
          <>
            <svg width="18" height="8" aria-hidden="true">
              <line
                x1="0"
                x2="18"
                y1="4"
                y2="4"
                stroke={color}
                strokeWidth="2.5"
                {...((dash ?? dashed) && { strokeDasharray: dash ?? '4 3' })}
              />
            </svg>
            <span>{label}</span>
          </>
        )
        return (
          <li key={key}>
            {onToggle ? (
              <button type="button" aria-pressed={!hidden?.has(key)} onClick={() => onToggle(key)}>
                {words}
              </button>
            ) : (
              words
            )}
          </li>
        )
      })}
    </ul>
  )
}
