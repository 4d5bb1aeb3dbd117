import { expect, test } from 'vitest'
import { linesOf, orderOf } from './compare-table.ts'
import type { Comparison } from './data.ts'

const row = (key: string, ...values: (string | number | null)[]) => ({ key, differs: new Set(values).size > 1, values })
const data = {
  runs: ['a', 'b', 'c'].map((run_id) => ({ run_id })),
  metrics: [row('auc', 0.76101, 0.76104, null), row('f1', 0.4, 0.4, 0.4), row('system/cpu', 1, 2, 3)],
  params: [row('depth', '12', '8', '4'), row('seed', null, '1', null)],
  tags: [row('mlflow.user', 'x', 'y', 'z'), row('stage', 'try', 'try', 'keep')],
  left_out: 0,
} as unknown as Comparison
const all = { areas: ['metric', 'param', 'tag'], same: false, find: '' } as const

test('what differs stands before what is equal and before what clients keep for themselves', () => {
  expect(linesOf(data, { ...all, order: undefined }).map(({ id }) => id)).toEqual([
    'm.auc',
    'm.system/cpu',
    'p.depth',
    'p.seed',
    't.stage',
    't.mlflow.user',
  ])
  const metrics = linesOf(data, { ...all, areas: ['metric'], same: true, order: undefined })
  expect(metrics.map(({ key }) => key)).toEqual(['auc', 'f1', 'system/cpu'])
  expect(linesOf(data, { ...all, find: 'DEP', order: undefined }).map(({ key }) => key)).toEqual(['depth'])
})

test('values that differ beyond the rounding differ, and show it', () => {
  const [auc] = linesOf(data, { ...all, order: undefined })
  expect(auc!.words).toEqual(['0.76101', '0.76104', '–'])
  expect(linesOf(data, { ...all, same: true, order: undefined })[1]!.words).toEqual(['0.4000', '0.4000', '0.4000'])
})

test('runs stand in the order of a key: numbers as numbers, what is missing last', () => {
  const lines = linesOf(data, { ...all, order: undefined })
  const by = (id: string, descending: boolean) => orderOf(data, lines, { id, descending })
  expect(by('p.depth', false)).toEqual([2, 1, 0])
  expect(by('m.auc', true)).toEqual([1, 0, 2])
  expect(by('m.auc', false)).toEqual([0, 1, 2])
  expect(by('t.stage', true)).toEqual([0, 1, 2])
  expect(orderOf(data, lines, undefined)).toEqual([0, 1, 2])
})
