import { Select } from '@mantine/core'
import { useMemo } from 'react'
import { Empty } from '../../kit/condition.tsx'
import { count, percent, signed } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import styles from './charts.module.css'
import { differing, type Frame } from './columns.ts'
import { explain, RUNS_MIN } from './forest.ts'

const SHOWN_MAX = 40

/** Which parameters a metric follows, by a forest that is grown in the browser. */
export function Importance({ frame }: { frame: Frame }) {
  const columns = useMemo(() => differing(frame.columns), [frame])
  const metrics = columns.filter(({ kind, numeric }) => kind === 'metrics' && numeric)
  const [name, setName] = useUrlState('target', metrics[0]?.name ?? '')
  const target = metrics.find((each) => each.name === name)
  const found = useMemo(
    () =>
      target &&
      explain(
        columns.filter(({ kind }) => kind === 'params'),
        target,
      ),
    [columns, target],
  )
  const most = Math.max(1e-12, ...(found?.items.map(({ importance }) => importance) ?? []))
  return (
    <Panel title="Importance of parameters">
      <div className={styles.picks}>
        <Select
          label="For the metric"
          size="xs"
          searchable
          limit={100}
          data={metrics.map((each) => each.name)}
          value={name || null}
          onChange={(next) => setName(next ?? undefined)}
        />
      </div>
      {!found || found.items.length === 0 ? (
        <Empty title={found ? 'The runs differ in no parameter' : 'Too few runs to tell'}>
          {!found && `At least ${RUNS_MIN} runs with different values of the metric are needed.`}
        </Empty>
      ) : (
        <>
          <p className={styles.method}>
            Permutation importance of a random forest (Breiman 2001) over {count(found.runs)} runs: how much worse it
            foretells runs it has not seen when one parameter is shuffled.{' '}
            {found.r2 === null
              ? ''
              : found.r2 < 0.2
                ? `It foretells hardly anything here (R² ${found.r2.toFixed(2)}): do not read much into the order.`
                : `It foretells ${percent(Math.min(1, found.r2))} of the metric's variance.`}{' '}
            ρ is Spearman's rank correlation.
          </p>
          <ul className={styles.importance}>
            {found.items.slice(0, SHOWN_MAX).map(({ name: param, importance, share, spearman }) => (
              <li key={param}>
                <span className="clip" title={param}>
                  {param}
                </span>
                <span className={styles.track}>
                  <i className={styles.bar} style={{ display: 'block', width: `${(100 * importance) / most}%` }} />
                </span>
                <span className="num">{percent(share, 0)}</span>
                <span className="num soft">{spearman === null ? 'text' : `ρ ${signed(spearman, 2)}`}</span>
              </li>
            ))}
          </ul>
          {found.left_out.length > 0 && (
            <p className={styles.method}>
              Left out, nearly a value of its own in each run or too many: {found.left_out.slice(0, 12).join(', ')}
              {found.left_out.length > 12 ? ' …' : ''}
            </p>
          )}
        </>
      )}
    </Panel>
  )
}
