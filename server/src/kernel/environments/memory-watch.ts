import { type GroupUse, groupUses } from './process-table.ts'

/** How often resident memory is looked at; four times closer when a group has used half of what it may. */
const INTERVAL_MS = process.platform === 'linux' ? 250 : 1000
const CLOSE_INTERVAL_MS = INTERVAL_MS / 4
const FIRST_LOOK_MS = 40

interface Watched {
  limit_bytes: number
  onUse(use: GroupUse): void
}

const watched = new Map<number, Watched>()
let timer: NodeJS.Timeout | undefined

/** Looks at a process group's memory at intervals until the returned function is called. One pass serves all that are watched. */
export function watchMemory(
  group: number,
  limit_bytes: number | undefined,
  onUse: (use: GroupUse) => void,
): () => void {
  watched.set(group, { limit_bytes: limit_bytes ?? Number.POSITIVE_INFINITY, onUse })
  plan(FIRST_LOOK_MS)
  return () => {
    watched.delete(group)
    if (watched.size === 0) {
      clearTimeout(timer)
      timer = undefined
    }
  }
}

function plan(ms: number) {
  clearTimeout(timer)
  timer = setTimeout(look, ms)
  timer.unref()
}

async function look() {
  const uses = await groupUses([...watched.keys()]).catch(() => new Map<number, GroupUse>())
  let next_ms = INTERVAL_MS
  for (const [group, use] of uses) {
    const each = watched.get(group)
    if (!each) continue
    if (use.resident_bytes > each.limit_bytes / 2) next_ms = CLOSE_INTERVAL_MS
    each.onUse(use)
  }
  if (watched.size > 0) plan(next_ms)
}
