import type { QueryClient } from '@tanstack/react-query'
import { address } from './client.ts'
import { areasOf } from './keys.ts'

export type LiveState = 'connecting' | 'live' | 'away'
interface LiveEvent {
  seq: number
  name: string
  subject: { kind: string; id: string }
  at_ms: number
}

/** A burst of events (a replay, an import) leads to one round of fetching. */
const GATHER_MS = 400
const RETRY_MS = [1_000, 2_000, 5_000, 10_000]

type Listener = () => void
let state: LiveState = 'connecting'
const listeners = new Set<Listener>()

const become = (next: LiveState) => {
  if (next === state) return
  state = next
  for (const tell of listeners) tell()
}

/** For `useSyncExternalStore`: whether events reach this page. */
export const liveState = {
  get: () => state,
  subscribe(listener: Listener) {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}

/** Follows the workspace's events for as long as the page lives; after a gap everything shown is fetched again. */
export function startLive(client: QueryClient): () => void {
  let stopped = false
  let tries = 0
  let missed = false
  let source: EventSource | undefined
  let retry: number | undefined
  let gathered: number | undefined
  const areas = new Set<string>()

  const flush = () => {
    gathered = undefined
    const now = new Set(areas)
    areas.clear()
    void client.invalidateQueries({ predicate: ({ queryKey }) => now.has(String(queryKey[0])) })
  }
  const open = () => {
    source = new EventSource(address('/live'))
    source.onopen = () => {
      tries = 0
      become('live')
      if (missed) void client.invalidateQueries()
      missed = false
    }
    source.addEventListener('event', (message) => {
      const event = JSON.parse(message.data) as LiveEvent
      for (const area of areasOf(event.name)) areas.add(area)
      gathered ??= window.setTimeout(flush, GATHER_MS)
    })
    source.onerror = () => {
      source?.close()
      if (stopped) return
      missed = true
      become('away')
      retry = window.setTimeout(open, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)])
    }
  }
  open()
  return () => {
    stopped = true
    source?.close()
    window.clearTimeout(retry)
    window.clearTimeout(gathered)
  }
}
