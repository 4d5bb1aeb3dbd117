import { useState } from 'react'
import type { Axis } from '../../kit/charts/curves.ts'
import type { Line } from '../../kit/charts/line-chart.tsx'
import { count, exact, measure, NONE, span } from '../../kit/format.ts'
import styles from './charts.module.css'

const ROWS_MAX = 200
const LINES_MAX = 20

/** The numbers of a chart, for those who do not see it or want them one by one. Made when it is opened. */
export function ValuesTable({ name, axis, lines }: { name: string; axis: Axis; lines: readonly Line[] }) {
  const [open, setOpen] = useState(false)
  return (
    <details className={styles.values} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Values of {name} as a table</summary>
      {open && <Values name={name} axis={axis} lines={lines} />}
    </details>
  )
}

const WORDS = { step: count, relative: span, time: (ms: number) => exact(ms).split('\n').at(-1)! }
const HEADS = { step: 'Step', relative: 'Since start', time: 'Time' }

function Values({ name, axis, lines }: { name: string; axis: Axis; lines: readonly Line[] }) {
  const shown = lines.filter(({ faint }) => !faint).slice(0, LINES_MAX)
  const by = shown.map(({ points }) => new Map(points))
  const xs = [...new Set(shown.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b)
  const every = Math.max(1, Math.ceil(xs.length / ROWS_MAX))
  const rows = xs.filter((_, at) => at % every === 0 || at === xs.length - 1)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className={styles.valueRows} aria-label={`Values of ${name}`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{HEADS[axis]}</th>
            {shown.map(({ key, label }) => (
              <th key={key} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((x) => (
            <tr key={x}>
              <th scope="row">{WORDS[axis](x)}</th>
              {by.map((values, at) => (
                <td key={shown[at]!.key}>{values.has(x) ? wordsOf(values.get(x)) : NONE}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {every > 1 && (
        <p className="muted small">
          Every {count(every)}th of {count(xs.length)} points.
        </p>
      )}
    </section>
  )
}

const wordsOf = (value: number | null | undefined) => (value === null ? 'NaN' : measure(value))
