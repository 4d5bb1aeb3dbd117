/** Applies a project file: all of it in one transaction, or none. */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { readLock } from '#kernel/environments/index.ts'
import { conflict, DomainError, invalid } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Tx } from '#kernel/store/index.ts'
import type { LockedEnvironment } from '#slices/pipelines'
import type { Parts } from '../parts.ts'
import { readProject } from './read.ts'
import { refuseWithoutRights } from './rights.ts'
import type { ProjectFile } from './schema.ts'

export interface ApplyInput {
  yaml: string
  /** Digest of the code snapshot that the file stands in. */
  code: string
  /** Where slipway.yaml lies within the snapshot; '' at its top. */
  folder: string
  dry_run: boolean
}

export interface Change {
  /** `pipelines.train` */
  path: string
  change: 'added' | 'changed' | 'removed'
}

export interface Applied {
  project: string
  number: number
  changes: Change[]
  applied: boolean
}

const SECTIONS = ['datasets', 'environments', 'pipelines', 'endpoints', 'releases', 'monitors'] as const

export function createApply({
  store,
  blobs,
  pipelines,
  datasets,
  quality,
  serving,
  releases,
  monitoring,
  projects,
}: Pick<
  Parts,
  'store' | 'blobs' | 'pipelines' | 'datasets' | 'quality' | 'serving' | 'releases' | 'monitoring' | 'projects'
>) {
  /** Locks are read before the transaction: no file is read inside one. */
  const lockEnvironments = async (
    file: ProjectFile,
    input: ApplyInput,
    workspace: string,
  ): Promise<Record<string, LockedEnvironment>> => {
    const code = await store.read((sql) => pipelines.getCode(sql, workspace, input.code))
    const locked: Record<string, LockedEnvironment> = {}
    for (const [name, { python, lock }] of Object.entries(file.environments ?? {})) {
      const path = posix.normalize(posix.join(input.folder, lock))
      const found = await pipelines.readCodeFile(code, path)
      if (!found)
        throw invalid(`environments.${name}.lock: there is no file '${path}' in the code`, {
          field: `environments.${name}.lock`,
          remedy: 'Add it to git, or name the file that is there.',
        })
      try {
        readLock(found.text)
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        throw invalid(`environments.${name}.lock: ${path}: ${error.message}`, {
          field: `environments.${name}.lock`,
          ...(error.remedy && { remedy: error.remedy }),
        })
      }
      locked[name] = {
        lock: (await blobs.put(Buffer.from(found.text))).digest,
        ...(python !== undefined && { python }),
      }
    }
    return locked
  }

  const applyAll = async (
    tx: Tx,
    who: Who,
    file: ProjectFile,
    before: ProjectFile | undefined,
    environments: Record<string, LockedEnvironment>,
    input: ApplyInput,
  ): Promise<void> => {
    const { project } = file
    for (const [name, spec] of Object.entries(file.datasets ?? {})) {
      await datasets.setTimeColumn(tx, who, name, spec.time_column ?? null)
      await quality.setChecks(tx, who, name, spec.checks ?? [], `datasets.${name}.checks`)
    }
    for (const [name, spec] of Object.entries(file.endpoints ?? {}))
      await serving.applyEndpoint(tx, who, { project, name, spec })
    for (const [name, spec] of Object.entries(file.monitors ?? {}))
      await monitoring.applyMonitor(tx, who, { project, name, spec })
    for (const [name, spec] of Object.entries(file.releases ?? {}))
      await releases.applyPolicy(tx, who, { project, endpoint: name, spec })
    for (const [name, spec] of Object.entries(file.pipelines ?? {}))
      await pipelines.applyPipeline(tx, who, { project, name, spec, environments, code: input.code })
    const gone = (section: (typeof SECTIONS)[number]) =>
      Object.keys(before?.[section] ?? {}).filter((name) => !(name in (file[section] ?? {})))
    for (const name of gone('pipelines')) await pipelines.removePipeline(tx, who, project, name)
    for (const name of gone('releases')) await releases.removePolicy(tx, who, name)
    for (const name of gone('monitors')) await monitoring.removeMonitor(tx, who, name)
    for (const name of gone('endpoints')) await serving.removeEndpoint(tx, who, name)
    for (const name of gone('datasets')) {
      await datasets.setTimeColumn(tx, who, name, null)
      await quality.setChecks(tx, who, name, [])
    }
  }

  return async (who: Who, input: ApplyInput): Promise<Applied> => {
    const { project: file, mistakes } = readProject(input.yaml)
    if (!file) {
      const lines = mistakes.map(
        ({ line, column, path, message, remedy }) =>
          `${line}:${column} ${path ? `${path}: ` : ''}${message}${remedy ? `. ${remedy}` : ''}`,
      )
      throw new DomainError(
        'invalid',
        `slipway.yaml has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
        { field: 'yaml', facts: { mistakes } },
      )
    }
    const last = await store.read((sql) => projects.latest(sql, who.workspace, file.project))
    const before = last && readProject(last.yaml).project
    refuseWithoutRights(who, file, before)
    const changes = changesBetween(before, file)
    if (last && last.code !== input.code) changes.push({ path: 'code', change: 'changed' })
    const environments = await lockEnvironments(file, input, who.workspace)
    const dry = new DryRun()
    const number = await store
      .write(async (tx) => {
        await tx.lock('pipelines.project', who.workspace, file.project)
        // What is to be removed was found by what was there: if that changed meanwhile, it must be found again.
        if ((await projects.latest(tx, who.workspace, file.project))?.number !== last?.number)
          throw conflict(`somebody else applied '${file.project}' just now`, { remedy: 'Apply again.' })
        await applyAll(tx, who, file, before, environments, input)
        // A dry run is a whole one that is undone: it finds what only the applying finds.
        if (input.dry_run) throw dry
        return projects.record(tx, who, {
          project: file.project,
          yaml: input.yaml,
          digest: `sha256:${createHash('sha256').update(input.yaml).digest('hex')}`,
          code: input.code,
        })
      })
      .catch((error: unknown) => {
        if (error === dry) return undefined
        throw error
      })
    if (number === undefined) return { project: file.project, number: last?.number ?? 0, changes, applied: false }
    return { project: file.project, number, changes, applied: true }
  }
}

/** Ends a transaction that was only to see whether it would go. */
class DryRun extends Error {}

function changesBetween(before: ProjectFile | undefined, after: ProjectFile): Change[] {
  const changes: Change[] = []
  for (const section of SECTIONS) {
    const old: Record<string, unknown> = before?.[section] ?? {}
    const now: Record<string, unknown> = after[section] ?? {}
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const path = `${section}.${name}`
      if (!(name in old)) changes.push({ path, change: 'added' })
      else if (!(name in now)) changes.push({ path, change: 'removed' })
      else if (JSON.stringify(old[name]) !== JSON.stringify(now[name])) changes.push({ path, change: 'changed' })
    }
  }
  return changes
}
