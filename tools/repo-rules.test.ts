import { describe, expect, test } from 'vitest'
import {
  deadLinks,
  decisionNumbers,
  environmentReaders,
  foreignPlaces,
  largeFiles,
  leftovers,
  lockProblems,
  sideDoors,
  untidy,
  unusedExports,
} from './repo-rules.ts'

const file = (path: string, text: string) => [{ path, text }]

describe('the repository rules see', () => {
  test('files that are too long', () => {
    expect(largeFiles(file('a.ts', 'x\n'.repeat(401)))).toEqual([{ warning: expect.stringContaining('401 lines') }])
    expect(largeFiles(file('a.ts', 'x\n'.repeat(601)))).toEqual([expect.stringContaining('601 lines')])
    expect(largeFiles(file('a.md', 'x\n'.repeat(601)))).toEqual([])
  })

  test('blanks, carriage returns, a missing last new line', () => {
    expect(untidy(file('a.md', 'one \ntwo'))).toHaveLength(2)
    expect(untidy(file('a.md', 'one\r\n'))).toHaveLength(1)
    expect(untidy(file('a.md', 'one\n'))).toEqual([])
  })

  test('paths of one machine and unknown hosts', () => {
    expect(foreignPlaces(file('a.md', `see /${'home'}/ada/x\n`))).toHaveLength(1)
    expect(
      foreignPlaces(
        file(
          'a.md',
          `see https://somewhere.${'net'}/x and http://127.0.0.1:8080/home http://0x7f.1/ http://[::1]/ http://2130706433/\n`,
        ),
      ),
    ).toEqual([expect.stringContaining('somewhere.net')])
    expect(foreignPlaces(file('a.md', 'GET /api/root/x, ./home/x, https://user:pw@example.com/\n'))).toEqual([])
  })

  test('what was left for later', () => {
    expect(leftovers(file('a.ts', `// ${'TO' + 'DO'} later\ntest.${'only'}('x')\n`))).toHaveLength(2)
  })

  test('links to files that are not there, outside of code', () => {
    const text = '[a](b.md#part) [c](https://example.com) [d](#e) `[f](g.md)`\n```\n[h](i.md)\n```\n'
    expect(deadLinks(file('docs/x.md', text), () => false)).toEqual([
      'docs/x.md links to b.md#part, which is not there',
    ])
    expect(deadLinks(file('docs/x.md', text), (target) => target === 'docs/b.md')).toEqual([])
  })

  test('locks without all platforms, digests or exact versions', () => {
    const read = (name: string) =>
      name === 'package.json'
        ? { dependencies: { a: '^1.0.0', b: '2.0.0-r.1' } }
        : {
            packages: {
              '': {},
              'node_modules/a': {
                integrity: 'sha512-a',
                optionalDependencies: { 'a-linux': '1.0.0', 'a-mac': '1.0.0' },
              },
              'node_modules/a-linux': { integrity: 'sha512-l', resolved: 'from somewhere' },
              'node_modules/b': {},
            },
          }
    expect(lockProblems('package.json', 'lock', read)).toEqual([
      expect.stringContaining('^1.0.0'),
      expect.stringContaining('a-mac'),
      expect.stringContaining('address of a registry'),
      expect.stringContaining('no digest'),
    ])
  })

  test('exports that nobody names', () => {
    const files = [
      ...file('server/src/a.ts', 'export const one = 1\nexport interface Two {}\nexport const three = 3\nthree\n'),
      ...file('web/src/b.ts', 'one\n'),
    ]
    expect(unusedExports(files)).toEqual(['server/src/a.ts exports Two, which nothing names: take it out'])
  })

  test('decisions that share a number', () => {
    expect(
      decisionNumbers([...file('docs/decisions/0001-a.md', ''), ...file('docs/decisions/0001-b.md', '')]),
    ).toHaveLength(1)
  })

  test('routes beside route(), and readers of the environment', () => {
    const text = "app.get('/x', () => process.env.HOME)\n"
    expect(sideDoors(file('server/src/slices/a/routes.ts', text))).toHaveLength(1)
    for (const door of ["own.get('/x', x)", 'own.route({', 'it.post(`/x`, x)', 'anything .route( {'])
      expect(sideDoors(file('server/src/app/routes.ts', `${door}\n`)), door).toHaveLength(1)
    const front = "route(own, { method: 'GET' })\nroutes.route(own, {\nknown.get('x')\ncookies.delete(name)\n"
    expect(sideDoors(file('server/src/app/routes.ts', front))).toEqual([])
    expect(environmentReaders(file('server/src/slices/a/routes.ts', text))).toHaveLength(1)
    expect(environmentReaders(file('server/src/config.ts', text))).toEqual([])
  })
})
