import { count } from '../../kit/format.ts'
import styles from './artifacts.module.css'
import type { Cells } from './parse.ts'

/** Cells of a file as it has them, with the number of each row. */
export function Grid({ label, cells, first = 1 }: { label: string; cells: Cells; first?: number }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className={styles.cells} aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col" className={styles.line}>
              <span className="sr">Row</span>
            </th>
            {cells.columns.map((name, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file that does not change
              <th key={`${at}-${name}`} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cells.rows.map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a file that does not change
            <tr key={line}>
              <th scope="row" className={styles.line}>
                {count(first + line)}
              </th>
              {cells.columns.map((name, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file that does not change
                <td key={`${at}-${name}`} data-number={typeof row[at] === 'number' || undefined}>
                  {wordsOf(row[at])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const CELL_CHARS_MAX = 300
const wordsOf = (value: string | number | boolean | null | undefined) => {
  if (value === null || value === undefined) return <span className="muted">null</span>
  const text = String(value)
  return text.length > CELL_CHARS_MAX ? `${text.slice(0, CELL_CHARS_MAX)}…` : text
}
