import { afterEach, expect, test } from 'vitest'
import { createTelemetry, SERIES_MAX, type Telemetry } from './telemetry.ts'

let telemetry: Telemetry
const create = () => {
  telemetry = createTelemetry()
  return telemetry
}
afterEach(() => telemetry.stop())

test('counters, gauges and histograms appear under our name with their labels', async () => {
  const { counter, gauge, histogram, text } = create()
  const served = counter({ name: 'predictions_total', help: 'Predictions', labels: ['endpoint'] })
  served.add({ endpoint: 'flights' })
  served.add({ endpoint: 'flights' }, 2)
  gauge({ name: 'queue_length', help: 'Queue', read: () => 7 })
  const nodes = gauge({ name: 'node_ready', help: 'Ready', labels: ['node'] })
  nodes.set({ node: 'a' }, 1)
  nodes.set({ node: 'b' }, 1)
  nodes.remove({ node: 'b' })
  histogram({ name: 'latency_seconds', help: 'Latency', buckets: [0.1, 1] }).observe({}, 0.5)
  const page = await text()
  for (const line of [
    'slipway_predictions_total{endpoint="flights"} 3',
    'slipway_queue_length 7',
    'slipway_node_ready{node="a"} 1',
    'slipway_latency_seconds_bucket{le="1"} 1',
    'slipway_event_loop_delay_seconds{quantile="0.999"}',
  ]) {
    expect(page).toContain(line)
  }
  expect(page).not.toContain('node="b"')
  expect(page).toMatch(/process_resident_memory_bytes \d{7,}/)
  expect(page).toMatch(/process_cpu_seconds_total \d/)
})

test('no caller can fill the memory with labels: past the limit they are counted together', async () => {
  const { counter, text } = create()
  const asked = counter({ name: 'asked_total', help: 'Asked', labels: ['who'] })
  for (let n = 0; n < SERIES_MAX + 50; n++) asked.add({ who: String(n) })
  asked.add({ who: '0' })
  const lines = (await text()).split('\n').filter((line) => line.startsWith('slipway_asked_total{'))
  expect(lines).toHaveLength(SERIES_MAX + 1)
  expect(lines).toContain('slipway_asked_total{who="other"} 50')
  expect(lines).toContain('slipway_asked_total{who="0"} 2')
})

test('a name asked for twice is one metric; two meanings of a name are a mistake', async () => {
  const { counter, gauge, text } = create()
  counter({ name: 'ended_total', help: 'Ended' }).add({})
  counter({ name: 'ended_total', help: 'Ended' }).add({})
  expect(await text()).toContain('slipway_ended_total 2')
  expect(() => counter({ name: 'ended_total', help: 'Ended', labels: ['kind'] })).toThrow('two ways')
  expect(() => gauge({ name: 'ended_total', help: 'Ended' })).toThrow('two ways')
  const other = createTelemetry()
  expect(await other.text()).not.toContain('ended_total')
  other.stop()
})

test('a blocked event loop is seen', () => {
  const { loopDelayMax } = create()
  loopDelayMax()
  return new Promise<void>((resolve) =>
    setTimeout(() => {
      const until = performance.now() + 80
      while (performance.now() < until);
      setTimeout(() => {
        expect(loopDelayMax()).toBeGreaterThan(60)
        resolve()
      }, 30)
    }, 30),
  )
})
