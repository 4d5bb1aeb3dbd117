import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mlflowWording } from '#adapters/mlflow'
import { systemClock } from '#kernel/clock.ts'
import { conflict } from '#kernel/errors.ts'
import { createServer, listen } from '#kernel/http/server.ts'
import { createIds } from '#kernel/ids.ts'
import { createLog, type Log } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import { openFolder, writeFileWhole } from '#kernel/store/folder.ts'
import { openStore } from '#kernel/store/index.ts'
import { createTelemetry } from '#kernel/telemetry.ts'
import { type Config, SECRET_BYTES_MIN } from '../config.ts'
import { migrations } from './migrations.ts'
import { buildParts, type Parts } from './parts.ts'
import { addRoutes } from './routes.ts'
import { subscribe } from './subscriptions.ts'

export interface RunningApp {
  url: string
  /** Link that makes the first admin; only on a folder where nobody has signed in yet. */
  setupLink: string | undefined
  parts: Parts
  /** Finishes what is under way, in the order that loses nothing: requests, jobs, predictions, events, store. */
  stop(): Promise<void>
}

/** What a test may bring along in place of the real thing. */
export interface AppOverrides {
  log?: Log
  clock?: typeof systemClock
  random?: typeof systemRandom
}

/** Opens the folder and the store, builds every part, listens. On failure nothing stays open. */
export async function startApp(config: Config, overrides: AppOverrides = {}): Promise<RunningApp> {
  const clock = overrides.clock ?? systemClock
  const random = overrides.random ?? systemRandom
  const log = overrides.log ?? createLog({ level: config['log.level'] })
  const ids = createIds(clock, random)
  const closers: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of closers.reverse().splice(0))
      await close().catch((error: unknown) => log.error({ err: error }, 'a part did not stop cleanly'))
  }

  try {
    const folder = await openFolder(config.data)
    closers.push(() => folder.close())
    const telemetry = createTelemetry()
    const store = await openStore({
      url: config.store || `sqlite:${join(config.data, 'slipway.db')}`,
      migrations,
      catalog: new URL('./store-catalog.ts', import.meta.url),
      disk_reserve_bytes: config['store.reserve'],
      log,
      clock,
    })
    closers.push(() => store.close())

    const server = createServer({
      log,
      ids,
      dev: config.dev,
      hosts: config['server.hosts'],
      connections_max: config['server.connections'],
      wordingOf: (address) => mlflowWording(address, log),
    })
    // Steps and Python processes call back: they need the address before it is known, so they are given a way to ask.
    let url = ''
    const parts = await buildParts({
      config,
      store,
      clock,
      random,
      ids,
      log,
      telemetry,
      secret: await secretOf(config),
      url: () => url,
    })
    closers.push(() => parts.stop())
    subscribe(parts)
    await addRoutes(server, parts)
    await server.ready()
    await parts.prepare()
    closers.push(async () => server.close())
    url = await listen(server, config.host, config.port)
    await parts.start()
    return { url, setupLink: await parts.setupLink(url), parts, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The secret that signs cursors: given, or made once and kept beside the data. Throws conflict for a file that holds too little. */
async function secretOf(config: Config): Promise<Uint8Array> {
  if (config['server.secret']) return Buffer.from(config['server.secret'])
  const path = join(config.data, 'secret')
  const kept = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (kept === undefined) {
    const secret = systemRandom.bytes(SECRET_BYTES_MIN)
    writeFileWhole(path, secret)
    return secret
  }
  if (kept.length < SECRET_BYTES_MIN)
    throw conflict(`${path} holds ${kept.length} bytes, and a secret has at least ${SECRET_BYTES_MIN}`, {
      remedy: 'Put it back from a backup, or remove it: a new one is made, and webhooks then sign with other secrets.',
    })
  return kept
}
