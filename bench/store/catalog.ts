/** What the hot paths of tracking ask of the store, without their rules: a run with tags, a metric, a batch. */
import type { Tx } from '../../server/src/kernel/store/index.ts'
import { insertRows } from '../../server/src/kernel/store/values.ts'

const decoder = new TextDecoder()

interface Raw {
  run_id: string
  now_ms: number
  body: Uint8Array
}

interface Metric {
  key: string
  value: number
  timestamp: number
  step: number
}

const parse = <T>(body: Uint8Array) => JSON.parse(decoder.decode(body)) as T

async function checkActive(tx: Tx, run_id: string) {
  const run = await tx.get('SELECT status FROM run WHERE workspace = ? AND run_id = ?', ['default', run_id])
  if (run?.status !== 'RUNNING') throw new Error(`run ${run_id} is not active`)
}

async function logMetric(tx: Tx, run_id: string, { key, value, timestamp, step }: Metric) {
  const series = [...`${run_id}${key}`].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 7)
  await tx.run('INSERT INTO metric (series, step, at_ms, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', [
    series,
    step,
    timestamp,
    value,
  ])
  await tx.run(
    `INSERT INTO latest_metric (workspace, run_id, name, series, step, at_ms, value) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, run_id, name) DO UPDATE SET step = excluded.step, at_ms = excluded.at_ms, value = excluded.value
     WHERE excluded.step >= latest_metric.step`,
    ['default', run_id, key, series, step, timestamp, value],
  )
}

export const commands = {
  'bench.create-run': async (tx: Tx, { run_id, now_ms, body }: Raw) => {
    const { experiment_id, run_name, tags } = parse<{
      experiment_id: string
      run_name: string
      tags: { key: string; value: string }[]
    }>(body)
    await tx.run(
      'INSERT INTO run (workspace, run_id, experiment, name, status, started_ms) VALUES (?, ?, ?, ?, ?, ?)',
      ['default', run_id, experiment_id, run_name, 'RUNNING', now_ms],
    )
    await insertRows(
      tx,
      'tag (workspace, run_id, name, value)',
      tags.map(({ key, value }) => ['default', run_id, key, value]),
    )
    return { run_id, experiment_id, run_name, status: 'RUNNING' }
  },
  'bench.log-metric': async (tx: Tx, { run_id, body }: Raw) => {
    await checkActive(tx, run_id)
    await logMetric(tx, run_id, parse<Metric>(body))
    return {}
  },
  'bench.log-batch': async (tx: Tx, { run_id, body }: Raw) => {
    await checkActive(tx, run_id)
    for (const metric of parse<{ metrics: Metric[] }>(body).metrics) await logMetric(tx, run_id, metric)
    return {}
  },
}

export const queries = {}
