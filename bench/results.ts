import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const RESULTS = join(import.meta.dirname, 'RESULTS.md')

/** Puts a text between the marks of its section of RESULTS.md, in place of the one before; the other sections stay. */
export function withSection(name: string, text: string): void {
  const [begin, end] = [
    `<!-- ${name}: written by \`npm run bench${name === 'bench' ? '' : `:${name}`}\` -->`,
    `<!-- /${name} -->`,
  ]
  let before: string
  try {
    before = readFileSync(RESULTS, 'utf8')
  } catch {
    before = '# Results\n'
  }
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  const section = `${begin}\n${text}\n${end}`
  const after =
    from < 0 || to < 0
      ? `${before}\n${section}\n`
      : `${before.slice(0, from)}${section}${before.slice(to + end.length)}`
  writeFileSync(RESULTS, after)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
