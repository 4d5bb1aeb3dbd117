/** What the kernel was asked to do by the whole server, at MLflow's real calls through both doors of the store. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { coverage, parseTrace } from '../store/fixture/trace.ts'
import { startServerProcess } from './server-process.ts'

const strace = spawnSync('strace', ['-V']).status === 0
if (!strace && process.env.CI) throw new Error('the durability tests need strace: apt-get install strace')
const CLIENTS = 6
const CALLS = 15

const dir = mkdtempSync(join(tmpdir(), 'slipway-trace-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.skipIf(!strace)(
  'of every run and model that MLflow is told is there, the WAL was synced between the commit and the answer',
  async () => {
    const trace = join(dir, 'trace')
    const options = '-D -f -y -xx -s 5000 --seccomp-bpf -e trace=pwrite64,write,writev,fsync,fdatasync -o'
    const server = await startServerProcess({
      data: join(dir, 'data'),
      wrapper: ['strace', ...options.split(' '), trace],
    })
    const asked: string[] = []
    const client = async (number: number) => {
      for (let n = 0; n < CALLS; n += 1) {
        // Names that stand in the pages of the WAL and in the answer alike.
        const [run, model] = [`account-${number}-${n}-1-`, `account-${number}-${n}-2-`]
        await server.client.post('/api/2.0/mlflow/runs/create', { experiment_id: '0', run_name: `ack ${run} x` })
        await server.client.post('/api/2.0/mlflow/registered-models/create', { name: `ack ${model} x` })
        asked.push(run, model)
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)))
    expect(await server.end('SIGTERM'), server.log()).toEqual({ code: 0, signal: null })

    const calls = parseTrace(readFileSync(trace, 'utf8'))
    const { covered, uncovered } = coverage(calls)
    expect(uncovered).toEqual([])
    expect([...new Set(covered)].sort()).toEqual(asked.sort())
    // The check can fail: without the syncs that answers wait for, it does.
    expect(new Set(coverage(calls, ({ name }) => name === 'fdatasync').uncovered).size).toBeGreaterThan(
      asked.length / 2,
    )
  },
  240_000,
)
