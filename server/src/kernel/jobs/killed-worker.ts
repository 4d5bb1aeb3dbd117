import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type Clock, systemClock } from '#kernel/clock.ts'
import { systemWho } from '#kernel/http/who.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import type { Store } from '#kernel/store/index.ts'
import { createJobs } from './index.ts'

const worker = fileURLToPath(new URL('./hanging-worker.ts', import.meta.url))

/** Has another process take a job, kills it, and answers how long the job then took to be done here, in milliseconds. */
export async function killAndTakeOver(store: Store, url: string, clock: Clock = systemClock): Promise<number> {
  const jobs = createJobs({ store, clock, ids: createIds(clock, systemRandom), log: silentLog })
  jobs.define({ kind: 'long', run: async () => 'taken over' })
  const id = await store.write((tx) =>
    jobs.enqueue(tx, { kind: 'long', input: {}, workspace: 'w', who: systemWho('w'), run_at_ms: Date.now() }),
  )
  const child: ChildProcess = spawn(process.execPath, [worker, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child.stdout!, 'data')
  } finally {
    child.kill('SIGKILL')
  }
  await once(child, 'exit')
  const at = performance.now()
  await jobs.start()
  try {
    await jobs.idle()
    const took_ms = performance.now() - at
    expect(await store.read((sql) => jobs.get(sql, 'w', id))).toMatchObject({
      state: 'done',
      result: 'taken over',
      attempt: 1,
    })
    return took_ms
  } finally {
    await jobs.stop(100)
  }
}
