import { describe, expect, test } from 'vitest'
import { Fields, parseJson } from './fields.ts'
import { readMetrics } from './metric-columns.ts'

const plain = Array.from({ length: 6 }, (_, step) => ({
  key: step % 2 ? 'a' : 'b',
  value: step / 3,
  timestamp: 5,
  step,
}))
const read = (metrics: unknown) => readMetrics(new Fields({ metrics }))

describe('the metrics of a batch', () => {
  test('come by column when they are as clients send them', () => {
    const { metrics, columns } = read(plain.map(({ step, ...rest }, at) => (at === 0 ? rest : { ...rest, step })))
    expect(metrics).toEqual([])
    expect(columns!.keys).toEqual(['b', 'a'])
    expect(Array.from(columns!.key)).toEqual([0, 1, 0, 1, 0, 1])
    expect(Array.from(columns!.step)).toEqual([0, 1, 2, 3, 4, 5])
    expect(Array.from(columns!.value)).toEqual(plain.map(({ value }) => value))
  })

  test.each([
    ['text for a number', { step: '7' }, { step: 7 }],
    ['NaN', { value: 'NaN' }, { value: Number.NaN }],
    ['an integer of 64 bits', { step: 2n ** 60n }, { step: 2n ** 60n }],
    ['a model', { model_id: 'm-1' }, { model_id: 'm-1' }],
    ['another spelling', { modelId: 'm-1' }, { model_id: 'm-1' }],
    ['null for absent', { step: null }, { step: 0 }],
    ['an unknown field', { more: 1 }, {}],
  ])('come one by one when one has %s', (_, odd, expected) => {
    const { metrics, columns } = read([...plain, { ...plain[0], ...odd }])
    expect(columns).toBeUndefined()
    expect(metrics).toHaveLength(7)
    expect(metrics[6]).toMatchObject(expected)
  })

  test.each([[{ key: '' }], [{ value: true }], [{ timestamp: 1.5 }], [{ step: {} }], [{ timestamp: undefined }]])(
    'are refused by their place when one has %o',
    (bad) => {
      expect(() => read([...plain, { ...plain[0], ...bad }])).toThrow('metrics[6]')
    },
  )

  test('are refused when they are no list of objects', () => {
    expect(() => read([...plain, 1])).toThrow('metrics[6]')
    expect(() => read('text')).toThrow('metrics')
  })
})

test('integers beyond 2^53 are read exactly, whatever stands before them', () => {
  const wide = 12345678901234567n
  expect(parseJson('{"a":12345678901234567}')).toEqual({ a: wide })
  expect(parseJson('[ -12345678901234567 ,1]')).toEqual([-wide, 1])
  expect(parseJson('{"a": [0.1234567890123456789]}')).toEqual({ a: [0.12345678901234568] })
  expect(parseJson('{"a":\n12345678901234567,"b":1e300}')).toEqual({ a: wide, b: 1e300 })
  expect(parseJson('{"a":1234567890123456.5}')).toEqual({ a: 1234567890123456.5 })
})
