import type { Decision } from '../../api/types.ts'
import { day, measure } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { Mark, type Tone, toneOf, wordsOf } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import { Words } from '../../kit/words.tsx'
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
              <Mark tone={toneIn(decisions, position, state)} size={12} />
              <div>
                <p>
                  <strong className={styles.decisionState}>{wordsOf(state)}</strong> <Words text={words} />
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
                  <Words text={who.name} /> · <Time at={at_ms} />
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

/** Only the last decision may still be under way; those before it are over, each as it ended. */
function toneIn(decisions: readonly Decision[], position: number, state: Decision['state']): Tone {
  const tone = toneOf(state)
  const last = decisions.at(-1)?.position === position
  return last || tone === 'bad' || tone === 'back' || state === 'live' ? tone : state === 'approved' ? 'ok' : 'idle'
}
