/** A process of its own for killed-worker.test.ts: takes one job over the store named on the command line and never ends it. */
import { systemClock } from '#kernel/clock.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import { openStore } from '#kernel/store/index.ts'
import { createJobs, jobsMigrations } from './index.ts'

const store = await openStore({ url: process.argv[2]!, migrations: [jobsMigrations], log: silentLog })
const jobs = createJobs({ store, clock: systemClock, ids: createIds(systemClock, systemRandom), log: silentLog })
jobs.define({
  kind: 'long',
  run: async (_job, context) => {
    await context.write((tx) => tx.run('SELECT 1'))
    process.stdout.write('running\n')
    return new Promise(() => {})
  },
})
await jobs.start()
