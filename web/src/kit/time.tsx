import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import { ago, day, exact, NONE, span } from './format.ts'

/** One clock for all relative times of a page. */
const TICK_MS = 5_000
let now = Date.now()
let timer: number | undefined
const listeners = new Set<() => void>()
const clock = {
  get: () => now,
  subscribe(listener: () => void) {
    listeners.add(listener)
    now = Date.now()
    timer ??= window.setInterval(() => {
      now = Date.now()
      for (const tell of listeners) tell()
    }, TICK_MS)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      window.clearInterval(timer)
      timer = undefined
    }
  },
}
export const useNow = (): number => useSyncExternalStore(clock.subscribe, clock.get)

const toMs = (at: number | string | null | undefined): number | null =>
  at === null || at === undefined || at === '' ? null : typeof at === 'number' ? at : Date.parse(at)

/** Wall time: how long ago, the exact moment with its zone on hover or focus. */
export function Time({ at }: { at: number | string | null | undefined }) {
  const current = useNow()
  const ms = toMs(at)
  if (ms === null || Number.isNaN(ms)) return <span className="muted">{NONE}</span>
  return (
    <Tooltip label={<span style={{ whiteSpace: 'pre-line' }}>{exact(ms)}</span>}>
      <time dateTime={new Date(ms).toISOString()} className="num">
        {ago(ms, current)}
      </time>
    </Tooltip>
  )
}

/** Event time: the day it speaks of, in UTC; a replay's lies far from the clock on the wall. */
export function EventTime({ at, withTime = false }: { at: number | null | undefined; withTime?: boolean }) {
  if (at === null || at === undefined) return <span className="muted">{NONE}</span>
  return (
    <Tooltip label={`${day(at, true)} UTC, event time`}>
      <time dateTime={new Date(at).toISOString()} className="num">
        {day(at, withTime)}
      </time>
    </Tooltip>
  )
}

/** How long something took, or has been going on. */
export function Took({
  from,
  to,
}: {
  from: number | string | null | undefined
  to: number | string | null | undefined
}) {
  const current = useNow()
  const start = toMs(from)
  if (start === null) return <span className="muted">{NONE}</span>
  const end = toMs(to)
  return <span className="num">{span(Math.max(0, (end ?? current) - start))}</span>
}
