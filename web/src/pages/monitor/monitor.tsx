import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { q } from '../../api/queries.ts'
import type { Alert, MonitorDetail, MonitorWindow } from '../../api/types.ts'
import { LineChart } from '../../kit/charts/line-chart.tsx'
import { Empty, Show } from '../../kit/condition.tsx'
import { count, day, measure, percent, plural, span } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Facts, Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { EventTime } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { HeatMap } from './heat-map.tsx'
import { alertSpans, midOf, thresholdsOf, useReleaseMarkers } from './marks.ts'
import styles from './monitor.module.css'
import { WindowDetail } from './window-detail.tsx'

const DRIFT = new Set(['score_psi', 'share_of_drifted_features'])
const OPERATION = new Set(['latency_p99', 'error_rate'])

export function Monitor() {
  const { monitor: name } = useParams({ strict: false }) as { monitor: string }
  const query = useQuery(q.monitor(name))
  const monitor = query.data
  const open = monitor?.alerts.filter(({ state }) => state === 'open') ?? []
  return (
    <Page
      title={name}
      crumbs={[{ label: 'Monitors', href: paths.monitors() }]}
      state={
        monitor && (
          <State
            value={open.length > 0 ? 'open' : 'ok'}
            words={open.length > 0 ? plural(open.length, 'alert open', 'alerts open') : 'no alert open'}
          />
        )
      }
      facts={
        monitor && (
          <Facts
            items={[
              [
                'Endpoint',
                <A key="e" href={paths.endpoint(monitor.endpoint)}>
                  {monitor.endpoint}
                </A>,
              ],
              [
                'Window',
                `${monitor.spec.window}${monitor.spec.every && monitor.spec.every !== monitor.spec.window ? `, every ${monitor.spec.every}` : ''}`,
              ],
              monitor.spec.label_delay && ['Waits for labels', monitor.spec.label_delay],
              ['Judges from', `${count(monitor.spec.labels_min ?? 100)} labels`],
              monitor.next_ms !== null && ['Next window from', <EventTime key="n" at={monitor.next_ms} />],
            ]}
          />
        )
      }
    >
      <Show query={query} what="the windows" lines={9}>
        {(data) =>
          data.windows.length === 0 ? (
            <Panel>
              <Empty title="No window is closed yet">
                One closes when the endpoint's watermark is past its end
                {data.spec.label_delay ? ` and the wait for labels (${data.spec.label_delay}) is over` : ''}.
              </Empty>
            </Panel>
          ) : (
            <Watched monitor={data} />
          )
        }
      </Show>
    </Page>
  )
}

function Watched({ monitor }: { monitor: MonitorDetail }) {
  const { alerts } = monitor
  const windows = useMemo(() => [...monitor.windows].sort((a, b) => a.start_ms - b.start_ms), [monitor.windows])
  const metrics = useMemo(() => [...new Set(windows.flatMap(({ facts }) => Object.keys(facts.metrics)))], [windows])
  const quality = metrics.filter((metric) => !DRIFT.has(metric) && !OPERATION.has(metric))
  const [metric, setMetric] = useUrlState('metric', quality[0] ?? '')
  const [picked, setPicked] = useUrlState('window')
  const [feature, setFeature] = useUrlState('feature')
  const [hover, setHover] = useState<number>()
  const [range, setRange] = useState<[number, number]>()
  const markers = useReleaseMarkers(monitor.endpoint)
  const chosen = windows.find(({ start_ms }) => String(start_ms) === picked) ?? windows.at(-1)!

  const pointsOf = (of: (window: MonitorWindow) => number | null | undefined) =>
    windows.map((window) => [midOf(window), of(window) ?? null] as const)
  const pick = (x: number) => {
    const found = windows.find((window) => midOf(window) === x)
    if (found) setPicked(String(found.start_ms))
  }
  const shared = {
    x: 'time',
    markers,
    hover,
    onHover: setHover,
    onPick: pick,
    picked: picked ? midOf(chosen) : undefined,
    range,
    onRange: setRange,
    xWords: (x: number) => windowWords(windows, x),
  } as const
  return (
    <>
      <Summary windows={windows} alerts={alerts} rules={monitor.spec.alerts?.length ?? 0} metric={metric} />
      <Panel
        title="Quality"
        note="By the day things happened, not by the clock. Drag to look closer, double-click to step back; a click opens the window below."
        aside={
          quality.length > 1 && (
            <SegmentedControl aria-label="Metric" data={quality} value={metric} onChange={setMetric} />
          )
        }
      >
        <div className={styles.chart}>
          <LineChart
            {...shared}
            label={`${metric} by window`}
            height={250}
            lines={[
              {
                key: metric,
                label: metric,
                color: 'var(--s1)',
                points: pointsOf(({ facts }) => facts.metrics[metric]),
                dots: true,
              },
            ]}
            thresholds={thresholdsOf(monitor, alerts, metric)}
            spans={alertSpans(alerts, windows, metric)}
          />
        </div>
      </Panel>
      <div className={styles.pair}>
        <Panel title="Drift" note="How far what is asked, and what is answered, lies from the training data.">
          <div className={styles.chart}>
            <LineChart
              {...shared}
              label="Drift by window"
              markers={[]}
              height={170}
              lines={[
                {
                  key: 'share',
                  label: 'share of features that drifted',
                  color: 'var(--s2)',
                  points: pointsOf(({ facts }) => facts.metrics.share_of_drifted_features),
                  dots: true,
                },
                {
                  key: 'score',
                  label: 'PSI of the score',
                  color: 'var(--s3)',
                  points: pointsOf(({ facts }) => facts.metrics.score_psi),
                  dots: true,
                },
              ]}
            />
          </div>
        </Panel>
        <Panel title="Traffic" note="What was asked, and what got its label in time.">
          <div className={styles.chart}>
            <LineChart
              {...shared}
              label="Requests by window"
              markers={[]}
              height={170}
              format={count}
              lines={[
                {
                  key: 'requests',
                  label: 'rows answered',
                  color: 'var(--s1)',
                  points: pointsOf(({ facts }) => facts.rows),
                  dots: true,
                },
                {
                  key: 'labelled',
                  label: 'of these labelled',
                  color: 'var(--s4)',
                  points: pointsOf(({ facts }) => facts.labelled),
                  dots: true,
                },
              ]}
            />
          </div>
        </Panel>
      </div>
      <HeatMap
        windows={windows}
        limit={monitor.spec.drift?.psi_above ?? 0.2}
        chosen={chosen.start_ms}
        feature={feature}
        onPick={(start_ms, name) => {
          setPicked(String(start_ms))
          setFeature(name)
        }}
      />
      <WindowDetail
        window={chosen}
        metrics={metrics}
        feature={feature}
        onFeature={setFeature}
        limit={monitor.spec.drift?.psi_above ?? 0.2}
      />
    </>
  )
}

/** Is it bad, where, since when: in one sentence, before any chart. */
function Summary({
  windows,
  alerts,
  rules,
  metric,
}: {
  windows: readonly MonitorWindow[]
  alerts: readonly Alert[]
  /** Alert rules that are stated. */
  rules: number
  metric: string
}) {
  const open = alerts.filter(({ state }) => state === 'open')
  const last = windows.findLast(({ facts }) => facts.metrics[metric] !== null && facts.metrics[metric] !== undefined)
  const drifted = last?.facts.metrics.share_of_drifted_features
  const calm =
    rules === 0
      ? 'No alert rule is stated.'
      : last
        ? 'All is within its bounds.'
        : `No window had what it takes to judge ${metric || 'quality'}.`
  return (
    <p className={styles.summary} data-bad={open.length > 0 || undefined}>
      {open.length > 0
        ? open.map((alert) => (
            <span key={alert.id}>
              <strong>{alert.name}</strong> is open since the window of {day(alert.opened_window_ms)}: {alert.metric} is{' '}
              {measure(alert.value)}, its bound {measure(alert.threshold)}
              {alert.reference &&
                ` (reference ${measure(alert.reference.value)} of version ${alert.reference.version})`}
              .{' '}
            </span>
          ))
        : `${calm} `}
      {last && (
        <>
          The last judged window, {day(last.start_ms)} to {day(last.end_ms)}, has {metric}{' '}
          {measure(last.facts.metrics[metric])} on {count(last.facts.labelled)} labels, p99{' '}
          {span(last.facts.latency_ms.p99)}
          {drifted !== undefined &&
            drifted !== null &&
            `, and ${percent(drifted)} of the features off their training data`}
          .
        </>
      )}
    </p>
  )
}

function windowWords(windows: readonly MonitorWindow[], x: number): string {
  const window = windows.find((each) => midOf(each) === x)
  return window ? `${day(window.start_ms)} to ${day(window.end_ms)}` : day(x)
}
