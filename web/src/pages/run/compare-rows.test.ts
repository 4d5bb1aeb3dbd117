import { expect, test } from 'vitest'
import { labelsOf } from './compare-rows.ts'

test('runs of one name are told apart', () => {
  const runs = ['a', 'b'].map((letter) => ({ run_id: letter.repeat(32), name: 'baseline' }))
  expect([...labelsOf(runs).values()]).toEqual(['baseline aaaaaa', 'baseline bbbbbb'])
  expect([...labelsOf(runs.slice(0, 1)).values()]).toEqual(['baseline'])
})
