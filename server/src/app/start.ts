import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#kernel/clock.ts'
import { createServer, listen } from '#kernel/http/server.ts'
import { createIds } from '#kernel/ids.ts'
import { createLog, type Log } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import { openFolder } from '#kernel/store/folder.ts'
import { openStore } from '#kernel/store/index.ts'
import { createTelemetry } from '#kernel/telemetry.ts'
import type { Config } from '../config.ts'
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

    const server = createServer({ log, ids, dev: config.dev, hosts: config['server.hosts'] })
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

/** The secret that signs cursors: given, or made once and kept beside the data. */
async function secretOf(config: Config): Promise<Uint8Array> {
  if (config['server.secret']) return Buffer.from(config['server.secret'])
  const path = join(config.data, 'secret')
  try {
    return await readFile(path)
  } catch {
    const secret = systemRandom.bytes(32)
    await mkdir(config.data, { recursive: true, mode: 0o700 })
    await writeFile(path, secret, { mode: 0o600, flag: 'wx' })
    return secret
  }
}
