/** Many writers at once: whether anything acknowledged is lost, and whether aliases and runs moved one change after another. */
import { performance } from 'node:perf_hooks'
import { Pool } from 'undici'
import { isLinearizable, type Operation } from './linear.ts'
import type { Target } from './target.ts'

const API = '/api/2.0/mlflow'
/** Who share one register: enough to race, few enough to be judged. */
const SHARING = 5
const VERSIONS = 8

export interface Outcome {
  requests: number
  /** Answers of 500 and above, and what they said. */
  failures: string[]
  /** Registers whose history could not have happened one change after another. */
  tangled: string[]
  registers: number
  operations: number
  /** Acknowledged points that are not there, and points that nobody was told of. */
  lost: number
  surplus: number
}

interface Register {
  name: string
  initial: string
  history: Operation[]
  write(value: string): [method: string, path: string, body: object]
  read: string
  valueOf(body: never): string
  /** What may be written; the `n`th of one writer. */
  draw(writer: number, n: number): string
}

export async function race(
  target: Target,
  { writers, seconds }: { writers: number; seconds: number },
): Promise<Outcome> {
  const pool = new Pool(target.app.url, { connections: writers, headersTimeout: 120_000, bodyTimeout: 120_000 })
  const outcome: Outcome = { requests: 0, failures: [], tangled: [], registers: 0, operations: 0, lost: 0, surplus: 0 }
  const call = async (method: string, path: string, body?: object) => {
    outcome.requests++
    const { statusCode, body: stream } = await pool.request({
      method: method as 'GET',
      path: API + path,
      headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await stream.text()
    if (statusCode >= 400) outcome.failures.push(`${method} ${path} ${statusCode} ${text.slice(0, 200)}`)
    return { status: statusCode, json: JSON.parse(text) }
  }

  const { experiment_id } = (await call('POST', '/experiments/create', { name: 'raced' })).json
  const groups = Math.ceil(writers / SHARING)
  const runs: string[] = []
  const registers: Register[][] = []
  const prepare = async (group: number) => {
    const { run } = (await call('POST', '/runs/create', { experiment_id, run_name: 'first' })).json
    const { run_id } = run.info
    const name = `raced-${group}`
    await call('POST', '/registered-models/create', { name })
    for (let version = 0; version < VERSIONS; version++)
      await call('POST', '/model-versions/create', { name, source: `s3://models/${group}/${version}` })
    await call('POST', '/registered-models/alias', { name, alias: 'champion', version: '1' })
    runs[group] = run_id
    registers[group] = [
      {
        name: `alias of ${name}`,
        initial: '1',
        history: [],
        write: (version) => ['POST', '/registered-models/alias', { name, alias: 'champion', version }],
        read: `/registered-models/alias?name=${name}&alias=champion`,
        valueOf: ({ model_version }: { model_version: { version: string } }) => model_version.version,
        draw: (writer, n) => String(1 + ((writer * 3 + n) % VERSIONS)),
      },
      {
        name: `name of run ${run_id}`,
        initial: 'first',
        history: [],
        write: (run_name) => ['POST', '/runs/update', { run_id, run_name }],
        read: `/runs/get?run_id=${run_id}`,
        valueOf: ({ run: found }: { run: { info: { run_name: string } } }) => found.info.run_name,
        draw: (writer, n) => `w${writer}-${n}`,
      },
    ]
  }
  await Promise.all(Array.from({ length: groups }, (_, group) => prepare(group)))

  const operate = async (register: Register, writer: number, n: number) => {
    const asked = performance.now()
    if ((writer + n) % 2 === 0) {
      const value = register.draw(writer, n)
      const { status } = await call(...register.write(value))
      const answered = status === 200 ? performance.now() : Number.POSITIVE_INFINITY
      register.history.push({ kind: 'write', value, asked, answered })
    } else {
      const { status, json } = await call('GET', register.read)
      if (status === 200)
        register.history.push({
          kind: 'read',
          value: register.valueOf(json as never),
          asked,
          answered: performance.now(),
        })
    }
  }

  const until = performance.now() + seconds * 1000
  const logged = Array.from({ length: writers }, () => new Set<number>())
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const group = writer % groups
      const run_id = runs[group]!
      const key = `m${writer}`
      for (let n = 0; performance.now() < until; n++) {
        const point = { key, value: n, timestamp: n, step: n }
        // Everybody's metrics go into the run that the group shares.
        const { status } =
          n % 3 === 0
            ? await call('POST', '/runs/log-metric', { run_id, ...point })
            : await call('POST', '/runs/log-batch', {
                run_id,
                metrics: [point],
                tags: [{ key: `last-${writer}`, value: `${n}` }],
                ...(n < 20 && { params: [{ key: `p${writer}-${n}`, value: `${n}` }] }),
              })
        if (status === 200) logged[writer]!.add(n)
        for (const register of registers[group]!) await operate(register, writer, n)
        if (n % 10 === 0) await call('POST', '/runs/search', { experiment_ids: [experiment_id], max_results: 5 })
      }
    }),
  )

  for (let writer = 0; writer < writers; writer++) {
    const found = new Set<number>()
    let page_token = ''
    do {
      const query = new URLSearchParams({ run_id: runs[writer % groups]!, metric_key: `m${writer}`, page_token })
      const { json } = await call('GET', `/metrics/get-history?${query}`)
      for (const { step } of json.metrics as { step: number }[]) found.add(step)
      page_token = json.next_page_token ?? ''
    } while (page_token)
    outcome.lost += [...logged[writer]!].filter((n) => !found.has(n)).length
    outcome.surplus += [...found].filter((n) => !logged[writer]!.has(n)).length
  }
  for (const { name, history, initial } of registers.flat()) {
    outcome.registers++
    outcome.operations += history.length
    if (!isLinearizable(history, initial)) outcome.tangled.push(name)
  }
  await pool.close()
  return outcome
}
