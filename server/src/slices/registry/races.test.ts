/** Two who write at once: on PostgreSQL their transactions run side by side, and whoever reads to decide must lock first. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Tx } from '#kernel/store/index.ts'
import { openRegistry, RELEASE, type RegistryWorld, WHY, who } from '#kit/registry.ts'
import { eachStore } from '#kit/store.ts'

const ROUNDS = 12

eachStore('at the same moment', (open) => {
  let it: RegistryWorld
  beforeEach(async () => {
    it = await openRegistry(open)
  })
  afterEach(() => it.close())
  const together = (...works: ((tx: Tx) => Promise<unknown>)[]) =>
    Promise.allSettled(works.map((work) => it.write(work)))

  test('ending a run twice and renaming it end it once, and nothing of it is lost', async () => {
    const { tracking } = it
    for (let round = 0; round < ROUNDS; round++) {
      const { run_id } = await it.write((tx) => tracking.createRun(tx, who, { experiment_id: '0' }))
      const end = (tx: Tx) => tracking.updateRun(tx, who, run_id, { status: 'FINISHED', end_ms: 9 })
      await together(end, (tx) => tracking.updateRun(tx, who, run_id, { name: 'best' }), end)
      const run = await it.read((sql) => tracking.getRun(sql, 'default', run_id))
      expect(run).toMatchObject({ status: 'FINISHED', end_ms: 9, name: 'best' })
      const told = await it.read((sql) =>
        it.events.list(sql, 'default', { subject: { kind: 'run', id: run_id }, limit: 9 }),
      )
      expect(told.filter(({ name }) => name === 'tracking.run-ended')).toHaveLength(1)
    }
  })

  test('a logged model that is registered under two names names both', async () => {
    await it.createModel('a')
    await it.createModel('b')
    for (let round = 1; round <= ROUNDS; round++) {
      const { model } = await it.train()
      const source = `models:/${model.model_id}`
      await Promise.all([it.register({ name: 'a', source }), it.register({ name: 'b', source })])
      const { tags } = await it.read((sql) => it.tracking.getLoggedModel(sql, 'default', model.model_id))
      const named = JSON.parse(tags.find(({ key }) => key === 'mlflow.modelVersions')!.value) as { name: string }[]
      expect(named.map(({ name }) => name).sort()).toEqual(['a', 'b'])
    }
  })

  test('a release that takes hold and a delete never both have their way', async () => {
    await it.createModel('churn')
    const hold = (version: number) => (tx: Tx) => it.registry.holdFor(tx, 'default', it.at(version), RELEASE, WHY)
    const held = (kind: string) =>
      it.read((sql) => sql.all('SELECT subject_id FROM hold WHERE subject_kind = ?', [kind]))
    for (let round = 1; round <= ROUNDS; round++) {
      const { run, model } = await it.train()
      await it.register({ name: 'churn', source: `models:/${model.model_id}` })
      const [kind, remove, there] = (
        [
          [
            'run',
            (tx: Tx) => it.tracking.deleteRun(tx, who, run.run_id),
            async () => (await it.read((sql) => it.tracking.getRun(sql, 'default', run.run_id))).lifecycle === 'active',
          ],
          [
            'logged-model',
            (tx: Tx) => it.tracking.deleteLoggedModel(tx, who, model.model_id),
            () =>
              it
                .read((sql) => it.tracking.getLoggedModel(sql, 'default', model.model_id))
                .then(
                  () => true,
                  () => false,
                ),
          ],
        ] as const
      )[round % 2]!
      await (round % 4 < 2 ? together(hold(round), remove) : together(remove, hold(round)))
      expect(await there()).toBe((await held(kind)).length > 0)
      await it.write((tx) => it.holds.release(tx, 'default', RELEASE))
    }
  })
})
