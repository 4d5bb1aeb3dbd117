import { showDuration } from '#kernel/units.ts'
import { readConfig } from '../config.ts'
import type { CommandAction } from './program.ts'

interface UpOptions {
  dev?: boolean
  host?: string
  port?: string
  data?: string
  store?: string
}

/** Longest that a graceful stop may take; then the process ends anyway, and the next start recovers. */
const STOP_MS = 20_000

/** Signals closer together are one wish. A later second one means now. */
const SAME_PRESS_MS = 1_000

/** Starts the server and stays until a signal asks it to stop. */
export const up: CommandAction<[UpOptions]> = async ({ cwd, output }, options) => {
  const started = performance.now()
  const config = readConfig({
    cwd,
    env: process.env,
    flags: {
      ...(options.dev && { dev: 'true' }),
      ...(options.host !== undefined && { host: options.host }),
      ...(options.port !== undefined && { port: options.port }),
      ...(options.data !== undefined && { data: options.data }),
      ...(options.store !== undefined && { store: options.store }),
    },
  })
  const { startApp } = await import('#app/start.ts')
  const app = await startApp(config)
  const took = showDuration(performance.now() - started)

  if (output.json)
    output.answer({ url: app.url, data: config.data, setup: app.setupLink ?? null, dev: config.dev }, () => '')
  else {
    output.say(`Slipway is up at ${app.url} (${took})`)
    output.say(`  data      ${config.data}${config.store ? ' and PostgreSQL' : ''}`)
    output.say(`  MLflow    MLFLOW_TRACKING_URI=${app.url}`)
    if (config.dev) output.say('  no sign-in (--dev): whoever reaches this address may do anything')
    if (app.setupLink) output.say(`  first admin: open ${app.setupLink} (works once)`)
    output.say('  Ctrl-C stops it')
  }

  await new Promise<void>((resolve) => {
    let asked_at: number | undefined
    const stop = (signal: NodeJS.Signals) => {
      if (asked_at !== undefined) {
        // One Ctrl-C arrives twice when whoever started us (npm does) passes on what the terminal sends to all.
        if (performance.now() - asked_at < SAME_PRESS_MS) return
        process.exit(130)
      }
      asked_at = performance.now()
      output.say(`${signal}: finishing what is under way (again: stop at once)`)
      setTimeout(() => process.exit(1), STOP_MS).unref()
      void app.stop().then(resolve, (error: unknown) => {
        output.warn(`stopping failed: ${(error as Error).message}`)
        process.exit(1)
      })
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
  return undefined
}
