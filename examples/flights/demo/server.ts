import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'

const MAIN = resolve(import.meta.dirname, '../../../server/src/main.ts')
const START_MS = 60_000

export interface RunningServer {
  url: string
  process: ChildProcess
  stop(): Promise<void>
}

/** Starts `slipway up --dev` over a fresh folder, and answers when it listens. */
export async function startServer(options: {
  data: string
  environments: string
  port: number
  keep?: boolean
}): Promise<RunningServer> {
  if (!options.keep) await rm(options.data, { recursive: true, force: true })
  const child = spawn(
    process.execPath,
    [MAIN, '--json', 'up', '--dev', '--port', String(options.port), '--data', options.data],
    {
      env: {
        ...process.env,
        SLIPWAY_ENVIRONMENTS_DIR: options.environments,
        SLIPWAY_LOG_LEVEL: process.env.SLIPWAY_LOG_LEVEL ?? 'warn',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
      // In a group of its own: a Ctrl-C is the demonstration's, which asks the server to stop, once.
      detached: true,
    },
  )
  const hangUp = () => void child.kill('SIGTERM')
  process.once('SIGHUP', hangUp)
  process.once('exit', hangUp)
  // Until it listens nobody else stops it.
  const giveUp = () => {
    child.once('exit', () => process.exit(130))
    hangUp()
  }
  process.once('SIGINT', giveUp)
  process.once('SIGTERM', giveUp)
  const url = await new Promise<string>((answer, fail) => {
    let said = ''
    const timer = setTimeout(() => fail(new Error(`the server did not start within ${START_MS / 1000} s`)), START_MS)
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const line = said.split('\n').find((one) => one.startsWith('{'))
      if (!line) return
      clearTimeout(timer)
      const told = JSON.parse(line) as { url?: string; error?: { message: string } }
      if (told.url) answer(told.url)
      else fail(new Error(told.error?.message ?? line))
    })
    child.once('exit', (code) => fail(new Error(`the server ended with ${code}`)))
  }).finally(() => {
    process.off('SIGINT', giveUp)
    process.off('SIGTERM', giveUp)
  })
  return {
    url,
    process: child,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await new Promise((done) => child.once('exit', done))
    },
  }
}
