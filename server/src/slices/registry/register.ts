import { DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Store } from '#kernel/store/index.ts'
import type { ModelVersion } from './model.ts'
import type { NewVersion, Versions } from './versions.ts'

/** How often a registration begins again when the files change under it. */
const TRIES_MAX = 3

/**
 * Reads what the files tell, then registers them in one transaction: for routes, which are the outermost callers. Begins
 * again when the files changed in between.
 */
export async function registerVersion(
  store: Pick<Store, 'read' | 'write'>,
  versions: Pick<Versions, 'prepareVersion' | 'createVersion'>,
  who: Who,
  input: NewVersion,
): Promise<ModelVersion> {
  for (let tries = 1; ; tries += 1) {
    const texts = await versions.prepareVersion((work) => store.read(work), who.workspace, input)
    try {
      return await store.write((tx) => versions.createVersion(tx, who, input, texts))
    } catch (error) {
      const moved = error instanceof DomainError && error.problem === 'conflict' && error.field === 'source'
      if (!moved || tries === TRIES_MAX) throw error
    }
  }
}
