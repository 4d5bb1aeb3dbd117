import { useRef } from 'react'
import type { Overview } from '../../api/types.ts'
import { count, measure, NONE } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { State } from '../../kit/state.tsx'
import { EventTime } from '../../kit/time.tsx'
import { plainWords } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import styles from './overview.module.css'

/** Shown only when nothing speaks of quality. */
const OPERATION = new Set(['latency_p99', 'error_rate', 'score_psi', 'share_of_drifted_features'])

type Row = Overview['projects'][number]['endpoints'][number]

/** What serves, what is on its way, and whether somebody should look. */
export function EndpointCards({ endpoints, inside }: { endpoints: readonly Row[]; inside?: boolean }) {
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
                <Rate requests={requests} />
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

/** Requests a second between two looks; how many in all, while nothing comes. */
function Rate({ requests }: { requests: number }) {
  const last = useRef({ requests, at: performance.now(), rate: 0 })
  if (requests !== last.current.requests) {
    const now = performance.now()
    const more = requests - last.current.requests
    const seconds = (now - last.current.at) / 1000
    last.current = { requests, at: now, rate: more > 0 && seconds > 0.5 ? more / seconds : 0 }
  }
  const { rate } = last.current
  return rate > 0 ? <>{count(Math.round(rate))} /s</> : <>{count(requests)} so far</>
}
