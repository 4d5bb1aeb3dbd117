import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folders, isMissing, meta, pairs } from './mlruns-files.ts'
import { ms, type SourceRegistered, type SourceVersion, text, textOrNull } from './model.ts'

/** The registry of a file store: a folder for each model, in it one for each version. */
export async function readRegistered(root: string): Promise<SourceRegistered[]> {
  const models: SourceRegistered[] = []
  for (const name of await folders(root)) {
    const folder = join(root, name)
    const about = await meta(folder)
    if (!about) continue
    const versions: SourceVersion[] = []
    for (const each of await folders(folder)) {
      if (!each.startsWith('version-')) continue
      const version = await readVersion(join(folder, each))
      if (version) versions.push(version)
    }
    models.push({
      name: text(about.name) || name,
      description: textOrNull(about.description),
      created_ms: ms(about.creation_timestamp),
      updated_ms: ms(about.last_updated_timestamp),
      tags: await pairs(join(folder, 'tags')),
      versions: versions.sort((a, b) => a.version - b.version),
      aliases: await readAliases(join(folder, 'aliases')),
    })
  }
  return models
}

async function readVersion(folder: string): Promise<SourceVersion | undefined> {
  const about = await meta(folder)
  // Deleted ones stay in the folder under a stage of their own.
  if (!about || text(about.current_stage) === 'Deleted_Internal') return undefined
  return {
    version: Number(about.version),
    created_ms: ms(about.creation_timestamp),
    updated_ms: ms(about.last_updated_timestamp),
    stage: text(about.current_stage) || 'None',
    description: textOrNull(about.description),
    source: text(about.source),
    storage_location: textOrNull(about.storage_location),
    run_id: textOrNull(about.run_id),
    run_link: textOrNull(about.run_link),
    user_id: textOrNull(about.user_id),
    logged_model_id: textOrNull(about.model_id),
    tags: await pairs(join(folder, 'tags')),
  }
}

async function readAliases(folder: string): Promise<SourceRegistered['aliases']> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [] as string[]
    throw error
  })
  const aliases = await Promise.all(
    names
      .sort()
      .map(async (alias) => ({ alias, version: Number((await readFile(join(folder, alias), 'utf8')).trim()) })),
  )
  return aliases.filter(({ version }) => Number.isSafeInteger(version))
}
