import { expect, test } from 'vitest'
import { createWaiting, type Task } from './waiting.ts'

/** Rows of each call, with 64 requests always waiting for a model of which a call takes `took_ms(rows)`. */
function callsOf(took_ms: (rows: number) => number, count = 200): number[] {
  const waiting = createWaiting({ waiting_max: 1000, bytes_max: 1e9, rows_max: 32, onDependent: () => {} })
  const calls: number[] = []
  const ask = (value: number) => {
    const task: Task = {
      request: {},
      rows: [[value]],
      size_bytes: 10,
      resolve: () => {
        task.over = true
      },
      reject: () => {},
      over: false,
    }
    waiting.push(task)
  }
  for (let value = 0; calls.length < count; value++) {
    while (waiting.length < 64) ask(value)
    const call = waiting.take()!
    calls.push(call.length)
    waiting.answered(call, { predictions: call.map(({ rows }) => rows![0]![0]), took_ms: took_ms(call.length) })
  }
  return calls
}

test('rows go together where company costs next to nothing, on a machine that is slow for everything, too', () => {
  expect(callsOf((rows) => 3 + rows * 0.01).at(-1)).toBe(32)
  // A call of one takes 60 ms, of 32 it takes 70.
  expect(callsOf((rows) => 60 + rows * 0.3).at(-1)).toBe(32)
})

test('a model that is slow for each row is asked row by row, one that is not quick for many in fewer', () => {
  const slow = callsOf((rows) => rows * 100)
  expect(Math.max(...slow)).toBe(2)
  expect(slow.filter((rows) => rows === 2).length).toBeLessThan(8)
  expect(Math.max(...callsOf((rows) => rows * 4).slice(100))).toBeLessThanOrEqual(8)
})
