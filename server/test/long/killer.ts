/** Ends a server at random moments, now by kill -9, now by Ctrl-C, and starts it again over the same folder and port. */
import { type ServerProcess, startServerProcess } from '../hold/server-process.ts'

/** Between two ends, so that something gets done at all. */
const PAUSE_MS = { least: 3_000, most: 20_000 }
/** After so many ends the pauses are longer: where a server takes long to come back, the story would hardly go on. */
const OFTEN = 30
const SELDOM = 4
/** Work that a release, a training or a retraining consists of. */
const WORK = /^(releases|pipelines|serving)\./
/** A job whose worker died five times is given up, rightly: of this work, none is killed that often. */
const LOSSES_MAX = 2
const LOOK_MS = 50
const WORK_WAIT_MS = 12_000

export interface End {
  signal: 'SIGKILL' | 'SIGINT'
  at_ms: number
  /** Kinds of the jobs that ran, and states of the releases under way. */
  during: string[]
  /** How the process ended. */
  code: number | null
  down_ms: number
}

export interface Killer {
  readonly server: ServerProcess
  readonly ends: readonly End[]
  /** Lets it live from now on; throws when a start failed. */
  stop(): Promise<void>
}

interface Seen {
  jobs: { id: string; kind: string }[]
  releases: string[]
}

async function look(server: ServerProcess): Promise<Seen> {
  const get = <T>(path: string) => server.client.get<{ items: T[] }>(`/api/slipway/v1${path}`)
  try {
    const { items: jobs } = await get<{ id: string; kind: string }>('/jobs?state=running&limit=50')
    const { items } = await get<{ state: string }>('/releases?limit=20')
    const states = items.map(({ state }) => state)
    return { jobs, releases: states.filter((state) => ['checking', 'approved', 'loading', 'canary'].includes(state)) }
  } catch {
    return { jobs: [], releases: [] }
  }
}

/** `onEnd` is called when the process is gone, before the next one starts. */
export function startKiller(first: ServerProcess, data: string, onEnd: (end: End) => void): Killer {
  const port = Number(new URL(first.url).port)
  const ends: End[] = []
  const losses = new Map<string, number>()
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  let server = first
  let stopped = false

  const spared = ({ jobs }: Seen) => jobs.some(({ id, kind }) => WORK.test(kind) && (losses.get(id) ?? 0) >= LOSSES_MAX)
  /** Every second time it waits for work and strikes into the middle of it. */
  const moment = async (n: number): Promise<Seen> => {
    const pause_ms = PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least)
    const until_ms = Date.now() + (ends.length < OFTEN ? pause_ms : SELDOM * pause_ms)
    while (!stopped && Date.now() < until_ms) await sleep(LOOK_MS)
    let seen = await look(server)
    const deadline = Date.now() + (n % 2 === 0 ? WORK_WAIT_MS : 0)
    while (!stopped && Date.now() < deadline && !seen.jobs.some(({ kind }) => WORK.test(kind))) {
      await sleep(LOOK_MS)
      seen = await look(server)
    }
    if (n % 2 === 0) await sleep(Math.random() * 3_000)
    return look(server)
  }
  const run = async () => {
    for (let n = 0; !stopped; n += 1) {
      const seen = await moment(n)
      if (stopped) return
      if (spared(seen)) continue
      for (const { id } of seen.jobs) losses.set(id, (losses.get(id) ?? 0) + 1)
      const signal = n % 3 === 2 ? 'SIGINT' : 'SIGKILL'
      const at_ms = Date.now()
      const { code } = await server.end(signal)
      const down_ms = Date.now() - at_ms
      const end: End = {
        signal,
        at_ms,
        code,
        down_ms,
        during: [...seen.jobs.map(({ kind }) => kind), ...seen.releases],
      }
      ends.push(end)
      onEnd(end)
      server = await startServerProcess({ data, port })
    }
  }
  const running = run()
  // Told by stop(), and by every request that nobody answers any more.
  running.catch(() => {})
  return {
    get server() {
      return server
    },
    ends,
    async stop() {
      stopped = true
      await running
    },
  }
}

export const withinWork = ({ during }: End): boolean => during.some((what) => WORK.test(what))
