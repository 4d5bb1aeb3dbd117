import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import type { AuditEvent } from '../../api/types.ts'
import { Problem } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A, SubjectLink } from '../../kit/link.tsx'
import { Panel } from '../../kit/page.tsx'
import { Time } from '../../kit/time.tsx'
import { plainWords, Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import styles from './overview.module.css'

const SHOWN = 12
/** Enough to fill the list after equal ones in a row are told as one. */
const FETCHED = 100

/** What happened last, newest first, by whom. */
export function Feed() {
  const latest = useInfiniteQuery(q.audit({}, FETCHED))
  const events = gathered(latest.data?.pages[0]?.items ?? [])
  return (
    <Panel
      title="Lately"
      note="Newest first; every change is in the audit with its reason."
      aside={<A href={paths.audit()}>Audit</A>}
    >
      {latest.isError && <Problem error={latest.error} inline />}
      <ol className={styles.feed}>
        {events.map(({ id, name, at, who, subject, reason, times }) => (
          <li key={id}>
            <span className="muted small">
              <Time at={at} />
            </span>
            <span>
              <span className={styles.fact}>{factOf(name)}</span>{' '}
              <SubjectLink kind={subject.kind} id={subject.id}>
                {shortId(subject.id)}
              </SubjectLink>
              {times > 1 && <span className="muted"> × {times}</span>}
              {reason && (
                <span className="soft">
                  {' '}
                  <Words text={reason} />
                </span>
              )}
            </span>
            <span className="muted small clip">{plainWords(who.name)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

/** `releases.release-live` → `release live`. */
export const factOf = (name: string): string => (name.split('.')[1] ?? name).replaceAll('-', ' ')

/** Equal events in a row, as one with how often. */
function gathered(events: readonly AuditEvent[]): (AuditEvent & { times: number })[] {
  const found: (AuditEvent & { times: number })[] = []
  for (const event of events) {
    const last = found.at(-1)
    if (last && last.name === event.name && last.subject.id === event.subject.id && last.reason === event.reason)
      last.times++
    else if (found.length === SHOWN) break
    else found.push({ ...event, times: 1 })
  }
  return found
}
