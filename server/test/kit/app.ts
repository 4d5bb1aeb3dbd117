import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningApp, startApp } from '#app/start.ts'
import { manualClock } from '#kernel/clock.ts'
import { ALL_PERMISSIONS, type Permission, type RouteEntry, type Who } from '#kernel/http/index.ts'
import { silentLog } from '#kernel/log.ts'
import { readConfig } from '../../src/config.ts'

export interface GuardedApp {
  app: RunningApp
  clock: ReturnType<typeof manualClock>
  /** The first admin, in workspace `default`. */
  ada: Who
  token(rights: readonly Permission[], workspace?: string, expires_ms?: number): Promise<string>
  close(): Promise<void>
}

/** The whole server with sign-in, a first admin and a second workspace `elsewhere`, on a folder of its own. */
export async function startGuardedApp(): Promise<GuardedApp> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-guarded-'))
  const clock = manualClock(Date.now())
  const config = readConfig({ flags: { data: dir, port: '0' }, env: {}, cwd: dir })
  const app = await startApp(config, { log: silentLog, clock })
  const { access, store } = app.parts
  const key = app.setupLink!.split('key=')[1]!
  const { person } = await access.acceptInvitation({ key, name: 'Ada', password: 'seven quiet herons' })
  const ada: Who = { kind: 'person', ...person, workspace: 'default', rights: ALL_PERMISSIONS }
  await store.write((tx) => access.createWorkspace(tx, ada, { name: 'elsewhere' }))
  return {
    app,
    clock,
    ada,
    async token(rights, workspace = 'default', expires_ms) {
      const input = { name: 'test', rights, ...(expires_ms !== undefined && { expires_ms }) }
      return (await store.write((tx) => access.makeToken(tx, { ...ada, workspace }, input))).secret
    },
    async close() {
      await app.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** `GET /path/:of/it`: how tests speak of a route. */
export const routeName = ({ method, path }: RouteEntry): string => `${method} ${path}`
