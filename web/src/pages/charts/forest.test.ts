import { describe, expect, test } from 'vitest'
import { columnOf } from './columns.ts'
import { explain, spearman } from './forest.ts'

const N = 60
const noise = (at: number) => ((at * 7919) % 101) / 101 - 0.5
const lr = Array.from({ length: N }, (_, at) => ((at * 37) % N) / N)
const kind = Array.from({ length: N }, (_, at) => ['a', 'b', 'c'][at % 3]!)
const seed = Array.from({ length: N }, (_, at) => (at * 13) % 59)
const auc = lr.map((rate, at) => 2 * rate + (kind[at] === 'b' ? 0.5 : 0) + 0.05 * noise(at))
const params = [
  columnOf('params', 'lr', lr.map(String)),
  columnOf('params', 'kind', kind),
  columnOf('params', 'seed', seed.map(String)),
  columnOf(
    'params',
    'same',
    lr.map(() => '1'),
  ),
  columnOf(
    'params',
    'name',
    lr.map((_, at) => `run ${at}`),
  ),
]

describe('importance', () => {
  test('finds what the metric follows, in its order, and says how well it tells', () => {
    const found = explain(params, columnOf('metrics', 'auc', auc))!
    expect(found.items.map(({ name }) => name)).toEqual(['params.lr', 'params.kind', 'params.seed'])
    expect(found.items[0]!.share).toBeGreaterThan(0.6)
    expect(found.items[1]!.share).toBeGreaterThan(0.05)
    expect(found.items[2]!.share).toBeLessThan(0.03)
    expect(found.items[0]!.spearman).toBeGreaterThan(0.8)
    expect(found.items[1]!.spearman).toBeNull()
    expect(found.r2).toBeGreaterThan(0.7)
    expect(found.left_out).toEqual(['params.name'])
    expect(explain(params, columnOf('metrics', 'auc', auc))).toEqual(found)
  })

  test('a metric of chance is told apart from one that can be foretold', () => {
    const chance = Array.from({ length: N }, (_, at) => Math.sin(at * 12.9898) * 43758.5453)
    const found = explain(
      params,
      columnOf(
        'metrics',
        'chance',
        chance.map((value) => value - Math.floor(value)),
      ),
    )!
    expect(found.r2).toBeLessThan(0.3)
  })

  test('nothing is said about fewer than ten runs, or a metric that never changes', () => {
    expect(explain(params, columnOf('metrics', 'auc', auc.slice(0, 9)))).toBeUndefined()
    expect(
      explain(
        params,
        columnOf(
          'metrics',
          'auc',
          auc.map(() => 1),
        ),
      ),
    ).toBeUndefined()
  })

  test('rank correlation, with ties', () => {
    expect(spearman([1, 2, 3, 4], [10, 20, 30, 40])).toBeCloseTo(1)
    expect(spearman([1, 2, 3, 4], [8, 4, 2, 1])).toBeCloseTo(-1)
    expect(spearman([1, 1, 2, 3], [1, 2, 3, 4])).toBeCloseTo(0.9487, 3)
    expect(spearman([5, 5, 5], [1, 2, 3])).toBeNull()
  })
})
