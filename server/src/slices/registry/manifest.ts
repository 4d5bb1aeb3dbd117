import { parseDocument } from 'yaml'
import type { Blobs } from '#kernel/blobs/index.ts'
import { LIMITS } from './checks.ts'
import type { Manifest, VersionFile } from './model.ts'

export const NO_MANIFEST: Manifest = {
  signature: null,
  flavors: null,
  python_version: null,
  mlflow_version: null,
  requirements: null,
}

/** Files that tell about a model rather than being it. */
const TELLING = ['MLmodel', 'requirements.txt'] as const

/** Texts by digest: read outside a transaction, used inside one if the digests are still the same. */
export type Texts = ReadonlyMap<string, string | null>

/** The digests whose texts `manifestOf` needs. */
export const tellingDigests = (files: readonly VersionFile[]): string[] =>
  files.filter((file) => TELLING.includes(file.path as never)).map((file) => file.digest)

/** Reads these files; null stands for one that is too large or not text. */
export async function readTexts(blobs: Pick<Blobs, 'stat' | 'read'>, digests: readonly string[]): Promise<Texts> {
  const texts = new Map<string, string | null>()
  for (const digest of new Set(digests)) {
    const stat = await blobs.stat(digest)
    const readable = stat !== undefined && stat.size_bytes <= LIMITS.manifest_bytes
    texts.set(digest, readable ? textOf(await blobs.read(digest, LIMITS.manifest_bytes)) : null)
  }
  return texts
}

function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? null : text
  } catch {
    return null
  }
}

/**
 * What the files tell; undefined when a text is missing because the files changed since they were read. A broken MLmodel
 * tells nothing and stops nobody: the preparation of the version says what is wrong with it.
 */
export function manifestOf(files: readonly VersionFile[], texts: Texts): Manifest | undefined {
  const digests = new Map(files.map((file) => [file.path, file.digest]))
  const text = (path: (typeof TELLING)[number]): string | null | undefined => {
    const digest = digests.get(path)
    return digest === undefined ? null : texts.get(digest)
  }
  const [mlmodel, requirements] = [text('MLmodel'), text('requirements.txt')]
  if (mlmodel === undefined || requirements === undefined) return undefined
  return { ...(mlmodel === null ? NO_MANIFEST : parseMlmodel(mlmodel)), requirements }
}

function parseMlmodel(text: string): Manifest {
  let root: unknown
  try {
    // Aliases are bounded by the library's default, so that a small file cannot unfold into a large one.
    root = parseDocument(text, { schema: 'core' }).toJS({ maxAliasCount: 100 })
  } catch {
    return NO_MANIFEST
  }
  const plain = record(root)
  const flavors = record(plain?.flavors)
  const python = record(flavors?.python_function)
  return {
    ...NO_MANIFEST,
    signature: record(plain?.signature),
    flavors,
    python_version: short(python?.python_version),
    mlflow_version: short(plain?.mlflow_version),
  }
}

const record = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null

const short = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 100) : null
