import { closeSync, fdatasync, fstatSync, openSync, statSync, writeSync } from 'node:fs'

/**
 * Makes commits durable: an asynchronous fdatasync of the WAL that begins after the commit returned. Commits made while a
 * sync runs wait for the next one. A failed sync ends the process: what the kernel then holds is unknown, so
 * nothing may be answered and nothing tried again.
 */
export interface WalSync {
  /** Calls back when everything written before this call is durable. */
  request(done: () => void): void
  /** Ends the process when the WAL is no longer the file that is being synced. */
  check(): void
  readonly syncs: number
  close(): void
}

/** Ends the process at once, without running anything that could answer somebody. */
export function endProcess(why: string): never {
  writeSync(2, `slipway: ${why}: ending the process so that nothing is acknowledged that is not on disk\n`)
  process.kill(process.pid, 'SIGKILL')
  throw new Error(why)
}

export function openWalSync(path: string): WalSync {
  const wal = `${path}-wal`
  const file = openSync(wal, 'r')
  let waiting: (() => void)[] = []
  let running = false
  let syncs = 0
  const start = () => {
    running = true
    syncs++
    const now = waiting
    waiting = []
    fdatasync(file, (error) => {
      if (error) endProcess(`could not sync ${wal} (${error.message})`)
      running = false
      for (const done of now) done()
      if (waiting.length > 0 && !running) start()
    })
  }
  return {
    request(done) {
      waiting.push(done)
      if (!running) start()
    },
    check() {
      const now = statSync(wal, { throwIfNoEntry: false })
      if (now?.ino !== fstatSync(file).ino) endProcess(`${wal} was removed or replaced by somebody else`)
    },
    get syncs() {
      return syncs
    },
    close: () => closeSync(file),
  }
}
