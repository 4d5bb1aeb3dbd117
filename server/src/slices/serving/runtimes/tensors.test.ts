import ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import type { Cell } from '../signature.ts'
import type { InputGuard } from './runtime.ts'
import { feedsOf, outputsOf, tensorOf } from './tensors.ts'

const guard = (more: Partial<InputGuard>): InputGuard => ({
  name: 'x',
  onnx_name: 'X',
  type: 'float64',
  nullable: false,
  ...more,
})
const make = (inputs: InputGuard[], rows: Cell[][], columns = inputs.map(({ name }) => name)) =>
  feedsOf(inputs, columns).map((feed) => tensorOf(ort.Tensor as never, feed, rows))

test('columns become tensors of their type, several of one input a matrix, in the places of the signature', () => {
  const inputs = [
    guard({ name: 'a', onnx_name: 'M', type: 'float32' }),
    guard({ name: 'b', onnx_name: 'M', type: 'float32' }),
    guard({ name: 'c', onnx_name: 'C', type: 'int64' }),
    guard({ name: 'd', onnx_name: 'D', type: 'string', nullable: true, null_as: 'missing' }),
    guard({ name: 'e', onnx_name: 'E', type: 'bool' }),
  ]
  const rows: Cell[][] = [
    ['x', 1, 2, 3, true],
    [null, 4, 5, 6, false],
  ]
  const tensors = make(inputs, rows, ['d', 'a', 'b', 'c', 'e'])
  expect(tensors.map(({ dims }) => dims)).toEqual([
    [2, 2],
    [2, 1],
    [2, 1],
    [2, 1],
  ])
  expect(tensors.map(({ data }) => [...(data as never[])])).toEqual([
    [1, 2, 4, 5],
    [3n, 6n],
    ['x', 'missing'],
    [1, 0],
  ])
})

test.each<[string, Partial<InputGuard>, Cell]>([
  ['a null', {}, null],
  ['below the least', { minimum: 0 }, -1],
  ['above the greatest', { maximum: 10 }, 11],
  ['an infinity where there are bounds', { minimum: 0, maximum: 10 }, Number.POSITIVE_INFINITY],
  ['a value that the model does not know', { values: [1, 2] }, 3],
  ['a text that the model does not know', { type: 'string', values: ['AA'] }, 'ZZ'],
  ['half a number', { type: 'int64' }, 1.5],
  ['a null in a truth value', { type: 'bool' }, null],
])('the guard refuses %s, naming the feature', (_, more, cell) => {
  expect(() => make([guard(more)], [[cell]])).toThrow(expect.objectContaining({ problem: 'invalid', field: 'x' }))
})

test('a missing number is NaN where it may be missing', () => {
  const [tensor] = make([guard({ nullable: true })], [[null], [2]])
  expect([...(tensor!.data as Float64Array)]).toEqual([Number.NaN, 2])
})

test('a form that wants what the signature does not have is not loaded', () => {
  expect(() => feedsOf([guard({})], ['y'])).toThrow("column 'x'")
  expect(() => feedsOf([guard({ type: 'complex128' })], ['x'])).toThrow('complex128')
})

test('outputs are one plain value a row', () => {
  expect(outputsOf(new ort.Tensor('int64', [1n, 0n], [2]), 2, true)).toEqual([1, 0])
  expect(outputsOf(new ort.Tensor('float64', [1, 2, 3, 4], [2, 2]), 2, false)).toEqual([
    [1, 2],
    [3, 4],
  ])
  expect(outputsOf(new ort.Tensor('float64', [5], [1, 1]), 1, true)).toEqual([5])
})
