/** What the parts of a transfer share. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '../client.ts'
import type { Progress } from '../output.ts'
import { type LocalFile, localFiles, localFolder, type Places } from './artifacts.ts'
import type { Source, SourceExperiment } from './model.ts'
import type { Report } from './report.ts'

export interface TransferOptions {
  artifacts: 'copy' | 'reference'
  /** Names or ids; none: all. */
  experiments: readonly string[]
  places: Places
  dry_run: boolean
  progress: Progress
}

/** What is remembered of a run that is wholly taken in. */
export interface RunMark {
  /** Of all that was read of it. */
  print: string
  params: number
  tags: string[]
  points: number
  files: number
  bytes: number
  lifecycle: 'active' | 'deleted'
}

export const WHATS = [
  'experiments',
  'runs',
  'params',
  'tags',
  'metric points',
  'artifact files',
  'artifact bytes',
  'logged models',
  'models',
  'versions',
  'aliases',
] as const
export type What = (typeof WHATS)[number]

export interface Transfer {
  client: Client
  source: Source
  options: TransferOptions
  marks: Map<string, string>
  report: Report
  count(what: What, part: 'source' | 'here' | 'added', by: number): void
  /** Notes what is wholly taken in; written in groups. */
  mark(item: string, mark: unknown): Promise<void>
  flush(): Promise<void>
  wrong(line: string): void
  note(line: string): void
}

/** An experiment of the source and what it has become here. */
export interface Target {
  experiment_id: string
  merged: boolean
  artifact_location: string
  source: SourceExperiment
}

export const printOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** The files of a run or model of the source's, or undefined when they are nowhere on this machine. */
export async function filesOf(
  it: Transfer,
  { artifact_uri, artifact_folder }: { artifact_uri: string; artifact_folder?: string },
): Promise<LocalFile[] | undefined> {
  const folder = artifact_folder ?? localFolder(artifact_uri, it.options.places)
  return folder === undefined ? undefined : await localFiles(folder)
}

/** One spelling for each place that a URI of the source's can name. */
export function placeOf(uri: string, places: Places): string {
  const bare = uri.replace(/\/+$/, '')
  if (/^file:/i.test(bare)) {
    try {
      return fileURLToPath(bare.replace(/^file:(?!\/\/)/i, 'file://'))
    } catch {
      return bare
    }
  }
  if (/^mlflow-artifacts:/i.test(bare))
    return bare.replace(/^mlflow-artifacts:(?:\/\/[^/]*)?\/*/i, 'mlflow-artifacts:/')
  if (/^[a-z][a-z0-9+.-]+:/i.test(bare)) return bare
  return resolve(places.folder, bare)
}
