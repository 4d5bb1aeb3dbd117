import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import type { ProfileColumn } from '../../api/types.ts'
import { Bars } from '../../kit/charts/bars.tsx'
import { Empty, Show } from '../../kit/condition.tsx'
import { count, day, measure, percent } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import styles from './dataset.module.css'

/** Each column: what it holds, how much is missing, how it is distributed. */
export function ProfilePanel({ name, version, pending }: { name: string; version: string; pending: boolean }) {
  const query = useQuery({ ...q.profile(name, version), enabled: !pending })
  if (pending)
    return (
      <Panel>
        <Empty title="It is profiled now">Columns appear here by themselves.</Empty>
      </Panel>
    )
  return (
    <Panel>
      <Show query={query} what="the profile">
        {(profile) => (
          <>
            <ul className={styles.columns}>
              {profile.columns.map((column) => (
                <Column key={column.name} column={column} rows={profile.row_count} />
              ))}
            </ul>
            {profile.columns_left_out > 0 && (
              <p className={styles.note}>{count(profile.columns_left_out)} more columns are not profiled.</p>
            )}
          </>
        )}
      </Show>
    </Panel>
  )
}

function Column({ column, rows }: { column: ProfileColumn; rows: number }) {
  const missing = rows === 0 ? 0 : column.nulls / rows
  const say = (value: number | string | null) =>
    column.kind === 'time' && typeof value === 'string'
      ? day(Date.parse(value), true)
      : typeof value === 'number'
        ? measure(value)
        : (value ?? '–')
  const say_edge = (value: number) => (column.kind === 'time' ? day(value) : measure(value))
  return (
    <li>
      <header>
        <strong>{column.name}</strong>
        <span className="muted small">{column.type.toLowerCase()}</span>
      </header>
      {column.histogram ? (
        <Bars
          label={`Distribution of ${column.name}`}
          height={64}
          bars={column.histogram.counts.map((value, at) => ({
            label: `${say_edge(column.histogram!.edges[at]!)} to ${say_edge(column.histogram!.edges[at + 1]!)}`,
            value,
          }))}
          format={count}
          edges={[say_edge(column.histogram.edges[0]!), say_edge(column.histogram.edges.at(-1)!)]}
        />
      ) : column.top && column.distinct === rows ? (
        <p className={styles.unique}>every value is different</p>
      ) : column.top ? (
        <ol className={styles.top}>
          {column.top.slice(0, 4).map(({ value, count: times }) => (
            <li key={value}>
              <span className="clip">{value}</span>
              <i style={{ width: `${(times / Math.max(1, column.top![0]!.count)) * 100}%` }} />
              <span className="num muted small">{percent(times / Math.max(1, rows))}</span>
            </li>
          ))}
        </ol>
      ) : null}
      <dl>
        <div>
          <dt>missing</dt>
          <dd data-some={missing > 0 || undefined}>{percent(missing)}</dd>
        </div>
        {column.distinct !== null && (
          <div>
            <dt>distinct</dt>
            <dd>
              {column.distinct_approximate ? '≈ ' : ''}
              {count(column.distinct)}
            </dd>
          </div>
        )}
        {column.kind === 'number' && (
          <div>
            <dt>mean</dt>
            <dd>{measure(column.mean)}</dd>
          </div>
        )}
        {(column.kind === 'number' || column.kind === 'time') && (
          <div>
            <dt>from</dt>
            <dd>
              {say(column.min)} <span className="muted">to</span> {say(column.max)}
            </dd>
          </div>
        )}
      </dl>
    </li>
  )
}
