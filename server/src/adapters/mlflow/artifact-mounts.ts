import type { BlobRef } from '#kernel/blobs/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import type { ArtifactEntry } from '#slices/tracking'

/** A read-only tree that the artifact proxy serves under `mlflow-artifacts:/<prefix>/`. Paths are below the prefix. */
export interface ArtifactMount {
  prefix: string
  /** The bytes' address, or undefined when there is no such file. */
  file(sql: Sql, workspace: string, path: string): Promise<BlobRef | undefined>
  /** What stands directly in a folder; empty for a file or where nothing is. */
  list(sql: Sql, workspace: string, folder: string): Promise<ArtifactEntry[]>
}

/** The mount that a path lies in, and the rest of the path. */
export function mountOf(
  mounts: readonly ArtifactMount[],
  path: string,
): { mount: ArtifactMount; path: string } | undefined {
  const [first = '', ...rest] = path.split('/')
  const mount = mounts.find(({ prefix }) => prefix === first)
  return mount && { mount, path: rest.join('/') }
}
