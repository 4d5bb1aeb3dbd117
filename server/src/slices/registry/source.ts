import { DomainError, invalid } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import type { Run } from '#slices/tracking'
import { noVersion, readStage } from './checks.ts'
import * as pinnedFiles from './file-store.ts'
import type { Manifest, Runs, VersionFile } from './model.ts'
import * as db from './registry-store.ts'

/** First part of the artifact paths under which pinned files are handed out. No experiment's id, so no clash. */
export const PINNED_ROOT = 'models-registry'

/** What a source turned out to be. */
export interface Resolved {
  files: VersionFile[]
  /** Found on the way, where the caller did not say. */
  run: Run | null
  logged_model_id: string | null
  /** The version whose files these are, for a copy: its manifest is taken over. */
  copied: { name: string; version: number; run_id: string | null; manifest: Manifest } | null
}

export interface Origin {
  source: string
  run_id: string | null
  logged_model_id: string | null
}

const badSource = (source: string, why: string) =>
  invalid(`Invalid model version source: '${source.slice(0, 300)}'. ${why}`, { field: 'source' })

/** Percent-decoded until nothing changes, so that nothing hides in a second layer. */
function plain(text: string): string {
  for (let round = 0; round < 10; round += 1) {
    let next: string
    try {
      next = decodeURIComponent(text)
    } catch {
      return text
    }
    if (next === text) return text
    text = next
  }
  return text
}

/** Throws invalid for a source that leads to this machine's files or climbs out of where it begins. */
export function checkSource(source: string): void {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(source)?.[1]?.toLowerCase()
  if (scheme === undefined || scheme === 'file' || scheme.length === 1) {
    throw badSource(
      source,
      'To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.',
    )
  }
  if (/(^|[/\\])\.\.([/\\]|$)/.test(plain(source))) {
    throw badSource(
      source,
      'If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.',
    )
  }
}

/** Finds the files that a source means, in each of the forms that clients send. Throws not-found for what is not there. */
export async function resolveSource(sql: Sql, workspace: string, runs: Runs, origin: Origin): Promise<Resolved> {
  checkSource(origin.source)
  const run = origin.run_id === null ? null : await foundRun(sql, workspace, runs, origin.run_id)
  const found = await follow(sql, workspace, runs, origin.source)
  const logged_model_id = origin.logged_model_id ?? found.logged_model_id
  return { ...found, run: run ?? found.run, logged_model_id }
}

type Found = Resolved

const nothing: Found = { files: [], run: null, logged_model_id: null, copied: null }

async function follow(sql: Sql, workspace: string, runs: Runs, source: string): Promise<Found> {
  const loggedModel = /^models:\/+(m-[0-9a-zA-Z]+)\/?$/.exec(source)?.[1]
  if (loggedModel !== undefined) return ofLoggedModel(sql, workspace, runs, loggedModel)
  if (source.startsWith('models:')) return ofVersion(sql, workspace, source)
  if (source.startsWith('runs:')) return ofRun(sql, workspace, runs, source)
  const path = proxiedPath(source)
  // Elsewhere: the client goes there itself, and nothing of it lies here to be pinned.
  if (path === undefined) return nothing
  const pinned = new RegExp(`^${PINNED_ROOT}/(\\d{1,15})/(\\d{1,15})$`).exec(path)
  if (pinned) {
    const version = await db.findVersionByKey(sql, workspace, Number(pinned[1]), Number(pinned[2]))
    if (!version) throw badSource(source, 'There is no model version there.')
    return copyOf(sql, version)
  }
  return { ...nothing, files: await filesAt(sql, workspace, runs, `mlflow-artifacts:/${path}`) }
}

async function ofLoggedModel(sql: Sql, workspace: string, runs: Runs, id: string): Promise<Found> {
  const model = await runs.getLoggedModel(sql, workspace, id)
  return {
    files: await filesAt(sql, workspace, runs, model.artifact_uri),
    run: model.source_run_id === '' ? null : await foundRun(sql, workspace, runs, model.source_run_id),
    logged_model_id: id,
    copied: null,
  }
}

/** The files below a root of ours; of a root elsewhere nothing lies here. A file itself is a folder of one. */
async function filesAt(sql: Sql, workspace: string, runs: Runs, uri: string): Promise<VersionFile[]> {
  const files = (await runs.filesOfUri(sql, workspace, uri)) ?? []
  return files.map((file) => (file.path === '' ? { ...file, path: uri.split('/').at(-1)! } : file))
}

/** A run that may be another server's, or purged since: then the version is registered with its id alone. */
async function foundRun(sql: Sql, workspace: string, runs: Runs, run_id: string): Promise<Run | null> {
  try {
    return await runs.getRun(sql, workspace, run_id)
  } catch (error) {
    if (error instanceof DomainError && error.problem === 'not-found') return null
    throw error
  }
}

/** `runs:/<run>/<path>`: the folder of that path, else the logged model of that name among the run's outputs. */
async function ofRun(sql: Sql, workspace: string, runs: Runs, source: string): Promise<Found> {
  const [, run_id, path] = /^runs:\/+([^/]+)\/?(.*?)\/?$/.exec(source) ?? []
  if (run_id === undefined) throw badSource(source, 'Write runs:/<run_id>/<path>.')
  const run = await runs.getRun(sql, workspace, run_id)
  const files = await filesAt(sql, workspace, runs, path ? `${run.artifact_uri}/${path}` : run.artifact_uri)
  if (files.length > 0) return { ...nothing, files, run }
  const model = path ? await runs.findOutput(sql, workspace, run_id, path) : undefined
  if (model) return { ...(await ofLoggedModel(sql, workspace, runs, model.model_id)), run }
  return { ...nothing, run }
}

/** `models:/name/3`, `models:/name@alias`, `models:/name/latest`, `models:/name/Production`. */
async function ofVersion(sql: Sql, workspace: string, source: string): Promise<Found> {
  const path = source.replace(/^models:\/+/, '')
  const [, name, separator, which] = /^([^/@]+)([/@])([^/]+)$/.exec(path) ?? /^(.+)(\/)([^/]+)$/.exec(path) ?? []
  if (name === undefined || which === undefined) throw badSource(source, 'Write models:/<name>/<version>.')
  const model = await db.findModel(sql, workspace, name)
  const number = model && (await versionMeant(sql, model.model_key, separator === '@' ? 'alias' : 'number', which))
  const version = number === undefined ? undefined : await db.findVersion(sql, workspace, name, number)
  if (!version) throw noVersion(name, number ?? 0)
  return copyOf(sql, version)
}

async function versionMeant(
  sql: Sql,
  model_key: number,
  by: 'alias' | 'number',
  which: string,
): Promise<number | undefined> {
  if (by === 'alias') return (await db.getAlias(sql, model_key, which))?.version
  if (/^\d{1,15}$/.test(which)) return Number(which)
  if (/^latest$/i.test(which)) return db.newestVersion(sql, model_key)
  return db.newestVersion(sql, model_key, readStage(which))
}

async function copyOf(sql: Sql, version: db.VersionRow): Promise<Found> {
  const { name, version: number, run_id, version_key, logged_model_id } = version
  const manifest = await db.manifestOfVersion(sql, version_key)
  const files = await pinnedFiles.filesOf(sql, version_key)
  return { ...nothing, files, logged_model_id, copied: { name, version: number, run_id, manifest } }
}

/** The path below our artifact proxy, or undefined when a source lies elsewhere. */
function proxiedPath(source: string): string | undefined {
  const path =
    /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/.exec(source)?.[1] ??
    /^https?:\/\/[^/]+(?:\/[^?#]*)?\/api\/2\.0\/mlflow-artifacts\/artifacts\/([^?#]*)$/.exec(source)?.[1]
  return path?.split('/').filter(Boolean).join('/')
}
