import { expect, test } from 'vitest'
import { silentLog } from './log.ts'
import { createPulse } from './pulse.ts'

const eventually = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

test('beats at once, when woken and by its time; never two at once; what woke it during a beat is not lost', async () => {
  let beats = 0
  let inside = 0
  let most = 0
  let gate = Promise.withResolvers<void>()
  const pulse = createPulse({
    name: 'test',
    every_ms: 60_000,
    log: silentLog,
    async beat() {
      beats++
      most = Math.max(most, ++inside)
      await gate.promise
      inside--
      return false
    },
  })
  pulse.wake()
  expect(beats).toBe(0)
  pulse.start()
  pulse.wake()
  pulse.wake()
  expect(beats).toBe(1)
  gate.resolve()
  await eventually(() => beats === 2 && inside === 0)
  gate = Promise.withResolvers()
  pulse.wake()
  await eventually(() => beats === 3)
  const stopped = pulse.stop()
  let over = false
  void stopped.then(() => {
    over = true
  })
  pulse.wake()
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(over).toBe(false)
  gate.resolve()
  await stopped
  expect({ beats, most }).toEqual({ beats: 3, most: 1 })
})

test('goes on after failures, ever more slowly, and not faster for being woken', async () => {
  let beats = 0
  const pulse = createPulse({
    name: 'test',
    every_ms: 10,
    log: silentLog,
    async beat() {
      beats++
      if (beats < 4) throw new Error('the store is away')
      return beats < 6
    },
  })
  const at = performance.now()
  pulse.start()
  const waking = setInterval(() => pulse.wake(), 1)
  await eventually(() => beats >= 6)
  clearInterval(waking)
  await pulse.stop()
  expect(performance.now() - at).toBeGreaterThan(20 + 40 + 80 - 5)
})
