import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '#kernel/clock.ts'
import { callerOf, type Who } from '#kernel/http/index.ts'
import type { Log } from '#kernel/log.ts'
import { isTrue, type MigrationSource, type Sql, type Store } from '#kernel/store/index.ts'
import { absentFamily, noteOn } from './absent.ts'

export const mlflowMigrations: MigrationSource = { owner: 'mlflow', dir: new URL('./migrations/', import.meta.url) }

const FLUSH_MS = 30_000
/** Rows kept of a workspace; those not seen for longest go first. */
export const ROWS_MAX = 2_000
/** Kinds of calls counted between two flushes; what comes beyond is not counted. */
const PENDING_MAX = 5_000
const AGENTS_MAX = 500

export interface ClientCall {
  /** `mlflow-python-client`, `browser`, …, as the client calls itself. */
  client: string
  version: string
  method: string
  /** With `:id` and `*` where ids and paths stand; a family of paths when nothing answers there. */
  endpoint: string
  supported: boolean
  count: number
  last_ms: number
  /** What it means that it is not supported. */
  note: string | null
}

type Counted = Omit<ClientCall, 'note'> & { workspace: string }

/** Who called what of MLflow's API, counted in memory and written down every half minute: no call waits for it. */
export interface Compatibility {
  /** Counts what is answered in this scope and those below it. */
  watch(scope: FastifyInstance): void
  /** What is not supported first, then by count. */
  items(sql: Sql, workspace: string): Promise<ClientCall[]>
  start(): void
  flush(): Promise<void>
  stop(): Promise<void>
}

export function createCompatibility(deps: {
  store: Pick<Store, 'write'>
  clock: Clock
  log: Log
  /** Who asks for a path that nothing answers; strangers are not counted. */
  identify(request: FastifyRequest): Promise<Who>
}): Compatibility {
  const { store, clock, log, identify } = deps
  const agents = new Map<string, { client: string; version: string }>()
  let pending = new Map<string, Counted>()
  let timer: NodeJS.Timeout | undefined

  const agentOf = (header: string) => {
    const known = agents.get(header)
    if (known) return known
    if (agents.size >= AGENTS_MAX) agents.clear()
    const agent = readAgent(header)
    agents.set(header, agent)
    return agent
  }

  const add = (call: Counted): void => {
    const { workspace, client, version, method, endpoint, supported } = call
    const key = `${workspace}\n${client}\n${version}\n${method}\n${endpoint}\n${supported}`
    const before = pending.get(key)
    if (before) {
      before.count += call.count
      before.last_ms = Math.max(before.last_ms, call.last_ms)
    } else if (pending.size < PENDING_MAX) pending.set(key, call)
  }

  const count = (who: Who, request: FastifyRequest, reply: FastifyReply): void => {
    const supported = !request.is404 && reply.statusCode !== 501
    const endpoint = request.is404
      ? absentFamily(request.url.split('?')[0]!).endpoint
      : (request.routeOptions.url ?? '').replace(/^\/ajax-api\//, '/api/')
    const { client, version } = agentOf(String(request.headers['user-agent'] ?? ''))
    add({
      workspace: who.workspace,
      client,
      version,
      method: request.method,
      endpoint,
      supported,
      count: 1,
      last_ms: clock.now(),
    })
  }

  const flush = async (): Promise<void> => {
    const calls = [...pending.values()]
    pending = new Map()
    while (calls.length > 0) {
      const some = calls.slice(0, ROWS_IN_ONE_WRITE)
      try {
        await store.write(async (tx) => {
          for (const call of some) await writeCall(tx, call)
          for (const workspace of new Set(some.map((call) => call.workspace))) await forgetOldest(tx, workspace)
        })
      } catch (error) {
        for (const call of calls) add(call)
        log.warn({ err: error }, 'counts of client calls wait for the next time')
        return
      }
      calls.splice(0, some.length)
    }
  }

  return {
    watch(scope) {
      scope.addHook('onResponse', (request, reply, done) => {
        done()
        const who = callerOf(request)
        if (who) count(who, request, reply)
        else if (reply.statusCode !== 401)
          identify(request).then(
            (found) => count(found, request, reply),
            () => undefined,
          )
      })
    },

    async items(sql, workspace) {
      const all = new Map<string, ClientCall>()
      const waiting = [...pending.values()].filter((call) => call.workspace === workspace)
      for (const { workspace: _, ...call } of [...(await readCalls(sql, workspace)), ...waiting]) {
        const key = `${call.client}\n${call.version}\n${call.method}\n${call.endpoint}\n${call.supported}`
        const before = all.get(key)
        all.set(key, {
          ...call,
          count: call.count + (before?.count ?? 0),
          last_ms: Math.max(call.last_ms, before?.last_ms ?? 0),
          note: call.supported
            ? null
            : (noteOn(call.endpoint) ?? 'This server does not do it; the client goes another way.'),
        })
      }
      return [...all.values()]
        .sort((a, b) => Number(a.supported) - Number(b.supported) || b.count - a.count)
        .slice(0, ROWS_MAX)
    },

    start() {
      timer ??= setInterval(() => void flush(), FLUSH_MS).unref()
    },
    flush,
    async stop() {
      clearInterval(timer)
      timer = undefined
      await flush()
    },
  }
}

const ROWS_IN_ONE_WRITE = 200

const writeCall = (tx: Sql, call: Counted) =>
  tx.run(
    `INSERT INTO client_call (workspace, client, version, method, endpoint, supported, calls, last_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, client, version, method, endpoint, supported) DO UPDATE
     SET calls = client_call.calls + excluded.calls, last_ms = excluded.last_ms`,
    [
      call.workspace,
      call.client,
      call.version,
      call.method,
      call.endpoint,
      call.supported ? 1 : 0,
      call.count,
      call.last_ms,
    ],
  )

const forgetOldest = (tx: Sql, workspace: string) =>
  tx.run(
    `DELETE FROM client_call WHERE workspace = ? AND last_ms <= (
       SELECT last_ms FROM client_call WHERE workspace = ? ORDER BY last_ms DESC LIMIT 1 OFFSET ${ROWS_MAX})`,
    [workspace, workspace],
  )

async function readCalls(sql: Sql, workspace: string): Promise<Counted[]> {
  const rows = await sql.all<Omit<Counted, 'supported' | 'count'> & { supported: number; calls: number }>(
    `SELECT workspace, client, version, method, endpoint, supported, calls, last_ms FROM client_call
     WHERE workspace = ? ORDER BY last_ms DESC LIMIT ${ROWS_MAX}`,
    [workspace],
  )
  return rows.map(({ calls, supported, ...row }) => ({ ...row, supported: isTrue(supported), count: calls }))
}

/** `mlflow-python-client/3.17.2` as name and version; browsers are one client. */
export function readAgent(header: string): { client: string; version: string } {
  if (header.startsWith('Mozilla/')) return { client: 'browser', version: '' }
  const [, client, version = ''] = /^([A-Za-z][\w.-]{0,59})(?:\/([0-9][0-9A-Za-z.+-]{0,29}))?/.exec(header) ?? []
  return client === undefined ? { client: 'unknown', version: '' } : { client, version }
}
