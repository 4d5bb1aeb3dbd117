import { describe, expect, test } from 'vitest'
import { axisScale, both, brushesOf, brushText, filterOf, inside } from './brush.ts'
import { columnOf, type Frame, fieldOf } from './columns.ts'

const rows = ['a', 'b', 'c', 'd'].map((run_id) => ({ run_id, name: run_id, status: 'FINISHED', experiment_id: '1' }))
const columns = [
  columnOf('metrics', 'val auc', [0.5, 0.7, 0.9, null]),
  columnOf('params', 'kind', ['tree', 'line', "o'net", 'tree']),
]
const frame: Frame = { rows, columns, total: 4 }
const axes = columns.map(axisScale)
const auc = fieldOf('metrics', 'val auc')

describe('a brush', () => {
  test('keeps the runs in it, and says the same as a filter', () => {
    const brushes = [{ name: auc, from: 0.4, to: 1 }]
    expect(inside(frame, axes, brushes)).toEqual([false, true, true, false])
    expect(filterOf(axes, brushes)).toBe('metrics.`val auc` >= 0.66')
    const two = [
      { name: auc, from: 0.1, to: 0.6 },
      { name: 'params.kind', from: 0, to: 0.6 },
    ]
    expect(filterOf(axes, two)).toBe(
      "metrics.`val auc` >= 0.54 AND metrics.`val auc` <= 0.74 AND params.kind IN ('line', \"o'net\")",
    )
    expect(inside(frame, axes, two)).toEqual([false, true, false, false])
  })

  test('goes through an address and back', () => {
    const brushes = [
      { name: auc, from: 0.25, to: 1 },
      { name: 'params.kind', from: 0, to: 0.5 },
    ]
    expect(brushesOf(brushText(brushes))).toEqual(brushes)
    expect(brushesOf('nonsense|x~2~1')).toEqual([])
  })

  test('joins a filter that stands without changing it', () => {
    expect(both('', 'a > 1')).toBe('a > 1')
    expect(both('a > 1 or b > 2', 'c > 3')).toBe('(a > 1 or b > 2) AND c > 3')
  })
})
