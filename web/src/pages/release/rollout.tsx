import type { Counts, ReleaseDetail, RevisionStats } from '../../api/types.ts'
import { Bars } from '../../kit/charts/bars.tsx'
import { count, measure, percent, span } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { Mark } from '../../kit/state.tsx'
import styles from './release.module.css'

/** The steps by which traffic moved, or moves now, with what the canary and the stable revision counted. */
export function Rollout({ release }: { release: ReleaseDetail }) {
  const canary = release.state === 'canary'
  const sinceStep =
    canary && release.counts
      ? Math.max(0, release.counts.requests - (release.step_counts.canary?.requests ?? 0))
      : undefined
  const begun = release.decisions.some(({ state }) => state === 'canary')
  if (release.state === 'refused' && !begun) return null
  const { guards } = release.rollout
  const toCome = ['proposed', 'checking', 'approved', 'loading'].includes(release.state)
  // What took all traffic at once, or never had any, went through no step.
  const steps = begun || toCome ? release.rollout.steps : undefined
  const note = canary
    ? `Step ${(release.step ?? 0) + 1}${steps ? ` of ${steps.length}` : ''}: the stable revision answers whatever the canary fails on.`
    : release.state === 'live' || release.state === 'superseded'
      ? begun
        ? 'All steps were held.'
        : 'It took all traffic at once.'
      : release.state === 'rolled_back'
        ? backWords(release, begun)
        : 'Begins when the gate has passed and a node has the model ready.'
  return (
    <Panel
      title="Rollout"
      note={note}
      aside={
        steps && guards.length > 0 && <span className="muted small">Guards: {guards.map(guardWords).join(' · ')}</span>
      }
    >
      {steps && (
        <ol className={styles.steps}>
          {steps.map((step, at) => {
            const done = release.live_ms !== null || (release.step ?? -1) > at
            const here = canary && release.step === at
            const stopped = release.state === 'rolled_back' && release.live_ms === null && release.step === at
            const share = done
              ? 1
              : here && sinceStep !== undefined && step.requests
                ? Math.min(1, sinceStep / step.requests)
                : 0
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the course
              <li key={at} data-here={here || undefined} data-done={done || undefined}>
                <div className={styles.stepHead}>
                  <Mark tone={stopped ? 'back' : done ? 'ok' : here ? 'run' : 'idle'} size={11} />
                  <strong>{percent(step.share)}</strong>
                  <span className="muted small">of the traffic</span>
                </div>
                <div
                  className={styles.meter}
                  role="progressbar"
                  aria-label={`Step ${at + 1}`}
                  aria-valuemin={0}
                  aria-valuemax={100}
                  aria-valuenow={Math.round(share * 100)}
                >
                  <i style={{ width: `${share * 100}%` }} data-tone={stopped ? 'back' : undefined} />
                </div>
                <p className="muted small num">
                  {here && sinceStep !== undefined && step.requests
                    ? `${count(sinceStep)} of ${count(step.requests)} requests`
                    : step.requests
                      ? `${count(step.requests)} requests`
                      : 'then live'}
                </p>
              </li>
            )
          })}
        </ol>
      )}
      {release.counts && <Side canary={release.counts} stable={release.stable_counts} version={release.version} />}
    </Panel>
  )
}

function Side({ canary, stable, version }: { canary: RevisionStats; stable: RevisionStats | null; version: number }) {
  const rows: readonly (readonly [string, (counts: RevisionStats) => string])[] = [
    ['Requests', (counts) => count(counts.requests)],
    [
      'Failed',
      (counts) =>
        `${count(counts.errors + counts.over_time)}${counts.requests ? ` (${percent((counts.errors + counts.over_time) / counts.requests, 2)})` : ''}`,
    ],
    ['of these over time', (counts) => count(counts.over_time)],
    ['Stood in for the other', (counts) => count(counts.stood_in)],
    ['p50', (counts) => span(counts.latency_p50_ms)],
    ['p99', (counts) => span(counts.latency_p99_ms)],
  ]
  return (
    <div className={styles.sides}>
      <table className={styles.compare}>
        <thead>
          <tr>
            <th scope="col">Since it was loaded</th>
            <th scope="col">version {version}</th>
            {stable && <th scope="col">stable revision</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(([label, value]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{value(canary)}</td>
              {stable && <td>{value(stable)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      <div>
        <h3>Scores</h3>
        {canary.scores.some((count) => count > 0) ? (
          <>
            <Bars
              label="Scores of this version"
              bars={sharesOf(canary, stable)}
              height={110}
              format={(value) => percent(value, 1)}
              edges={['0', '1']}
            />
            <p className="muted small">
              Bars: version {version}.{stable ? ' Outline: the stable revision.' : ''}
            </p>
          </>
        ) : (
          <p className="muted small">Nothing was scored since it was loaded.</p>
        )}
        {canary.last_error && (
          <p className="small">
            Last failure: <code>{canary.last_error}</code>
          </p>
        )}
      </div>
    </div>
  )
}

function sharesOf(canary: Counts, stable: Counts | null) {
  const total = (counts: Counts) => counts.scores.reduce((sum, each) => sum + each, 0) || 1
  return canary.scores.map((value, at) => ({
    label: `${(at / 20).toFixed(2)} to ${((at + 1) / 20).toFixed(2)}`,
    value: value / total(canary),
    ...(stable && { reference: stable.scores[at]! / total(stable) }),
  }))
}

const backWords = ({ live_ms, step }: ReleaseDetail, begun: boolean): string =>
  live_ms !== null
    ? 'It was live; the release before it serves again.'
    : begun
      ? `Rolled back at step ${(step ?? 0) + 1}; the stable revision stood in for what it failed on, and answers everything again.`
      : 'Rolled back before any request was sent to it.'

function guardWords(guard: Record<string, number | string>): string {
  if (guard.errors !== undefined)
    return `failures over ${percent(Number(guard.errors))}${guard.at_least ? `, from ${guard.at_least} on` : ''}`
  if (guard.latency_p99 !== undefined) return `p99 over ${guard.latency_p99}`
  if (guard.score_psi !== undefined) return `score PSI over ${measure(Number(guard.score_psi))}`
  return JSON.stringify(guard)
}
