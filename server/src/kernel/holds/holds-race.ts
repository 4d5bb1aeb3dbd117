import { expect } from 'vitest'
import { systemClock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Subject } from '#kernel/events/index.ts'
import type { Store } from '#kernel/store/index.ts'
import { createHolds } from './index.ts'

const release: Subject = { kind: 'release', id: 'rel_1' }

/** Every round a hold is placed on a thing while it is deleted; whoever places looks whether the thing is still there. */
export async function raceHoldsAgainstDeletes(store: Store, rounds: number) {
  const holds = createHolds({ clock: systemClock })
  let placed = 0
  let deleted = 0
  await store.write((tx) => tx.run('CREATE TABLE thing (id TEXT PRIMARY KEY)'))
  for (let round = 0; round < rounds; round++) {
    const thing: Subject = { kind: 'model-version', id: `m/${round}` }
    await store.write((tx) => tx.run('INSERT INTO thing (id) VALUES (?)', [thing.id]))
    const place = () =>
      store.write(async (tx) => {
        await holds.place(tx, 'w', thing, release, 'it is served')
        if (!(await tx.get('SELECT id FROM thing WHERE id = ?', [thing.id]))) throw new DomainError('not-found', 'gone')
      })
    const remove = () =>
      store.write(async (tx) => {
        await holds.refuseIfHeld(tx, 'w', [thing], 'delete it')
        await tx.run('DELETE FROM thing WHERE id = ?', [thing.id])
      })
    const [first, second] = round % 2 ? [place, remove] : [remove, place]
    const results = await Promise.allSettled([first(), second()])
    const [placing, removing] = round % 2 ? results : results.toReversed()
    if (placing!.status === 'fulfilled') placed++
    if (removing!.status === 'fulfilled') deleted++
    expect([placing!.status, removing!.status].sort()).toEqual(['fulfilled', 'rejected'])
    const held = (await store.read((sql) => holds.on(sql, 'w', thing))).length
    const there = await store.read((sql) => sql.get('SELECT id FROM thing WHERE id = ?', [thing.id]))
    expect({ held, there: there !== undefined }).toEqual(
      placing!.status === 'fulfilled' ? { held: 1, there: true } : { held: 0, there: false },
    )
  }
  return { placed, deleted }
}
