import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './run.ts'

/**
 * Writes files that are made from the code and committed; with `--check` on the command line it compares instead, says
 * where the first difference is, and the process ends with 1.
 * @param files text by path from the root
 */
export function keep(files: Record<string, string>): void {
  const check = process.argv.includes('--check')
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(ROOT, file)
    const present = existsSync(target) ? readFileSync(target, 'utf8') : undefined
    if (present === text) continue
    if (!check) {
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, text)
      process.stdout.write(`written: ${file}\n`)
      continue
    }
    process.stdout.write(`${present === undefined ? `${file} is not there` : firstDifference(file, present, text)}\n`)
    process.stdout.write('"npm run gen" writes it; look at the difference before you commit it\n')
    process.exitCode = 1
  }
}

export function firstDifference(file: string, present: string, wanted: string): string {
  const [a, b] = [present.split('\n'), wanted.split('\n')]
  const at = b.findIndex((line, index) => line !== a[index])
  const index = at === -1 ? b.length : at
  const shown = (line: string | undefined) => (line === undefined ? 'nothing' : `"${line.trim().slice(0, 160)}"`)
  return `${file}:${index + 1} is not what the code makes: it has ${shown(a[index])}, not ${shown(b[index])}`
}
