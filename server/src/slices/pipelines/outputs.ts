import { createHash } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { StepOutput } from './pipelines-store.ts'
import type { StepSpec } from './schema.ts'

const FILES_MAX = 10_000
const FILE_BYTES_MAX = 20 * 1024 ** 3

/** Takes what a step left behind into blobs. Throws invalid when a declared output is not there or leads out of the folder. */
export async function captureOutputs(
  blobs: Blobs,
  dir: string,
  writes: StepSpec['writes'],
  signal: AbortSignal,
): Promise<StepOutput[]> {
  const outputs: StepOutput[] = []
  for (const [name, { path }] of Object.entries(writes ?? {})) {
    const root = join(dir, path)
    const inside = relative(dir, root)
    if (inside === '..' || inside.startsWith(`..${sep}`))
      throw invalid(`output '${name}' leads out of the step's folder`, { field: `writes.${name}.path` })
    const files: StepOutput['files'] = []
    for (const file of await filesBelow(root, name)) {
      signal.throwIfAborted()
      const blob = await blobs.putFile(file, { max_bytes: FILE_BYTES_MAX, signal })
      files.push({ path: file === root ? path.split('/').at(-1)! : relative(root, file).split(sep).join('/'), ...blob })
    }
    const digest = `sha256:${createHash('sha256')
      .update(files.map((file) => `${file.digest} ${file.path}\n`).join(''))
      .digest('hex')}`
    outputs.push({ name, digest, size_bytes: files.reduce((sum, file) => sum + file.size_bytes, 0), files })
  }
  return outputs
}

async function filesBelow(root: string, name: string): Promise<string[]> {
  const facts = await lstat(root).catch(() => undefined)
  if (!facts)
    throw invalid(`the step ended well but did not write its output '${name}' (${root.split(sep).at(-1)})`, {
      field: `writes.${name}`,
      remedy: 'Write the file where the step declares it, or take the output out of slipway.yaml.',
    })
  if (facts.isFile()) return [root]
  // Links could name any file of the machine.
  if (!facts.isDirectory())
    throw invalid(`output '${name}' is neither a file nor a folder`, { field: `writes.${name}` })
  const found: string[] = []
  const walk = async (dir: string) => {
    for (const entry of (await readdir(dir, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(dir, entry.name)
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile()) found.push(path)
      if (found.length > FILES_MAX)
        throw new DomainError('too-large', `output '${name}' has more than ${FILES_MAX} files`)
    }
  }
  await walk(root)
  return found
}
