import type { Decision } from '../../api/types.ts'
import { day, measure } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { Mark, toneOf, wordsOf } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import styles from './release.module.css'

/** Each step with who took it, why, and the numbers it was taken from. */
export function Decisions({ decisions }: { decisions: readonly Decision[] }) {
  return (
    <Panel title="Decisions" note="Each was one transaction over release, registry, traffic and audit.">
      <ol className={styles.decisions}>
        {decisions.map(({ position, state, words, facts, who, at_ms, watermark_ms }) => {
          const numbers = Object.entries(facts).filter(
            (entry): entry is [string, number | string] =>
              typeof entry[1] === 'number' || (typeof entry[1] === 'string' && entry[1].length < 80),
          )
          return (
            <li key={position}>
              <Mark tone={toneOf(state)} size={12} />
              <div>
                <p>
                  <strong className={styles.decisionState}>{wordsOf(state)}</strong> {words}
                </p>
                {numbers.length > 0 && (
                  <p className="muted small">
                    {numbers.map(([key, value]) => (
                      <span key={key} className={styles.number}>
                        {key.replaceAll('_', ' ')}{' '}
                        <b className="num">{typeof value === 'number' ? measure(value) : value}</b>
                      </span>
                    ))}
                  </p>
                )}
                <p className="muted small">
                  {who.name} · <Time at={at_ms} />
                  {watermark_ms !== null && <> · watermark {day(watermark_ms, true)} UTC</>}
                </p>
              </div>
            </li>
          )
        })}
      </ol>
    </Panel>
  )
}
