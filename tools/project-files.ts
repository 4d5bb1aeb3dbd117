import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Verdict } from './checks.ts'
import { ROOT } from './run.ts'

/** Every mistake of a slipway.yaml, one line each, with place and remedy. */
export async function projectMistakes(text: string): Promise<string[]> {
  const { readProject } = await import('../server/src/app/project/read.ts')
  return readProject(text).mistakes.map(
    ({ line, column, path: where, message, remedy }) =>
      `${line}:${column} ${where} ${message}${remedy ? `. ${remedy}` : ''}`,
  )
}

/** The project files of this repository are without mistakes. */
export async function projectFiles(): Promise<Verdict> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'slipway.yaml', '**/slipway.yaml']
  const files = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean)
  const problems: string[] = []
  for (const file of files) {
    const mistakes = await projectMistakes(readFileSync(path.join(ROOT, file), 'utf8'))
    problems.push(...mistakes.map((mistake) => `${file}:${mistake}`))
  }
  return { problems }
}
