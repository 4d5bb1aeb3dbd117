/** What the demonstration stands on: its locked Python environment and the prepared data, each made once. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../../../server/src/kernel/clock.ts'
import { createEnvironments, runProcess } from '../../../server/src/kernel/environments/index.ts'
import { silentLog } from '../../../server/src/kernel/log.ts'

const EXAMPLE = resolve(import.meta.dirname, '..')
const CACHE = resolve(EXAMPLE, '../../.cache')

export interface Prepared {
  /** Folder that prepare.py wrote. */
  data: string
  /** Folder of managed environments, shared with the server. */
  environments: string
  months: Record<string, { requests: number; labels: number }>
}

/** Needs the network the first time only. */
export async function setUp(say: (line: string) => void): Promise<Prepared> {
  const environments = join(CACHE, 'environments')
  const lock = await readFile(join(EXAMPLE, 'environment.lock'), 'utf8')
  const made = await createEnvironments({ dir: environments, log: silentLog, clock: systemClock }).ensure(
    { lock },
    { onProgress: ({ words }) => say(`  ${words}`) },
  )
  const data = await prepareData(made.python, say)
  const summary = JSON.parse(await readFile(join(data, 'replay.json'), 'utf8')) as Record<
    string,
    { requests: number; labels?: number }
  >
  return {
    data,
    environments,
    months: Object.fromEntries(
      Object.entries(summary).map(([month, { requests, labels }]) => [month, { requests, labels: labels ?? 0 }]),
    ),
  }
}

/** The folder is named by what made it: another script or lock makes another. */
async function prepareData(python: string, say: (line: string) => void): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['prepare.py', 'features.py', 'environment.lock']) hash.update(await readFile(join(EXAMPLE, name)))
  const dir = join(CACHE, 'flights', hash.digest('hex').slice(0, 16))
  if (await stat(join(dir, 'done')).catch(() => undefined)) return dir
  say('  preparing the flights of 2013')
  const partial = `${dir}.partial-${process.pid}`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  const lines: string[] = []
  const end = await runProcess({
    args: [python, 'prepare.py', '--out', partial],
    cwd: EXAMPLE,
    onLine: ({ text }) => lines.push(text),
  })
  if (end.code !== 0)
    throw new Error(`prepare.py ended with ${end.code ?? end.reason}:\n${lines.slice(-20).join('\n')}`)
  await writeFile(join(partial, 'done'), '')
  await rm(dir, { recursive: true, force: true })
  await rename(partial, dir)
  return dir
}
