import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Subject } from '#kernel/events/index.ts'
import { eachStore, type TestStore } from '#kit/store.ts'
import { raceHoldsAgainstDeletes } from './holds-race.ts'
import { createHolds, holdsMigrations } from './index.ts'

const version: Subject = { kind: 'model-version', id: 'flight-delay/3' }
const run: Subject = { kind: 'run', id: 'a1' }
const release: Subject = { kind: 'release', id: 'rel_1' }
const other: Subject = { kind: 'release', id: 'rel_2' }

eachStore('holds', (open) => {
  let opened: TestStore
  beforeAll(async () => {
    opened = await open({ migrations: [holdsMigrations] })
  })
  afterEach(async () => {
    await opened.store.write((tx) => tx.run('DELETE FROM hold'))
  })
  afterAll(() => opened.close())
  const build = () => ({ store: opened.store, holds: createHolds({ clock: manualClock(1_000) }) })

  test('a held thing is not deleted, and the refusal names who holds it', async () => {
    const { store, holds } = build()
    await store.write((tx) => holds.place(tx, 'w', version, release, 'release rel_1 serves it at endpoint flights'))
    const refused = store.write((tx) =>
      holds.refuseIfHeld(tx, 'w', [run, version], 'delete model version flight-delay/3'),
    )
    const error = await refused.catch((thrown) => thrown as DomainError)
    expect(error).toBeInstanceOf(DomainError)
    expect(error).toMatchObject({
      problem: 'conflict',
      message: 'cannot delete model version flight-delay/3: release rel_1 serves it at endpoint flights',
      facts: {
        holders: [{ subject: version, by: release, reason: 'release rel_1 serves it at endpoint flights' }],
        holders_count: 1,
      },
    })
    await store.write((tx) => holds.refuseIfHeld(tx, 'elsewhere', [version], 'delete it'))
    await store.write((tx) => holds.refuseIfHeld(tx, 'w', [run], 'delete run a1'))
  })

  test('placing twice is placing once; letting go frees all that one holder holds and nothing of another', async () => {
    const { store, holds } = build()
    await store.write(async (tx) => {
      await holds.place(tx, 'w', version, release, 'one')
      await holds.place(tx, 'w', version, release, 'one again')
      await holds.place(tx, 'w', run, release, 'one')
      await holds.place(tx, 'w', version, other, 'two')
    })
    expect(await store.read((sql) => holds.on(sql, 'w', version))).toEqual([
      { workspace: 'w', subject: version, by: release, reason: 'one', placed_ms: 1_000 },
      { workspace: 'w', subject: version, by: other, reason: 'two', placed_ms: 1_000 },
    ])
    await store.write((tx) => holds.release(tx, 'w', release))
    expect(await store.read((sql) => holds.on(sql, 'w', run))).toEqual([])
    expect((await store.read((sql) => holds.on(sql, 'w', version))).map(({ by }) => by)).toEqual([other])
  })

  test('many holders are counted, not listed; too many subjects are refused', async () => {
    const { store, holds } = build()
    await store.write(async (tx) => {
      for (let n = 0; n < 30; n++)
        await holds.place(tx, 'w', version, { kind: 'release', id: `rel_${n}` }, `release ${n} serves it`)
    })
    const refused = (subjects: Subject[]) =>
      store.write((tx) => holds.refuseIfHeld(tx, 'w', subjects, 'delete it')).catch((thrown) => thrown as DomainError)
    const error = (await refused([version])) as DomainError
    expect(error.message).toMatch(/^cannot delete it: (release \d+ serves it; ){5}and 25 more$/)
    expect(error.facts).toMatchObject({ holders_count: 30 })
    const many = Array.from({ length: 1_001 }, (_, n): Subject => ({ kind: 'run', id: String(n) }))
    expect(await refused(many)).toMatchObject({ problem: 'too-large' })
  })

  test('placing a hold and deleting the thing race, and never both happen', async () => {
    const { store } = build()
    await raceHoldsAgainstDeletes(store, 100)
  })
})
