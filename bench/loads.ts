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
  { clients, seconds, close }: { clients: number; seconds: number; close: boolean },
): Promise<Measure> {
  const pool = new Pool(url, { connections: clients, pipelining: 1, headersTimeout: REQUEST_MS_MAX })
  const send: Send = async (method, path, body) => {
    const answer = await pool.request({
      method: method as 'GET',
      path,
      headers: { 'content-type': 'application/json' },
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

/** One row of ten numbers. */
export const inference =
  (path: string): Load =>
  async (send) => {
    const row = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`x${n}`, n / 10]))
    return async () => void (await send('POST', path, { dataframe_records: [row] }))
  }
