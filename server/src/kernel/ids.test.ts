import { expect, test } from 'vitest'
import { manualClock } from './clock.ts'
import { createIds, ID_PREFIXES, type IdKind, timeOfId } from './ids.ts'
import { seededRandom, systemRandom } from './random.ts'

test('an id says what it names and when it was made, and is a UUIDv7', () => {
  const clock = manualClock(Date.UTC(2026, 10, 23, 12, 34, 56, 789))
  const ids = createIds(clock, systemRandom)
  for (const kind of Object.keys(ID_PREFIXES) as IdKind[]) {
    const id = ids.next(kind)
    expect(id).toMatch(new RegExp(`^${ID_PREFIXES[kind]}_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$`))
    expect(timeOfId(id)).toBe(clock.now())
  }
  expect(ids.hex()).toMatch(/^[0-9a-f]{32}$/)
  expect(timeOfId(ids.hex())).toBe(clock.now())
  for (const other of ['', 'run_1', 'rel_zz', '0'.repeat(32)]) expect(timeOfId(other)).toBeUndefined()
  expect(new Set(Object.values(ID_PREFIXES)).size).toBe(Object.keys(ID_PREFIXES).length)
})

test('ids sort by when they were made, many in a millisecond and also while the clock goes back', () => {
  const clock = manualClock()
  const ids = createIds(clock, systemRandom)
  const made: string[] = []
  for (let n = 0; n < 20_000; n += 1) {
    if (n % 7_000 === 6_999) clock.advance(n > 10_000 ? -5_000 : 3)
    made.push(ids.hex())
  }
  expect(made.toSorted()).toEqual(made)
  expect(new Set(made).size).toBe(made.length)
})

test('a seed gives the same ids and numbers again; the system never does', () => {
  const of = (seed: number) => {
    const ids = createIds(manualClock(), seededRandom(seed))
    return [ids.next('release'), ids.hex()]
  }
  expect(of(1)).toEqual(of(1))
  expect(of(1)).not.toEqual(of(2))
  const numbers = Array.from({ length: 10_000 }, seededRandom(3).next)
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
  const mean = numbers.reduce((sum, number) => sum + number) / numbers.length
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02)

  // Small askings come from one pool, each byte of it once; what was given is the caller's own.
  const given = Array.from({ length: 5_000 }, () => systemRandom.bytes(16))
  expect(new Set(given.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(given.length)
  const [first, second] = [systemRandom.bytes(8), systemRandom.bytes(8)]
  const before = Buffer.from(second).toString('hex')
  first.fill(0)
  expect(Buffer.from(second).toString('hex')).toBe(before)
  expect([0, 1, 511, 513, 10_000].map((count) => systemRandom.bytes(count).length)).toEqual([0, 1, 511, 513, 10_000])
})
