import { afterAll, beforeAll, expect, test } from 'vitest'
import { DomainError } from '#kernel/errors.ts'
import { seededRandom } from '#kernel/random.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import type { Run, SearchPage } from '../model.ts'
import { RUNS } from './grammar.ts'
import { type Condition, type Filter, parseFilter } from './parse.ts'

/** What a condition means, said in plain JavaScript over whole runs: the database has to agree. */
function holds(filter: Filter, run: Run): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => holds(part, run))
    case 'or':
      return filter.parts.some((part) => holds(part, run))
    case 'not':
      return !holds(filter.part, run)
    case 'condition':
      return holdsOne(filter, run)
  }
}

function holdsOne(condition: Condition, run: Run): boolean {
  const { entity, key, operator } = condition
  const found =
    entity === 'metric'
      ? run.metrics.find((each) => each.key === key)?.value
      : entity === 'param'
        ? run.params.find((each) => each.key === key)?.value
        : entity === 'tag'
          ? run.tags.find((each) => each.key === key)?.value
          : { run_name: run.name, status: run.status, start_time: run.start_ms, end_time: run.end_ms ?? undefined }[key]
  if (operator === 'IS NULL') return found === undefined
  if (operator === 'IS NOT NULL') return found !== undefined
  return found !== undefined && compare(found, condition)
}

const like = (pattern: string, flags: string) =>
  new RegExp(
    `^${[...pattern].map((c) => (c === '%' ? '.*' : c === '_' ? '.' : c.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))).join('')}$`,
    `su${flags}`,
  )

function compare(found: string | number, { operator, value }: Condition): boolean {
  if (typeof found === 'number') {
    const wanted = Number(value)
    const results: Record<string, boolean> = {
      '=': found === wanted,
      '!=': found !== wanted,
      '<': found < wanted,
      '<=': found <= wanted,
      '>': found > wanted,
      '>=': found >= wanted,
    }
    return results[operator]!
  }
  if (operator === 'IN') return (value as string[]).includes(found)
  if (operator === 'NOT IN') return !(value as string[]).includes(found)
  if (operator === 'LIKE') return like(String(value), '').test(found)
  if (operator === 'ILIKE') return like(String(value), 'i').test(found)
  return operator === '=' ? found === value : found !== value
}

const VALUES = ['a', 'A', 'ab', 'a%b', 'a_b', "o'x", 'back\\slash', '', '10', '9', 'Z', '日本']
const NUMBERS = [0, 1, -1, 0.5, 1e300, -1e-9, Number.NaN, Infinity, 3]

eachStore('searching runs', (open) => {
  let at: MlflowServer
  let all: Run[]
  const experiments: string[] = []
  const random = seededRandom(11)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!

  const search = (more: object) =>
    at.store.query<SearchPage<Run>>('tracking.searchRuns', {
      workspace: 'default',
      experiment_ids: experiments,
      limit: 1000,
      ...more,
    })

  beforeAll(async () => {
    at = await startMlflowServer(open)
    const who = at.who()
    for (const name of ['one', 'two']) {
      experiments.push(await at.store.write((tx) => at.tracking.createExperiment(tx, who, { name, tags: [] })))
    }
    for (let i = 0; i < 60; i++) {
      const run = await at.store.command<Run>('tracking.createRun', {
        ...at.tracking.draw.run(who),
        experiment_id: pick(experiments),
        start_ms: 1000 + Math.floor(random.next() * 10),
        name: pick(VALUES) || 'unnamed',
        tags: ['t1', 't2'].filter(() => random.next() < 0.7).map((key) => ({ key, value: pick(VALUES) })),
      })
      await at.store.command('tracking.logBatch', {
        ...at.tracking.draw.stamp(who),
        run_id: run.run_id,
        metrics: ['m1', 'm2']
          .filter(() => random.next() < 0.7)
          .map((key) => ({ key, value: pick(NUMBERS), timestamp_ms: 1, step: 0 })),
        params: ['p1', 'p2'].filter(() => random.next() < 0.7).map((key) => ({ key, value: pick(VALUES) })),
        tags: [],
      })
      if (random.next() < 0.5) {
        await at.store.command('tracking.updateRun', {
          ...at.tracking.draw.stamp(who),
          run_id: run.run_id,
          status: 'FINISHED',
          end_ms: 2000 + (i % 5),
        })
      }
    }
    all = (await search({})).items
  })
  afterAll(() => at?.close())

  const quote = (value: string) => `'${value.replaceAll("'", "''")}'`

  function randomCondition(): string {
    const number = () =>
      `${pick(['=', '!=', '<', '<=', '>', '>='])} ${pick([0, 1, -1, 0.5, 1e300, 3, 1003, 2002, 1.5])}`
    const text = () => {
      const operator = pick(['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'])
      if (operator.endsWith('IN')) return `${operator} (${quote(pick(VALUES))}, ${quote(pick(VALUES))})`
      return `${operator} ${quote(operator.endsWith('LIKE') ? pick(['a%', '%', 'A_', '_', '%b', 'a\\%', 'o_x', '']) : pick(VALUES))}`
    }
    return pick([
      () => `metrics.${pick(['m1', 'm2', 'none'])} ${number()}`,
      () => `params.${pick(['p1', 'p2', 'none'])} ${text()}`,
      () => `tags.${pick(['t1', 't2'])} ${text()}`,
      () => `${pick(['params.p1', 'tags.t2', 'tags.none'])} IS ${pick(['', 'NOT '])}NULL`,
      () => `${pick(['start_time', 'end_time'])} ${number()}`,
      () => `run_name ${pick(['=', '!=', 'LIKE', 'ILIKE'])} ${quote(pick(VALUES))}`,
      () => `status ${pick(['=', '!='])} 'FINISHED'`,
    ])()
  }

  function randomFilter(depth = 0): string {
    if (depth > 2 || random.next() < 0.4) return randomCondition()
    return pick([
      () => `${randomFilter(depth + 1)} AND ${randomFilter(depth + 1)}`,
      () => `(${randomFilter(depth + 1)} OR ${randomFilter(depth + 1)})`,
      () => `NOT (${randomFilter(depth + 1)})`,
    ])()
  }

  test('agrees with what the filter says, for whatever filter', async () => {
    let matched = 0
    for (let i = 0; i < 400; i++) {
      const text = randomFilter()
      const filter = parseFilter(text, RUNS)!
      // A comparison with a missing end is unknown to SQL, and so is its negation; JavaScript has no third value.
      if (/end_time/.test(text) && /NOT \(/.test(text)) continue
      const expected = all.filter((run) => holds(filter, run)).map(({ run_id }) => run_id)
      const found = (await search({ filter: text })).items.map(({ run_id }) => run_id)
      expect(found, text).toEqual(expected)
      matched += found.length
    }
    expect(matched).toBeGreaterThan(1000)
  })

  test('pages hold each run once and in order, for whatever order', async () => {
    const keys = [
      'metrics.m1',
      'metrics.m2',
      'metrics.none',
      'params.p1',
      'tags.t1',
      'start_time',
      'end_time',
      'run_name',
      'status',
      'run_id',
      'artifact_uri',
    ]
    for (let i = 0; i < 40; i++) {
      const order_by = [...new Set([pick(keys), pick(keys)])].map((key) => `${key} ${pick(['ASC', 'DESC', ''])}`)
      const whole = (await search({ order_by })).items.map(({ run_id }) => run_id)
      expect(whole, String(order_by)).toHaveLength(60)
      const paged: string[] = []
      let position: unknown
      do {
        const page = await search({ order_by, limit: 7, ...(position !== undefined && { position }) })
        paged.push(...page.items.map(({ run_id }) => run_id))
        position = page.next
      } while (position !== undefined)
      expect(paged, String(order_by)).toEqual(whole)
    }
  })

  test('orders numbers, then NaN, then what is missing, in both directions', async () => {
    for (const direction of ['ASC', 'DESC']) {
      const { items } = await search({ order_by: [`metrics.m1 ${direction}`] })
      const values = items.map((run) => run.metrics.find(({ key }) => key === 'm1')?.value)
      const kinds = values.map((value) => (value === undefined ? 2 : Number.isNaN(value) ? 1 : 0))
      expect(kinds).toEqual([...kinds].sort())
      const numbers = values.filter((value): value is number => value !== undefined && !Number.isNaN(value))
      expect(numbers).toEqual([...numbers].sort((a, b) => (direction === 'ASC' ? a - b : b - a)))
    }
  })

  test('refuses a page of another order, and wildcards without end', async () => {
    const { next } = await search({ limit: 1 })
    await expect(search({ order_by: ['metrics.m1'], position: next })).rejects.toBeInstanceOf(DomainError)
    await expect(search({ filter: `tags.t1 LIKE '${'%a'.repeat(30)}'` })).rejects.toMatchObject({ problem: 'invalid' })
    await expect(search({ experiment_ids: ['x'] })).rejects.toMatchObject({ problem: 'invalid' })
    expect((await search({ experiment_ids: [] })).items).toEqual([])
  })
})
