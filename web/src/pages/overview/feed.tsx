import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Problem } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A, SubjectLink } from '../../kit/link.tsx'
import { Panel } from '../../kit/page.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './overview.module.css'

const SHOWN = 12

/** What happened last, newest first, by whom. */
export function Feed() {
  const latest = useInfiniteQuery(q.audit({}, SHOWN))
  const events = latest.data?.pages[0]?.items ?? []
  return (
    <Panel
      title="Lately"
      note="Newest first; every change is in the audit with its reason."
      aside={<A href={paths.audit()}>Audit</A>}
    >
      {latest.isError && <Problem error={latest.error} inline />}
      <ol className={styles.feed}>
        {events.map(({ id, name, at, who, subject, reason }) => (
          <li key={id}>
            <span className="muted small">
              <Time at={at} />
            </span>
            <span>
              <span className={styles.fact}>{factOf(name)}</span>{' '}
              <SubjectLink kind={subject.kind} id={subject.id}>
                {shortId(subject.id)}
              </SubjectLink>
              {reason && <span className="soft"> {reason}</span>}
            </span>
            <span className="muted small clip">{who.name}</span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

/** `releases.release-live` → `release live`. */
export const factOf = (name: string): string => (name.split('.')[1] ?? name).replaceAll('-', ' ')
