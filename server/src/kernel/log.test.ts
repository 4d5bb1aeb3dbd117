import { expect, test } from 'vitest'
import { createLog } from './log.ts'

const written = (write: (log: ReturnType<typeof createLog>) => void, level = 'debug'): Record<string, unknown>[] => {
  const lines: string[] = []
  write(createLog({ level, destination: { write: (line: string) => void lines.push(line) } }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a line is one JSON object with its time; quieter ones are not written', () => {
  const lines = written((log) => {
    log.info({ run: 'r1' }, 'a run began')
    log.child({ job: 'job_1' }).warn('two\nlines')
    log.debug('not wanted')
  }, 'info')
  expect(lines).toMatchObject([
    { level: 30, run: 'r1', msg: 'a run began', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    { level: 40, job: 'job_1', msg: 'two\nlines' },
  ])
  expect(lines).toHaveLength(2)
})

test('what is secret reaches no line, at whatever depth our lines have', () => {
  const secrets = {
    authorization: 'Bearer s3cret',
    cookie: 'slipway_session=s3cret',
    'set-cookie': ['slipway_session=s3cret'],
    token: 's3cret',
    password: 's3cret',
    secret: 's3cret',
  }
  const error = Object.assign(new Error('refused'), { password: 's3cret', config: { headers: secrets } })
  const lines = written((log) => {
    log.error(secrets, 'flat')
    log.error({ headers: secrets, kept: 1 }, 'in something')
    log.error({ request: { headers: secrets } }, 'in something in something')
    log.error({ err: error }, 'of an error')
    log.child({ request: { headers: secrets } }).error('of a child')
  })
  expect(JSON.stringify(lines)).not.toContain('s3cret')
  expect(lines[1]).toMatchObject({ headers: { token: '[redacted]', 'set-cookie': '[redacted]' }, kept: 1 })
  expect(lines[3]).toMatchObject({ err: { message: 'refused', stack: expect.any(String) } })
})
