import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { invalid, notFound } from '#kernel/errors.ts'
import { EXIT } from './exit.ts'
import { openExport } from './import/exported.ts'
import { openMlruns } from './import/mlruns.ts'
import type { Source } from './import/model.ts'
import { reportWords } from './import/report.ts'
import { readDatabase } from './import/sql.ts'
import { openDatabase } from './import/sql-open.ts'
import { transfer } from './import/transfer.ts'
import type { CommandAction, CommandContext } from './program.ts'

export interface ImportMlflowOptions {
  artifacts: string
  artifactRoot?: string
  experiment: string[]
  sourceWorkspace?: string
  dryRun: boolean
}

/** A folder `mlruns`, or a database by its SQLAlchemy URI. */
export async function openSource(cwd: string, where: string, workspace?: string): Promise<Source> {
  // One letter is a drive.
  if (/^[a-z][a-z0-9+]+:/i.test(where) && !/^file:/i.test(where)) {
    const database = await openDatabase(where, cwd)
    try {
      return await readDatabase(database, workspace)
    } catch (error) {
      await database.close()
      throw error
    }
  }
  const path = resolve(cwd, where.replace(/^file:\/\//i, '').replace(/^file:/i, ''))
  if (!(await stat(path).catch(() => undefined))?.isDirectory())
    throw notFound(`there is no folder ${path}`, {
      field: 'source',
      remedy: 'Name a folder mlruns, or sqlite:///…, postgresql://… or mysql://….',
    })
  return await openMlruns(path)
}

export async function bring(
  { cwd, client, output }: CommandContext,
  where: string,
  options: ImportMlflowOptions,
): ReturnType<typeof transfer> {
  const { artifacts } = options
  if (artifacts !== 'copy' && artifacts !== 'reference')
    throw invalid(`'${artifacts}' is neither copy nor reference`, { field: '--artifacts' })
  const source = await openSource(cwd, where, options.sourceWorkspace)
  const progress = output.progress(`import ${source.words}`)
  try {
    const usual = join(source.folder, 'mlartifacts')
    const proxied = options.artifactRoot
      ? resolve(cwd, options.artifactRoot)
      : (await stat(usual).catch(() => undefined))?.isDirectory()
        ? usual
        : undefined
    return await transfer(client, source, {
      artifacts,
      experiments: options.experiment,
      places: { folder: source.folder, proxied },
      dry_run: options.dryRun,
      progress,
    })
  } finally {
    progress.done()
    await source.close()
  }
}

/** Takes in what a store of MLflow's holds; once more: what is new there. */
export const importMlflow: CommandAction<[string, ImportMlflowOptions]> = async (context, where, options) => {
  const report = await bring(context, where, options)
  context.output.answer(report, () => reportWords(report))
  return report.wrong.length > 0 ? EXIT.failed : undefined
}

/** Takes in a folder that `slipway export` wrote. */
export const importSlipway: CommandAction<[string]> = async ({ cwd, client, output }, where) => {
  const source = await openExport(resolve(cwd, where))
  const progress = output.progress(`import ${source.words}`)
  try {
    const places = { folder: source.folder, proxied: join(source.folder, 'artifacts') }
    const report = await transfer(client, source, {
      artifacts: 'copy',
      experiments: [],
      places,
      dry_run: false,
      progress,
    })
    output.answer(report, () => reportWords(report))
    return report.wrong.length > 0 ? EXIT.failed : undefined
  } finally {
    progress.done()
    await source.close()
  }
}
