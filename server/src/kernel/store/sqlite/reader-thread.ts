/** Entry of a thread that reads: whole queries one after another, and snapshots whose statements come as messages. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Catalog, Row } from '../index.ts'
import { type Connection, openConnection } from './connection.ts'
import { type Answer, plainError, type ReaderData, type Request } from './protocol.ts'
import { type AnyWork, settle, threadSql } from './thread-sql.ts'

const QUERY_CACHE_KIB = 8 * 1024
const SNAPSHOT_CACHE_KIB = 2 * 1024
/** Connections for snapshots that are kept open when idle. */
const SPARE_MAX = 2

const port = parentPort!
const { path, catalog } = workerData as ReaderData

async function start() {
  const { queries } = (catalog === undefined ? { queries: {} } : await import(catalog)) as Catalog
  const works = queries as unknown as Record<string, AnyWork>
  const connection = openConnection(path, { readonly: true, cache_kib: QUERY_CACHE_KIB })
  const spare: Connection[] = []
  const snapshots = new Map<number, Connection>()

  const version = () => Number((connection.execute('get', 'PRAGMA data_version', []) as Row).data_version)

  const query = async (name: string, input: unknown) => {
    const work = works[name]
    if (!work) throw new Error(`no query ${name}`)
    const sql = threadSql(connection)
    connection.script('BEGIN')
    try {
      return await settle(work({ ...sql.tx, version }, input), `query ${name}`)
    } finally {
      sql.close()
      connection.script('ROLLBACK')
    }
  }

  const snapshotOf = (id: number) => {
    let snapshot = snapshots.get(id)
    if (!snapshot) {
      snapshot = spare.pop() ?? openConnection(path, { readonly: true, cache_kib: SNAPSHOT_CACHE_KIB })
      snapshot.script('BEGIN')
      snapshots.set(id, snapshot)
    }
    return snapshot
  }

  const end = (id: number) => {
    const snapshot = snapshots.get(id)
    if (!snapshot) return
    snapshots.delete(id)
    snapshot.script('ROLLBACK')
    if (spare.length < SPARE_MAX) spare.push(snapshot)
    else snapshot.close()
  }

  const answer = async (request: Request): Promise<Answer | undefined> => {
    switch (request.kind) {
      case 'call':
        return query(request.name, request.input).then(
          (value) => ({ kind: 'done', id: request.id, value }),
          (error) => ({ kind: 'done', id: request.id, error: plainError(error) }),
        )
      case 'statement': {
        const { id, seq } = request
        try {
          return {
            kind: 'statement',
            id,
            seq,
            value: snapshotOf(id).execute(request.method, request.sql, request.params),
          }
        } catch (error) {
          return { kind: 'statement', id, seq, error: plainError(error) }
        }
      }
      case 'end':
        end(request.id)
        return undefined
      case 'close':
        for (const open of [connection, ...spare, ...snapshots.values()]) open.close()
        setImmediate(() => port.close())
        return { kind: 'done', id: request.id }
      default:
        return undefined
    }
  }

  let last = Promise.resolve()
  port.on('message', (requests: Request[]) => {
    for (const request of requests)
      last = last.then(async () => {
        const reply = await answer(request)
        if (!reply) return
        try {
          port.postMessage([reply])
        } catch (error) {
          port.postMessage([{ ...reply, value: undefined, error: plainError(error) }])
        }
      })
  })
  port.postMessage([{ kind: 'ready' }])
}

start().catch((error) => port.postMessage([{ kind: 'failed-start', error: plainError(error) }]))
