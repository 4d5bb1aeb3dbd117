import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { calmMachine } from '../long/machine.ts'
import { startServerProcess } from './server-process.ts'

const STARTS = 9
const CALM_WAIT_MS = 5 * 60_000

test('from the second start of an empty folder to 200 on /health it takes at most 1.5 s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-start-'))
  try {
    // The proof is of what a start needs, not of what else the machine does.
    const machine = await calmMachine(CALM_WAIT_MS)
    const times: number[] = []
    for (let n = 0; n <= STARTS; n += 1) {
      const server = await startServerProcess({ data: join(folder, 'data') })
      if (n > 0) times.push(Math.round(server.started_ms))
      await server.end('SIGTERM')
    }
    const median = times.toSorted((a, b) => a - b)[Math.floor(STARTS / 2)]!
    const words = `starts: ${times.join(', ')} ms, median ${median} ms; ${machine.words}`
    process.stdout.write(`${words}\n`)
    expect(median, words).toBeLessThanOrEqual(1500)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
