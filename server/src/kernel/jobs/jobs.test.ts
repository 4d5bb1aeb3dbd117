import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import { systemWho } from '#kernel/http/who.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import type { Store } from '#kernel/store/index.ts'
import { eachStore, type TestStore } from '#kit/store.ts'
import { createJobs, type Enqueue, type Job, type JobContext, jobsMigrations } from './index.ts'
import { endJob, putBack, takeJobs } from './job-store.ts'

const START = Date.UTC(2026, 1, 1)

const eventually = async (holds: () => boolean | Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Resolves when the signal aborts, as a well-behaved job does. */
const untilStopped = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

const cleanup: (() => Promise<void>)[] = []
eachStore('jobs', (open, database) => {
  let opened: TestStore
  beforeAll(async () => {
    opened = await open({ migrations: [jobsMigrations] })
    await opened.store.write((tx) => tx.run('CREATE TABLE note (text TEXT)'))
  })
  afterEach(async () => {
    for (const stop of cleanup.splice(0).reverse()) await stop()
    await opened.store.write(async (tx) => {
      for (const table of ['job', 'note']) await tx.run(`DELETE FROM ${table}`)
    })
  })
  afterAll(() => opened.close())
  const jobsOver = (store: Store, clock = manualClock(START)) => {
    const jobs = createJobs({
      store,
      clock,
      ids: createIds(clock, seededRandom(1)),
      log: silentLog,
      random: seededRandom(2),
    })
    cleanup.push(() => jobs.stop(100))
    const add = (kind: string, input: unknown = {}, more: Partial<Enqueue<unknown>> = {}) =>
      store.write((tx) => jobs.enqueue(tx, { kind, input, workspace: 'w', who: systemWho('w'), ...more }))
    const get = async (id: string): Promise<Job> => (await store.read((sql) => jobs.get(sql, 'w', id)))!
    return { jobs, clock, add, get }
  }
  const build = () => ({ ...opened, ...jobsOver(opened.store) })

  test('a job runs with its input and keeps its result; who asked and what it is about stay with it', async () => {
    const { store, jobs, add, get } = build()
    jobs.define<{ rows: number }, { doubled: number }>({
      kind: 'double',
      run: async (job, context) => {
        await context.write((tx) => tx.run('SELECT 1'))
        return { doubled: job.input.rows * 2 }
      },
    })
    await jobs.start()
    const subject = { kind: 'dataset-version', id: 'dsv_1' } as const
    const id = await add('double', { rows: 21 }, { subject })
    await jobs.idle()
    expect(await get(id)).toMatchObject({
      id,
      state: 'done',
      result: { doubled: 42 },
      error: null,
      attempt: 1,
      subject,
      who: { kind: 'system', workspace: 'w' },
      created_ms: START,
      started_ms: START,
      ended_ms: START,
    })
    const list = (filter: object) => store.read((sql) => jobs.list(sql, 'w', { limit: 10, ...filter }))
    expect(await list({ subject })).toHaveLength(1)
    expect(await list({ kind: 'double', state: 'done' })).toHaveLength(1)
    expect(await list({ state: 'failed' })).toEqual([])
    expect(await list({ before_id: id })).toEqual([])
    expect(await store.read((sql) => jobs.get(sql, 'elsewhere', id))).toBeUndefined()
  })

  test('a job of a change that is undone never was', async () => {
    const { store, jobs } = build()
    let ran = 0
    jobs.define({ kind: 'count', run: async () => ++ran })
    await jobs.start()
    await store
      .write(async (tx) => {
        await jobs.enqueue(tx, { kind: 'count', input: {}, workspace: 'w', who: systemWho('w') })
        throw new Error('undone')
      })
      .catch(() => {})
    await jobs.idle()
    expect(ran).toBe(0)
  })

  test('a failing job is tried again after a growing wait, then given up, and what waited for it is told in the same transaction', async () => {
    const { store, jobs, clock, add, get } = build()
    const at: number[] = []
    jobs.define({
      kind: 'fragile',
      attempts_max: 3,
      backoff_ms: 1_000,
      run: async () => {
        at.push(clock.now() - START)
        throw new Error('the disk is on fire')
      },
      onGivenUp: async (tx, job) =>
        void (await tx.run('INSERT INTO note (text) VALUES (?)', [`${job.state}: ${job.error?.message}`])),
    })
    await jobs.start()
    const id = await add('fragile')
    for (let tries = 1; tries <= 3; tries++) {
      await jobs.idle()
      expect(at).toHaveLength(tries)
      const job = await get(id)
      expect(job).toMatchObject({ attempt: tries, error: { problem: 'internal', message: 'the disk is on fire' } })
      expect(job.state).toBe(tries === 3 ? 'failed' : 'waiting')
      if (tries < 3) clock.set(job.run_at_ms)
    }
    expect(at[1]).toBeGreaterThanOrEqual(500)
    expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(1_000)
    expect(await store.read((sql) => sql.all('SELECT text FROM note'))).toEqual([
      { text: 'failed: the disk is on fire' },
    ])
  })

  test('what time does not mend is not tried again; a result too large is a failure that says so', async () => {
    const { jobs, add, get } = build()
    jobs.define({
      kind: 'wrong',
      run: async () => {
        throw new DomainError('invalid', 'no such column: delay')
      },
    })
    jobs.define({ kind: 'chatty', run: async () => 'x'.repeat(256 * 1024) })
    await jobs.start()
    const [wrong, chatty] = [await add('wrong'), await add('chatty')]
    await jobs.idle()
    expect(await get(wrong)).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { problem: 'invalid', message: 'no such column: delay' },
    })
    expect(await get(chatty)).toMatchObject({ state: 'failed', result: null, error: { problem: 'too-large' } })
    await expect(add('chatty', 'x'.repeat(1024 * 1024))).rejects.toMatchObject({ problem: 'too-large', field: 'input' })
    await expect(add('unheard-of')).rejects.toThrow('not defined')
  })

  test('while a job with a key is open a second one is not made; after it ended one is', async () => {
    const { store, jobs, add, get } = build()
    jobs.define({ kind: 'profile', run: async () => {} })
    const first = await add('profile', {}, { key: 'dsv_1' })
    expect(await add('profile', {}, { key: 'dsv_1' })).toBe(first)
    expect(await add('profile', {}, { key: 'dsv_2' })).not.toBe(first)
    const many = await Promise.all(Array.from({ length: 8 }, () => add('profile', {}, { key: 'dsv_3' })))
    expect(new Set(many).size).toBe(1)
    await jobs.start()
    await jobs.idle()
    expect((await get(first)).state).toBe('done')
    expect(await add('profile', {}, { key: 'dsv_1' })).not.toBe(first)
    await jobs.idle()
    expect(await store.read((sql) => jobs.list(sql, 'w', { limit: 10 }))).toHaveLength(4)
  })

  test('no more than the stated number of a kind run at once, oldest first, and a later time is waited for', async () => {
    const { jobs, clock, add } = build()
    let running = 0
    let most = 0
    const order: number[] = []
    jobs.define<{ n: number }, void>({
      kind: 'narrow',
      concurrency: 2,
      run: async (job) => {
        most = Math.max(most, ++running)
        order.push(job.input.n)
        await new Promise((resolve) => setTimeout(resolve, 20))
        running--
      },
    })
    for (let n = 0; n < 6; n++) await add('narrow', { n })
    await add('narrow', { n: 99 }, { run_at_ms: START + 60_000 })
    await jobs.start()
    await jobs.idle()
    expect({ most, order }).toEqual({ most: 2, order: [0, 1, 2, 3, 4, 5] })
    clock.advance(60_000)
    await jobs.idle()
    expect(order.at(-1)).toBe(99)
  })

  test('cancelling ends a waiting job at once and gives a running one its signal', async () => {
    const { store, jobs, add, get } = build()
    const given_up: string[] = []
    jobs.define({
      kind: 'long',
      concurrency: 1,
      run: (_job, { signal }) => untilStopped(signal),
      onGivenUp: async (_tx, job) => void given_up.push(`${job.id} ${job.state}`),
    })
    await jobs.start()
    const runs = await add('long')
    const waits = await add('long')
    await eventually(async () => (await get(runs)).state === 'running')
    await store.write((tx) => jobs.cancel(tx, 'w', waits))
    expect((await get(waits)).state).toBe('cancelled')
    await store.write((tx) => jobs.cancel(tx, 'w', runs))
    await jobs.idle()
    expect(await get(runs)).toMatchObject({ state: 'cancelled', cancel_asked: true, attempt: 1 })
    expect(given_up).toEqual([`${waits} cancelled`, `${runs} cancelled`])
    await store.write((tx) => jobs.cancel(tx, 'w', runs))
    await expect(store.write((tx) => jobs.cancel(tx, 'w', 'job_0'))).rejects.toMatchObject({ problem: 'not-found' })
  })

  test('a job over its time is stopped and tried again', async () => {
    const { jobs, add, get } = build()
    jobs.define({ kind: 'slow', timeout_ms: 30, attempts_max: 1, run: (_job, { signal }) => untilStopped(signal) })
    await jobs.start()
    const id = await add('slow')
    await jobs.idle()
    expect(await get(id)).toMatchObject({
      state: 'failed',
      error: { problem: 'unavailable', message: 'the job ran longer than 30 ms' },
    })
  })

  test('progress is told often and written seldom; the last word is kept', async () => {
    const { store } = opened
    let writes = 0
    const write: Store['write'] = (work) => {
      writes++
      return store.write(work)
    }
    const { jobs, add, get } = jobsOver({ ...store, can: store.can, read: (work) => store.read(work), write })
    let told = false
    let go = false
    jobs.define({
      kind: 'steps',
      run: async (_job, { progress }) => {
        for (let step = 0; step <= 500; step++) progress(step / 500, `step ${step}`)
        told = true
        await eventually(() => go)
        progress(7, `${'z'.repeat(600)}\0`)
      },
    })
    await jobs.start()
    const id = await add('steps')
    await eventually(async () => told && (await get(id)).note === 'step 500')
    expect(writes).toBeLessThan(8)
    go = true
    await jobs.idle()
    expect(await get(id)).toMatchObject({ state: 'done', progress: 1, note: 'z'.repeat(500) })
  })

  test('a stopping server gives its jobs back uncounted, and the next one takes them', async () => {
    const { store } = opened
    const first = jobsOver(store)
    first.jobs.define({ kind: 'long', run: (_job, { signal }) => untilStopped(signal) })
    await first.jobs.start()
    const id = await first.add('long')
    await eventually(async () => (await first.get(id)).state === 'running')
    await first.jobs.stop()
    expect(await first.get(id)).toMatchObject({ state: 'waiting', attempt: 0 })

    const second = jobsOver(store)
    second.jobs.define({ kind: 'long', run: async () => 'done' })
    await second.jobs.start()
    await second.jobs.idle()
    expect(await second.get(id)).toMatchObject({ state: 'done', attempt: 1, result: 'done' })
  })

  test('a job that does not heed its signal is left behind, and nothing it does later counts', async () => {
    const { store } = opened
    const first = jobsOver(store)
    const context = Promise.withResolvers<JobContext>()
    first.jobs.define({
      kind: 'deaf',
      run: (_job, mine) => {
        context.resolve(mine)
        return new Promise(() => {})
      },
    })
    await first.jobs.start()
    const id = await first.add('deaf')
    const mine = await context.promise
    await first.jobs.stop(20)
    expect(await first.get(id)).toMatchObject({ state: 'waiting', attempt: 0 })
    await expect(mine.write((tx) => tx.run('DELETE FROM job'))).rejects.toMatchObject({ problem: 'conflict' })
  })

  test('an end that could not be written is written again', async () => {
    const { store, jobs, add, get } = build()
    let refusals = 1
    jobs.define({
      kind: 'wrong',
      run: async () => {
        throw new DomainError('invalid', 'no')
      },
      onGivenUp: async (tx) => {
        await tx.run("INSERT INTO note (text) VALUES ('told')")
        if (refusals-- > 0) throw new Error('not yet')
      },
    })
    await jobs.start()
    const id = await add('wrong')
    await jobs.idle()
    expect(await get(id)).toMatchObject({ state: 'failed', attempt: 1, error: { message: 'no' } })
    expect(await store.read((sql) => sql.all('SELECT text FROM note'))).toEqual([{ text: 'told' }])
  })

  test('a job cancelled where its kind is not known is ended by a worker that knows it, without running', async () => {
    const { store } = opened
    const [asking, working] = [jobsOver(store), jobsOver(store)]
    let ran = 0
    const told: string[] = []
    working.jobs.define({
      kind: 'far',
      run: async () => ++ran,
      onGivenUp: async (_tx, job) => void told.push(job.state),
    })
    const id = await working.add('far')
    await store.write((tx) => asking.jobs.cancel(tx, 'w', id))
    expect(await asking.get(id)).toMatchObject({ state: 'waiting', cancel_asked: true })
    await working.jobs.start()
    await working.jobs.idle()
    expect(await asking.get(id)).toMatchObject({ state: 'cancelled' })
    expect({ ran, told }).toEqual({ ran: 0, told: ['cancelled'] })
  })

  test('a worker that lost its lease changes nothing any more', async () => {
    const { store, again } = opened
    const first = jobsOver(store)
    const context = Promise.withResolvers<JobContext>()
    const wait = Promise.withResolvers<void>()
    first.jobs.define({
      kind: 'shared',
      run: async (_job, mine) => {
        context.resolve(mine)
        await wait.promise
        return 'first'
      },
    })
    await first.jobs.start()
    const id = await first.add('shared')
    const old = await context.promise

    // Another process, 16 s later by its clock: it finds the lease run out.
    const second = jobsOver(database === 'postgres' ? await again() : store, manualClock(START + 16_000))
    second.jobs.define({ kind: 'shared', run: async () => 'second' })
    await second.jobs.start()
    await second.jobs.idle()
    expect(await second.get(id)).toMatchObject({ state: 'done', result: 'second', attempt: 1 })

    await expect(old.write((tx) => tx.run("INSERT INTO note (text) VALUES ('late')"))).rejects.toMatchObject({
      problem: 'conflict',
    })
    expect(old.signal.aborted).toBe(true)
    wait.resolve()
    await first.jobs.idle()
    expect(await second.get(id)).toMatchObject({ state: 'done', result: 'second' })
    expect(await store.read((sql) => sql.all('SELECT text FROM note'))).toEqual([])
  })

  test('a job that kills its worker again and again is given up', async () => {
    const { store, jobs, add, get } = build()
    const told: string[] = []
    jobs.define({
      kind: 'deadly',
      run: async () => {},
      onGivenUp: async (_tx, job) => void told.push(job.error!.message),
    })
    const id = await add('deadly')
    await store.write((tx) =>
      tx.run("UPDATE job SET state = 'running', attempt = 1, lease = 9, losses = 4 WHERE id = ?", [id]),
    )
    await jobs.start()
    await jobs.idle()
    expect(await get(id)).toMatchObject({ state: 'failed', error: { problem: 'unavailable' } })
    expect(told[0]).toContain('ended 5 times')
  })

  test('a job that ends while another process takes it for lost stays ended', async () => {
    const { store, again } = opened
    const first = jobsOver(store)
    first.jobs.define({ kind: 'stalled', run: async () => {} })
    const id = await first.add('stalled')
    const until = START + 15_000
    const [row] = await store.write((tx) => takeJobs(tx, 'stalled', 1, { now_ms: START, lease_until_ms: until }, false))
    const second = jobsOver(database === 'postgres' ? await again() : store, manualClock(until + 1_000))
    const ran: string[] = []
    second.jobs.define({ kind: 'stalled', run: async (job) => void ran.push(job.id) })
    // Its process was slow: the end is written, not yet committed, when the other looks.
    const ended = store.write(async (tx) => {
      await endJob(tx, row!, { state: 'done', now_ms: until })
      await tx.get(database === 'postgres' ? 'SELECT pg_sleep(0.5)' : 'SELECT 1')
    })
    if (database === 'sqlite') await ended
    await second.jobs.start()
    await ended
    await second.jobs.idle()
    expect(await second.get(id)).toMatchObject({ state: 'done', attempt: 1 })
    expect(ran).toEqual([])
    // What somebody read before changes nothing either.
    expect(await store.write((tx) => endJob(tx, row!, { state: 'failed', now_ms: until }))).toBe(false)
    await store.write((tx) => putBack(tx, row!, { attempt: 0, losses: 1, run_at_ms: 0 }))
    expect(await second.get(id)).toMatchObject({ state: 'done' })
  })

  test('two processes over one store run each job once', async () => {
    const { store, again } = opened
    const ran: string[] = []
    const stores = database === 'postgres' ? [store, await again()] : [store]
    const all = stores.map((one) => jobsOver(one))
    for (const { jobs } of all) {
      jobs.define({ kind: 'once', concurrency: 4, run: async (job) => void ran.push(job.id) })
      await jobs.start()
    }
    const ids = await Promise.all(Array.from({ length: 40 }, () => all[0]!.add('once')))
    for (const { jobs } of all) await jobs.idle()
    expect(ran.sort()).toEqual(ids.sort())
  })
})
