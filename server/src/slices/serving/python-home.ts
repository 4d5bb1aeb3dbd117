/** A model version where its own Python can work on it: its files, its environment with our tools, its training rows. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningProcess } from '#kernel/environments/index.ts'
import { notFound } from '#kernel/errors.ts'
import type { ServingDeps } from './deps.ts'
import type { Loader } from './loader.ts'
import { nameRows } from './preparation.ts'
import { startTool, type ToolRun } from './python-tool.ts'
import * as store from './serving-store.ts'
import { featuresOf } from './signature.ts'

export interface PythonHome {
  /** Folder of the MLflow model. */
  model_dir: string
  /** Names of the inputs, where the signature tells them. */
  features: string[] | undefined
  /** Training rows as a Parquet or CSV file; undefined: none are here. */
  rows: string | undefined
  /** A private folder that goes with `done`. Its path is short enough for a socket only below the system's temporary folder. */
  scratch: string
  start(run: Omit<ToolRun, 'environment'>): Promise<{ process: RunningProcess; tail(): string }>
  done(): Promise<void>
}

export interface PythonHomes {
  /** Throws not-found for a version that is not there, conflict when its files or requirements are missing. Close it with `done`. */
  openPython(workspace: string, model: string, version: number, signal?: AbortSignal): Promise<PythonHome>
}

export function createPythonHomes(deps: ServingDeps, loader: Loader, toolPins: readonly string[]): PythonHomes {
  const parent = join(deps.settings.dir, 'cache', 'python')
  let cleared: Promise<void> | undefined

  return {
    async openPython(workspace, model, version, signal) {
      const [files, attached] = await deps.store.read(
        async (sql) =>
          [
            await deps.versionFiles(sql, workspace, model, version),
            await store.attachedRows(sql, workspace, model, version),
          ] as const,
      )
      if (!files) throw notFound(`no version ${version} of model '${model}'`, { field: 'version' })
      const environment = await loader.environmentOf(workspace, files, toolPins, signal)
      const model_dir = await loader.materialise(files)
      // What a killed process left behind.
      cleared ??= rm(parent, { recursive: true, force: true })
      await cleared
      await mkdir(parent, { recursive: true, mode: 0o700 })
      const scratch = await mkdtemp(join(parent, 'home-'))
      const lent = attached ? await deps.blobs.lend(attached) : await deps.trainingRows(workspace, model, version)
      const done = async () => {
        await Promise.all([lent?.done(), rm(scratch, { recursive: true, force: true })])
      }
      try {
        const rows = lent && (await nameRows(lent.path, scratch))
        const features = featuresOf(files.signature)?.map(({ name }) => name)
        return { model_dir, features, rows, scratch, start: (run) => startTool(deps, { ...run, environment }), done }
      } catch (error) {
        await done()
        throw error
      }
    },
  }
}
