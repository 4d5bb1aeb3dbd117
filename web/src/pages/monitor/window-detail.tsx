import type { FeatureDrift, MonitorWindow } from '../../api/types.ts'
import { Bars } from '../../kit/charts/bars.tsx'
import { count, day, measure, percent, span } from '../../kit/format.ts'
import { Facts, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import styles from './monitor.module.css'

/** One window in full: counts, measures with why one is missing, and each feature beside its training data. */
export function WindowDetail({
  window,
  metrics,
  feature,
  onFeature,
  limit,
}: {
  window: MonitorWindow
  metrics: readonly string[]
  feature: string
  onFeature: (feature: string | undefined) => void
  limit: number
}) {
  const { facts } = window
  const shown = feature ? facts.drift.filter(({ feature: name }) => name === feature) : facts.drift
  const versions = Object.entries(facts.versions)
  return (
    <Panel
      id="window"
      title={`Window of ${day(window.start_ms)} to ${day(window.end_ms)}`}
      note={facts.words.length > 0 ? `${facts.words.join('. ')}.` : undefined}
      aside={
        <>
          <State
            value={window.state}
            words={
              window.state === 'revised'
                ? `revised ${window.revisions} × by late labels`
                : window.state === 'dirty'
                  ? 'late labels came: will be revised'
                  : window.state === 'failed'
                    ? 'could not be computed'
                    : 'computed'
            }
          />
          <span className="muted small">
            <Time at={window.computed_ms} />
          </span>
        </>
      }
    >
      <div className={styles.window}>
        <Facts
          items={[
            ['Rows', count(facts.rows)],
            ['Labelled', `${count(facts.labelled)}${facts.rows ? ` (${percent(facts.labelled / facts.rows)})` : ''}`],
            facts.positives !== null &&
              facts.labelled > 0 && ['Positive', percent(facts.positives / facts.labelled, 1)],
            [
              'Answered by',
              versions.length === 0
                ? 'nobody'
                : versions
                    .map(
                      ([version, rows]) =>
                        `version ${version}${versions.length > 1 ? ` (${percent(rows / Math.max(1, facts.rows))})` : ''}`,
                    )
                    .join(', '),
            ],
            ['Failed', count(facts.errors)],
            ['Fallbacks', count(facts.fallbacks)],
            ['p50 / p99', `${span(facts.latency_ms.p50)} / ${span(facts.latency_ms.p99)}`],
            ...metrics
              .filter((metric) => metric !== 'latency_p99')
              .map((metric) => [metric, measure(facts.metrics[metric])] as const),
          ]}
        />
        <div className={styles.distributions}>
          {facts.score.histogram.length > 0 && !feature && (
            <figure>
              <figcaption>
                <strong>score</strong> <span className="muted small">mean {measure(facts.score.mean)}</span>
              </figcaption>
              <Bars
                label="Scores"
                color="var(--s3)"
                bars={facts.score.histogram.map((value, at) => ({
                  label: `${(at / 20).toFixed(2)} to ${((at + 1) / 20).toFixed(2)}`,
                  value: value / Math.max(1, facts.rows),
                }))}
                format={(value) => percent(value, 1)}
                edges={['0', '1']}
              />
            </figure>
          )}
          {shown.map((drift) => (
            <Distribution key={drift.feature} drift={drift} limit={limit} tall={Boolean(feature)} />
          ))}
        </div>
        <p className="muted small row wrap">
          <span>
            Bars: this window. Outline: training data
            {facts.drift_version === null ? '' : ` of version ${facts.drift_version}`}.
          </span>
          {feature && (
            <button type="button" className={styles.linkish} onClick={() => onFeature(undefined)}>
              All features
            </button>
          )}
        </p>
      </div>
    </Panel>
  )
}

function Distribution({
  drift: { feature, psi, ks, ks_p, nulls, nulls_reference, bins },
  limit,
  tall,
}: {
  drift: FeatureDrift
  limit: number
  tall: boolean
}) {
  const off = (psi ?? 0) > limit
  return (
    <figure data-wide={tall || undefined}>
      <figcaption>
        <strong>{feature}</strong>
        <span className="small" data-off={off || undefined}>
          PSI {measure(psi)}
          {ks !== null &&
            ` · KS ${measure(ks)}${ks_p !== null && ks_p < 0.001 ? ', p < 0.001' : ks_p !== null ? `, p ${measure(ks_p)}` : ''}`}
          {nulls > 0 &&
            ` · ${percent(nulls)} missing${nulls_reference === undefined ? '' : `, before ${percent(nulls_reference)}`}`}
        </span>
      </figcaption>
      <Bars
        label={feature}
        height={tall ? 180 : 84}
        color={off ? 'var(--s2)' : 'var(--s1)'}
        bars={bins.names.map((label, at) => ({
          label,
          value: bins.current[at] ?? 0,
          reference: bins.reference[at] ?? 0,
        }))}
        format={(value) => percent(value, 1)}
        edges={[bins.names[0] ?? '', bins.names.at(-1) ?? '']}
      />
    </figure>
  )
}
