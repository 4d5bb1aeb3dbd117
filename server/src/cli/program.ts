import { Command, CommanderError } from 'commander'
import { DomainError } from '#kernel/errors.ts'
import { type Client, createClient } from './client.ts'
import { EXIT } from './exit.ts'
import { createOutput, type Output } from './output.ts'

/** What every command is handed. `cwd` is the caller's folder, which under npm is not the process's. */
export interface CommandContext {
  cwd: string
  output: Output
  client: Client
}

export type CommandAction<A extends unknown[] = unknown[]> = (
  context: CommandContext,
  ...args: A
) => Promise<number | undefined>

export type ActMaker = <A extends unknown[]>(
  load: () => Promise<CommandAction<A>>,
) => (...args: [...A, ...unknown[]]) => Promise<void>

const URL_DEFAULT = 'http://127.0.0.1:8080'

/** Runs one command line and answers its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok
  const cwd = process.env.INIT_CWD ?? process.cwd()
  const program = new Command('slipway')
    .description('The whole life of a model in one process.')
    // What the environment holds is no default of an option: help would print it.
    .option('--url <url>', `server to talk to (SLIPWAY_URL, or ${URL_DEFAULT})`)
    .option('--token <token>', 'API token (better: SLIPWAY_TOKEN)')
    .option('--workspace <name>', 'workspace (SLIPWAY_WORKSPACE)')
    .option('--json', 'answer as JSON on standard output', false)
    .showHelpAfterError('(slipway --help lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 it failed, 2 wrong usage or input, 3 no server answers, 4 refused, 130 interrupted.',
    )
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })

  const act: ActMaker =
    (load) =>
    async (...args) => {
      const options = program.opts<{ url?: string; token?: string; workspace?: string; json: boolean }>()
      const { SLIPWAY_URL, SLIPWAY_TOKEN, SLIPWAY_WORKSPACE } = process.env
      const context: CommandContext = {
        cwd,
        output: createOutput({ json: options.json }),
        client: createClient({
          url: options.url ?? SLIPWAY_URL ?? URL_DEFAULT,
          token: options.token ?? SLIPWAY_TOKEN,
          workspace: options.workspace ?? SLIPWAY_WORKSPACE,
        }),
      }
      code = (await (await load())(context, ...(args as never))) ?? EXIT.ok
    }

  program
    .command('up')
    .description('start the server')
    .option('--dev', 'no sign-in; loopback only')
    .option('--host <address>', 'address to listen on')
    .option('--port <port>', 'port to listen on (default 8080; 0: a free one)')
    .option('--data <dir>', 'folder that holds everything (default .slipway)')
    .option('--store <url>', 'postgres://… instead of the SQLite file in the data folder')
    .action(act(async () => (await import('./up.ts')).up))
  program
    .command('status')
    .description('what the server and its loop are doing')
    .action(act(async () => (await import('./status.ts')).status))
  program
    .command('config')
    .description('list all settings, their values and where these come from')
    .option('--data <dir>', 'data folder')
    .action(act(async () => (await import('./config.ts')).config))
  program
    .command('doctor')
    .description('check this machine and the data folder')
    .option('--data <dir>', 'data folder')
    .action(act(async () => (await import('./doctor.ts')).doctor))
  program
    .command('apply [file]')
    .description('apply a slipway.yaml: all of it, or none')
    .option('--dry-run', 'only say what would change')
    .action(act(async () => (await import('./apply.ts')).apply))
  program
    .command('run <pipeline>')
    .description('start a pipeline and follow it')
    .option('-p, --param <name=value>', 'parameter (repeatable)', collect, [])
    .option('-i, --input <dataset=version>', 'version of a dataset that it reads (repeatable)', collect, [])
    .option('-d, --detach', 'do not wait for its end')
    .option('--no-cache', 'run every step')
    .option('--reason <text>', 'why')
    .action(act(async () => (await import('./run.ts')).run))
  program
    .command('logs <what>')
    .description('log of a step, a pipeline run, or the newest run of a pipeline')
    .option('-f, --follow', 'until it has ended')
    .action(act(async () => (await import('./logs.ts')).logs))
  const release = program.command('release').description('releases of endpoints')
  release
    .command('list')
    .description('releases, newest first')
    .option('-e, --endpoint <name>', 'of this endpoint only')
    .action(act(async () => (await import('./release.ts')).listReleases))
  release
    .command('propose <endpoint> <version>')
    .description('propose a model version for an endpoint: its gate decides')
    .option('--reason <text>', 'why')
    .action(act(async () => (await import('./release.ts')).proposeRelease))
  release
    .command('rollback <release>')
    .description('end a rollout, or go from a live release back to the one before it')
    .requiredOption('--reason <text>', 'why')
    .action(act(async () => (await import('./release.ts')).rollBackRelease))
  program
    .command('data')
    .description('datasets')
    .command('add <name> <files...>')
    .description('upload files or a folder as the next version of a dataset')
    .option('-t, --tag <name=value>', 'tag (repeatable)', collect, [])
    .option('--reason <text>', 'why')
    .option('--time-column <column>', 'column that says when a row happened')
    .option('--no-wait', 'do not wait for its checks')
    .action(act(async () => (await import('./data.ts')).addData))
  const bring = program.command('import').description('bring along what other tools have kept')
  bring
    .command('tensorboard <folder>')
    .description("take in the event files of a log folder of TensorBoard's, from where they stood the last time")
    .option('-e, --experiment <name>', "experiment (default: the folder's name)")
    .option('-w, --watch', 'go on as the files grow', false)
    .action(act(async () => (await import('./import-tensorboard.ts')).importTensorboard))
  bring
    .command('mlflow <source>')
    .description(
      "take in a store of MLflow's: a folder mlruns, sqlite:///…, postgresql://… or mysql://…; again: what is new",
    )
    .option(
      '--artifacts <how>',
      'copy, or reference: those in a store that clients reach themselves stay there',
      'copy',
    )
    .option('--artifact-root <folder>', "folder that the source's server hands out as mlflow-artifacts:")
    .option('-e, --experiment <name>', 'only this experiment, by name or id (repeatable)', collect, [])
    .option('--source-workspace <name>', "workspace of the source, where MLflow's store has several")
    .option('--dry-run', 'only count what is there', false)
    .action(act(async () => (await import('./import-mlflow.ts')).importMlflow))

  bring
    .command('slipway <folder>')
    .description('take in a folder that slipway export wrote')
    .action(act(async () => (await import('./import-mlflow.ts')).importSlipway))
  program
    .command('export <folder>')
    .description('write everything of a workspace in open formats: Parquet, JSON, files')
    .option('-e, --experiment <name>', 'only this experiment, by name or id (repeatable)', collect, [])
    .option('--no-artifacts', 'leave the files out')
    .action(act(async () => (await import('./export.ts')).exportAll))
  program
    .command('sync <source>')
    .description("send what was logged without a connection: MLflow's folder mlruns or sqlite:///…; again: what is new")
    .option('-w, --watch', 'go on as it grows, and whenever the server is there', false)
    .option('-e, --experiment <name>', 'only this experiment, by name or id (repeatable)', collect, [])
    .option('--artifact-root <folder>', 'folder of what the source names mlflow-artifacts:')
    .action(act(async () => (await import('./import-sync.ts')).sync))

  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    return report(error, program.opts<{ json: boolean }>().json)
  }
}

const collect = (value: string, values: string[]): string[] => [...values, value]

function report(error: unknown, json: boolean): number {
  if (!(error instanceof DomainError)) {
    process.stderr.write(`slipway: ${(error as Error)?.stack ?? String(error)}\n`)
    return EXIT.failed
  }
  if (json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`)
  process.stderr.write(`slipway: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`)
  switch (error.problem) {
    case 'unavailable':
      return EXIT.unreachable
    case 'unauthenticated':
    case 'forbidden':
      return EXIT.refused
    case 'invalid':
    case 'not-found':
    case 'conflict':
    case 'already-exists':
      return EXIT.usage
    default:
      return EXIT.failed
  }
}
