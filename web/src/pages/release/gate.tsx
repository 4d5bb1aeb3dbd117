import type { ReleaseDetail, RuleOutcome, Verdict } from '../../api/types.ts'
import { count, day, measure, percent, signed, span } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Facts, Panel } from '../../kit/page.tsx'
import { Mark, State } from '../../kit/state.tsx'
import { paths } from '../../paths.ts'
import { Forest } from './forest.tsx'
import styles from './release.module.css'

/** Whether less is better, so that a difference is coloured by whether it helps. */
const LESS_IS_BETTER = new Set(['log_loss', 'mae', 'rmse'])

/** The verdict first, then each rule with its interval, then what was measured on which rows. */
export function Gate({
  verdict,
  policy,
  version,
}: {
  verdict: Verdict
  policy: ReleaseDetail['policy']
  version: number
}) {
  const { measured } = verdict
  const metrics = Object.entries(measured.metrics)
  return (
    <Panel
      title="Gate"
      note={verdict.passed ? verdict.reason : failedWords(verdict)}
      aside={<State value={verdict.passed ? 'passed' : 'failed'} words={verdict.passed ? 'passed' : 'not passed'} />}
    >
      {verdict.rules.length > 0 && (
        <ul className={styles.rules} aria-label="Rules of the gate">
          {verdict.rules.map((outcome) => (
            <Rule key={JSON.stringify(outcome.rule)} outcome={outcome} />
          ))}
        </ul>
      )}
      <div className={styles.measured}>
        <section>
          <h3>Replay</h3>
          <Facts
            list
            items={[
              [
                'Rows',
                <span key="r">
                  <b>{count(measured.rows)}</b> {measured.source_words}
                </span>,
              ],
              measured.from_ms !== null && ['Event time', `${day(measured.from_ms)} to ${day(measured.to_ms)}`],
              measured.source === 'replay' && [
                'Left out',
                `${count(measured.left_out)} that lie within the candidate's training data`,
              ],
              ['Candidate failed on', `${count(measured.failed)} rows`],
              ['p99, single rows', span(measured.latency_p99_ms)],
              [
                'Form',
                measured.form
                  ? `${measured.form === 'onnx' ? 'compiled (ONNX)' : 'Python'}: ${measured.form_reason}`
                  : measured.form_reason,
              ],
              measured.data.length > 0 && ['Training data', <DataList key="d" data={measured.data} />],
              ['Verdict took', span(verdict.seconds * 1000)],
              policy.gate?.replay && [
                'Asked for',
                `the last ${policy.gate.replay.last}${policy.gate.replay.rows_max ? `, at most ${count(policy.gate.replay.rows_max)} rows` : ''}`,
              ],
            ]}
          />
        </section>
        {metrics.length > 0 && (
          <section>
            <h3>On the same rows</h3>
            <table className={styles.compare}>
              <thead>
                <tr>
                  <th scope="col">metric</th>
                  <th scope="col">version {version}</th>
                  <th scope="col">{measured.champion ? `champion ${measured.champion.version}` : 'champion'}</th>
                  <th scope="col">difference</th>
                </tr>
              </thead>
              <tbody>
                {metrics.map(([metric, { candidate, champion, difference }]) => (
                  <tr key={metric}>
                    <th scope="row">{metric}</th>
                    <td>{measure(candidate?.value)}</td>
                    <td>{champion ? measure(champion.value) : <span className="muted">none yet</span>}</td>
                    <td
                      data-good={
                        difference
                          ? LESS_IS_BETTER.has(metric)
                            ? difference.value <= 0
                            : difference.value >= 0
                          : undefined
                      }
                    >
                      {difference ? signed(difference.value) : '–'}
                      {difference && (
                        <span className="muted small">
                          {' '}
                          [{signed(difference.low)}, {signed(difference.high)}]
                        </span>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            <p className="muted small">
              Intervals by a paired bootstrap
              {metrics[0]?.[1].candidate ? ` at ${percent(metrics[0][1].candidate.confidence)}` : ''}: the same
              resamples measure both.
            </p>
          </section>
        )}
      </div>
    </Panel>
  )
}

/** The rules themselves say why, right below. */
const failedWords = ({ rules }: Verdict): string =>
  `${rules.filter(({ outcome }) => outcome === 'failed').length} of ${rules.length} rules failed.`

function Rule({ outcome: { rule, outcome, words, estimate, threshold } }: { outcome: RuleOutcome }) {
  const tone = outcome === 'passed' ? 'ok' : outcome === 'failed' ? 'bad' : 'idle'
  return (
    <li data-outcome={outcome}>
      <Mark tone={tone} size={11} />
      <div>
        <p className={styles.ruleName}>
          {nameOf(rule)} <span className="sr">{outcome.replace('-', ' ')}</span>
        </p>
        <p className="soft small">{words}</p>
      </div>
      {estimate ? (
        <Forest
          estimate={estimate}
          threshold={threshold}
          good={rule.at_most !== undefined && rule.at_least === undefined ? 'below' : 'above'}
          zero={rule.versus !== undefined}
          tone={tone}
        />
      ) : (
        <span className="muted small">{outcome === 'not-applicable' ? 'does not apply' : ''}</span>
      )}
    </li>
  )
}

function nameOf(rule: RuleOutcome['rule']): string {
  if (rule.metric) {
    const bounds = [
      rule.at_least !== undefined &&
        `at least ${rule.versus ? signed(rule.at_least, digitsOf(rule.at_least)) : rule.at_least}`,
      rule.at_most !== undefined && `at most ${rule.at_most}`,
    ]
      .filter(Boolean)
      .join(' and ')
    return `${rule.metric}${rule.versus ? ' against the champion' : ''} ${bounds}${rule.confidence ? `, ${percent(rule.confidence)} sure` : ''}`
  }
  if (rule.latency_p99) return `p99 latency at most ${rule.latency_p99}`
  if (rule.parity) return `compiled form ${rule.parity}`
  if (rule.answers) return 'answers every row'
  return 'data passed their checks'
}
const digitsOf = (value: number) => (String(value).split('.')[1] ?? '').length

function DataList({ data }: { data: Verdict['measured']['data'] }) {
  return (
    <ul>
      {data.map(({ id, name, number, verdict }) => (
        <li key={id} className="row wrap">
          <A href={paths.datasetVersion(name, number)}>
            {name} {number}
          </A>
          <State value={verdict} words={verdict === 'none' ? 'no checks' : undefined} />
        </li>
      ))}
    </ul>
  )
}
