import type { Log } from './log.ts'

/** A loop that beats when it is woken and at least every `every_ms`; never two beats at once. */
export interface Pulse {
  /** Beats soon; during a beat: once more after it. */
  wake(): void
  start(): void
  /** Resolves when the beat under way, if there is one, has ended. */
  rest(): Promise<void>
  /** Resolves when the beat under way has ended; no further one starts. */
  stop(): Promise<void>
}

export interface PulseOptions {
  name: string
  every_ms: number
  /** One round. Answers true when there is more to do at once. */
  beat: () => Promise<boolean>
  log: Log
  /** Longest wait after failing beats, which double from `every_ms`. Default 10 s. */
  backoff_ms_max?: number
}

export function createPulse({ name, every_ms, beat, log, backoff_ms_max = 10_000 }: PulseOptions): Pulse {
  let running = false
  let woken = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  let beating: Promise<void> | undefined

  const wait_ms = () => Math.min(every_ms * 2 ** Math.min(failures, 20), Math.max(backoff_ms_max, every_ms))

  const round = async () => {
    woken = false
    let more = false
    try {
      more = await beat()
      failures = 0
    } catch (error) {
      failures += 1
      // The first failure and each doubling: a store that is away for an hour does not fill the log.
      if ((failures & (failures - 1)) === 0)
        log.error({ err: error, loop: name, failures }, 'a loop failed and goes on')
    }
    beating = undefined
    if (!running) return
    if ((more || woken) && failures === 0) go()
    else timer = setTimeout(go, wait_ms())
  }

  const go = () => {
    if (!running || beating) return
    clearTimeout(timer)
    beating = round()
  }

  return {
    wake() {
      woken = true
      if (failures === 0) go()
    },
    start() {
      if (running) return
      running = true
      go()
    },
    async rest() {
      await beating
    },
    async stop() {
      running = false
      clearTimeout(timer)
      await beating
    },
  }
}
