/** When a request happened, by its own account, and how far an endpoint has come by it. */
import { invalid } from '#kernel/errors.ts'
import type { LiveEndpoint } from './node.ts'

/** Event times may run ahead of the clock by this much; clocks of clients differ. */
const AHEAD_MS_MAX = 5 * 60_000
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** Epoch ms of the header's text; without one, of the arrival. Throws invalid. */
export function eventTimeOf(live: LiveEndpoint, text: string | undefined, now: number): number {
  if (text === undefined || text === '') return now
  const at = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at))
    throw invalid(`'${text.slice(0, 60)}' is not a time`, {
      field: 'slipway-event-time',
      remedy: 'Send RFC 3339, for example 2013-04-01T07:00:00Z.',
    })
  if (at > now + AHEAD_MS_MAX && live.spec.clock !== 'replay')
    throw invalid('the event time lies more than 5 minutes ahead of the clock', {
      field: 'slipway-event-time',
      remedy: 'Set `clock: replay` on the endpoint to replay other days.',
    })
  return at
}

export interface Watermark {
  workspace: string
  endpoint: string
  /** When the endpoint was made: one of the same name that is made later begins anew. */
  created_ms: number
  greatest_event_ms: number
  watermark_ms: number
}

export interface Watermarks {
  see(live: LiveEndpoint, event_ms: number): void
  /** Those that moved since they were last taken. */
  take(): Watermark[]
  /** Moved after all: they could not be written. */
  giveBack(marks: readonly Watermark[]): void
  set(mark: Omit<Watermark, 'watermark_ms'>): void
}

export function createWatermarks(): Watermarks {
  const marks = new Map<string, Watermark & { moved: boolean }>()
  const nameOf = (workspace: string, endpoint: string) => `${workspace}/${endpoint}`
  return {
    see({ workspace, name: endpoint, created_ms, lateness_ms }, event_ms) {
      const mark = marks.get(nameOf(workspace, endpoint))
      if (mark && mark.created_ms > created_ms) return
      if (mark?.created_ms === created_ms && event_ms <= mark.greatest_event_ms) return
      const at = {
        workspace,
        endpoint,
        created_ms,
        greatest_event_ms: event_ms,
        watermark_ms: event_ms - lateness_ms,
        moved: true,
      }
      if (mark) Object.assign(mark, at)
      else marks.set(nameOf(workspace, endpoint), at)
    },
    take() {
      const taken = []
      for (const mark of marks.values()) {
        if (!mark.moved) continue
        mark.moved = false
        const { moved: _, ...facts } = mark
        taken.push(facts)
      }
      return taken
    },
    giveBack(taken) {
      for (const { workspace, endpoint } of taken) {
        const mark = marks.get(nameOf(workspace, endpoint))
        if (mark) mark.moved = true
      }
    },
    set(mark) {
      marks.set(nameOf(mark.workspace, mark.endpoint), { ...mark, watermark_ms: mark.greatest_event_ms, moved: false })
    },
  }
}
