import { mkdir, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Blobs } from '#kernel/blobs/index.ts'
import { invalid } from '#kernel/errors.ts'
import type { DatasetFile } from './model.ts'
import { FILES_MAX } from './registration.ts'

/**
 * The files of a path: itself, or what a folder holds, deep, without hidden ones and without marks such as `_SUCCESS`. Symbolic links
 * within a folder are not followed.
 */
export async function filesIn(path: string): Promise<{ path: string; local_path: string }[]> {
  const found = await stat(path).catch((cause) => {
    throw invalid(`cannot read ${path}: ${(cause as Error).message}`, { field: 'path', cause })
  })
  if (found.isFile()) return [{ path: basename(path), local_path: path }]
  if (!found.isDirectory()) throw invalid(`${path} is neither a file nor a folder`, { field: 'path' })
  const files: { path: string; local_path: string }[] = []
  const walk = async (folder: string, prefix: string) => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (/^[._]/.test(entry.name)) continue
      const name = prefix + entry.name
      if (entry.isDirectory()) await walk(join(folder, entry.name), `${name}/`)
      else if (entry.isFile()) files.push({ path: name, local_path: join(folder, entry.name) })
      if (files.length > FILES_MAX)
        throw invalid(`${path} holds more than ${FILES_MAX} files`, {
          field: 'path',
          remedy: 'Join small files into larger ones.',
        })
    }
  }
  await walk(path, '')
  return files
}

export async function copyFiles(
  blobs: Pick<Blobs, 'materialise'>,
  files: readonly DatasetFile[],
  dir: string,
): Promise<void> {
  for (const file of files) {
    const to = join(dir, ...file.path.split('/'))
    await mkdir(dirname(to), { recursive: true })
    await blobs.materialise(file.digest, to)
  }
}
