/**
 * The hot paths of tracking on one server or several (another checkout's `main.ts` beside ours, say), which take turns in every
 * round: rate, waits, and the processor time of the server for each request, which other work on the machine bends least.
 * `node bench/logging.ts [--main path/to/server/src/main.ts]… [--rounds 3] [--seconds 2] [--only log-metric] [--postgres]`
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MAIN, startServerProcess } from '../server/test/hold/server-process.ts'
import { endRun, freshDatabase } from '../server/test/kit/postgres.ts'
import { createRun, fullRun, getRun, history10000, type Load, logBatch, logMetric, measure } from './loads.ts'

const { values: given } = parseArgs({
  options: {
    main: { type: 'string', multiple: true, default: [MAIN] },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    postgres: { type: 'boolean', default: false },
  },
})

const ROWS: [title: string, clients: number, load: Load][] = [
  ['log-metric', 1, logMetric],
  ['log-metric', 16, logMetric],
  ['create-run', 1, createRun],
  ['create-run', 16, createRun],
  ['log-batch of 100, one key', 16, logBatch(1, 100)],
  ['log-batch of 100, a key each', 16, logBatch(100, 1)],
  ['log-batch of 1000, 10 keys', 16, logBatch(10, 100)],
  ['full run', 16, fullRun],
  ['get-run', 16, getRun],
  ['history of 10,000 points', 1, history10000],
  ['history of 10,000 points', 16, history10000],
]

/** Processor time of a process and its threads, in milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!
const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
const servers = []
try {
  for (const [at, main] of given.main.entries()) {
    const database = given.postgres ? await freshDatabase() : undefined
    const env: Record<string, string> = database ? { SLIPWAY_STORE: database.url } : {}
    const server = await startServerProcess({ data: join(folder, String(at)), main, env })
    servers.push({ main, server })
  }
  for (const [title, clients, load] of ROWS.filter(([name]) => name.includes(given.only))) {
    const measured = servers.map(() => ({ rate: [] as number[], p99: [] as number[], cpu: [] as number[] }))
    for (let round = 0; round < Number(given.rounds); round += 1) {
      for (const [at, { server }] of servers.entries()) {
        let asked = 0
        let cpu = 0
        const counting: Load = async (send) => {
          const turn = await load(send)
          cpu = cpuOf(server.pid)
          return async () => {
            await turn()
            asked += 1
          }
        }
        const one = await measure(server.url, counting, { clients, seconds: Number(given.seconds), close: false })
        measured[at]!.cpu.push((cpuOf(server.pid) - cpu) / asked)
        measured[at]!.rate.push(one.per_second)
        measured[at]!.p99.push(one.failed > 0 ? Number.NaN : one.p99_ms)
      }
    }
    for (const [at, { rate, p99, cpu }] of measured.entries()) {
      const most = Math.max(...rate).toFixed(0)
      process.stdout.write(
        `${title} ×${clients} [${at}] ${median(rate).toFixed(0)}/s (best ${most}), p99 ${median(p99).toFixed(1)} ms, ${median(cpu).toFixed(3)} ms of CPU; load ${loadavg()[0]!.toFixed(1)}\n`,
      )
    }
  }
} finally {
  for (const { server } of servers) await server.end('SIGTERM')
  if (given.postgres) await endRun()
  rmSync(folder, { recursive: true, force: true })
}
