/** Files of a source: where an artifact URI leads to on this machine, what lies there, and sending it. */
import { createHash } from 'node:crypto'
import { createReadStream, openAsBlob } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '../client.ts'
import { isMissing } from './mlruns-files.ts'

export interface LocalFile {
  /** Relative to the artifact root, with `/` between its parts. */
  path: string
  full: string
  size_bytes: number
  modified_ms: number
}

/** What every client can be told to go to itself. */
const NAMEABLE = /^(s3|gs|wasbs?|abfss?|hdfs|viewfs|dbfs|azureml|sftp|ftp|https?|r2|b2|oss):/i

export const isElsewhere = (uri: string): boolean => NAMEABLE.test(uri)

export interface Places {
  /** What relative paths start from. */
  folder: string
  /** The folder that the source's server hands out as `mlflow-artifacts:`. */
  proxied?: string | undefined
  /** Where the source lies now, and where it says that it lies, when a folder was moved or copied. */
  moved?: { from: string; to: string } | undefined
}

/** The folder that a URI names on this machine; undefined when it names none. */
export function localFolder(uri: string, places: Places): string | undefined {
  const proxied = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/s.exec(uri)
  if (proxied) return places.proxied === undefined ? undefined : within(places.proxied, proxied[1]!)
  let path: string
  if (/^file:/i.test(uri)) {
    try {
      path = fileURLToPath(uri.replace(/^file:(?!\/\/)/i, 'file://'))
    } catch {
      return undefined
    }
  } else if (/^[a-z][a-z0-9+.-]+:/i.test(uri) || uri === '') return undefined
  else path = isAbsolute(uri) ? uri : resolve(places.folder, uri)
  const { moved } = places
  if (moved && (path === moved.from || path.startsWith(`${moved.from}/`)))
    path = moved.to + path.slice(moved.from.length)
  return path
}

function within(root: string, path: string): string | undefined {
  const full = resolve(root, path)
  return full === root || full.startsWith(root + sep) ? full : undefined
}

/** All files below a folder, by path; none when it is not there. Links that lead out of it are left out. */
export async function localFiles(folder: string): Promise<LocalFile[]> {
  const root = await realpath(folder).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (root === undefined) return []
  const found: LocalFile[] = []
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue
    const full = join(entry.parentPath, entry.name)
    const real = await realpath(full).catch(() => undefined)
    if (real === undefined || !real.startsWith(root + sep)) continue
    const facts = await stat(real).catch(() => undefined)
    if (!facts?.isFile()) continue
    const path = relative(root, full).split(sep).join('/')
    found.push({ path, full: real, size_bytes: facts.size, modified_ms: Math.floor(facts.mtimeMs) })
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

export const filesPrint = (files: readonly LocalFile[]): string =>
  createHash('sha256')
    .update(JSON.stringify(files.map(({ path, size_bytes, modified_ms }) => [path, size_bytes, modified_ms])))
    .digest('hex')

export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return `sha256:${hash.digest('hex')}`
}

interface RemoteFile {
  path: string
  digest: string
  size_bytes: number
}

export interface FilesSent {
  files: number
  bytes: number
  /** Sent this time. */
  new_files: number
  new_bytes: number
  /** Why one could not be sent, or is another one there. */
  wrong: string[]
}

/** Sends the files that are not at the server with the same bytes, and compares all of them then. */
export async function sendFiles(
  client: Client,
  root_uri: string,
  files: readonly LocalFile[],
  tell: (file: LocalFile) => void,
): Promise<FilesSent> {
  const sent: FilesSent = { files: files.length, bytes: 0, new_files: 0, new_bytes: 0, wrong: [] }
  if (files.length === 0) return sent
  const there = await remoteFiles(client, root_uri)
  const root = root_uri.replace(/^mlflow-artifacts:\/*/, '')
  const digests = new Map<string, string>()
  for (const file of files) {
    sent.bytes += file.size_bytes
    const digest = await fileDigest(file.full)
    digests.set(file.path, digest)
    if (there.get(file.path)?.digest === digest) continue
    const path = `${root}/${file.path}`.split('/').map(encodeURIComponent).join('/')
    try {
      const bytes = await openAsBlob(file.full)
      await client.upload(`/api/2.0/mlflow-artifacts/artifacts/${path}`, bytes.stream() as ReadableStream<Uint8Array>)
      sent.new_files++
      sent.new_bytes += file.size_bytes
      tell(file)
    } catch (error) {
      sent.wrong.push(`${file.path}: ${(error as Error).message}`)
    }
  }
  const now = sent.new_files === 0 ? there : await remoteFiles(client, root_uri)
  for (const [path, digest] of digests) {
    if (now.get(path)?.digest !== digest && !sent.wrong.some((why) => why.startsWith(`${path}:`)))
      sent.wrong.push(`${path}: the bytes here are not those of the source`)
  }
  return sent
}

async function remoteFiles(client: Client, uri: string): Promise<Map<string, RemoteFile>> {
  const { items } = await client.get<{ items: RemoteFile[] }>(
    `/api/slipway/v1/imports/files?${new URLSearchParams({ uri })}`,
  )
  return new Map(items.map((file) => [file.path, file]))
}
