import { expect, test } from 'vitest'
import { isLinearizable, type Operation } from './linear.ts'

const write = (value: string, asked: number, answered: number): Operation => ({ kind: 'write', value, asked, answered })
const read = (value: string, asked: number, answered: number): Operation => ({ kind: 'read', value, asked, answered })
const NEVER = Number.POSITIVE_INFINITY

test.each([
  ['one after another', [write('1', 0, 1), read('1', 2, 3), write('2', 4, 5), read('2', 6, 7)], true],
  ['a read of what was overwritten before it was asked', [write('1', 0, 1), write('2', 2, 3), read('1', 4, 5)], false],
  ['a read of what was never written', [write('1', 0, 1), read('7', 2, 3)], false],
  ['two writes at once, read in either order', [write('1', 0, 9), write('2', 0, 9), read('2', 10, 11)], true],
  [
    'two readers that saw two writes in different orders',
    [write('1', 0, 9), write('2', 0, 9), read('1', 10, 11), read('2', 12, 13)],
    false,
  ],
  ['a reader that goes back in time', [write('1', 0, 10), read('1', 2, 3), read('0', 4, 5)], false],
  ['a read while a write is under way sees either', [write('1', 0, 10), read('0', 2, 3), read('1', 4, 5)], true],
  ['a write without an answer that happened', [write('1', 0, NEVER), read('0', 1, 2), read('1', 3, 4)], true],
  ['a write without an answer that never happened', [write('1', 0, NEVER), read('0', 1, 2), read('0', 3, 4)], true],
  ['a write without an answer, undone', [write('1', 0, NEVER), read('1', 1, 2), read('0', 3, 4)], false],
  [
    'a lost update',
    [write('1', 0, 2), write('2', 1, 3), read('1', 4, 5), read('1', 6, 7), write('3', 8, 9), read('2', 10, 11)],
    false,
  ],
] as const)('%s', (_, history, linearizable) => {
  expect(isLinearizable(history, '0')).toBe(linearizable)
})

test('a long history of many at once is judged, and one wrong read in it is found', () => {
  const history: Operation[] = []
  let value = '0'
  for (let n = 0; n < 1500; n++) {
    // Each takes effect at n, and is under way for up to 8 around it.
    const [asked, answered] = [n - ((n * 7) % 5) - 0.5, n + ((n * 11) % 5) + 0.5]
    if (n % 3 === 0) {
      value = `${n}`
      history.push({ kind: 'write', value, asked, answered })
    } else history.push({ kind: 'read', value, asked, answered })
  }
  expect(isLinearizable(history, '0')).toBe(true)
  const wrong = history.map((operation, at) => (at === 1201 ? { ...operation, value: '3' } : operation))
  expect(isLinearizable(wrong, '0')).toBe(false)
})
