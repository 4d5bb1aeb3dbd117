import type { Clock } from '../clock.ts'
import { assert, DomainError, isPassing, notFound } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log.ts'
import { createPulse } from '../pulse.ts'
import { type Random, systemRandom } from '../random.ts'
import { json, type MigrationSource, type Store } from '../store/index.ts'
import type { Telemetry } from '../telemetry.ts'
import { type AnyKind, createEndings } from './endings.ts'
import type { JobState, Jobs } from './index.ts'
import {
  getJob,
  insertJob,
  listJobs,
  lockJob,
  lookAtQueue,
  openJobWithKey,
  renewLease,
  takeJobs,
  toJob,
} from './job-store.ts'
import { createSchedules } from './schedules.ts'
import { LEASE_MS, type Running, runJob } from './worker.ts'

export const jobsMigrations: MigrationSource = { owner: 'jobs', dir: new URL('./migrations/', import.meta.url) }

const POLL_MS = 250
const HEARTBEAT_MS = 4_000
const INPUT_BYTES_MAX = 1024 * 1024
const ATTEMPTS_MAX = 3
const CONCURRENCY = 2
const STOP_GRACE_MS = 10_000

export interface JobsDeps {
  store: Store
  clock: Clock
  ids: Ids
  log: Log
  random?: Random
  telemetry?: Telemetry
}

export function createJobs({ store, clock, ids, log, random = systemRandom, telemetry }: JobsDeps): Jobs {
  const kinds = new Map<string, AnyKind>()
  const running = new Map<string, Running>()
  const ended = telemetry?.counter({ name: 'jobs_ended_total', help: 'Jobs that ended', labels: ['kind', 'state'] })
  telemetry?.gauge({ name: 'jobs_running', help: 'Jobs running in this process', read: () => running.size })
  let started = false

  const onEnded = (kind: string, state: JobState) => ended?.add({ kind, state })
  const endings = createEndings({ kinds, clock, random, log, onEnded })
  const schedules = createSchedules({ store, clock, log })

  const keyOf = (workspace: string | null, id: string) => `${workspace}\n${id}`
  const runningOf = (kind: string) => [...running.values()].filter((one) => one.kind === kind).length

  const take = async (kind: AnyKind): Promise<void> => {
    const free = (kind.concurrency ?? CONCURRENCY) - runningOf(kind.kind)
    if (free <= 0 || !started) return
    const now_ms = clock.now()
    const times = { now_ms, lease_until_ms: now_ms + LEASE_MS }
    const rows = await store.write((tx) => takeJobs(tx, kind.kind, free, times, store.can.skipLocked))
    for (const row of rows) {
      const one = runJob(row, kind, { store, clock, log, endings, onEnded })
      const key = keyOf(row.workspace, row.id)
      running.set(key, one)
      if (!started) one.stop('stopping')
      void one.ended.then(() => {
        running.delete(key)
        pulse.wake()
      })
    }
  }

  const recover = (workspace: string, id: string) =>
    store.write(async (tx) => {
      const row = await lockJob(tx, workspace, id, store.can.manyWriters)
      if (row?.state === 'running' && row.lease_until_ms < clock.now()) await endings.lost(tx, row)
    })

  const beat = async () => {
    await schedules.settle()
    for (const { what, name, workspace } of await store.read((sql) => lookAtQueue(sql, clock.now()))) {
      if (!started) return false
      const here = running.get(keyOf(workspace, name))
      if (what === 'due') {
        const kind = kinds.get(name)
        if (kind) await take(kind)
      } else if (what === 'schedule') await schedules.fire(name)
      else if (what === 'cancelled' && here) here.stop('cancelled')
      else if (what === 'lost' && !here) await recover(workspace!, name)
    }
    return false
  }

  const heartbeat = async () => {
    if (running.size === 0) return false
    const until = clock.now() + LEASE_MS
    const mine = [...running.values()]
    const kept = await store.write((tx) => Promise.all(mine.map(({ held }) => renewLease(tx, held, until))))
    mine.forEach((one, index) => {
      if (!kept[index]) one.stop('lost')
    })
    return false
  }

  const pulse = createPulse({ name: 'jobs', every_ms: POLL_MS, beat, log })
  const heart = createPulse({ name: 'job leases', every_ms: HEARTBEAT_MS, beat: heartbeat, log })

  return {
    define(kind) {
      assert(!kinds.has(kind.kind), `job kind ${kind.kind} is defined twice`)
      kinds.set(kind.kind, kind as unknown as AnyKind)
    },

    async enqueue(tx, job) {
      const kind = kinds.get(job.kind)
      assert(kind, `job kind ${job.kind} is not defined`)
      const input = json(job.input)
      const bytes = Buffer.byteLength(input)
      if (bytes > INPUT_BYTES_MAX) {
        throw new DomainError('too-large', `the job's input has ${bytes} bytes; at most ${INPUT_BYTES_MAX} fit`, {
          field: 'input',
        })
      }
      if (job.key !== undefined) {
        const open = await openJobWithKey(tx, { ...job, key: job.key })
        if (open) return open
      }
      const id = ids.next('job')
      await insertJob(tx, id, job, input, kind.attempts_max ?? ATTEMPTS_MAX, clock.now())
      tx.afterCommit(() => pulse.wake())
      return id
    },

    async get(sql, workspace, id) {
      const row = await getJob(sql, workspace, id)
      return row && toJob(row)
    },

    list: async (sql, workspace, filter) => (await listJobs(sql, workspace, filter)).map(toJob),

    async cancel(tx, workspace, id) {
      const row = await lockJob(tx, workspace, id, store.can.manyWriters)
      if (!row) throw notFound(`no job ${id}`)
      // Where its kind is not known nobody could be told of the end: a worker that knows it ends it.
      if (row.state === 'waiting' && kinds.has(row.kind))
        return endings.giveUp(tx, { ...row, cancel_asked: 1 }, 'cancelled')
      if (row.state !== 'waiting' && row.state !== 'running') return
      await tx.run('UPDATE job SET cancel_asked = 1, run_at_ms = ? WHERE workspace = ? AND id = ?', [
        clock.now(),
        workspace,
        id,
      ])
      tx.afterCommit(() => running.get(keyOf(workspace, id))?.stop('cancelled'))
    },

    schedule(name, cron, fire) {
      schedules.add(name, cron, fire)
      pulse.wake()
    },

    unschedule(name) {
      schedules.remove(name)
      pulse.wake()
    },

    async start() {
      assert(!started, 'jobs are started twice')
      // A store of one process: whoever ran these jobs is gone.
      if (!store.can.manyWriters) {
        await store
          .write((tx) => tx.run("UPDATE job SET lease_until_ms = 0 WHERE state = 'running'"))
          .catch((error: unknown) => {
            if (!isPassing(error)) throw error
            log.warn({ err: error }, 'jobs that were under way are taken again when their leases run out')
          })
      }
      started = true
      pulse.start()
      heart.start()
    },

    async idle() {
      assert(started, 'jobs.idle() before jobs.start()')
      for (;;) {
        pulse.wake()
        const open = await store.read(async (sql) => {
          const found = await lookAtQueue(sql, clock.now())
          const busy = await sql.get("SELECT 1 AS busy FROM job WHERE state = 'running' LIMIT 1")
          return (
            busy !== undefined ||
            found.some(
              ({ what, name }) => (what === 'due' && kinds.has(name)) || (what === 'schedule' && schedules.ready(name)),
            )
          )
        })
        // A beat may have committed what was just seen, and not yet have told so.
        if (!started || (!open && running.size === 0)) return pulse.rest()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },

    async stop(grace_ms = STOP_GRACE_MS) {
      started = false
      await Promise.all([pulse.stop(), heart.stop()])
      for (const one of running.values()) one.stop('stopping', grace_ms)
      await Promise.all([...running.values()].map((one) => one.ended))
    },
  }
}
