/** What a start costs and what an idle server holds. The time by the clock is in start.long.test.ts: others may run beside us. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, expect, test } from 'vitest'
import { addRoutes } from '#app/routes.ts'
import { createServer } from '#kernel/http/server.ts'
import { silentLog } from '#kernel/log.ts'
import { startGuardedApp } from '#kit/app.ts'
import { startServerProcess } from './server-process.ts'

const MIB = 1024
const folder = mkdtempSync(join(tmpdir(), 'slipway-start-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(!existsSync('/proc/self/status'))(
  'the second start of an empty folder takes little, an idle server holds less than 200 MB, and loads neither DuckDB nor ONNX Runtime',
  async () => {
    const data = join(folder, 'data')
    const first = await startServerProcess({ data })
    expect(await first.end('SIGTERM')).toMatchObject({ code: 0 })
    const second = await startServerProcess({ data })
    try {
      // Of all its threads on all processors: on a free machine the clock shows less.
      expect(second.started_cpu_ms).toBeLessThanOrEqual(1500)
      // What a start leaves behind is given back within seconds, and what timers take shows in them.
      await new Promise((resolve) => setTimeout(resolve, 3000))
      const held_kb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${second.pid}/status`, 'utf8'))?.[1])
      expect(held_kb).toBeGreaterThan(0)
      expect(held_kb).toBeLessThan(200 * MIB)
      expect(readFileSync(`/proc/${second.pid}/maps`, 'utf8')).not.toMatch(/duckdb|onnxruntime/i)
    } finally {
      await second.end('SIGTERM')
    }
  },
  180_000,
)

test('the schema of every route compiles, though a start compiles none', async () => {
  const guarded = await startGuardedApp()
  try {
    const { parts } = guarded.app
    const server = createServer({ log: silentLog, ids: parts.ids, dev: true, hosts: [] })
    const schemas: object[] = []
    server.addHook('onRoute', ({ schema }) => {
      for (const part of ['params', 'querystring', 'body'] as const)
        if (schema?.[part]) schemas.push(schema[part] as object)
    })
    await addRoutes(server, parts)
    await server.ready()
    expect(schemas.length).toBeGreaterThan(100)
    const ajv = new Ajv({ strict: false })
    for (const schema of schemas) expect(() => ajv.compile(schema), JSON.stringify(schema)).not.toThrow()
    await server.close()
  } finally {
    await guarded.close()
  }
})
