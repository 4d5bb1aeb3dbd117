/** The hot path: one request to one answer, whatever happens to a canary, and a line in the log. No store, no needless await. */
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import { readDuration } from '#kernel/units.ts'
import { countLatency, countScore } from './counters.ts'
import type { ServingDeps } from './deps.ts'
import { ALIAS_DEFAULT } from './endpoints.ts'
import type { Ask } from './forms.ts'
import type { LiveEndpoint, Loaded, ServingNode } from './node.ts'
import type { PredictionLog } from './prediction-log/log.ts'
import { duckType } from './prediction-log/record.ts'
import type { SegmentHeader } from './prediction-log/segment.ts'
import { routeOf } from './routing.ts'
import type { Prediction, Runtime } from './runtimes/runtime.ts'
import type { Features } from './signature.ts'

export interface PredictRequest {
  workspace: string
  endpoint: string
  /** Reads the request for the revision that will answer: signatures may differ. */
  read(features: Features | undefined): Ask
  /** Sticky assignment. */
  key?: string | undefined
  /** RFC 3339; absent: the time of arrival. */
  event_time?: string | undefined
}

export interface PredictAnswer {
  id: string
  endpoint: string
  revision: string
  model: string
  version: number
  /** The stable revision answered in place of the canary. */
  fallback: boolean
  outputs: unknown[]
  raw?: unknown
  scores: (number | null)[]
  labels: unknown[]
}

export interface Predictor {
  predict(request: PredictRequest): Promise<PredictAnswer>
  /** Watermarks that moved since they were last taken. */
  takeWatermarks(): { workspace: string; endpoint: string; greatest_event_ms: number; watermark_ms: number }[]
  setWatermark(workspace: string, endpoint: string, greatest_event_ms: number): void
}

/** Event times may run ahead of the clock by this much; clocks of clients differ. */
const AHEAD_MS_MAX = 5 * 60_000
const TIMEOUT_MS = 10_000
const KEY_MAX = 256
const ERROR_TEXT_MAX = 500

export function createPredictor(
  deps: Pick<ServingDeps, 'clock' | 'ids' | 'random' | 'telemetry'>,
  node: ServingNode,
  log: () => PredictionLog,
): Predictor {
  const { clock, ids, random } = deps
  const marks = new Map<
    string,
    { workspace: string; endpoint: string; greatest_event_ms: number; moved: boolean; lateness_ms: number }
  >()
  const headers = new WeakMap<object, SegmentHeader>()
  const requests = deps.telemetry.counter({
    name: 'inference_requests_total',
    help: 'Inference requests by endpoint and outcome.',
    labels: ['endpoint', 'outcome'],
  })
  const seconds = deps.telemetry.histogram({
    name: 'inference_seconds',
    help: 'Time from reading a request to its answer.',
    labels: ['endpoint'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  })

  const eventTime = (endpoint: LiveEndpoint, text: string | undefined, now: number): number => {
    if (text === undefined) return now
    const at = Date.parse(text)
    if (Number.isNaN(at) || !/^\d{4}-\d\d-\d\dT/.test(text))
      throw invalid(`'${text.slice(0, 60)}' is not a time`, {
        field: 'slipway-event-time',
        remedy: 'Send RFC 3339, for example 2013-04-01T07:00:00Z.',
      })
    if (at > now + AHEAD_MS_MAX && endpoint.spec.clock !== 'replay') {
      throw invalid('the event time lies more than 5 minutes ahead of the clock', {
        field: 'slipway-event-time',
        remedy: 'Set `clock: replay` on the endpoint to replay other days.',
      })
    }
    return at
  }

  const ready = (revision: string, endpoint: string): Loaded & { runtime: Runtime } => {
    const one = node.loaded(revision)
    if (!one?.runtime)
      throw new DomainError(
        'unavailable',
        `endpoint '${endpoint}' is loading its model${one?.reason ? `: ${one.reason}` : ''}`,
        { remedy: 'Try again in a moment.' },
      )
    return one as Loaded & { runtime: Runtime }
  }

  const run = async (
    one: Loaded & { runtime: Runtime },
    request: PredictRequest,
    limit_ms: number,
  ): Promise<{ ask: Ask; prediction: Prediction }> => {
    const ask = request.read(one.runtime.features)
    one.in_flight++
    try {
      if (one.runtime.form === 'onnx') return { ask, prediction: await one.runtime.predict(ask) }
      return { ask, prediction: await within(limit_ms, (signal) => one.runtime.predict(ask, signal)) }
    } finally {
      one.in_flight--
    }
  }

  return {
    async predict(request) {
      const started = performance.now()
      const live = node.endpoint(request.workspace, request.endpoint)
      if (!live)
        throw notFound(`no endpoint '${request.endpoint}' in workspace ${request.workspace}`, { field: 'endpoint' })
      if (request.key !== undefined && request.key.length > KEY_MAX)
        throw invalid(`the key is longer than ${KEY_MAX} characters`, { field: 'slipway-key' })
      const now = clock.now()
      const event_ms = eventTime(live, request.event_time, now)
      const route = routeOf(live.routes, live.name, request.key, random.next)
      if (!route)
        throw new DomainError('unavailable', `endpoint '${live.name}' has no release yet`, {
          remedy: `Register a version of model '${live.spec.model}'; the first that passes its gate goes live under alias ${live.spec.alias ?? ALIAS_DEFAULT}.`,
        })

      const canary = route.role === 'canary' && live.routes.some(({ role }) => role === 'stable')
      const timeout_ms = live.spec.timeout ? readDuration(live.spec.timeout) : TIMEOUT_MS
      const canary_ms = live.spec.canary_timeout ? readDuration(live.spec.canary_timeout) : timeout_ms
      const routed = node.loaded(route.revision)
      let answered: Loaded & { runtime: Runtime }
      let done: { ask: Ask; prediction: Prediction }
      let failure: string | null = null
      try {
        answered = ready(route.revision, live.name)
        const began = performance.now()
        done = await run(answered, request, canary ? canary_ms : timeout_ms)
        // Inline runs cannot be cut short; one that came too late still counts against the canary.
        if (canary && performance.now() - began > canary_ms) answered.counts.over_time++
      } catch (error) {
        // What the caller sent is wrong: no other revision would do better, unless the canary's signature is at fault.
        if (!canary) {
          if (routed) countFailure(routed, error)
          requests.add({
            endpoint: live.name,
            outcome: error instanceof DomainError && error.status < 500 ? 'refused' : 'error',
          })
          if (!(error instanceof DomainError)) {
            logFailure(live, route.revision, routed, event_ms, now, started, request, error)
            throw new DomainError(
              'internal',
              `the model at endpoint '${live.name}' failed: ${(error as Error).message.slice(0, ERROR_TEXT_MAX)}`,
              { cause: error },
            )
          }
          throw error
        }
        failure = (error as Error).message.slice(0, ERROR_TEXT_MAX)
        const stable = live.routes.find(({ role }) => role === 'stable')!
        answered = ready(stable.revision, live.name)
        // Throws the caller's own mistake as such; then the canary was not at fault.
        done = await run(answered, request, timeout_ms)
        answered.counts.stood_in++
        if (routed) {
          routed.counts.requests++
          if (error instanceof OverTime) routed.counts.over_time++
          else routed.counts.errors++
          routed.counts.last_error = failure
        }
      }

      const { ask, prediction } = done
      const latency_us = Math.round((performance.now() - started) * 1000)
      if (failure === null) answered.counts.requests++
      countLatency(answered.counts, latency_us)
      const id = ids.next('prediction')
      const scores: (number | null)[] = []
      const labels: unknown[] = []
      const header = headerOf(live, answered)
      const writer = log().writer
      for (let row = 0; row < prediction.outputs.length; row++) {
        const output = prediction.outputs[row]
        const score = scoreOf(live.spec, output)
        const label = labelOf(live.spec, output, score)
        scores.push(score)
        labels.push(label)
        countScore(answered.counts, score)
        writer.append(header, {
          id: `${id}.${row}`,
          event_ms,
          at_ms: now,
          latency_us,
          status: failure === null ? 'ok' : 'fallback',
          revision: route.revision,
          version: routed?.revision.version ?? answered.revision.version,
          answered_by: answered.revision.id,
          answered_version: answered.revision.version,
          release: live.release,
          key: request.key ?? null,
          score,
          label: label === null || label === undefined ? null : String(label),
          output: JSON.stringify(output),
          error: failure,
          features: ask.rows[row] ? named(answered.runtime.features!, ask.rows[row]!) : {},
        })
      }
      markTime(live, event_ms)
      requests.add({ endpoint: live.name, outcome: failure === null ? 'ok' : 'fallback' })
      seconds.observe({ endpoint: live.name }, latency_us / 1e6)
      if (live.spec.log === 'durable') await writer.durable(header)
      return {
        id,
        endpoint: live.name,
        revision: answered.revision.id,
        model: answered.revision.model,
        version: answered.revision.version,
        fallback: failure !== null,
        outputs: prediction.outputs,
        ...(prediction.raw !== undefined && { raw: prediction.raw }),
        scores,
        labels,
      }
    },

    takeWatermarks() {
      const moved = []
      for (const mark of marks.values()) {
        if (!mark.moved) continue
        mark.moved = false
        moved.push({
          workspace: mark.workspace,
          endpoint: mark.endpoint,
          greatest_event_ms: mark.greatest_event_ms,
          watermark_ms: mark.greatest_event_ms - mark.lateness_ms,
        })
      }
      return moved
    },

    setWatermark(workspace, endpoint, greatest_event_ms) {
      marks.set(`${workspace}/${endpoint}`, { workspace, endpoint, greatest_event_ms, moved: false, lateness_ms: 0 })
    },
  }

  function markTime(live: LiveEndpoint, event_ms: number): void {
    const name = `${live.workspace}/${live.name}`
    let mark = marks.get(name)
    if (!mark) {
      mark = { workspace: live.workspace, endpoint: live.name, greatest_event_ms: 0, moved: false, lateness_ms: 0 }
      marks.set(name, mark)
    }
    if (event_ms <= mark.greatest_event_ms) return
    mark.greatest_event_ms = event_ms
    mark.lateness_ms = live.spec.lateness ? readDuration(live.spec.lateness) : 0
    mark.moved = true
  }

  /** One header per loaded revision and endpoint, so that the writer can compare by identity. */
  function headerOf(live: LiveEndpoint, one: Loaded & { runtime: Runtime }): SegmentHeader {
    let header = headers.get(one)
    if (!header) {
      header = {
        workspace: live.workspace,
        endpoint: live.name,
        features: Object.fromEntries((one.runtime.features ?? []).map(({ name, type }) => [name, duckType(type)])),
      }
      headers.set(one, header)
    }
    return header
  }

  function logFailure(
    live: LiveEndpoint,
    revision: string,
    one: Loaded | undefined,
    event_ms: number,
    now: number,
    started: number,
    request: PredictRequest,
    error: unknown,
  ): void {
    if (!one?.runtime) return
    log().writer.append(headerOf(live, one as Loaded & { runtime: Runtime }), {
      id: `${ids.next('prediction')}.0`,
      event_ms,
      at_ms: now,
      latency_us: Math.round((performance.now() - started) * 1000),
      status: 'error',
      revision,
      version: one.revision.version,
      answered_by: revision,
      answered_version: one.revision.version,
      release: live.release,
      key: request.key ?? null,
      score: null,
      label: null,
      output: null,
      error: (error as Error).message.slice(0, ERROR_TEXT_MAX),
      features: {},
    })
  }
}

function countFailure(one: Loaded, error: unknown): void {
  if (error instanceof DomainError && error.status < 500) return
  one.counts.requests++
  if (error instanceof OverTime) one.counts.over_time++
  else one.counts.errors++
  one.counts.last_error = (error as Error).message.slice(0, ERROR_TEXT_MAX)
}

class OverTime extends DomainError {
  constructor(ms: number) {
    super('unavailable', `the model took longer than ${ms} ms`)
  }
}

async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(new OverTime(ms)), ms)
  try {
    return await work(stop.signal)
  } finally {
    clearTimeout(timer)
  }
}

function named(
  features: Features,
  cells: readonly (null | boolean | number | string)[],
): Record<string, null | boolean | number | string> {
  const row: Record<string, null | boolean | number | string> = {}
  for (let at = 0; at < features.length; at++) row[features[at]!.name] = cells[at]!
  return row
}

/** The score in an answer row: at the place that the endpoint names, else the answer itself when it is a number. */
export function scoreOf(spec: { score?: number | string; task?: string }, output: unknown): number | null {
  if (spec.task === 'none') return null
  let value = output
  if (Array.isArray(output)) value = output[typeof spec.score === 'number' ? spec.score : output.length - 1]
  else if (output !== null && typeof output === 'object')
    value = (output as Record<string, unknown>)[String(spec.score ?? 'score')]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** The label that an answer row means: for binary tasks by the threshold, otherwise the answer itself. */
export function labelOf(
  spec: { task?: string; threshold?: number; positive?: number | string },
  output: unknown,
  score: number | null,
): unknown {
  if (spec.task === 'binary')
    return score === null
      ? null
      : score >= (spec.threshold ?? 0.5)
        ? (spec.positive ?? 1)
        : typeof (spec.positive ?? 1) === 'number'
          ? 0
          : `not ${spec.positive}`
  if (Array.isArray(output) && spec.task === 'multiclass') return output.indexOf(Math.max(...(output as number[])))
  return output === null || typeof output === 'object' ? null : output
}
