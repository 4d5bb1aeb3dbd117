/** The hot path: one request to one answer, whatever happens to a canary, and a line in the log. No store, no needless await. */
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import { type Counts, countLatency, countScore } from './counters.ts'
import type { ServingDeps } from './deps.ts'
import { ALIAS_DEFAULT } from './endpoints.ts'
import { createWatermarks, eventTimeOf, type Watermarks } from './event-time.ts'
import type { Ask } from './forms.ts'
import type { LiveEndpoint, Loaded, ServingNode } from './node.ts'
import { labelOf, pythonJson, scoreOf } from './outcome.ts'
import type { PredictionLog } from './prediction-log/log.ts'
import { duckType, type PredictionRecord } from './prediction-log/record.ts'
import type { SegmentHeader } from './prediction-log/segment.ts'
import { routeOf, type TrafficRoute } from './routing.ts'
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
  watermarks: Pick<Watermarks, 'take' | 'giveBack' | 'set'>
}

const KEY_MAX = 256
const ERROR_TEXT_MAX = 500
/** Inputs of a model without named features that are kept in the log, characters a row. */
const INPUTS_MAX = 32_768

type Ready = Loaded & { runtime: Runtime }

/** A request on its way. */
interface Journey {
  live: LiveEndpoint
  route: TrafficRoute
  key: string | null
  event_ms: number
  started: number
}

export function createPredictor(
  deps: Pick<ServingDeps, 'clock' | 'ids' | 'random' | 'telemetry'>,
  node: Pick<ServingNode, 'endpoint' | 'loaded'>,
  log: () => Pick<PredictionLog, 'writer'>,
): Predictor {
  const { clock, ids, random } = deps
  const watermarks = createWatermarks()
  const headers = new WeakMap<Loaded, SegmentHeader>()
  const requests = deps.telemetry.counter({
    name: 'inference_requests_total',
    help: 'Inference requests by workspace, endpoint and outcome.',
    labels: ['workspace', 'endpoint', 'outcome'],
  })
  const seconds = deps.telemetry.histogram({
    name: 'inference_seconds',
    help: 'Time from reading a request to its answer.',
    labels: ['workspace', 'endpoint'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  })

  const readyOne = (revision: string, endpoint: string): Ready => {
    const one = node.loaded(revision)
    if (!one?.runtime)
      throw new DomainError(
        'unavailable',
        `endpoint '${endpoint}' is loading its model${one?.reason ? `: ${one.reason}` : ''}`,
        { remedy: 'Try again in a moment.' },
      )
    return one as Ready
  }

  /** One header per loaded revision, so that the writer knows it again by identity. */
  const headerOf = (live: LiveEndpoint, one: Ready): SegmentHeader => {
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

  /** Counts, logs and words a request that nobody answered. The caller's own mistakes are neither counted nor logged. */
  const failed = (journey: Journey, one: Loaded | undefined, error: unknown): DomainError => {
    const { live, route } = journey
    const problem = isOurs(error)
      ? error instanceof DomainError
        ? error
        : new DomainError(
            'internal',
            `the model at endpoint '${live.name}' failed: ${(error as Error).message.slice(0, ERROR_TEXT_MAX)}`,
            { cause: error },
          )
      : (error as DomainError)
    requests.add({ workspace: live.workspace, endpoint: live.name, outcome: isOurs(error) ? 'error' : 'refused' })
    if (one && isOurs(error)) {
      countFailure(one.counts, error)
      if (one.runtime)
        log().writer.append(headerOf(live, one as Ready), {
          ...base(journey, one.revision.version),
          id: `${ids.next('prediction')}.0`,
          status: 'error',
          answered_by: route.revision,
          answered_version: one.revision.version,
          error: (error as Error).message.slice(0, ERROR_TEXT_MAX),
          score: null,
          label: null,
          output: null,
          inputs: null,
          features: {},
        })
    }
    return problem
  }

  const base = ({ live, route, key, event_ms, started }: Journey, version: number) => ({
    event_ms,
    at_ms: clock.now(),
    latency_us: Math.round((performance.now() - started) * 1000),
    revision: route.revision,
    version,
    release: live.release,
    key,
  })

  /** The stable revision of this moment: a switch may have happened while the canary was at work. */
  const stableOf = (live: LiveEndpoint): string | undefined => {
    for (const { routes } of [node.endpoint(live.workspace, live.name) ?? live, live]) {
      const stable = routes.find(({ role }) => role === 'stable')
      if (stable && node.loaded(stable.revision)?.runtime) return stable.revision
    }
    return undefined
  }

  /** Writes one line for each row, and answers. */
  const answer = async (
    journey: Journey,
    one: Ready,
    { ask, prediction }: { ask: Ask; prediction: Prediction },
    canary: { version: number; failure: string } | undefined,
  ): Promise<PredictAnswer> => {
    const { live } = journey
    const { outputs } = prediction
    const { features } = one.runtime
    const id = ids.next('prediction')
    const header = headerOf(live, one)
    const { writer } = log()
    const shared = base(journey, canary?.version ?? one.revision.version)
    const scores: (number | null)[] = []
    const labels: unknown[] = []
    let kept = true
    for (let row = 0; row < outputs.length; row++) {
      const output = outputs[row]
      const score = scoreOf(live.spec, output)
      const label = labelOf(live.spec, output, score)
      scores.push(score)
      labels.push(label)
      countScore(one.counts, score)
      const record: PredictionRecord = {
        id: `${id}.${row}`,
        ...shared,
        status: canary ? 'fallback' : 'ok',
        answered_by: one.revision.id,
        answered_version: one.revision.version,
        score,
        label: label === null || label === undefined ? null : String(label),
        output: pythonJson(output),
        error: canary?.failure ?? null,
        inputs: ask.raw ? inputsOf(ask.raw.payload, row) : null,
        features: features && row < ask.rows.length ? named(features, ask.rows[row]!) : {},
      }
      kept = writer.append(header, record) && kept
    }
    watermarks.see(live, journey.event_ms)
    requests.add({ workspace: live.workspace, endpoint: live.name, outcome: canary ? 'fallback' : 'ok' })
    seconds.observe({ workspace: live.workspace, endpoint: live.name }, shared.latency_us / 1e6)
    if (live.spec.log === 'durable') {
      if (!kept)
        throw new DomainError('unavailable', 'the prediction could not be logged: the disk is full or too slow')
      await writer.durable(header)
    }
    return {
      id,
      endpoint: live.name,
      revision: one.revision.id,
      model: one.revision.model,
      version: one.revision.version,
      fallback: canary !== undefined,
      outputs,
      ...(prediction.raw !== undefined && { raw: prediction.raw }),
      scores,
      labels,
    }
  }

  return {
    watermarks,
    async predict(request) {
      const started = performance.now()
      const live = node.endpoint(request.workspace, request.endpoint)
      if (!live)
        throw notFound(`no endpoint '${request.endpoint}' in workspace ${request.workspace}`, { field: 'endpoint' })
      const key = request.key || undefined
      if (key !== undefined && key.length > KEY_MAX)
        throw invalid(`the key is longer than ${KEY_MAX} characters`, { field: 'slipway-key' })
      const event_ms = eventTimeOf(live, request.event_time, clock.now())
      const route = routeOf(live.routes, live.name, key, random.next)
      if (!route)
        throw new DomainError('unavailable', `endpoint '${live.name}' has no release yet`, {
          remedy: `Register a version of model '${live.spec.model}'; the first that passes its gate goes live under alias ${live.spec.alias ?? ALIAS_DEFAULT}.`,
        })
      const journey: Journey = { live, route, key: key ?? null, event_ms, started }
      const canary = route.role === 'canary' && live.routes.some(({ role }) => role === 'stable')
      const limit_ms = canary ? live.canary_timeout_ms : live.timeout_ms
      const routed = node.loaded(route.revision)
      let first: Ready | undefined
      let done: Awaited<ReturnType<typeof run>> | undefined
      let failure: unknown
      try {
        first = readyOne(route.revision, live.name)
        done = await run(first, request, limit_ms)
      } catch (error) {
        if (!canary) throw failed(journey, routed, error)
        failure = error
      }
      const took_us = (performance.now() - started) * 1000
      if (first && done) {
        if (!canary || took_us <= limit_ms * 1000) {
          first.counts.requests++
          countLatency(first.counts, took_us)
          return answer(journey, first, done, undefined)
        }
        // What runs on the event loop cannot be cut short: it came too late all the same.
        failure = new OverTime(limit_ms)
      }
      /** What came too late is better than an error, when the stable revision has nothing better. */
      const late = first && done && { one: first, done }
      const giveLate = ({ one, done }: NonNullable<typeof late>) => {
        countFailure(one.counts, failure, took_us)
        return answer(journey, one, done, undefined)
      }

      const stable = stableOf(live)
      const one = stable === undefined ? undefined : node.loaded(stable)
      if (!one?.runtime) {
        if (late) return giveLate(late)
        throw failed(journey, routed, failure)
      }
      const again = performance.now()
      try {
        done = await run(one as Ready, request, live.timeout_ms)
      } catch (error) {
        if (late) return giveLate(late)
        // Both refuse it: then it is the caller's mistake, and the canary is not at fault.
        if (!isOurs(error)) throw failed(journey, undefined, error)
        if (first) countFailure(first.counts, failure, took_us)
        throw failed(journey, one, error)
      }
      countLatency(one.counts, (performance.now() - again) * 1000)
      one.counts.stood_in++
      // A canary that is being loaded again, after a restart, has not failed.
      if (first) countFailure(first.counts, failure, took_us)
      return answer(journey, one as Ready, done, {
        version: routed?.revision.version ?? one.revision.version,
        failure: (failure as Error).message.slice(0, ERROR_TEXT_MAX),
      })
    },
  }
}

/** Whether a failure is ours or the model's, not the caller's. */
const isOurs = (error: unknown): boolean => !(error instanceof DomainError) || error.status >= 500

function countFailure(counts: Counts, error: unknown, latency_us?: number): void {
  counts.requests++
  if (latency_us !== undefined) countLatency(counts, latency_us)
  if (error instanceof OverTime) counts.over_time++
  else counts.errors++
  counts.last_error = (error as Error).message.slice(0, ERROR_TEXT_MAX)
}

class OverTime extends DomainError {
  constructor(ms: number) {
    super('unavailable', `the model took longer than ${ms} ms`)
  }
}

async function run(
  one: Ready,
  request: PredictRequest,
  limit_ms: number,
): Promise<{ ask: Ask; prediction: Prediction }> {
  const ask = request.read(one.runtime.features)
  one.in_flight++
  let timer: NodeJS.Timeout | undefined
  try {
    if (one.runtime.inline(ask)) return { ask, prediction: await one.runtime.predict(ask) }
    const stop = new AbortController()
    timer = setTimeout(() => stop.abort(new OverTime(limit_ms)), limit_ms)
    return { ask, prediction: await one.runtime.predict(ask, stop.signal) }
  } finally {
    clearTimeout(timer)
    one.in_flight--
  }
}

function named(features: Features, cells: Ask['rows'][number]): PredictionRecord['features'] {
  const row: PredictionRecord['features'] = {}
  for (let at = 0; at < features.length; at++) row[features[at]!.name] = cells[at]!
  return row
}

/** What was asked for one row, as it came; undefined parts are those of a payload that is no list. */
function inputsOf(payload: unknown, row: number): string | null {
  const part = Array.isArray(payload) ? payload[row] : row === 0 ? payload : undefined
  return part === undefined ? null : JSON.stringify(part).slice(0, INPUTS_MAX)
}
