import { cpus } from 'node:os'

/** Above this, times by the clock tell of others. */
const CALM_SHARE_MAX = 0.2
const LOOK_MS = 2_000

export interface Machine {
  calm: boolean
  /** What it was like, for whoever reads the figures. */
  words: string
}

/** How much of the processors others take now; waits for a calm moment at most `wait_ms`. */
export async function calmMachine(wait_ms: number): Promise<Machine> {
  const deadline = Date.now() + wait_ms
  let share = await othersShare()
  while (share > CALM_SHARE_MAX && Date.now() < deadline) share = await othersShare()
  return { calm: share <= CALM_SHARE_MAX, words: `before it, others took ${Math.round(100 * share)} % of the machine` }
}

async function othersShare(): Promise<number> {
  const before = times()
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  const after = times()
  const idle = after.idle - before.idle
  const busy = after.busy - before.busy
  return busy / Math.max(1, busy + idle)
}

function times(): { idle: number; busy: number } {
  const sums = { idle: 0, busy: 0 }
  for (const { times: of } of cpus()) {
    sums.idle += of.idle
    sums.busy += of.user + of.nice + of.sys + of.irq
  }
  return sums
}
