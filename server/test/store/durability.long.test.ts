import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { acknowledged, inspect, startLoad, temporaryFolder } from './fixture/process.ts'

test('kill -9 under load, 200 times: nothing acknowledged is lost, nothing is half there', async () => {
  const data = temporaryFolder()
  const all: string[] = []
  for (let round = 0; round < 200; round++) {
    const load = startLoad(data, {
      clients: 1 + Math.floor(Math.random() * 48),
      checkpoint_pages: 50 + 25 * (round % 20),
    })
    await load.until((line) => line.startsWith('ack'))
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
    load.child.kill('SIGKILL')
    await load.ended
    all.push(...acknowledged(load.lines()))
    expect(inspect(data, all), `round ${round}`).toMatchObject({ lost: [], halves: 0, integrity: ['ok'] })
  }
  process.stdout.write(`kill -9 × 200: ${all.length} acknowledged, 0 lost, 0 partial\n`)
  rmSync(data, { recursive: true, force: true })
})
