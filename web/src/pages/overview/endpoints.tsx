import { useState } from 'react'
import type { Overview } from '../../api/types.ts'
import { count, measure, NONE } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { State } from '../../kit/state.tsx'
import { EventTime } from '../../kit/time.tsx'
import { plainWords } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import styles from './overview.module.css'
import { type Look, lookAgain } from './rate.ts'

/** Shown only when nothing speaks of quality. */
const OPERATION = new Set(['latency_p99', 'error_rate', 'score_psi', 'share_of_drifted_features'])

type Row = Overview['projects'][number]['endpoints'][number]

/** What serves, what is on its way, and whether somebody should look. */
export function EndpointCards({
  endpoints,
  at_ms,
  inside,
}: {
  endpoints: readonly Row[]
  /** When the server told this. */
  at_ms: number
  inside?: boolean
}) {
  if (endpoints.length === 0) return null
  return (
    <ul className={inside ? styles.inside : styles.endpoints}>
      {endpoints.map(({ name, live, open, rolled_back, watermark_ms, alerts_open, requests, last_window }) => (
        <li key={name} className={styles.endpoint}>
          <div className={styles.endpointName}>
            <span className="eyebrow">endpoint</span>
            <A href={paths.endpoint(name)}>{name}</A>
          </div>
          <dl>
            <div>
              <dt>Serves</dt>
              <dd>
                {live ? (
                  <A href={paths.release(live.release)}>version {live.version}</A>
                ) : (
                  <span className="muted">nothing yet</span>
                )}
              </dd>
            </div>
            <div>
              <dt>On its way</dt>
              <dd>
                {open ? (
                  <A href={paths.release(open.release)} className={styles.open}>
                    version {open.version}{' '}
                    <State
                      value={open.state}
                      words={
                        open.state === 'canary' && open.step !== null ? `canary, step ${open.step + 1}` : undefined
                      }
                    />
                  </A>
                ) : rolled_back ? (
                  <A href={paths.release(rolled_back.release)} className={styles.open}>
                    version {rolled_back.version}{' '}
                    <State
                      value="rolled_back"
                      why={rolled_back.reason === null ? undefined : plainWords(rolled_back.reason)}
                    />
                  </A>
                ) : (
                  <span className="muted">nothing</span>
                )}
              </dd>
            </div>
            <div>
              <dt>Requests</dt>
              <dd className="num">
                <Rate requests={requests} at_ms={at_ms} />
              </dd>
            </div>
            <div>
              <dt>Last window</dt>
              <dd className="num">
                {last_window ? <LastWindow {...last_window} /> : <span className="muted">none yet</span>}
              </dd>
            </div>
            <div>
              <dt>Watermark</dt>
              <dd>
                <EventTime at={watermark_ms} withTime />
              </dd>
            </div>
            <div>
              <dt>Alerts</dt>
              <dd>
                {alerts_open > 0 ? (
                  <A href={paths.alerts({ state: 'open' })}>
                    <State value="open" words={`${alerts_open} open`} />
                  </A>
                ) : (
                  <State value="ok" words="none open" />
                )}
              </dd>
            </div>
          </dl>
        </li>
      ))}
    </ul>
  )
}

function LastWindow({ metrics }: { metrics: Record<string, number | null> }) {
  const known = Object.entries(metrics).filter(([, each]) => each !== null)
  const [metric, value] = known.find(([name]) => !OPERATION.has(name)) ?? known[0] ?? []
  return metric === undefined ? NONE : `${metric} ${measure(value)}`
}

/** Requests a second between the last two looks; how many in all, while nothing comes. */
function Rate({ requests, at_ms }: { requests: number; at_ms: number }) {
  const [seen, setSeen] = useState<Look>({ requests, at_ms, rate: 0 })
  const now = lookAgain(seen, requests, at_ms)
  if (now !== seen) setSeen(now)
  return now.rate > 0 ? (
    <>{count(Math.round(now.rate))} /s</>
  ) : (
    <span title="Counted by what serves now, since it was loaded">{count(requests)} since it was loaded</span>
  )
}
