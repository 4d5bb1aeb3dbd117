import { expect, test } from 'vitest'
import type { RunDetail } from '../../api/types.ts'
import { compareRows, labelsOf } from './compare-rows.ts'

const run = (run_id: string, name: string, metrics: Record<string, number | null>, params: Record<string, string>) =>
  ({
    run_id,
    name,
    metrics: Object.entries(metrics).map(([key, value]) => ({ key, value })),
    params: Object.entries(params).map(([key, value]) => ({ key, value })),
  }) as unknown as RunDetail

const runs = [
  run('a'.repeat(32), 'baseline', { auc: 0.76101, rows: 1234.1, f1: 0.4, lost: null }, { depth: '8' }),
  run('b'.repeat(32), 'baseline', { auc: 0.76104, rows: 1234.4, f1: 0.4 }, { depth: '8', seed: '1' }),
]

test('values that differ beyond the rounding differ, and show it', () => {
  expect(compareRows(runs, 'metrics')).toEqual([
    { key: 'auc', values: ['0.76101', '0.76104'], differs: true },
    { key: 'lost', values: ['NaN', '–'], differs: true },
    { key: 'rows', values: ['1234.1', '1234.4'], differs: true },
    { key: 'f1', values: ['0.4000', '0.4000'], differs: false },
  ])
  expect(compareRows(runs, 'params')).toEqual([
    { key: 'seed', values: ['–', '1'], differs: true },
    { key: 'depth', values: ['8', '8'], differs: false },
  ])
})

test('runs of one name are told apart', () => {
  expect([...labelsOf(runs).values()]).toEqual(['baseline aaaaaa', 'baseline bbbbbb'])
  expect([...labelsOf(runs.slice(0, 1)).values()]).toEqual(['baseline'])
})
