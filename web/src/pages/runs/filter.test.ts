import { expect, test } from 'vitest'
import { also, type Condition, type Filter, OPERATORS, parseFilter, printFilter, replaceAt } from './filter.ts'

const words = (text: string) => {
  const filter = parseFilter(text)
  return filter && printFilter(filter)
}

test('what was written comes back in one form', () => {
  expect(words("metrics.auc > 0.70 and params.depth='8'")).toBe("metrics.auc > 0.7 AND params.depth = '8'")
  expect(words('(metric.`a b` <= 1e-7 or not tag."x" is null) AND status IN (\'FINISHED\', "FAILED")')).toBe(
    "(metrics.`a b` <= 1e-7 OR NOT (tags.x IS NULL)) AND attributes.status IN ('FINISHED', 'FAILED')",
  )
  expect(words("params.m ~ '^g' and tags.a.b/c-d not like '%x' and tags.n !~ 'y'")).toBe(
    "params.m MATCHES '^g' AND tags.a.b/c-d NOT LIKE '%x' AND tags.n NOT MATCHES 'y'",
  )
  expect(words("tags.who = 'O''Brien'")).toBe("tags.who = 'O''Brien'")
  expect(words('  ')).toBeUndefined()
})

test.each([
  'metrics.auc >',
  'metrics.auc > 0.7 or',
  '(metrics.auc > 0.7',
  "metrics.auc = 'x",
  'nothing.like = 1',
  'metrics.auc is 3',
  `${'('.repeat(60)}metrics.a = 1${')'.repeat(60)}`,
  'metrics.auc ; 1',
])('%s stays text', (text) => expect(parseFilter(text)).toBeNull())

test('whatever the tree, its text parses to the same tree', () => {
  let seed = 7
  const random = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed % n
  }
  const pick = <T>(of: readonly T[]): T => of[random(of.length)]!
  const text = () => pick(['', 'a', "it's", 'say "x"', "a\\'b", '%_', 'é 語', 'a\\b', '`'])
  const condition = (): Condition => {
    const operator = pick(OPERATORS)
    const one = () => (random(2) ? text() : pick([0, -1.5, 1e-9, 3e300, 42]))
    const value = operator.endsWith('NULL') ? null : operator.endsWith('IN') ? [one(), one()] : one()
    const entity = pick(['metrics', 'params', 'tags', 'attributes', 'datasets'] as const)
    return { kind: 'condition', entity, key: pick(['auc', 'a b', 'x.y/z', '1', 'a`b', "q'", '"']), operator, value }
  }
  const tree = (depth: number): Filter => {
    const kind = depth > 3 ? 0 : random(4)
    if (kind < 2) return condition()
    if (kind === 2) return { kind: 'not', part: tree(depth + 1) }
    return { kind: pick(['and', 'or'] as const), parts: [tree(depth + 1), tree(depth + 1)] }
  }
  for (let at = 0; at < 2000; at++) {
    const filter = tree(0)
    expect(parseFilter(printFilter(filter)), printFilter(filter)).toEqual(filter)
  }
})

test('parts are changed, taken away and added where they stand', () => {
  const filter = parseFilter('metrics.a > 1 AND (tags.x IS NULL OR NOT params.p = 2)')!
  const change = (place: number[], next: Filter | undefined) => printFilter(replaceAt(filter, place, () => next))
  expect(change([1, 1, 0], undefined)).toBe('metrics.a > 1 AND tags.x IS NULL')
  expect(change([1], undefined)).toBe('metrics.a > 1')
  expect(change([0], parseFilter('metrics.b < 2')!)).toBe('metrics.b < 2 AND (tags.x IS NULL OR NOT (params.p = 2))')
  expect(replaceAt(parseFilter('metrics.a > 1')!, [], () => undefined)).toBeUndefined()
  const more = parseFilter('metrics.c = 1')!
  expect(printFilter(also(parseFilter('metrics.a = 1 OR metrics.b = 1')!, more))).toBe(
    '(metrics.a = 1 OR metrics.b = 1) AND metrics.c = 1',
  )
  expect(printFilter(also(undefined, more))).toBe('metrics.c = 1')
})
