import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import type { SearchPage } from '#slices/tracking'
import * as pinnedFiles from './file-store.ts'
import { createImport, type ImportModel } from './import.ts'
import type { ModelVersion, RegisteredModel, Runs, Search } from './model.ts'
import { createModels, type Models } from './models.ts'
import { createPinnedFiles, type PinnedFiles } from './pinned.ts'
import * as db from './registry-store.ts'
import { searchModels, searchVersions } from './search.ts'
import { createVersions, type VersionAt, type Versions } from './versions.ts'

/** Models, their versions with pinned files, aliases, tags; and what a live release holds of them. */
export interface Registry extends Models, Versions {
  searchModels(sql: Sql, workspace: string, search: Search): Promise<SearchPage<RegisteredModel>>
  searchVersions(sql: Sql, workspace: string, search: Search): Promise<SearchPage<ModelVersion>>
  readonly pinned: PinnedFiles
  importModel: ImportModel
  /** Whether any version stands on these bytes: asked before a blob is removed. */
  pins(sql: Sql, digest: string): Promise<boolean>
  /** For lineage: labels of versions (`churn/3`), those that are there; their aliases are their state. */
  describeVersions(
    sql: Sql,
    workspace: string,
    ids: readonly string[],
  ): Promise<Map<string, { label: string; state?: string }>>
}

export interface RegistryDeps {
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld' | 'place'>
  blobs: Pick<Blobs, 'stat' | 'read'>
  clock: Clock
  runs: Runs
}

export function createRegistry(deps: RegistryDeps): Registry {
  const models = createModels(deps)
  const versions = createVersions(deps)
  return {
    ...models,
    ...versions,
    searchModels,
    searchVersions,
    pinned: createPinnedFiles(),
    importModel: createImport(deps, models),
    pins: pinnedFiles.pins,
    async describeVersions(sql, workspace, ids) {
      const at = ids.map(readVersionId).filter((each) => each !== undefined)
      const versions = await db.withVersionParts(sql, await db.findVersions(sql, workspace, at))
      return new Map(
        versions.map(({ name, version, aliases }) => [
          `${name}/${version}`,
          {
            label: `${name} v${version}`,
            ...(aliases.length > 0 && { state: aliases.map((alias) => `@${alias}`).join(' ') }),
          },
        ]),
      )
    },
  }
}

/** `churn/3` as name and number; undefined when it is no such id. */
export function readVersionId(id: string): VersionAt | undefined {
  const [, name, version] = /^([^/]+)\/(\d{1,15})$/.exec(id) ?? []
  return name === undefined ? undefined : { name, version: Number(version) }
}
