/** Entry of the thread that owns SQLite's one writing connection. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { DomainError } from '../../errors.ts'
import type { Catalog } from '../index.ts'
import { isFailedSync, openConnection } from './connection.ts'
import { createGroupCommit } from './group-commit.ts'
import { migrateSqlite } from './migrate.ts'
import { type Answer, plainError, type Request, type WriterData } from './protocol.ts'
import type { AnyWork } from './thread-sql.ts'
import { endProcess, openWalSync } from './wal-sync.ts'

const CACHE_KIB = 16 * 1024
const ROOM_CHECK_MS = 100
/** How often the WAL's length is asked for, whichever comes first. */
const WAL_LOOK_GROUPS = 16
const WAL_LOOK_MS = 20
const WAL_BYTES_KEPT = 64 * 1024 * 1024

const port = parentPort!
const { path, migrations, catalog, limits, now_ms } = workerData as WriterData

const send = (answers: Answer[]) => {
  try {
    port.postMessage(answers)
  } catch {
    // One result was not plain data: find it, and answer the others.
    for (const answer of answers)
      try {
        port.postMessage([answer])
      } catch (error) {
        port.postMessage([{ ...answer, value: undefined, error: plainError(error) }])
      }
  }
}

async function start() {
  const connection = openConnection(path, { readonly: false, cache_kib: CACHE_KIB })
  const { database } = connection
  // NORMAL: SQLite syncs the WAL before a checkpoint, the database after it, and the WAL's header when it starts again. The
  // sync of each commit is ours. Checkpoints are ours too, because SQLite's own hides a failed sync.
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
  if (mode !== 'wal')
    throw new DomainError('unsupported', `the file system of ${path} cannot share memory, which SQLite's WAL needs`, {
      remedy: 'Put the data folder on a local disk.',
    })
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;
    PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`)
  migrateSqlite(
    connection,
    migrations.map(({ owner, dir }) => ({ owner, dir: new URL(dir) })),
    now_ms,
  )
  // A commit of our own makes sure that the WAL is there before it is opened for syncing.
  database.exec('PRAGMA user_version = 1')
  const sync = openWalSync(path)
  connection.takeChanged()
  await new Promise<void>((resolve) => sync.request(resolve))
  const { commands } = catalog === undefined ? { commands: {} } : ((await import(catalog)) as Catalog)

  let checked_ms = 0
  let room = true
  const checkRoom = () => {
    const now = performance.now()
    if (!room || now - checked_ms > ROOM_CHECK_MS) {
      checked_ms = now
      const { bavail, bsize } = statfsSync(dirname(path))
      room = bavail * bsize >= limits.disk_reserve_bytes
    }
    if (!room)
      throw new DomainError(
        'storage-full',
        `the disk of ${path} has less than ${limits.disk_reserve_bytes} bytes left`,
        {
          remedy: 'Free space on that disk, or move the data folder to a larger one.',
        },
      )
  }

  let checkpoints = 0
  let wal_pages = 0
  const walState = database.prepare('PRAGMA wal_checkpoint(NOOP)')
  const moveWal = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  let groups = 0
  let looked_ms = 0
  const checkpoint = (idle: boolean) => {
    // Asking how long the WAL is costs as much as a small write.
    if (++groups % WAL_LOOK_GROUPS !== 0 && performance.now() - looked_ms < WAL_LOOK_MS) return
    looked_ms = performance.now()
    wal_pages = Number(walState.get()?.log ?? 0)
    if (wal_pages < limits.checkpoint_pages * (idle ? 1 : 4)) return
    try {
      moveWal.get()
      checkpoints++
    } catch (error) {
      if (isFailedSync(error)) endProcess(`SQLite could not sync ${path} (${(error as Error).message})`)
    }
    sync.check()
  }

  const group = createGroupCommit({
    connection,
    sync,
    limits,
    commands: commands as unknown as Record<string, AnyWork>,
    checkRoom,
    checkpoint,
    send,
  })
  port.on('message', (requests: Request[]) => {
    for (const request of requests) {
      if (request.kind === 'stats') {
        const value = { ...group.counts, syncs: sync.syncs, checkpoints, wal_pages }
        send([{ kind: 'done', id: request.id, value }])
      } else if (request.kind === 'close') {
        // The main thread sends this last, after every answer has come back.
        sync.close()
        connection.close()
        send([{ kind: 'done', id: request.id }])
        port.close()
      } else group.push(request)
    }
  })
  send([{ kind: 'ready' }])
}

start().catch((error) => send([{ kind: 'failed-start', error: plainError(error) }]))
