/** What a first morning leaves behind: data with checks, and runs with metrics, params and an artifact; all by the API. */
const ROWS = 200

export async function seed(url: string): Promise<{ experiment: string; run: string; runs: string[]; version: string }> {
  const call = async <T>(method: string, path: string, body: unknown, type = 'application/json'): Promise<T> => {
    const reply = await fetch(url + path, {
      method,
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`)
    return (await reply.json()) as T
  }
  const v1 = '/api/slipway/v1'
  const mlflow = '/api/2.0/mlflow'

  await call('PUT', `${v1}/datasets/rides/checks`, {
    checks: [{ row_count: { min: 10 } }, { between: { column: 'fare', min: 0, max: 20 } }],
  }).catch(() => undefined)
  const lines = Array.from({ length: ROWS }, (_, at) => `${at},${['east', 'west'][at % 2]},${(at % 37) * 0.9}`)
  const csv = ['id,side,fare', ...lines].join('\n')
  const { digest } = await call<{ digest: string }>('POST', `${v1}/datasets/uploads`, csv, 'application/octet-stream')
  const { version } = await call<{ version: { id: string } }>('POST', `${v1}/datasets/rides/versions`, {
    files: [{ path: 'rides.csv', digest }],
    reason: 'the first week',
  })

  const { experiment_id } = await call<{ experiment_id: string }>('POST', `${mlflow}/experiments/create`, {
    name: 'rides/fare',
  })
  const start = Date.now() - 60_000
  const runs: string[] = []
  for (const depth of [4, 8]) {
    const { run } = await call<{ run: { info: { run_id: string } } }>('POST', `${mlflow}/runs/create`, {
      experiment_id,
      run_name: `depth ${depth}`,
      start_time: start,
    })
    const { run_id } = run.info
    const metrics = Array.from({ length: 40 }, (_, step) => ({
      key: 'loss',
      value: depth / (step + 2),
      timestamp: start + step * 500,
      step,
    }))
    await call('POST', `${mlflow}/runs/log-batch`, {
      run_id,
      metrics: [...metrics, { key: 'auc', value: 0.7 + depth / 100, timestamp: start, step: 0 }],
      params: [{ key: 'depth', value: String(depth) }],
      tags: [{ key: 'stage', value: 'try' }],
    })
    await call(
      'PUT',
      `/api/2.0/mlflow-artifacts/artifacts/${experiment_id}/${run_id}/artifacts/report.json`,
      '{"ok": true}',
      'application/octet-stream',
    )
    runs.push(run_id)
  }
  await call('POST', `${mlflow}/runs/update`, { run_id: runs[0], status: 'FINISHED', end_time: start + 30_000 })
  return { experiment: experiment_id, run: runs[1]!, runs, version: version.id }
}
