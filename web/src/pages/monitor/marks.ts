import { useInfiniteQuery, useQueries } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import type { Alert, Monitor, MonitorWindow, ReleaseState } from '../../api/types.ts'
import type { Marker, Span, Threshold } from '../../kit/charts/marks.tsx'
import { day } from '../../kit/format.ts'

/** Latest releases that are looked up for their moments. */
const RELEASES_MAX = 20

/** Where a window stands on the axis: its middle. */
export const midOf = ({ start_ms, end_ms }: MonitorWindow): number => (start_ms + end_ms) / 2

/** When releases of an endpoint went live, were rolled back or refused, by event time. */
export function useReleaseMarkers(endpoint: string): Marker[] {
  const list = useInfiniteQuery(q.releases({ endpoint }, RELEASES_MAX)).data?.pages[0]?.items ?? []
  const ended = list.filter(({ state }) => ['live', 'superseded', 'rolled_back', 'refused'].includes(state))
  const details = useQueries({
    queries: ended.map(({ id }) => ({ ...q.release(id), refetchInterval: false as const, staleTime: 60_000 })),
  })
  const found = details.flatMap(({ data }) =>
    (data?.decisions ?? []).flatMap(({ state, watermark_ms }) => {
      const ending = ENDINGS[state]
      return watermark_ms === null || !ending || !data ? [] : [{ x: watermark_ms, version: data.version, ...ending }]
    }),
  )
  // What ended alike at the same moment shares a flag.
  const together = Map.groupBy(found, ({ x, words }) => `${x} ${words}`)
  return [...together.values()].map((same) => {
    const { x, words, tone } = same[0]!
    const versions = same.map(({ version }) => `v${version}`).sort()
    return { x, tone, label: `${versions.join(', ')} ${words}` }
  })
}

const ENDINGS: Partial<Record<ReleaseState, { words: string; tone: Marker['tone'] }>> = {
  live: { words: 'live', tone: 'accent' },
  rolled_back: { words: 'rolled back', tone: 'back' },
  refused: { words: 'refused', tone: 'bad' },
}

/** From the window that opened an alert to the one that cleared it, or to the last. */
export function alertSpans(alerts: readonly Alert[], windows: readonly MonitorWindow[], metric: string): Span[] {
  const end = windows.at(-1)?.end_ms ?? 0
  return alerts
    .filter((alert) => alert.metric === metric)
    .map((alert) => ({
      from: alert.opened_window_ms,
      to: alert.cleared_window_ms ?? end,
      label: `${alert.name}, ${alert.state} ${day(alert.opened_window_ms)}`,
      tone: 'bad',
    }))
}

/** Bounds of the rules on a metric: the stated ones, and those that stand on a reference once an alert has named it. */
export function thresholdsOf(monitor: Monitor, alerts: readonly Alert[], metric: string): Threshold[] {
  return (monitor.spec.alerts ?? [])
    .filter((rule) => rule.metric === metric)
    .flatMap((rule): Threshold[] => {
      if (rule.below !== undefined) return [{ y: rule.below, label: rule.name, bad: 'below' }]
      if (rule.above !== undefined) return [{ y: rule.above, label: rule.name, bad: 'above' }]
      const latest = alerts.filter(({ name }) => name === rule.name).sort((a, b) => b.opened_ms - a.opened_ms)[0]
      return latest
        ? [{ y: latest.threshold, label: rule.name, bad: rule.above_reference === undefined ? 'below' : 'above' }]
        : []
    })
}
