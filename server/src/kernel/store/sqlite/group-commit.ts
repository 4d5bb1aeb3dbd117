/**
 * The one writer. Commands that wait together share a transaction, each in a savepoint of its own; a callback has a
 * transaction of its own. All share the syncs of the WAL, and nobody is answered before the sync that covers them.
 */
import { DomainError } from '../../errors.ts'
import type { StoreLimits } from '../options.ts'
import { type Connection, isFailedSync, isFull } from './connection.ts'
import { type Answer, plainError, type Request } from './protocol.ts'
import { type AnyWork, afterFailure, settle, threadSql } from './thread-sql.ts'
import { endProcess, type WalSync } from './wal-sync.ts'

interface Deps {
  connection: Connection
  sync: WalSync
  limits: StoreLimits
  commands: Record<string, AnyWork>
  /** Throws DomainError 'storage-full' below the reserve. */
  checkRoom(): void
  /** Moves WAL pages into the database when there are enough; `idle`: nothing waits. */
  checkpoint(idle: boolean): void
  /** Sends answers to the main thread. */
  send(answers: Answer[]): void
}

type Call = Extract<Request, { kind: 'call' }>
type Message = Extract<Request, { kind: 'statement' | 'end' }>
type Done = Extract<Answer, { kind: 'done' }>

interface Callback {
  kind: 'callback'
  id: number
  inbox: Message[]
  expired: boolean
  wake: (() => void) | undefined
}

export interface GroupCommit {
  push(request: Request): void
  readonly counts: { groups: number; commands: number; callbacks: number; failed: number; waiting: number }
}

export function createGroupCommit({
  connection,
  sync,
  limits,
  commands,
  checkRoom,
  checkpoint,
  send,
}: Deps): GroupCommit {
  const statement = (sql: string) => {
    const prepared = connection.database.prepare(sql)
    return () => void prepared.run()
  }
  const begin = statement('BEGIN IMMEDIATE')
  const commit = statement('COMMIT')
  const rollback = statement('ROLLBACK')
  const savepoint = statement('SAVEPOINT item')
  const release = statement('RELEASE item')
  const undo = statement('ROLLBACK TO item')
  const queue: (Call | Callback | { kind: 'barrier'; id: number })[] = []
  const callbacks = new Map<number, Callback>()
  const counts = { groups: 0, commands: 0, callbacks: 0, failed: 0, waiting: 0 }
  let running = false
  /** Commits that changed something, and how many of them are on disk. */
  let committed = 0
  let durable = 0

  /** Answers once everything committed until now is on disk: also no-ops and errors may rest on a commit that is not yet. */
  const answer = (answers: Done[]) => {
    if (committed === durable) return send(answers)
    const covers = committed
    sync.request(() => {
      durable = Math.max(durable, covers)
      send(answers)
    })
  }

  const failure = (id: number, error: unknown): Done => {
    counts.failed++
    return { kind: 'done', id, error: plainError(isFull(error) ? storageFull(connection, error) : error) }
  }

  /** Commits the open transaction; every item fails with the reason when that cannot be done. */
  const finish = (done: Done[]): Done[] => {
    try {
      commit()
      counts.groups++
      if (connection.takeChanged()) committed++
      return done
    } catch (error) {
      if (isFailedSync(error)) endProcess(`SQLite could not sync (${(error as Error).message})`)
      return abandon(done, error)
    }
  }

  const abandon = (done: Done[], error: unknown): Done[] => {
    if (connection.database.isTransaction) rollback()
    connection.takeChanged()
    return done.map(({ id }) => failure(id, error))
  }

  const runCalls = async (first: Call): Promise<Done[]> => {
    const done: Done[] = []
    const started = performance.now()
    begin()
    let item: Call | undefined = first
    while (item) {
      counts.commands++
      savepoint()
      const sql = threadSql(connection)
      try {
        const command = commands[item.name]
        if (!command) throw new Error(`no command ${item.name}`)
        const value = await settle(command(sql.tx, item.input), `command ${item.name}`)
        if (sql.failed !== undefined) throw sql.failed
        release()
        done.push({ kind: 'done', id: item.id, value })
      } catch (error) {
        const cause = sql.failed ?? error
        if (isFailedSync(cause)) endProcess(`SQLite could not sync (${(cause as Error).message})`)
        if (isFull(cause) || !connection.database.isTransaction) {
          sql.close()
          return abandon([...done, { kind: 'done', id: item.id }], cause)
        }
        undo()
        release()
        done.push(failure(item.id, error))
      }
      sql.close()
      const next: (typeof queue)[number] | undefined = queue[0]
      const room = done.length < limits.group_items_max && performance.now() - started < limits.group_ms_max
      item = room && next?.kind === 'call' ? (queue.shift() as Call) : undefined
    }
    return finish(done)
  }

  const runCallback = async (callback: Callback): Promise<Done[]> => {
    counts.callbacks++
    const { id } = callback
    let failed: unknown
    const started = performance.now()
    const timer = setTimeout(() => {
      callback.expired = true
      callback.wake?.()
    }, limits.callback_ms_max)
    begin()
    try {
      for (;;) {
        const message = callback.inbox.shift()
        if (callback.expired || performance.now() - started > limits.callback_ms_max)
          return abandon([{ kind: 'done', id }], tooLong(limits))
        if (message === undefined) {
          await new Promise<void>((resolve) => {
            callback.wake = resolve
          })
          callback.wake = undefined
        } else if (message.kind === 'end') {
          if (!message.keep) {
            rollback()
            connection.takeChanged()
            return [{ kind: 'done', id }]
          }
          return failed === undefined ? finish([{ kind: 'done', id }]) : abandon([{ kind: 'done', id }], failed)
        } else {
          try {
            if (failed !== undefined) throw afterFailure(failed)
            const value = connection.execute(message.method, message.sql, message.params)
            send([{ kind: 'statement', id, seq: message.seq, value }])
          } catch (error) {
            if (isFailedSync(error)) endProcess(`SQLite could not sync (${(error as Error).message})`)
            failed ??= error
            if (isFull(error) || !connection.database.isTransaction) return abandon([{ kind: 'done', id }], error)
            send([{ kind: 'statement', id, seq: message.seq, error: plainError(error) }])
          }
        }
      }
    } finally {
      clearTimeout(timer)
      callbacks.delete(id)
    }
  }

  const run = async () => {
    running = true
    for (let item = queue.shift(); item; item = queue.shift()) {
      if (item.kind === 'barrier') {
        answer([{ kind: 'done', id: item.id }])
        continue
      }
      try {
        checkRoom()
        answer(item.kind === 'call' ? await runCalls(item) : await runCallback(item))
      } catch (error) {
        // The transaction could not even begin, or there is no room for one.
        if (item.kind === 'callback') callbacks.delete(item.id)
        if (connection.database.isTransaction) rollback()
        answer([failure(item.id, error)])
      }
      checkpoint(queue.length === 0)
    }
    running = false
  }

  return {
    push(request) {
      if (request.kind === 'call' || request.kind === 'barrier') queue.push(request)
      else if (request.kind === 'statement' || request.kind === 'end') {
        let callback = callbacks.get(request.id)
        // Later statements of a callback that was given up find none and are dropped: its caller has been answered.
        if (!callback && request.kind === 'statement' && request.seq === 0) {
          callback = { kind: 'callback', id: request.id, inbox: [], expired: false, wake: undefined }
          callbacks.set(request.id, callback)
          queue.push(callback)
        }
        callback?.inbox.push(request)
        callback?.wake?.()
      }
      if (!running && queue.length > 0) void run()
    },
    get counts() {
      counts.waiting = queue.length
      return counts
    },
  }
}

const storageFull = (connection: Connection, cause: unknown) =>
  new DomainError(
    'storage-full',
    `${connection.database.location() ?? 'the store'} cannot grow: the disk is full or a quota is reached`,
    {
      remedy: 'Free space on that disk, or move the data folder to a larger one.',
      cause,
    },
  )

const tooLong = ({ callback_ms_max }: StoreLimits) =>
  new DomainError('unavailable', `open for more than ${callback_ms_max} ms and was rolled back`, {
    facts: { open_ms_max: callback_ms_max },
  })
