import { afterAll, describe, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { storeWithManyRuns } from '#kit/many-runs.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { createRunSealer } from './columns/sealer.ts'

const RUNS = Number(process.env.SLIPWAY_LONG_RUNS ?? 100_000)
const API = '/api/slipway/v1'
const ASKS = 60

/** On the clock, and of processor time: client, server and reader threads together. The latter is what is judged: others use this machine, too. */
interface Took {
  what: string
  p50_ms: number
  p95_ms: number
  longest_ms: number
  p50_cpu_ms: number
  p95_cpu_ms: number
}

const table: Took[] = []
afterAll(() => console.table(table))

async function timed(what: string, ask: (i: number) => Promise<unknown>, times = ASKS): Promise<Took> {
  const took: number[] = []
  const used: number[] = []
  for (let i = 0; i < times; i++) {
    const began = performance.now()
    const before = process.cpuUsage()
    await ask(i)
    took.push(performance.now() - began)
    const { user, system } = process.cpuUsage(before)
    used.push((user + system) / 1000)
  }
  const at = (list: number[], share: number) => {
    const sorted = list.toSorted((a, b) => a - b)
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]! * 10) / 10
  }
  const row = {
    what,
    p50_ms: at(took, 0.5),
    p95_ms: at(took, 0.95),
    longest_ms: at(took, 1),
    p50_cpu_ms: at(used, 0.5),
    p95_cpu_ms: at(used, 0.95),
  }
  table.push(row)
  return row
}

async function start(many: Parameters<typeof storeWithManyRuns>[0]): Promise<MlflowServer> {
  let began = performance.now()
  const seconds = () => Math.round((performance.now() - began) / 100) / 10
  const at = await startMlflowServer(storeWithManyRuns(many))
  console.log(`${JSON.stringify(many)}: written in ${seconds()} s`)
  began = performance.now()
  await createRunSealer({ store: at.store, now: Date.now, log: silentLog }).sealAll(512)
  console.log(`sealed in ${seconds()} s`)
  return at
}

const good = async (at: MlflowServer, method: string, path: string, body?: unknown) => {
  const answer = await at.call(method, path, body)
  expect(answer.status, JSON.stringify(answer.body).slice(0, 300)).toBe(200)
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  return answer.body as any
}

describe(`${RUNS} runs of 200 columns in one experiment`, () => {
  test('give a first page in any order and by any filter within 100 ms', async () => {
    const at = await start({ runs: RUNS, metrics: 120, params: 60, tags: 20 })
    try {
      const random = seededRandom(3)
      const below = (n: number) => Math.floor(random.next() * n)
      const pick = <T>(values: readonly T[]): T => values[below(values.length)]!
      const metric = () => `metrics.metric_${below(120)}`
      const param = (kind: number) => `params.param_${below(20) * 3 + kind}`
      const column = () => pick([metric, () => param(below(3)), () => `tags.tag_${below(20)}`])()
      const condition = () =>
        pick([
          () => `${metric()} > ${random.next().toFixed(3)}`,
          () => `${metric()} > 0.9999`,
          () => `${param(0)} < ${random.next().toFixed(3)}`,
          () => `${param(1)} = 'choice-${below(20)}'`,
          () => `${param(1)} IN ('choice-1', 'choice-2')`,
          () => `${param(2)} LIKE 'text 12%'`,
          () => `tags.tag_${below(20)} MATCHES 'label-[12]\\d$'`,
          () => `status = 'FAILED'`,
          () => `run_name LIKE '%99%'`,
          () => `${metric()} IS NULL`,
        ])()
      const filter = () =>
        pick([condition, () => `${condition()} AND ${condition()}`, () => `(${condition()} OR NOT ${condition()})`])()
      const page = (more: object) =>
        good(at, 'POST', `${API}/runs/table`, {
          experiments: ['0'],
          columns: Array.from({ length: 20 }, (_, n) => `metrics.metric_${n}`),
          limit: 50,
          ...more,
        })
      await timed('the very first page', () => page({}), 1)
      expect((await page({})).total).toBe(RUNS)
      const rows = [
        await timed('first page, newest first', () => page({})),
        await timed('first page, any order', () => page({ order_by: [`${column()} ${pick(['ASC', 'DESC'])}`] })),
        await timed('first page, any filter', () => page({ filter: filter() })),
        await timed('first page, any filter and order', () =>
          page({ filter: filter(), order_by: [column(), `${column()} DESC`] }),
        ),
        await timed('page 1 of MLflow, any filter and order', () =>
          good(at, 'POST', '/api/2.0/mlflow/runs/search', {
            experiment_ids: ['0'],
            max_results: 50,
            filter: `${metric()} > 0.5 AND ${param(1)} = 'choice-3'`,
            order_by: [`${metric()} DESC`],
          }),
        ),
      ]
      const order_by = [metric()]
      await timed('a page anywhere, one order', () => page({ order_by, offset: below(RUNS - 50) }))
      await timed('groups by a param, 20 means', () => page({ group_by: [param(1)] }), 20)
      await timed('column names', () => good(at, 'GET', `${API}/runs/columns?experiment=0&q=${below(100)}&limit=50`))
      for (const row of rows) expect(row.p95_cpu_ms, row.what).toBeLessThan(100)
    } finally {
      await at.close()
    }
  })

  test('of 12,000 different metrics do too', async () => {
    const at = await start({ runs: Math.min(RUNS, 20_000), metrics: 12_000, metrics_of_a_run: 200, params: 5, tags: 2 })
    try {
      const random = seededRandom(5)
      const metric = () => `metrics.metric_${Math.floor(random.next() * 12_000)}`
      const page = (more: object) =>
        good(at, 'POST', `${API}/runs/table`, {
          experiments: ['0'],
          columns: Array.from({ length: 20 }, metric),
          limit: 50,
          ...more,
        })
      await timed('12,000 metrics: the very first page', () => page({}), 1)
      const rows = [
        await timed('12,000 metrics: first page', () => page({})),
        await timed('12,000 metrics: any order', () => page({ order_by: [metric()] })),
        await timed('12,000 metrics: any filter', () => page({ filter: `${metric()} > 0.5 OR ${metric()} < 0.1` })),
        await timed('12,000 metrics: names', () => good(at, 'GET', `${API}/runs/columns?experiment=0&q=77&limit=50`)),
      ]
      expect((await good(at, 'GET', `${API}/runs/columns?experiment=0&kind=metric&limit=1000`)).items).toHaveLength(
        1000,
      )
      for (const row of rows) expect(row.p95_cpu_ms, row.what).toBeLessThan(100)
    } finally {
      await at.close()
    }
  })
})
