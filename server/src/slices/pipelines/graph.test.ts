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

test('names that would be one variable are told, a param of the pipeline given anew by a step is not', () => {
  const spec: PipelineSpec = {
    params: { seed: 1, 'learning-rate': 0.1 },
    steps: {
      a: {
        run: 'x',
        reads: { 'a-b': { dataset: 'd' }, 'a.b': { dataset: 'e' }, c: { dataset: 'f' } },
        params: { seed: 2, learning_rate: 0.2 },
      },
    },
  }
  expect(graphMistakes(spec, []).map(({ path, message }) => `${path}: ${message}`)).toEqual([
    "steps.a.reads: 'a-b' and 'a.b' would both be SLIPWAY_INPUT_A_B",
    "steps.a.params: 'learning-rate' and 'learning_rate' would both be SLIPWAY_PARAM_LEARNING_RATE",
  ])
})
