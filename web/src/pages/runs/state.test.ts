import { expect, test } from 'vitest'
import { betterOf } from './columns.ts'
import { packRuns, unpackRuns } from './run-ids.ts'
import { colorOf, readState, type TableState, writeState } from './state.ts'
import { boxOf, columnsSeen } from './window.ts'

const runs = Array.from({ length: 500 }, (_, at) =>
  (BigInt(at + 1) * 0x9e3779b97f4a7c15f39cc0605ce1n).toString(16).padStart(32, '0').slice(-32),
)

test('everything that can be arranged comes back from the address', () => {
  const state: TableState = {
    filter: "metrics.auc > 0.7 AND tags.`a&b` = 'x'",
    order: [
      { column: 'm.auc', descending: true },
      { column: 'p.-lr', descending: false },
    ],
    columns: ['status', 'm.a*b', 'p.100%', 't.x,y', 'm.a%2Ab'],
    pins: 2,
    group: ['p.model'],
    base: runs[0]!,
    better: { 'm.auc': 'up', 'm.a*b': 'down', 'p.lr': 'none' },
    show: 'all',
    nest: true,
    open: runs.slice(0, 2),
    sel: runs.slice(0, 20),
    hidden: runs.slice(3, 4),
    colors: { [runs[0]!]: 7 },
    also: ['4', '5'],
    view: 'rvw_1',
  }
  const search = writeState(state, 'own=1')
  expect(readState(`?${search}`)).toEqual(state)
  expect(new URLSearchParams(search).get('own')).toBe('1')
  expect(writeState(readState(''))).toBe('')
  expect(readState(`?${writeState({ ...readState(''), columns: [] })}`).columns).toEqual([])
})

test('an address of whatever kind is read', () => {
  const state = readState(
    '?order=---**-nothing*-m.&columns=constructor*m.a*m.a&pins=-3&better=zx&colors=9a*xb&sel=..&also=4*x&show=none',
  )
  expect(state).toMatchObject({
    columns: ['m.a'],
    pins: 0,
    better: {},
    colors: {},
    sel: [],
    also: ['4'],
    show: 'active',
  })
})

test('500 runs fit an address', () => {
  expect(packRuns(runs)).toHaveLength(11_001)
  expect(unpackRuns(packRuns(runs))).toEqual(runs)
  expect(packRuns(['0a', '0b'])).toBe('0a,0b')
  expect(unpackRuns('0a,0b,0a')).toEqual(['0a', '0b'])
  const odd = [...runs.slice(0, 13), 'of-another-kind']
  expect(unpackRuns(packRuns(odd))).toEqual(odd)
})

test('the colour of a run stays its own', () => {
  expect(colorOf(runs[5]!, {})).toBe(colorOf(runs[5]!, {}))
  expect(colorOf(runs[5]!, { [runs[5]!]: 3 })).toBe(3)
  expect(new Set(runs.map((run) => colorOf(run, {}))).size).toBe(8)
})

test('which way a metric gets better', () => {
  const ways = ['m.val_loss', 'm.auc', 'm.val/accuracy', 'm.rows', 'p.loss', 'm.trainLoss', 'm.close'].map((id) =>
    betterOf(id, {}),
  )
  expect(ways).toEqual(['down', 'up', 'up', 'none', 'none', 'none', 'none'])
  expect(betterOf('m.auc', { 'm.auc': 'down' })).toBe('down')
})

test('only what is seen is drawn', () => {
  const box = boxOf({ top: 1_000_000, left: 530, height: 600, width: 1000 }, 100_000, 32)
  expect(box.from).toBeLessThanOrEqual(1_000_000 / 32 - 8)
  expect(box.to).toBeGreaterThan((1_000_000 + 600) / 32 + 8)
  expect(box.to - box.from).toBeLessThan(60)
  expect(boxOf({ top: 0, left: 0, height: 600, width: 1000 }, 5, 32)).toMatchObject({ from: 0, to: 5 })
  const seen = columnsSeen(Array(200).fill(100), box, 280)
  expect([seen.from, seen.before_px]).toEqual([3, 300])
  expect(seen.to).toBeLessThan(17)
})
