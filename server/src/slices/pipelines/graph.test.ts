import { expect, test } from 'vitest'
import { dependentsOf, graphMistakes, needsOf } from './graph.ts'
import type { PipelineSpec } from './schema.ts'

const diamond: PipelineSpec = {
  steps: {
    load: { run: 'a', writes: { rows: { path: 'x' } } },
    left: { run: 'b', reads: { rows: { step: 'load', output: 'rows' } } },
    right: { run: 'c', needs: ['load'] },
    join: { run: 'd', needs: ['left', 'right', 'load'] },
  },
}
const messages = (steps: PipelineSpec['steps'], environments: string[] = []) =>
  graphMistakes({ steps }, environments).map(({ path, message }) => `${path}: ${message}`)

test('a step waits for what it needs and for whose outputs it reads', () => {
  expect(needsOf(diamond, 'left')).toEqual(['load'])
  expect(needsOf(diamond, 'join')).toEqual(['left', 'right', 'load'])
  expect(dependentsOf(diamond, 'load').sort()).toEqual(['join', 'left', 'right'])
  expect(dependentsOf(diamond, 'join')).toEqual([])
  expect(graphMistakes(diamond, [])).toEqual([])
})

test('unknown steps, outputs and environments are all told at once', () => {
  expect(
    messages({
      a: { run: 'x', needs: ['b'], environment: 'python' },
      c: { run: 'x', reads: { r: { step: 'a', output: 'o' }, s: { step: 'z', output: 'o' } } },
    }),
  ).toEqual([
    "steps.a.needs: there is no step 'b'; there are a, c",
    "steps.a.environment: there is no environment 'python'",
    "steps.c.reads.r: step 'a' writes no 'o'",
    "steps.c.reads.s: there is no step 'z'; there are a, c",
  ])
})

test('circles are shown, a step that needs itself as well', () => {
  expect(messages({ a: { run: 'x', needs: ['a'] } })).toEqual(['steps.a.needs: the steps wait for each other: a → a'])
  expect(
    messages({ a: { run: 'x', needs: ['c'] }, b: { run: 'x', needs: ['a'] }, c: { run: 'x', needs: ['b'] } }),
  ).toEqual(['steps.a.needs: the steps wait for each other: a → c → b → a'])
})
