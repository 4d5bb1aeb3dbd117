import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'

/** How often the holder says that it lives, and after how long a silent one is taken for dead. */
const HEARTBEAT_MS = 2000
const SILENT_MS = 20_000
const POLL_MS = 200

export interface Claim {
  release(): Promise<void>
}

/** Whether the holder of a claim file is gone: its process does not exist, or it has been silent too long (another machine's folder, a reused number). */
async function isDead(path: string): Promise<boolean | 'free'> {
  try {
    const [{ mtimeMs }, text] = [await stat(path), await readFile(path, 'utf8')]
    // A file without a number is being written this moment.
    if (Date.now() - mtimeMs > SILENT_MS) return true
    const pid = Number(text)
    return Number.isInteger(pid) && pid > 0 && !exists(pid)
  } catch {
    return 'free'
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether somebody alive holds the claim now. */
export const isClaimed = async (path: string): Promise<boolean> => (await isDead(path)) === false

async function tryClaim(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    try {
      await file.writeFile(String(process.pid))
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Holds `path` for this process while it lives; a dead holder's claim is taken over. Waits as long as somebody else works, unless
 * `done` answers something: then there is nothing left to claim for. An abort of `signal` rejects.
 */
export async function claim<T>(
  path: string,
  done: () => Promise<T | undefined>,
  options: { signal?: AbortSignal | undefined; onWait?: () => void } = {},
): Promise<Claim | { done: T }> {
  for (let waited = false; ; ) {
    options.signal?.throwIfAborted()
    const already = await done()
    if (already !== undefined) return { done: already }
    if (await tryClaim(path)) return beat(path)
    if ((await isDead(path)) === true) {
      // Renaming lets exactly one of those who saw the dead claim remove it; a fresh one that slipped in is put back.
      const aside = `${path}.dead-${process.pid}-${Math.random().toString(36).slice(2)}`
      await rename(path, aside).catch(() => {})
      if ((await isDead(aside)) === false) await rename(aside, path).catch(() => {})
      else await rm(aside, { force: true })
      continue
    }
    if (!waited) options.onWait?.()
    waited = true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function beat(path: string): Claim {
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, HEARTBEAT_MS)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      await rm(path, { force: true })
    },
  }
}
