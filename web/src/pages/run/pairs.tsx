import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { Empty } from '../../kit/condition.tsx'
import { Panel } from '../../kit/page.tsx'
import styles from './run.module.css'

const FILTER_FROM = 12

/** Keys and values, with a filter where there are many. */
export function Pairs({
  label,
  items,
  empty,
  hint,
}: {
  label: string
  items: readonly { key: string; value: string }[]
  empty: string
  hint: string
}) {
  const [filter, setFilter] = useState('')
  if (items.length === 0)
    return (
      <Panel>
        <Empty title={empty} command={hint} />
      </Panel>
    )
  const words = filter.toLowerCase()
  const shown = items.filter(({ key, value }) => `${key} ${value}`.toLowerCase().includes(words))
  return (
    <Panel
      title={label}
      aside={
        items.length >= FILTER_FROM && (
          <TextInput
            size="xs"
            aria-label={`Filter ${label.toLowerCase()}`}
            placeholder="Filter"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
        )
      }
    >
      <table className={styles.pairs}>
        <caption className="sr">{label}</caption>
        <tbody>
          {shown.map(({ key, value }) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td>
                {value.length > 300 ? (
                  <details>
                    <summary>{value.slice(0, 120)} …</summary>
                    <pre>{value}</pre>
                  </details>
                ) : (
                  <code>{value}</code>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === 0 && <p className={styles.none}>Nothing has “{filter}” in it.</p>}
    </Panel>
  )
}
