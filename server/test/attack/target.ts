/** The whole server with sign-in, in a folder that lies deep among files nobody may reach. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Pool } from 'undici'
import { type RunningApp, startApp } from '#app/start.ts'
import { ALL_PERMISSIONS, type Who } from '#kernel/http/index.ts'
import { silentLog } from '#kernel/log.ts'
import { readConfig } from '../../src/config.ts'

/** Stands in files around the server's folder, and in none of its answers. */
export const CANARY = 'the-canary-of-the-coal-mine'
/** What would show that a file of the machine or of our own store was read. */
const TELLTALE = [CANARY, 'root:x:0:', 'SQLite format 3', '; for 16-bit app support']

export interface Answer {
  status: number
  type: string
  text: string
}

export interface Target {
  app: RunningApp
  token: string
  /** `path` goes to the server as it is: nothing is resolved or encoded on the way. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Files outside of the server's folder, with what they hold. */
  outside(): Record<string, string>
  close(): Promise<void>
}

export async function startTarget(): Promise<Target> {
  const root = mkdtempSync(join(tmpdir(), 'slipway-attack-'))
  const data = join(root, 'a', 'b', 'c', 'data')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  for (let dir = dirname(data); dir.startsWith(root); dir = dirname(dir)) writeFileSync(join(dir, 'canary.txt'), CANARY)
  const flags = { data, port: '0', 'log.level': 'silent', 'environments.offline': 'true', 'store.reserve': '0' }
  const app = await startApp(readConfig({ flags, env: {}, cwd: dirname(data) }), { log: silentLog })
  const { access, store } = app.parts
  const key = app.setupLink!.split('key=')[1]!
  const { person } = await access.acceptInvitation({ key, name: 'Ada', password: 'seven quiet herons' })
  const ada: Who = { kind: 'person', ...person, workspace: 'default', rights: ALL_PERMISSIONS }
  const { secret: token } = await store.write((tx) =>
    access.makeToken(tx, ada, { name: 'attack', rights: ALL_PERMISSIONS }),
  )
  const pool = new Pool(app.url, { connections: 8, headersTimeout: 60_000, bodyTimeout: 60_000 })

  return {
    app,
    token,
    async send(method, path, body, headers = {}) {
      const {
        statusCode,
        headers: told,
        body: stream,
      } = await pool.request({
        method: method as 'GET',
        path,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && {
          body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        }),
      })
      return { status: statusCode, type: String(told['content-type'] ?? ''), text: await stream.text() }
    },
    outside() {
      const found: Record<string, string> = {}
      const walk = (dir: string) => {
        for (const entry of readdirSync(dir, { withFileTypes: true })) {
          const path = join(dir, entry.name)
          if (path === data) continue
          if (entry.isDirectory()) walk(path)
          else found[path] = `${statSync(path).mtimeMs} ${readFileSync(path, 'utf8')}`
        }
      }
      walk(root)
      return found
    },
    async close() {
      await pool.close()
      await app.stop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** What is wrong with an answer to somebody who means harm; undefined when nothing is. */
export function harm({ status, type, text }: Answer): string | undefined {
  const told = TELLTALE.find((word) => text.includes(word))
  if (told) return `tells '${told}'`
  if (status >= 500 && status !== 501) return `answers ${status}: ${text.slice(0, 200)}`
  if (status < 400 || status === 416) return undefined
  if (type.startsWith('application/problem+json')) return undefined
  if (!type.startsWith('application/json')) return `refuses with ${status} as '${type}'`
  const { error_code, message } = JSON.parse(text) as { error_code?: string; message?: string }
  return error_code && message !== undefined
    ? undefined
    : `refuses with ${status} without a code: ${text.slice(0, 200)}`
}
