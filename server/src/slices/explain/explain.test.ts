import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openKernel } from '#kit/kernel.ts'
import { ada, type Harness, type Models, makeModels, openServing } from '#kit/serving.ts'
import { eachStore, testStore } from '#kit/store.ts'
import { readRows } from '../serving/forms.ts'
import * as rows from './explain-store.ts'
import { createExplain, type Explain, explainMigrations } from './index.ts'

const FACTS: rows.AttributionFacts = {
  method: 'tree',
  space: 'probability',
  class: 1,
  base_value: 0.25,
  output: 0.75,
  attributions: [{ feature: 'x', value: 0.5, input: null }],
}

eachStore('explanations', (open) => {
  test('one per version and one per prediction row, by workspace', async () => {
    const kernel = await openKernel(open, [explainMigrations])
    const { store, clock } = kernel
    try {
      const one = { prediction: 'prd_1.0', endpoint: 'e', model: 'm', version: 1, took_ms: 5, made_ms: clock.now() }
      const waiting: rows.Explanation = {
        model: 'm',
        version: 1,
        state: 'waiting',
        reason: null,
        report: null,
        job: null,
        created_ms: clock.now(),
        ended_ms: null,
      }
      await store.write(async (tx) => {
        await rows.putAttribution(tx, 'w', { ...one, ...FACTS })
        await rows.putAttribution(tx, 'w', { ...one, ...FACTS, version: 2 })
        await rows.putExplanation(tx, 'w', waiting)
        await rows.putExplanation(tx, 'w', { ...waiting, state: 'failed', reason: 'no rows', ended_ms: 7 })
      })
      await store.read(async (sql) => {
        expect(await rows.attributionOf(sql, 'w', 'prd_1.0')).toEqual({ ...one, ...FACTS, version: 2 })
        expect(await rows.attributionOf(sql, 'elsewhere', 'prd_1.0')).toBeUndefined()
        expect(await rows.explanationOf(sql, 'w', 'm', 1)).toMatchObject({ state: 'failed', reason: 'no rows' })
        expect(await rows.explanationOf(sql, 'elsewhere', 'm', 1)).toBeUndefined()
      })
    } finally {
      await kernel.close()
    }
  })
})

describe('explaining a real model', () => {
  let models: Models
  let at: Harness
  let explain: Explain
  beforeAll(async () => {
    models = await makeModels([])
    at = await openServing(
      (options) => testStore({ ...options, migrations: [...(options?.migrations ?? []), explainMigrations] }),
      models,
    )
    explain = createExplain({ ...at, log: silentLog, idle_ms: 1000 })
    await at.addVersion('late', 1, `${models.dir}/late`)
    at.trainOn(`${models.dir}/rows.parquet`)
    await at.prepare('late', 1)
    await at.apply('e', { model: 'late', task: 'binary', score: 1, positive: 1 })
    await at.route('e', (await at.load('e', 1)).id)
  }, 600_000)
  afterAll(async () => {
    await explain?.stop()
    await at?.close()
    await models?.close()
  })

  const predict = (row: Record<string, unknown>) =>
    at.serving.predict({ workspace: 'w', endpoint: 'e', read: (features) => readRows(features, [row], undefined) })

  test('one prediction: attributions add up to what was answered, from one warm process, once', async () => {
    const first = await predict({ dep: 20.5, dist: 900, stops: 1, carrier: 'B6' })
    const second = await predict({ dep: 3, dist: null, stops: 0, carrier: 'AA' })
    // Twice at once is computed once.
    const [one, same] = await Promise.all([
      explain.explainPrediction('w', first.id),
      explain.explainPrediction('w', `${first.id}.0`),
    ])
    expect(same).toBe(one)
    expect(one).toMatchObject({
      prediction: `${first.id}.0`,
      endpoint: 'e',
      model: 'late',
      version: 1,
      space: 'log-odds',
    })
    for (const [answer, found] of [
      [first, one],
      [second, await explain.explainPrediction('w', second.id)],
    ] as const) {
      const sum = found.attributions.reduce((total, { value }) => total + value, found.base_value)
      expect(Math.abs(sum - found.output)).toBeLessThan(1e-6)
      expect(1 / (1 + Math.exp(-found.output))).toBeCloseTo(answer.scores[0]!, 5)
      expect(found.attributions.map(({ feature }) => feature).sort()).toEqual(['carrier', 'dep', 'dist', 'stops'])
    }
    expect(one.attributions[0]).toMatchObject({ feature: 'dep', input: 20.5 })
    expect(one.attributions[0]!.value).toBeGreaterThan(0)
    expect(explain.warm()).toBe(1)
    expect(await at.store.read((sql) => explain.attributions(sql, 'w', second.id))).toMatchObject({ model: 'late' })
    await expect.poll(() => explain.warm(), { timeout: 20_000 }).toBe(0)
    expect(await explain.explainPrediction('w', first.id)).toEqual(one)
    expect(explain.warm()).toBe(0)
  }, 120_000)

  test('what cannot be explained says why', async () => {
    const unknown = at.ids.next('prediction')
    await expect(explain.explainPrediction('w', unknown)).rejects.toMatchObject({ problem: 'not-found' })
    const { id } = await predict({ dep: 1, dist: 1, stops: 1, carrier: 'DL' })
    await expect(explain.explainPrediction('elsewhere', id)).rejects.toMatchObject({ problem: 'not-found' })
  })

  test('a version as a whole: importance by original column, and a sample of rows', async () => {
    await at.store.write((tx) => explain.explainVersion(tx, ada, 'late', 1))
    await at.settled()
    const found = await at.store.read((sql) => explain.explanation(sql, 'w', 'late', 1))
    expect(found).toMatchObject({ state: 'done', reason: null })
    const { report } = found!
    expect(report).toMatchObject({ method: 'tree', space: 'log-odds', class: 1, rows: 500, source_rows: 1500 })
    expect(report!.importance.map(({ feature }) => feature)[0]).toBe('dep')
    expect(report!.beeswarm.inputs).toHaveLength(500)
    const [event] = await at.store.read((sql) =>
      at.events.list(sql, 'w', { name_prefix: 'explain.version-explained', limit: 1 }),
    )
    expect(event!.after).toEqual({ model: 'late', version: 1, ok: true, reason: null })
  }, 120_000)

  test('without training data, or without the version, it fails with its reason', async () => {
    at.trainOn(undefined)
    await at.store.write(async (tx) => {
      await explain.explainVersion(tx, ada, 'late', 1)
      await explain.explainVersion(tx, ada, 'nobody', 1)
    })
    await at.settled()
    const states = await at.store.read(async (sql) => [
      await explain.explanation(sql, 'w', 'late', 1),
      await explain.explanation(sql, 'w', 'nobody', 1),
    ])
    expect(states.map((one) => [one!.state, one!.reason])).toEqual([
      ['failed', 'no training data of this version is here; attach rows to have it explained'],
      ['failed', "no version 1 of model 'nobody'"],
    ])
  })
})
