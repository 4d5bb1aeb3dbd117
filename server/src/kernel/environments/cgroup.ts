import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the kernel shows its control groups; another place is for tests. */
const ROOT = '/sys/fs/cgroup'
const OURS = 'slipway-server'
const CPU_PERIOD_US = 100_000

/** A control group for one process and its descendants, enforced by the kernel. */
export interface Cgroup {
  /** A process writes 0 into `cgroup.procs` here to enter. */
  dir: string
  /** Whether the kernel ended something in here for want of memory. */
  ranOut(): Promise<boolean>
  peakBytes(): Promise<number>
  /** Ends all that is inside, also what left the process group, and removes it. */
  dispose(): Promise<void>
}

export interface CgroupMaker {
  make(name: string, limits: { memory_bytes?: number | undefined; cpu?: number | undefined }): Promise<Cgroup>
}

/**
 * A maker when cgroup v2 with the memory controller is delegated to us, otherwise undefined. A group with processes cannot have
 * limited children, so the server first moves itself into a leaf; that is done only where nobody else's process would be moved.
 */
export async function findCgroups(
  root = ROOT,
  self = '/proc/self/cgroup',
  own_pid = process.pid,
): Promise<CgroupMaker | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const own = /^0::(\/.*)$/m.exec(await readFile(self, 'utf8'))?.[1]
    if (own === undefined) return undefined
    const base = join(root, own.endsWith(`/${OURS}`) ? own.slice(0, -OURS.length - 1) : own)
    const controllers = (await readFile(join(base, 'cgroup.controllers'), 'utf8')).split(/\s+/)
    if (!controllers.includes('memory')) return undefined
    const inside = (await readFile(join(base, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean)
    if (inside.some((pid) => Number(pid) !== own_pid)) return undefined
    if (inside.length > 0) {
      await mkdir(join(base, OURS), { recursive: true })
      await writeFile(join(base, OURS, 'cgroup.procs'), String(own_pid))
    }
    const wanted = ['memory', ...(controllers.includes('cpu') ? ['cpu'] : [])]
    await writeFile(join(base, 'cgroup.subtree_control'), wanted.map((name) => `+${name}`).join(' '))
    await sweep(base)
    return { make: (name, limits) => make(join(base, `slipway-${own_pid}-${name}`), limits, wanted.includes('cpu')) }
  } catch {
    // Not delegated, read-only, or an older kernel: memory is then watched from outside.
    return undefined
  }
}

/** Ends and removes what servers that were killed left behind. */
async function sweep(base: string) {
  for (const name of await readdir(base)) {
    const owner = /^slipway-(\d+)-/.exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner))) await disposeOf(join(base, name))
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function disposeOf(dir: string): Promise<void> {
  await writeFile(join(dir, 'cgroup.kill'), '1').catch(() => {})
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const removed = await rmdir(dir).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    )
    if (removed) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function make(
  dir: string,
  limits: { memory_bytes?: number | undefined; cpu?: number | undefined },
  has_cpu: boolean,
): Promise<Cgroup> {
  await mkdir(dir)
  const set = (file: string, value: string) => writeFile(join(dir, file), value)
  const read = (file: string) => readFile(join(dir, file), 'utf8').catch(() => '')
  if (limits.memory_bytes !== undefined) {
    await set('memory.max', String(limits.memory_bytes))
    // One process of a group that ran out leaves the rest in an unknown state: all go.
    await set('memory.oom.group', '1')
    await set('memory.swap.max', '0').catch(() => {})
  }
  if (limits.cpu !== undefined && has_cpu)
    await set('cpu.max', `${Math.max(1000, Math.round(limits.cpu * CPU_PERIOD_US))} ${CPU_PERIOD_US}`)
  return {
    dir,
    ranOut: async () => Number(/^oom_kill (\d+)$/m.exec(await read('memory.events'))?.[1] ?? 0) > 0,
    peakBytes: async () => Number((await read('memory.peak')).trim() || 0),
    dispose: () => disposeOf(dir),
  }
}
