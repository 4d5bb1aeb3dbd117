import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { mustReadChecks, readChecks } from './checks.ts'
import { CHECK_KINDS } from './model.ts'
import { ChecksSchema } from './schema.ts'

const GOOD = [
  { check: 'not_null', column: 'id' },
  { check: 'between', column: 'distance', min: 17, max: 5000, mostly: 0.999 },
  { check: 'between', name: 'when', column: 't', min: '2013-01-01', strict: true },
  { check: 'in_set', column: 'origin', values: ['EWR', 'JFK', 'LGA'], severity: 'warn' },
  { check: 'unique', columns: ['carrier', 'flight', 'hour'] },
  { check: 'unique', column: 'id' },
  { check: 'regex', column: 'tail', pattern: '^N[0-9]' },
  { check: 'row_count', min: 1000 },
  { check: 'columns', contains: ['id'] },
  { check: 'freshness', max_age: '36h', at: '2013-04-01T00:00:00+01:00' },
]

describe('checks as people write them', () => {
  test('are read with their names and defaults', () => {
    const checks = mustReadChecks(GOOD)
    expect(checks[0]).toEqual({ check: 'not_null', name: 'not_null(id)', severity: 'error', column: 'id', mostly: 1 })
    expect(checks.map(({ name }) => name)).toEqual([
      'not_null(id)',
      'between(distance)',
      'when',
      'in_set(origin)',
      'unique(carrier, flight, hour)',
      'unique(id)',
      'regex(tail)',
      'row_count',
      'columns',
      'freshness',
    ])
    expect(checks[9]).toMatchObject({ max_age: '36h', at: '2013-03-31T23:00:00.000Z' })
  })

  test('read again as they were answered are the same', () => {
    const checks = mustReadChecks(GOOD)
    expect(mustReadChecks(JSON.parse(JSON.stringify(checks)))).toEqual(checks)
  })

  test('are what the published schema takes, and what it refuses is refused', () => {
    const valid = new Ajv({ strict: false }).compile(ChecksSchema)
    expect(valid(GOOD)).toBe(true)
    expect(valid(mustReadChecks(GOOD))).toBe(true)
    expect(valid([{ check: 'not_null', colum: 'id' }])).toBe(false)
  })

  test('stand in the guide as they are taken', () => {
    const guide = readFileSync(new URL('../../../../docs/guides/data.md', import.meta.url), 'utf8')
    const yaml = /```yaml slipway\.yaml test\n([\s\S]*?)```/.exec(guide)![1]!
    const { mistakes, checks } = readChecks(parse(yaml).datasets.trips.checks)
    expect(mistakes).toEqual([])
    expect([...new Set(checks.map(({ check }) => check))].sort()).toEqual([...CHECK_KINDS].sort())
  })

  test('that cannot be read are told all at once, each with its path and remedy', () => {
    const { checks, mistakes } = readChecks(
      [
        { check: 'not_nul', column: 'id' },
        { check: 'between', colum: 'id', min: 5, max: 1 },
        { check: 'regex', column: 'a', pattern: '(?=x)' },
        { check: 'in_set', column: 'a', values: [] },
        { check: 'unique' },
        { check: 'columns', exactly: ['a'], contains: ['b'] },
        { check: 'freshness', max_age: 'two days' },
        { check: 'not_null', column: 'a', mostly: 2, severity: 'fatal' },
        'not_null',
        { check: 'row_count', min: -1 },
      ],
      'datasets.flights.checks',
    )
    expect(checks).toEqual([])
    const at = (index: number, key: string) => `datasets.flights.checks[${index}]${key}`
    expect(mistakes.map(({ path }) => path)).toEqual([
      at(0, '.check'),
      at(1, '.colum'),
      at(1, '.min'),
      at(1, '.column'),
      at(2, '.pattern'),
      at(3, '.values'),
      at(4, '.columns'),
      at(5, '.contains'),
      at(6, '.max_age'),
      at(7, '.mostly'),
      at(7, '.severity'),
      at(8, ''),
      at(9, '.min'),
    ])
    expect(mistakes[1]!.at).toEqual([1, 'colum'])
    expect(mistakes[0]!.remedy).toBe('Did you mean not_null?')
    expect(mistakes[1]!.remedy).toBe('Did you mean column?')
    expect(mistakes.every(({ remedy }) => remedy.length > 5)).toBe(true)
  })

  test.each([
    [{ checks: 'x' }, 'checks', 'is no list'],
    [
      [
        { check: 'row_count', min: 1 },
        { check: 'row_count', max: 2 },
      ],
      'checks[1].name',
      "there are two checks named 'row_count'",
    ],
    [[{ check: 'row_count' }], 'checks[0].min', 'is not stated'],
    [[{ check: 'between', column: 'a', min: 1, max: 'b' }], 'checks[0].max', 'type of min'],
    [Array.from({ length: 201 }, (_, at) => ({ check: 'not_null', column: `c${at}` })), 'checks', 'has 201 checks'],
  ])('are refused by an error that names the first mistake (%#)', (value, field, message) => {
    expect(() => mustReadChecks(value)).toThrow(
      expect.objectContaining({ problem: 'invalid', field, message: expect.stringContaining(message) }),
    )
  })
})
