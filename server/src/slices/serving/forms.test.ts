import { expect, test } from 'vitest'
import type { DomainError } from '#kernel/errors.ts'
import { readCsv, readInvocation, readRows } from './forms.ts'
import { labelOf, pythonJson, scoreOf, strictJson } from './outcome.ts'
import { featuresOf } from './signature.ts'

const features = featuresOf({
  inputs: JSON.stringify([
    { type: 'double', name: 'dist', required: true },
    { type: 'long', name: 'stops', required: true },
    { type: 'string', name: 'carrier', required: true },
    { type: 'boolean', name: 'late', required: false },
  ]),
})!
const row = { dist: 7.5, stops: 2, carrier: 'B6', late: true }
const cells = [7.5, 2, 'B6', true]
const order = features.map(({ name }) => name)

const fault = (work: () => unknown): Pick<DomainError, 'problem' | 'field'> | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    const { problem, field } = error as DomainError
    return { problem, field }
  }
}
const invocation = (body: unknown) => readInvocation(features, body).rows

test('every form of the same rows is the same cells in the order of the signature', () => {
  const turned = [...order].reverse()
  for (const body of [
    { dataframe_records: [row, row] },
    { dataframe_split: { columns: order, data: [cells, cells] } },
    { dataframe_split: { columns: turned, index: [3, 4], data: [cells.toReversed(), cells.toReversed()] } },
    { dataframe_split: { data: [cells, cells] } },
    { instances: [row, row] },
    { instances: [cells, cells] },
    { inputs: Object.fromEntries(order.map((name, at) => [name, [cells[at], cells[at]]])) },
    { inputs: [row, row], params: { a: 1 } },
  ])
    expect(invocation(body)).toEqual([cells, cells])
  expect(invocation({ inputs: row })).toEqual([cells])
  expect(readCsv(features, 'late,carrier,dist,stops\r\nTRUE,B6,7.5,2\r\n\r\ntrue,"B6",7.5,2').rows).toEqual([
    cells,
    cells,
  ])
})

test.each<[string, unknown, string]>([
  ['no form', {}, 'body'],
  ['two forms', { instances: [row], inputs: [row] }, 'body'],
  ['another key', { instances: [row], signature_name: 'x' }, 'signature_name'],
  ['a list', [row], 'body'],
  ['params that are no object', { instances: [row], params: 3 }, 'params'],
  ['no rows', { instances: [] }, 'body'],
  ['a row that is no object', { dataframe_records: [3] }, 'dataframe_records[0]'],
  ['an unknown feature', { instances: [row, { ...row, gate: 1 }] }, 'instances[1].gate'],
  ['a missing feature', { instances: [{ ...row, stops: undefined }] }, 'instances[0].stops'],
  ['a null where none may be', { instances: [{ ...row, stops: null }] }, 'instances[0].stops'],
  ['half a stop', { instances: [{ ...row, stops: 2.5 }] }, 'instances[0].stops'],
  ['a number as text', { instances: [{ ...row, dist: '7.5' }] }, 'instances[0].dist'],
  ['a truth value as a number', { instances: [{ ...row, dist: true }] }, 'instances[0].dist'],
  ['a number for text', { instances: [{ ...row, carrier: 6 }] }, 'instances[0].carrier'],
  ['a text without end', { instances: [{ ...row, carrier: 'x'.repeat(10_001) }] }, 'instances[0].carrier'],
  ['too few values', { instances: [cells.slice(1)] }, 'instances[0]'],
  ['a column that is not there', { dataframe_split: { columns: ['gate'], data: [[1]] } }, 'dataframe_split.columns'],
  ['rows of another width', { dataframe_split: { columns: order, data: [[1]] } }, 'dataframe_split.data[0]'],
  ['columns of different length', { inputs: { ...row, dist: [1, 2, 3] } }, 'inputs'],
])('%s is refused, naming the place', (_, body, field) => {
  expect(fault(() => invocation(body))).toEqual({ problem: 'invalid', field })
})

test('missing numbers are null, infinities are taken as text says, optional features may be left out', () => {
  const { late: _, ...rest } = row
  expect(invocation({ instances: [{ ...rest, dist: null }] })).toEqual([[null, 2, 'B6', null]])
  expect(invocation({ instances: [{ ...rest, dist: 'NaN' }] })).toEqual([[null, 2, 'B6', null]])
  expect(invocation({ instances: [{ ...rest, dist: '-Infinity' }] })).toEqual([
    [Number.NEGATIVE_INFINITY, 2, 'B6', null],
  ])
  expect(invocation({ instances: [{ ...rest, stops: '9007199254740993' }] })[0]![1]).toBe('9007199254740993')
})

test('10,000 rows are taken, one more is too large in every form', () => {
  const many = Array.from({ length: 10_001 }, () => row)
  expect(readRows(features, many.slice(1)).rows).toHaveLength(10_000)
  const csv = `dist,stops,carrier\n${'1,2,AA\n'.repeat(10_001)}`
  for (const work of [() => readRows(features, many), () => invocation({ inputs: many }), () => readCsv(features, csv)])
    expect(fault(work)).toMatchObject({ problem: 'too-large' })
})

test('CSV by RFC 4180: quotes, line ends inside them, doubled quotes; a line of another width names itself', () => {
  expect(readCsv(features, 'carrier,dist,stops\n"a,""b""\nc",,1\n').rows).toEqual([[null, 1, 'a,"b"\nc', null]])
  expect(fault(() => readCsv(features, 'dist,stops\n1\n'))).toMatchObject({ problem: 'invalid', field: 'body' })
  expect(fault(() => readCsv(features, ''))).toMatchObject({ problem: 'invalid', field: 'body' })
})

test('tensors, nameless columns and columns of lists are for the Python form', () => {
  for (const inputs of [
    [{ type: 'tensor', 'tensor-spec': { dtype: 'float64', shape: [-1, 2] } }],
    [{ type: 'double' }],
    [{ type: 'array', name: 'a', items: { type: 'double' } }],
  ])
    expect(featuresOf({ inputs: JSON.stringify(inputs) })).toBeUndefined()
  expect(readInvocation(undefined, { inputs: [[1, 2]] })).toMatchObject({ raw: { kind: 'inputs', payload: [[1, 2]] } })
})

test('scores and labels by the endpoint’s settings', () => {
  expect(scoreOf({ score: 0 }, [0.2, 0.8])).toBe(0.2)
  expect(scoreOf({}, [0.2, 0.8])).toBe(0.8)
  expect(scoreOf({ score: 'p' }, { p: 0.3 })).toBe(0.3)
  expect(scoreOf({ task: 'none' }, 1)).toBeNull()
  expect(scoreOf({}, Number.NaN)).toBeNull()
  expect(labelOf({ task: 'binary' }, null, 0.5)).toBe(1)
  expect(labelOf({ task: 'binary', threshold: 0.6, positive: 'yes' }, null, 0.5)).toBe('not yes')
  expect(labelOf({ task: 'multiclass' }, [0.1, 0.7, 0.2], null)).toBe(1)
  expect(labelOf({ task: 'regression' }, 4.5, 4.5)).toBe(4.5)
})

test('what JSON cannot say: bare for MLflow’s clients, as text for ours', () => {
  const value = [{ a: Number.NaN, b: [Number.NEGATIVE_INFINITY, 1] }, 'NaN']
  expect(pythonJson(value)).toBe('[{"a": NaN, "b": [-Infinity, 1]}, "NaN"]')
  expect(strictJson(value)).toEqual([{ a: 'NaN', b: ['-Infinity', 1] }, 'NaN'])
  expect(pythonJson([[0.5, 1]])).toBe('[[0.5,1]]')
})
