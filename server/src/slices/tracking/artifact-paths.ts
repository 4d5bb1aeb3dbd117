import { invalid } from '#kernel/errors.ts'
import type { Subject } from '#kernel/events/index.ts'
import { normalPath } from './checks.ts'
import { LIMITS } from './limits.ts'

/** In names of images that clients 2.11 to 2.22 log by key: `gray%step%3%timestamp%1795459253490%….png`. */
const IMAGE_STEP = /%step%(0|[1-9]\d*)%timestamp%([1-9]\d*)%/

const refuse = (why: string) => invalid('Invalid path', { field: 'path', remedy: why })

/** Most rounds of decoding that any honest path needs, by far. */
const DECODES_MAX = 20

/** What is left when nothing more can be decoded: what a careless reader further on might see. */
function fullyDecoded(path: string): string {
  let text = path
  for (let round = 0; round < DECODES_MAX; round++) {
    let next: string
    try {
      next = decodeURIComponent(text)
    } catch {
      // A lone percent sign is a character like another; decode what does decode.
      next = text.replace(/%[0-7][0-9a-f]/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
    }
    if (next === text) return text
    text = next
  }
  throw refuse('The path is percent-encoded too many times.')
}

/**
 * A path in the artifact tree as it is kept: relative, `/` between its parts, no part empty or `.`; `` is the root.
 * `path` was percent-decoded once. Throws invalid (`Invalid path`) for whatever could lead outside, also when decoded further.
 */
export function safePath(path: string): string {
  // Only digits stand between these percent signs, so that nothing which leads elsewhere can hide there.
  const seen = fullyDecoded(path.replace(IMAGE_STEP, '+step+$1+timestamp+$2+'))
  if (/[#\\]/.test(seen)) throw refuse(`'#' and backslashes have no place in a path.`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(seen)) throw refuse('Control characters have no place in a path.')
  if (/^(?:file:|[a-z]:)/i.test(seen)) throw refuse('Give a path relative to the artifact root.')
  if (seen.startsWith('/') || seen.split('/').includes('..')) throw refuse(`Give a path without '..' and leading '/'.`)
  const normal = normalPath(path)
  if (normal === '.') return ''
  if (Buffer.byteLength(normal) > LIMITS.artifact_path_bytes) {
    throw refuse(`A path has at most ${LIMITS.artifact_path_bytes} bytes.`)
  }
  if (normal.split('/').length > LIMITS.artifact_path_depth) {
    throw refuse(`A path has at most ${LIMITS.artifact_path_depth} parts.`)
  }
  return normal
}

export const splitPath = (path: string): { folder: string; name: string } => {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? { folder: '', name: path } : { folder: path.slice(0, slash), name: path.slice(slash + 1) }
}

/** The place in the artifact tree that an `mlflow-artifacts:` URI means, or undefined for another scheme. */
export function pathOfUri(uri: string): string | undefined {
  const match = /^mlflow-artifacts:(?:\/\/[^/]*)?\/?(.*)$/s.exec(uri)
  return match ? safePath(match[1]!) : undefined
}

/** Runs and logged models whose artifact root this path lies in (`…/<run>/artifacts/…`, `…/models/<model>/artifacts/…`). */
export function ownersOfPath(path: string): Subject[] {
  const parts = path.split('/')
  const owners: Subject[] = []
  for (let i = 1; i < parts.length; i++) {
    if (parts[i] !== 'artifacts') continue
    const kind = i > 1 && parts[i - 2] === 'models' ? 'logged-model' : 'run'
    owners.push({ kind, id: parts[i - 1]! })
  }
  return owners
}
