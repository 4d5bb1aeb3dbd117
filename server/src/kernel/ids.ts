import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** Prefixes of our ids, one per kind of thing, so that an id says what it names. */
export const ID_PREFIXES = {
  event: 'evt',
  job: 'job',
  dataset_version: 'dsv',
  verdict: 'ver',
  pipeline_run: 'prn',
  step_run: 'stp',
  endpoint: 'ept',
  revision: 'rev',
  prediction: 'prd',
  release: 'rel',
  retraining: 'rtr',
  alert: 'alt',
  monitor: 'mon',
  token: 'tok',
  session: 'ses',
  person: 'per',
  explanation: 'exp',
  preparation: 'prp',
  hold: 'hld',
  segment: 'seg',
  window: 'win',
} as const

export type IdKind = keyof typeof ID_PREFIXES

export interface Ids {
  /** `rel_0198…`: prefix, underscore, UUIDv7 as 32 hex digits. Sorts by time of making. */
  next(kind: IdKind): string
  /** 32 hex digits without a prefix, as MLflow's clients expect of runs. Sorts by time of making. */
  hex(): string
}

/** UUIDv7 (RFC 9562, 5.7) as 32 hex digits; a 12-bit counter keeps ids of one millisecond in order. */
export function createIds(clock: Clock, random: Random): Ids {
  let last_ms = -1
  let counter = 0
  const hex = () => {
    const now = clock.now()
    if (now > last_ms) {
      last_ms = now
      counter = Math.floor(random.next() * 0x400)
    } else {
      counter += 1
      if (counter > 0xfff) {
        last_ms += 1
        counter = 0
      }
    }
    const tail = random.bytes(8)
    tail[0] = (tail[0]! & 0x3f) | 0x80
    const time = last_ms.toString(16).padStart(12, '0')
    const middle = (0x7000 | counter).toString(16)
    return time + middle + Buffer.from(tail).toString('hex')
  }
  return { next: (kind) => `${ID_PREFIXES[kind]}_${hex()}`, hex }
}

/** Epoch milliseconds in which an id of ours was made, or undefined when the text is no such id. */
export function timeOfId(id: string): number | undefined {
  const match = /^(?:[a-z]{3}_)?([0-9a-f]{12})7[0-9a-f]{19}/.exec(id)
  return match ? Number.parseInt(match[1]!, 16) : undefined
}
