import { openAsBlob } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DomainError } from '#kernel/errors.ts'
import type { Client } from './client.ts'
import { takeSnapshot } from './code-snapshot.ts'
import type { Output } from './output.ts'
import type { CommandAction } from './program.ts'

export const PROJECT_FILE = 'slipway.yaml'

interface Applied {
  project: string
  number: number
  changes: { path: string; change: 'added' | 'changed' | 'removed' }[]
  applied: boolean
}

const SIGN = { added: '+', changed: '~', removed: '-' } as const

export const apply: CommandAction<[string | undefined, { dryRun?: boolean }]> = async (
  { cwd, output, client },
  file,
  options,
) => {
  const path = await findProject(cwd, file)
  const applied = await applyProject(client, output, path, options.dryRun ?? false)
  output.answer(applied, () => {
    const lines = applied.changes.map(({ path: name, change }) => `  ${SIGN[change]} ${name}`)
    const head = applied.applied
      ? `${applied.project}: version ${applied.number} is applied`
      : `${applied.project}: this would change`
    return [lines.length === 0 ? `${applied.project}: nothing changes` : head, ...lines].join('\n')
  })
  return undefined
}

/** The file named, or slipway.yaml in the caller's folder or the nearest above it. */
export async function findProject(cwd: string, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    const path = resolve(cwd, file)
    const facts = await stat(path).catch(() => undefined)
    if (!facts) throw new DomainError('not-found', `there is no ${path}`)
    return facts.isDirectory() ? join(path, PROJECT_FILE) : path
  }
  for (let dir = cwd; ; dir = dirname(dir)) {
    if (await stat(join(dir, PROJECT_FILE)).catch(() => undefined)) return join(dir, PROJECT_FILE)
    if (dir === dirname(dir))
      throw new DomainError('not-found', `there is no ${PROJECT_FILE} in ${cwd} or above it`, {
        remedy: 'Name the file: slipway apply path/to/slipway.yaml.',
      })
  }
}

/** Uploads the code that the file stands in, and applies it. */
export async function applyProject(client: Client, output: Output, path: string, dry_run: boolean): Promise<Applied> {
  const yaml = await readFile(path, 'utf8')
  const progress = output.progress('code')
  const { root, ...manifest } = await takeSnapshot(dirname(path))
  const { missing } = await client.post<{ missing: string[] }>('/api/slipway/v1/code/missing', manifest)
  const wanted = new Set(missing)
  let sent = 0
  for (const file of manifest.files) {
    if (!wanted.delete(file.digest)) continue
    progress.update(`${++sent} of ${missing.length} files`)
    await client.upload(`/api/slipway/v1/code/blobs/${file.digest}`, (await openAsBlob(join(root, file.path))).stream())
  }
  const code = await client.post<{ digest: string }>('/api/slipway/v1/code', manifest)
  progress.done()
  return client.post<Applied>('/api/slipway/v1/projects/apply', { yaml, code: code.digest, folder: '', dry_run })
}
