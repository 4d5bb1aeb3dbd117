/**
 * Sends every flight in the order of its event time, one row a request, at no more than a stated speed; and among them each label in
 * the hour in which the flight would have landed. At the boundary of a day it holds while the server works on something: what is
 * decided then is decided from all that was known.
 */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { Pool } from 'undici'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Waits shorter than this are not worth a timer. */
const PACE_MS_MIN = 5
const CONNECTIONS = 16
const LABELS_MAX = 1000
const HOLD_LOOK_MS = 100
/** A hold longer than this is a fault, and ends the demonstration. */
const HOLD_MS_MAX = 20 * 60_000
const LATENCIES_KEPT = 400_000

export interface Totals {
  served: number
  failed: number
  labels: number
  /** Milliseconds as the client saw them. */
  latencies: Float32Array
  first_failure: string | null
  held_ms: number
  longest_hold_ms: number
  sending_ms: number
}

export interface Flight {
  month: string
  event_ms: number
  features: Record<string, unknown>
  label: number | null
  /** What was answered. */
  score?: number
}

export interface ReplayHooks {
  /** Called when everything of a day is sent, before the replay holds: how far behind is the server? */
  beforeHold(event_ms: number): Promise<void>
  /** Called at the first flight of each day of event time, after everything before it is answered. */
  onDay(day: string, event_ms: number): Promise<void>
  /** What is under way on the server. */
  busy(): Promise<{ total: number; parts: Record<string, number> }>
}

export interface Replay {
  readonly totals: Totals
  /** Every flight sent so far, for the comparison at the end. */
  readonly flights: Flight[]
  /** Sends one month's file. */
  month(name: string): Promise<void>
  /** Sends the labels that are still to come. */
  finish(): Promise<void>
  close(): Promise<void>
}

export function createReplay(
  url: string,
  endpoint: string,
  dir: string,
  labelFiles: readonly string[],
  /** Most seconds of event time for one of wall time; holds do not count. */
  speed: number,
  hooks: ReplayHooks,
): Replay {
  // One more, for labels.
  const pool = new Pool(url, { connections: CONNECTIONS + 1, pipelining: 1 })
  const totals: Totals = {
    served: 0,
    failed: 0,
    labels: 0,
    latencies: new Float32Array(LATENCIES_KEPT),
    first_failure: null,
    held_ms: 0,
    longest_hold_ms: 0,
    sending_ms: 0,
  }
  const flights: Flight[] = []
  /** What became of each flight's request; a label may be due while it is under way. */
  const places = new Map<string, Promise<{ prediction: string; flight: Flight } | undefined>>()
  const labels = labelLines(dir, labelFiles)
  let nextLabel: [number, string, number] | undefined
  const waiting: { prediction: string; value: number; observed_at: string }[] = []
  let day = -1

  const send = async (
    event_ms: number,
    key: string,
    features: Record<string, unknown>,
    month: string,
  ): Promise<{ prediction: string; flight: Flight } | undefined> => {
    const began = performance.now()
    const flight: Flight = { month, event_ms, features, label: null }
    flights.push(flight)
    const fail = (words: string) => {
      totals.failed++
      totals.first_failure ??= words
      return undefined
    }
    try {
      const answer = await pool.request({
        path: `/serve/${endpoint}/invocations`,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'slipway-key': key,
          'slipway-event-time': new Date(event_ms).toISOString(),
        },
        body: JSON.stringify({ dataframe_records: [features] }),
      })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) return fail(`${answer.statusCode} ${text.slice(0, 300)}`)
      flight.score = (JSON.parse(text) as { predictions: number[][] }).predictions[0]![1]!
      totals.latencies[totals.served % LATENCIES_KEPT] = performance.now() - began
      totals.served++
      return { prediction: String(answer.headers['slipway-prediction-id']), flight }
    } catch (error) {
      return fail((error as Error).message)
    }
  }

  const post = async (batch: typeof waiting): Promise<void> => {
    const answer = await pool.request({
      path: '/api/slipway/v1/labels',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ labels: batch }),
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`labels were refused: ${answer.statusCode} ${text.slice(0, 300)}`)
    totals.labels += batch.length
  }

  /** Labels known by this moment, in batches. */
  const label = async (until_ms: number): Promise<void> => {
    for (;;) {
      nextLabel ??= (await labels.next()).value as [number, string, number] | undefined
      if (!nextLabel || nextLabel[0] > until_ms) break
      const [at_ms, key, value] = nextLabel
      nextLabel = undefined
      const known = await places.get(key)
      places.delete(key)
      if (!known) continue
      known.flight.label = value
      waiting.push({ prediction: known.prediction, value, observed_at: new Date(at_ms).toISOString() })
      if (waiting.length === LABELS_MAX) await post(waiting.splice(0))
    }
    if (waiting.length > 0) await post(waiting.splice(0))
  }

  /** Labels go one batch after another, beside the requests. */
  let labelling = Promise.resolve()
  let labelled_hour = -1
  const labelUntil = (event_ms: number): Promise<void> => {
    labelling = labelling.then(() => label(event_ms))
    // Its failure is told where it is awaited, at the end of the day.
    labelling.catch(() => undefined)
    return labelling
  }

  const hold = async (): Promise<void> => {
    const began = performance.now()
    for (;;) {
      const { total, parts } = await hooks.busy()
      if (total === 0) break
      if (performance.now() - began > HOLD_MS_MAX)
        throw new Error(`the server has been busy for ${HOLD_MS_MAX / 60_000} minutes: ${JSON.stringify(parts)}`)
      await new Promise((resolve) => setTimeout(resolve, HOLD_LOOK_MS))
    }
    const held = performance.now() - began
    totals.held_ms += held
    totals.longest_hold_ms = Math.max(totals.longest_hold_ms, held)
  }

  return {
    totals,
    flights,
    async month(name) {
      const running = new Set<Promise<void>>()
      const drain = async () => void (await Promise.all(running))
      let began = performance.now()
      let began_event_ms: number | undefined
      for await (const line of lines(join(dir, 'replay', `${name}.ndjson.gz`))) {
        const [event_ms, key, features] = JSON.parse(line) as [number, string, Record<string, unknown>]
        const today = Math.floor(event_ms / DAY_MS)
        if (today !== day) {
          await drain()
          totals.sending_ms += performance.now() - began
          await labelUntil(event_ms)
          await hooks.beforeHold(event_ms)
          await hold()
          if (day >= 0) await hooks.onDay(new Date(event_ms).toISOString().slice(0, 10), event_ms)
          await hold()
          began = performance.now()
          began_event_ms = event_ms
          day = today
        }
        began_event_ms ??= event_ms
        const early_ms = (event_ms - began_event_ms) / speed - (performance.now() - began)
        if (early_ms > PACE_MS_MIN) await new Promise((resolve) => setTimeout(resolve, early_ms))
        const hour = Math.floor(event_ms / HOUR_MS)
        if (hour !== labelled_hour) {
          labelled_hour = hour
          void labelUntil(event_ms)
        }
        const answered = send(event_ms, key, features, name)
        places.set(key, answered)
        const one: Promise<void> = answered.then(() => void running.delete(one))
        running.add(one)
        if (running.size >= CONNECTIONS) await Promise.race(running)
      }
      await drain()
      totals.sending_ms += performance.now() - began
    },
    async finish() {
      await labelUntil(Number.POSITIVE_INFINITY)
      await hold()
    },
    close: () => pool.close(),
  }
}

async function* lines(path: string): AsyncGenerator<string> {
  const reader = createInterface({
    input: createReadStream(path).pipe(createGunzip()),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  for await (const line of reader) if (line) yield line
}

async function* labelLines(dir: string, files: readonly string[]): AsyncGenerator<[number, string, number]> {
  for (const file of files)
    for await (const line of lines(join(dir, 'labels', file))) yield JSON.parse(line) as [number, string, number]
}
