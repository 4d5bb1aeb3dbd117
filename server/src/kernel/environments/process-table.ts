import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Entries read in one turn of the event loop: about a millisecond. */
const SLICE = 64

interface Entry {
  pid: number
  parent: number
  group: number
  resident_bytes: number
  /** Tells a process from a later one of the same number. */
  started: string
}

export interface GroupUse {
  /** Resident memory of the group and its descendants; pages that they share count once for each. */
  resident_bytes: number
  /** Descendants that left the group (`setsid`): the group's signals do not reach them. */
  strays: { pid: number; started: string }[]
}

let page_bytes: Promise<number> | undefined
const pageBytes = () =>
  (page_bytes ??= run('getconf', ['PAGESIZE']).then(
    ({ stdout }) => Number(stdout) || 4096,
    () => 4096,
  ))

/** One entry of /proc/<pid>/stat; undefined when the process is gone. */
function readStat(pid: number, page: number): Entry | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything, so fields are counted from its end: state is number 0.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [parent, group] = [Number(fields[1]), Number(fields[2])]
    return { pid, parent, group, resident_bytes: Number(fields[21]) * page, started: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

async function* linuxTable(): AsyncGenerator<Entry> {
  const page = await pageBytes()
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const [index, pid] of pids.entries()) {
    if (index % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
    const entry = readStat(Number(pid), page)
    if (entry) yield entry
  }
}

async function* psTable(): AsyncGenerator<Entry> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,pgid=,rss=,lstart='], {
    maxBuffer: 16 * 1024 * 1024,
    timeout: 5000,
  })
  for (const line of stdout.split('\n')) {
    const [pid, parent, group, kilobytes, ...started] = line.trim().split(/\s+/)
    if (pid)
      yield {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        resident_bytes: Number(kilobytes) * 1024,
        started: started.join(' '),
      }
  }
}

/** What each of these process groups uses now. Groups without a process are absent. */
export async function groupUses(groups: readonly number[]): Promise<Map<number, GroupUse>> {
  const entries: Entry[] = []
  for await (const entry of process.platform === 'linux' ? linuxTable() : psTable()) entries.push(entry)
  const children = Map.groupBy(entries, ({ parent }) => parent)
  const members = Map.groupBy(entries, ({ group }) => group)
  const uses = new Map<number, GroupUse>()
  for (const group of groups) {
    const queue = [...(members.get(group) ?? [])]
    if (queue.length === 0) continue
    const seen = new Set<number>()
    const use: GroupUse = { resident_bytes: 0, strays: [] }
    for (let entry = queue.pop(); entry; entry = queue.pop()) {
      if (seen.has(entry.pid)) continue
      seen.add(entry.pid)
      use.resident_bytes += entry.resident_bytes
      if (entry.group !== group) use.strays.push({ pid: entry.pid, started: entry.started })
      queue.push(...(children.get(entry.pid) ?? []))
    }
    uses.set(group, use)
  }
  return uses
}

/** Sends a signal to a process only if it is still the one that was seen. */
export async function signalStray(
  { pid, started }: { pid: number; started: string },
  signal: NodeJS.Signals,
): Promise<void> {
  if (process.platform === 'linux' ? readStat(pid, 1)?.started !== started : !(await isSame(pid, started))) return
  signalQuietly(pid, signal)
}

async function isSame(pid: number, started: string): Promise<boolean> {
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'lstart='], { timeout: 5000 }).catch(() => ({
    stdout: '',
  }))
  return stdout.trim().split(/\s+/).join(' ') === started
}

/** A process that is already gone is what a signal wants; a negative number means the group. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: gone. EPERM: a zombie group on macOS, or a program that changed its user; nothing we could do either way.
  }
}
