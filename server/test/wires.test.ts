/** The closed list of problems in the words of every wire: each is known there, keeps its meaning, and shows nothing of ours. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scoring } from '#adapters/scoring'
import { systemClock } from '#kernel/clock.ts'
import { DomainError, PROBLEMS, type Problem } from '#kernel/errors.ts'
import { createRoutes, systemWho } from '#kernel/http/index.ts'
import { createServer, listen } from '#kernel/http/server.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import { mlflowErrorHandler } from '../src/adapters/mlflow/errors.ts'
import { createClient } from '../src/cli/client.ts'

const problems = Object.keys(PROBLEMS) as Problem[]
const ids = createIds(systemClock, systemRandom)
const app = createServer({ log: silentLog, ids, dev: true, hosts: [] })
let url: string

/** `unforeseen` is no DomainError: a mistake of ours, with what nobody may see. */
const failing = (name: string): never => {
  if (name === 'unforeseen') throw new Error('password=s3cret in /srv/private')
  throw new DomainError(name as Problem, `it is ${name}`, {
    field: 'rows[3]',
    remedy: 'Do it otherwise.',
    facts: { seen: 3 },
    cause: new Error('s3cret'),
  })
}

beforeAll(async () => {
  const who = systemWho()
  const routes = createRoutes({
    store: {} as never,
    clock: systemClock,
    ids,
    doorman: { identify: async () => who },
  })
  const fails = async ({ request }: { request: { url: string } }) => failing(request.url.split('/').at(-1)!)
  routes.route(app, { method: 'GET', path: '/own/:name', may: 'insight.read', handle: fails })
  await app.register(async (scope) => {
    scope.setErrorHandler(mlflowErrorHandler(silentLog))
    routes.route(scope, { method: 'GET', path: '/mlflow/:name', may: 'insight.read', handle: fails })
  })
  await app.register((scope) =>
    scoring(scope, {
      routes,
      log: silentLog,
      root_endpoint: '',
      serving: {
        predict: async ({ endpoint }: { endpoint: string }) => failing(endpoint),
        mustAnswer: async () => {},
      } as never,
    }),
  )
  url = await listen(app, '127.0.0.1', 0)
})
afterAll(() => app.close())

const ask = async (path: string, method = 'GET') => {
  const response = await fetch(url + path, {
    method,
    ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const WIRES = {
  own: (name: string) => ask(`/own/${name}`),
  mlflow: (name: string) => ask(`/mlflow/${name}`),
  scoring: (name: string) => ask(`/serve/${name}/invocations`, 'POST'),
}

describe.each(Object.entries(WIRES))('the wire %s', (wire, call) => {
  test.each(problems)('words %s', async (problem) => {
    const { status, headers, text } = await call(problem)
    const right = PROBLEMS[problem]
    // MLflow's own server says 400 to some of these, and its clients look at the code.
    const said = wire === 'mlflow' && [409, 413, 415].includes(right) ? [400, right] : [right]
    expect(said).toContain(status)
    expect(text).toContain(`it is ${problem}`)
    expect(text).not.toContain('s3cret')
    expect(headers.get('content-type')).toMatch(/json/)
    expect(headers.get('retry-after')).toBe(['too-many', 'unavailable'].includes(problem) ? '1' : null)
  })

  test('says of what nobody foresaw only that it is ours', async () => {
    const { status, text } = await call('unforeseen')
    expect(status).toBe(500)
    expect(text).not.toMatch(/s3cret|private|\.ts/)
    expect(text).toContain('something went wrong on our side')
  })
})

test.each(problems)('%s comes through the command line whole', async (problem) => {
  const error = await createClient({ url })
    .get(`/own/${problem}`)
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(DomainError)
  expect((error as DomainError).toJSON()).toEqual({
    problem,
    message: `it is ${problem}`,
    field: 'rows[3]',
    remedy: 'Do it otherwise.',
    facts: { seen: 3 },
  })
  expect(DomainError.fromJSON((error as DomainError).toJSON())).toMatchObject({ problem, status: PROBLEMS[problem] })
})
