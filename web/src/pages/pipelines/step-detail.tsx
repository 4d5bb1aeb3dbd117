import type { StepRun, StepSpec } from '../../api/types.ts'
import { bytes, shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Panel } from '../../kit/page.tsx'
import { Settings } from '../../kit/settings.tsx'
import { State } from '../../kit/state.tsx'
import { Took } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './pipelines.module.css'
import { StepLog } from './step-log.tsx'

/** One step: how it ended and why, what it read and left, whether it was computed, and its log. */
export function StepDetail({
  step,
  spec,
  params,
  attempts,
}: {
  step: StepRun
  spec: StepSpec
  params: Record<string, string | number | boolean>
  attempts: readonly StepRun[]
}) {
  return (
    <>
      <Panel title={step.name} note={step.reason} aside={<State value={step.state} />}>
        <div className={styles.detail}>
          <Facts
            items={[
              ['Took', <Took key="t" from={step.started_ms} to={step.ended_ms} />],
              attempts.length > 1 && ['Attempt', `${step.attempt + 1}`],
              step.exit_code !== null && ['Exit code', step.exit_code],
              step.peak_bytes !== null && ['Most memory', bytes(step.peak_bytes)],
              step.tracking_run !== null && [
                'Run',
                <A key="r" href={paths.run(step.tracking_run)}>
                  metrics and artifacts
                </A>,
              ],
              step.environment !== null && [
                'Environment',
                <Copy key="e" text={step.environment}>
                  <code>{shortId(step.environment)}</code>
                </Copy>,
              ],
              step.cache_words !== null && ['Cache', step.cache_words],
            ]}
          />
          <pre className={styles.command}>{spec.run}</pre>
          <div className={styles.sides}>
            <section>
              <h3>Read</h3>
              {step.inputs.length === 0 ? (
                <p className="muted small">nothing</p>
              ) : (
                <ul>
                  {step.inputs.map(({ name, dataset, number, from_step, digest }) => (
                    <li key={name}>
                      <span className="muted">{name}</span>{' '}
                      {dataset && number !== undefined ? (
                        <A href={paths.datasetVersion(dataset, number)}>
                          {dataset} {number}
                        </A>
                      ) : from_step ? (
                        `of ${from_step}`
                      ) : (
                        <code>{shortId(digest)}</code>
                      )}
                    </li>
                  ))}
                </ul>
              )}
            </section>
            <section>
              <h3>Left</h3>
              {step.outputs.length === 0 ? (
                <p className="muted small">{step.ended_ms === null ? 'nothing yet' : 'nothing'}</p>
              ) : (
                <ul>
                  {step.outputs.map(({ name, version, dataset, size_bytes }) => (
                    <li key={name}>
                      <span className="muted">{name}</span>{' '}
                      {version ? <A href={paths.datasetVersionById(version)}>{dataset}</A> : null}{' '}
                      <span className="small">{bytes(size_bytes)}</span>
                    </li>
                  ))}
                </ul>
              )}
            </section>
          </div>
        </div>
      </Panel>
      <StepLog step={step} />
      {Object.keys(params).length > 0 && (
        <Panel title="Parameters">
          <Settings value={params} />
        </Panel>
      )}
    </>
  )
}
