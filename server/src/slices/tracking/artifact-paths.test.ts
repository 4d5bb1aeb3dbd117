import { describe, expect, test } from 'vitest'
import { DomainError } from '#kernel/errors.ts'
import { ownersOfPath, pathOfUri, safePath } from './artifact-paths.ts'

const CLIMBS = [
  '..',
  '../x',
  'a/..',
  'a/../b',
  'a/../../b',
  '../../../../etc/passwd',
  'a/b/../../../c',
  './../x',
  '..%2fx',
  '%2e%2e/x',
  '%2e%2e%2fetc',
  '.%2e/x',
  'a/%2e%2e/%2e%2e/b',
  '/etc/passwd',
  '//etc/passwd',
  '%2fetc/passwd',
  '%2f%2fetc',
  'C:\\windows',
  'c:/windows',
  'C%3A/windows',
  '\\\\host\\share',
  'a\\b',
  'a%5cb',
  '..\\x',
  '..%5cx',
  'file:///etc/passwd',
  'file:/etc/passwd',
  'FILE:/etc/passwd',
  'file:%2f%2f%2fetc',
  'a#b',
  'a%23b',
  'a\u0000b',
  'a%00b',
  'a\nb',
  'a%0ab',
  'a%0d%0aSet-Cookie:x',
  'a\u007fb',
  '....//../x',
  'x/..%00/y',
]

/** Each as it is, encoded once more and twice more, behind a folder and before a file: what attackers try. */
const CORPUS = CLIMBS.flatMap((path) => [
  path,
  encodeURIComponent(path),
  encodeURIComponent(encodeURIComponent(path)),
  path.replaceAll('%', '%25'),
  `${path}/MLmodel`,
  ...(/^(?:\/|%2f|c|file|\\)/i.test(path) ? [] : [`0/run/artifacts/${path}`, `0/${encodeURIComponent(path)}/x`]),
])

describe('a path in the artifact tree', () => {
  test('the corpus is large', () => expect(new Set(CORPUS).size).toBeGreaterThan(200))

  test.each([...new Set(CORPUS)])('%j is refused', (path) => {
    let thrown: unknown
    try {
      safePath(path)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(DomainError)
    expect(thrown).toMatchObject({ problem: 'invalid', message: 'Invalid path' })
  })

  test.each([
    ['', ''],
    ['.', ''],
    ['a', 'a'],
    ['a/', 'a'],
    ['a//b', 'a/b'],
    ['./a/./b', 'a/b'],
    ['a b/größe/日本.txt', 'a b/größe/日本.txt'],
    ['images/gray+step+3.png', 'images/gray+step+3.png'],
    ['a=1/[x] (2) {3}~!@$&*;,.txt', 'a=1/[x] (2) {3}~!@$&*;,.txt'],
    ['100%', '100%'],
    ['a%20b', 'a%20b'],
    ['..a/b..', '..a/b..'],
    ['...', '...'],
    ['__proto__/constructor', '__proto__/constructor'],
    [
      'images/gray%step%23%timestamp%1795459253490%n54d453c-8c62%compressed.webp',
      'images/gray%step%23%timestamp%1795459253490%n54d453c-8c62%compressed.webp',
    ],
  ])('%j is kept as %j', (path, kept) => expect(safePath(path)).toBe(kept))

  test('has bounds', () => {
    expect(() => safePath('x'.repeat(2001))).toThrow('Invalid path')
    expect(() => safePath('é'.repeat(1001))).toThrow('Invalid path')
    expect(() => safePath('a/'.repeat(101))).toThrow('Invalid path')
    let many = '/'
    for (let i = 0; i < 50; i++) many = encodeURIComponent(many)
    expect(() => safePath(many)).toThrow('Invalid path')
  })

  test('comes out of a URI', () => {
    expect(pathOfUri('mlflow-artifacts:/0/r/artifacts')).toBe('0/r/artifacts')
    expect(pathOfUri('mlflow-artifacts://host:5000/0/r')).toBe('0/r')
    expect(pathOfUri('mlflow-artifacts:/')).toBe('')
    expect(pathOfUri('s3://bucket/x')).toBeUndefined()
    expect(() => pathOfUri('mlflow-artifacts:/../x')).toThrow('Invalid path')
  })

  test('belongs to the run or logged model whose root it lies in', () => {
    expect(ownersOfPath('0/r1/artifacts/a/b')).toEqual([{ kind: 'run', id: 'r1' }])
    expect(ownersOfPath('0/models/m-1/artifacts/MLmodel')).toEqual([{ kind: 'logged-model', id: 'm-1' }])
    expect(ownersOfPath('0/r1/artifacts/x/artifacts/y')).toEqual([
      { kind: 'run', id: 'r1' },
      { kind: 'run', id: 'x' },
    ])
    expect(ownersOfPath('0/r1/other')).toEqual([])
  })
})
