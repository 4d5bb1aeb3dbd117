import type { ReleaseDetail, ReleaseState } from '../../api/types.ts'
import { Mark, type Tone } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import styles from './release.module.css'

const COURSE: readonly ReleaseState[] = ['proposed', 'checking', 'approved', 'loading', 'canary', 'live']
const ENDS: readonly ReleaseState[] = ['refused', 'rolled_back', 'superseded']

/** The course of a release from proposal to live, and where it ended when it did not get there. */
export function Course({ release }: { release: ReleaseDetail }) {
  const when = new Map(release.decisions.map(({ state, at_ms }) => [state, at_ms]))
  const seen = new Set(release.decisions.map(({ state }) => state))
  const end = ENDS.includes(release.state) ? release.state : undefined
  const stops = end === 'refused' ? [...COURSE.slice(0, 2), end] : end ? [...COURSE, end] : COURSE
  const reached = stops.indexOf(release.state)
  return (
    <ol className={styles.course} aria-label="Course of the release">
      {stops.map((stop, at) => {
        const here = stop === release.state
        const done = !here && (seen.has(stop) || at < reached)
        const skipped = done && !seen.has(stop)
        const tone: Tone = here
          ? end === 'refused'
            ? 'bad'
            : end === 'rolled_back'
              ? 'back'
              : stop === 'live'
                ? 'ok'
                : end === 'superseded'
                  ? 'idle'
                  : 'run'
          : done && !skipped
            ? 'ok'
            : 'idle'
        return (
          <li
            key={stop}
            data-done={done || undefined}
            data-here={here || undefined}
            data-skipped={skipped || undefined}
            {...(here && { 'aria-current': 'step' as const })}
          >
            <Mark tone={tone} size={13} />
            <span>{stop.replace('_', ' ')}</span>
            <span className="muted small">{when.has(stop) ? <Time at={when.get(stop)} /> : '\u00a0'}</span>
          </li>
        )
      })}
    </ol>
  )
}
