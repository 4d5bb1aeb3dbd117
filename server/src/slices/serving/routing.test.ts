import { expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { pointOf, routeOf, type TrafficRoute } from './routing.ts'

const routes = (share: number): TrafficRoute[] => [
  { revision: 'old', share: 1 - share, role: 'stable' },
  { revision: 'new', share, role: 'canary' },
]
const KEYS = Array.from({ length: 20_000 }, (_, n) => `customer-${n}`)
const canaries = (share: number, endpoint = 'delay') =>
  new Set(KEYS.filter((key) => routeOf(routes(share), endpoint, key, () => 0)!.revision === 'new'))
/** Five standard deviations of a binomial share. */
const bound = (share: number, count: number) => 5 * Math.sqrt((share * (1 - share)) / count)

test('a key keeps its route, and a growing canary keeps those that it has', () => {
  let before = new Set<string>()
  for (const share of [0.01, 0.1, 0.3, 0.5, 0.9, 1]) {
    const now = canaries(share)
    expect(canaries(share)).toEqual(now)
    expect([...before].filter((key) => !now.has(key))).toEqual([])
    expect(Math.abs(now.size / KEYS.length - share)).toBeLessThanOrEqual(bound(share, KEYS.length))
    before = now
  }
})

test('endpoints assign the same keys independently', () => {
  const [here, there] = [canaries(0.5, 'a'), canaries(0.5, 'b')]
  const both = [...here].filter((key) => there.has(key)).length
  expect(Math.abs(both / KEYS.length - 0.25)).toBeLessThan(bound(0.25, KEYS.length))
})

test('without a key it is by chance, within the bounds of the shares', () => {
  const { next } = seededRandom(4)
  const three: TrafficRoute[] = [
    { revision: 'a', share: 0.7, role: 'stable' },
    { revision: 'b', share: 0.2, role: 'canary' },
    { revision: 'c', share: 0.1, role: 'canary' },
  ]
  const counts = new Map<string, number>()
  for (let n = 0; n < 20_000; n++) {
    const { revision } = routeOf(three, 'delay', undefined, next)!
    counts.set(revision, (counts.get(revision) ?? 0) + 1)
  }
  for (const { revision, share } of three)
    expect(Math.abs(counts.get(revision)! / 20_000 - share)).toBeLessThan(bound(share, 20_000))
})

test('no routes give none; a share of nothing gets nothing; rounding falls to the stable one', () => {
  expect(routeOf([], 'delay', 'k', () => 0)).toBeUndefined()
  expect(canaries(0).size).toBe(0)
  const short: TrafficRoute[] = [
    { revision: 'new', share: 0.1, role: 'canary' },
    { revision: 'old', share: 0.9 - 1e-10, role: 'stable' },
  ]
  expect(routeOf(short, 'delay', undefined, () => 1 - 1e-12)!.revision).toBe('old')
})

test('points lie evenly in [0, 1)', () => {
  const bins = new Array(20).fill(0)
  for (const key of KEYS) bins[Math.floor(pointOf(key) * 20)]++
  for (const count of bins) expect(Math.abs(count / KEYS.length - 0.05)).toBeLessThan(bound(0.05, KEYS.length))
})
