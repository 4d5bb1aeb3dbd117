import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAnalytics } from '#kernel/analytics/index.ts'
import { createBlobs } from '#kernel/blobs/index.ts'
import { manualClock } from '#kernel/clock.ts'
import { createEvents, eventsMigrations } from '#kernel/events/index.ts'
import { createHolds, holdsMigrations } from '#kernel/holds/index.ts'
import { ALL_PERMISSIONS, type Who } from '#kernel/http/who.ts'
import { createIds } from '#kernel/ids.ts'
import { createJobs, jobsMigrations } from '#kernel/jobs/index.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom, systemRandom } from '#kernel/random.ts'
import type { MigrationSource } from '#kernel/store/index.ts'
import type { OpenTestStore } from './store.ts'

/** A person with every right in a workspace. */
export const person = (workspace = 'w', name = 'Ada'): Who => ({
  kind: 'person',
  id: `per_${name.toLowerCase()}`,
  name,
  workspace,
  rights: ALL_PERMISSIONS,
})

export type TestKernel = Awaited<ReturnType<typeof openKernel>>

/** The kernel's real parts over a fresh store and folder, with a clock that stands still: what a slice's tests are built on. */
export async function openKernel(open: OpenTestStore, migrations: readonly MigrationSource[]) {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-kernel-'))
  const opened = await open({ migrations: [eventsMigrations, holdsMigrations, jobsMigrations, ...migrations] })
  const { store } = opened
  const clock = manualClock(Date.UTC(2026, 1, 1))
  const ids = createIds(clock, systemRandom)
  const deps = { store, clock, ids, log: silentLog, random: seededRandom(2) }
  const events = createEvents(deps)
  const jobs = createJobs(deps)
  const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
  const analytics = createAnalytics({ temp_dir: join(dir, 'temp'), log: silentLog, memory_bytes: 512 * 2 ** 20 })
  return {
    ...opened,
    dir,
    clock,
    ids,
    events,
    jobs,
    blobs,
    analytics,
    holds: createHolds({ clock }),
    /** Until no delivery and no job is left, whichever makes the other. */
    async settled() {
      for (let round = 0; round < 3; round += 1) {
        await events.idle()
        await jobs.idle()
      }
    },
    async close() {
      await jobs.stop(1000)
      await events.stop()
      await analytics.stop()
      await opened.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
