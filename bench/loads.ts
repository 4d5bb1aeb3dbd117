/** What is asked of each server, and how it is counted. */
import { Pool } from 'undici'

export interface Measure {
  per_second: number
  p50_ms: number
  p99_ms: number
  /** Answers other than 200, and requests without one. */
  failed: number
}

export type Send = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>

/** One load: makes what a client needs before the clock runs, and answers what it does each time. */
export type Load = (send: Send) => Promise<() => Promise<void>>

const REQUEST_MS_MAX = 35_000
const WARM_MS = 1000

/** `clients` repeat the load for `seconds`; each waits for its answer before it asks again. */
export async function measure(
  url: string,
  load: Load,
  { clients, seconds, close, token }: { clients: number; seconds: number; close: boolean; token?: string },
): Promise<Measure> {
  const pool = new Pool(url, { connections: clients, pipelining: 1, headersTimeout: REQUEST_MS_MAX })
  const send: Send = async (method, path, body) => {
    const answer = await pool.request({
      method: method as 'GET',
      path,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: body === undefined ? null : JSON.stringify(body),
      reset: close,
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 200)}`)
    return JSON.parse(text) as Record<string, unknown>
  }
  const took: number[] = []
  let failed = 0
  try {
    const turns = await Promise.all(Array.from({ length: clients }, () => load(send)))
    // Servers with several workers are not all awake at the first answer: what comes before they are is not counted.
    const warm_until = performance.now() + WARM_MS
    await Promise.all(
      turns.map(async (turn) => {
        do await turn().catch(() => {})
        while (performance.now() < warm_until)
      }),
    )
    const began = performance.now()
    await Promise.all(
      turns.map(async (turn) => {
        for (let at = performance.now(); at - began < seconds * 1000; ) {
          try {
            await turn()
            took.push(performance.now() - at)
          } catch {
            failed += 1
          }
          at = performance.now()
        }
      }),
    )
    const elapsed_s = (performance.now() - began) / 1000
    took.sort((a, b) => a - b)
    const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? Number.NaN
    return { per_second: took.length / elapsed_s, p50_ms: at(0.5), p99_ms: at(0.99), failed }
  } finally {
    await pool.destroy()
  }
}

const MLFLOW = '/api/2.0/mlflow'

const newRun = async (send: Send): Promise<string> => {
  const made = (await send('POST', `${MLFLOW}/runs/create`, { experiment_id: '0', start_time: Date.now() })) as {
    run: { info: { run_id: string } }
  }
  return made.run.info.run_id
}

export const logMetric: Load = async (send) => {
  const run_id = await newRun(send)
  let step = 0
  return async () => {
    step += 1
    const metric = { run_id, key: 'loss', value: 1 / step, timestamp: Date.now(), step }
    await send('POST', `${MLFLOW}/runs/log-metric`, metric)
  }
}

/** With what a client of MLflow sends along. */
export const createRun: Load = async (send) => async () => {
  const tags = ['mlflow.user', 'mlflow.source.name', 'mlflow.source.type'].map((key) => ({ key, value: 'some text' }))
  await send('POST', `${MLFLOW}/runs/create`, { experiment_id: '0', start_time: Date.now(), run_name: 'a run', tags })
}

/** `points` of each of `keys` metrics in a request. */
export const logBatch =
  (keys: number, points: number): Load =>
  async (send) => {
    const run_id = await newRun(send)
    let step = 0
    return async () => {
      const metrics = []
      for (let at = 0; at < points; at += 1, step += 1) {
        for (let key = 0; key < keys; key += 1)
          metrics.push({ key: `metric-${key}`, value: Math.random(), timestamp: Date.now(), step })
      }
      await send('POST', `${MLFLOW}/runs/log-batch`, { run_id, metrics })
    }
  }

/** A run with 10 params, 10 tags and 10 metrics. */
export const getRun: Load = async (send) => {
  const run_id = await newRun(send)
  const ten = (prefix: string) => Array.from({ length: 10 }, (_, n) => ({ key: `${prefix}-${n}`, value: 'some text' }))
  const metrics = ten('metric').map(({ key }, n) => ({ key, value: n / 3, timestamp: 1, step: n }))
  await send('POST', `${MLFLOW}/runs/log-batch`, { run_id, params: ten('param'), tags: ten('tag'), metrics })
  return async () => void (await send('GET', `${MLFLOW}/runs/get?run_id=${run_id}`))
}

export const history10000: Load = async (send) => {
  const run_id = await newRun(send)
  for (let first = 0; first < 10_000; first += 1000) {
    const metrics = Array.from({ length: 1000 }, (_, n) => ({
      key: 'loss',
      value: Math.random(),
      timestamp: 1_700_000_000_000 + (first + n) * 1000,
      step: first + n,
    }))
    await send('POST', `${MLFLOW}/runs/log-batch`, { run_id, metrics })
  }
  await send('POST', `${MLFLOW}/runs/update`, { run_id, status: 'FINISHED', end_time: Date.now() })
  const path = `${MLFLOW}/metrics/get-history?run_id=${run_id}&metric_key=loss&max_results=25000`
  return async () => void (await send('GET', path))
}

/** As a training script does: a run, its parameters in a batch, 20 metrics one by one, a tag, its end. */
export const fullRun: Load = async (send) => async () => {
  const run_id = await newRun(send)
  const params = Array.from({ length: 10 }, (_, n) => ({ key: `param-${n}`, value: String(n) }))
  await send('POST', `${MLFLOW}/runs/log-batch`, { run_id, params })
  for (let step = 0; step < 20; step += 1)
    await send('POST', `${MLFLOW}/runs/log-metric`, { run_id, key: 'loss', value: 1 / (step + 1), timestamp: 1, step })
  await send('POST', `${MLFLOW}/runs/set-tag`, { run_id, key: 'note', value: 'done' })
  await send('POST', `${MLFLOW}/runs/update`, { run_id, status: 'FINISHED', end_time: Date.now() })
}

/** Pages of runs in an experiment of 20,000, as the client's `search_runs` asks for them. */
export const searchRuns =
  (experiment_id: string, asked: { filter?: string; order_by?: string[] } = {}): Load =>
  async (send) => {
    const body = { experiment_ids: [experiment_id], max_results: 100, ...asked }
    return async () => {
      const { runs } = (await send('POST', `${MLFLOW}/runs/search`, body)) as { runs?: unknown[] }
      if (runs?.length !== 100) throw new Error(`${runs?.length ?? 0} runs instead of 100`)
    }
  }

/** One row of ten numbers. */
export const inference =
  (path: string): Load =>
  async (send) => {
    const row = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`x${n}`, n / 10]))
    return async () => void (await send('POST', path, { dataframe_records: [row] }))
  }
