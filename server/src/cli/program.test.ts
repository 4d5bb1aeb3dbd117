/** The command line against a server that answers what a test says: what it prints, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createOutput } from './output.ts'
import { main } from './program.ts'

const MAIN = join(import.meta.dirname, '..', 'main.ts')

type Answer = unknown | { status: number; body: unknown }
/** By `GET /path?query`; a list answers one after the other, its last for ever. */
let answers: Record<string, Answer[]> = {}
let server: Server
let url = ''
let dir = ''

beforeAll(async () => {
  server = createServer((request, response) => {
    const list = answers[`${request.method} ${request.url}`]
    const found = list === undefined ? undefined : list.length > 1 ? list.shift() : list[0]
    const { status, body } =
      found !== null && typeof found === 'object' && 'status' in found
        ? (found as { status: number; body: unknown })
        : { status: found === undefined ? 404 : 200, body: found ?? { title: 'not-found', detail: 'not here' } }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  dir = mkdtempSync(join(tmpdir(), 'slipway-cli-'))
})
afterAll(() => {
  server.close()
  rmSync(dir, { recursive: true, force: true })
})

let out = ''
let err = ''
beforeEach(() => {
  answers = {}
  out = ''
  err = ''
  vi.stubEnv('SLIPWAY_TOKEN', 'slw_secret_of_a_test')
  vi.stubEnv('SLIPWAY_URL', url)
  vi.stubEnv('INIT_CWD', dir)
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text
    return true
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const problem = (status: number, title: string) => ({
  status,
  body: { title, detail: `it is ${title}`, remedy: 'Mend.' },
})
const STEP = { id: 'stp_1', name: 'fit', state: 'running', reason: null, cache_words: null }
const RUN = { id: 'prn_1', project: 'p', pipeline: 'train', number: 3, state: 'running', reason: null }
const LOG = 'GET /api/slipway/v1/steps/stp_1/log?offset='

test('help names the variables and prints none of their values', async () => {
  expect(await main(['--help'])).toBe(0)
  expect(out).toContain('SLIPWAY_TOKEN')
  expect(out + err).not.toContain('slw_secret')
  expect(out + err).not.toContain(url)
})

describe('the exit code', () => {
  test.each([
    [0, ['release', 'list'], { items: [] }],
    [4, ['release', 'list'], problem(401, 'unauthenticated')],
    [4, ['release', 'list'], problem(403, 'forbidden')],
    [2, ['release', 'list'], problem(404, 'not-found')],
    [2, ['release', 'list'], problem(409, 'conflict')],
    [1, ['release', 'list'], problem(500, 'internal')],
    [1, ['release', 'list'], { status: 502, body: 'a proxy speaks' }],
    [2, ['release', 'lost'], {}],
    [2, ['release', 'propose', 'only-one'], {}],
    [3, ['--url', 'http://127.0.0.1:9', 'release', 'list'], {}],
  ])('is %i for %j', async (code, argv, answer) => {
    answers['GET /api/slipway/v1/releases'] = [answer]
    expect(await main(argv as string[])).toBe(code)
    if (code !== 0) expect(err).not.toBe('')
  })

  test('and the remedy go to people on standard error, to programs as JSON', async () => {
    answers['GET /api/slipway/v1/releases'] = [problem(403, 'forbidden')]
    expect(await main(['--json', 'release', 'list'])).toBe(4)
    expect(JSON.parse(out)).toMatchObject({ error: { problem: 'forbidden', message: 'it is forbidden' } })
    expect(err).toContain('slipway: it is forbidden\n  Mend.')
  })
})

describe('run and logs', () => {
  const pipelines = { items: [{ project: 'p', name: 'train' }] }
  const started = () => {
    answers['GET /api/slipway/v1/pipelines'] = [pipelines]
    answers['POST /api/slipway/v1/pipelines/p/train/runs'] = [RUN]
  }

  test('follow a log to its end, line by line, however it comes in pieces', async () => {
    answers['GET /api/slipway/v1/steps/stp_1'] = [STEP]
    answers[`${LOG}0`] = [
      { text: '', next_offset: 0, ended: false },
      { text: 'epoch 1\nepo', next_offset: 11, ended: false },
    ]
    answers[`${LOG}11`] = [
      { text: '', next_offset: 11, ended: false },
      { text: 'ch 2\nlast', next_offset: 20, ended: true },
    ]
    expect(await main(['logs', '--follow', 'stp_1'])).toBe(0)
    expect(out).toBe('  fit | epoch 1\n  fit | epoch 2\n  fit | last\n')
  })

  test('without --follow end at what is there', async () => {
    answers['GET /api/slipway/v1/steps/stp_1'] = [STEP]
    answers[`${LOG}0`] = [{ text: 'epoch 1\n', next_offset: 8, ended: false }]
    answers[`${LOG}8`] = [{ text: '', next_offset: 8, ended: false }]
    expect(await main(['logs', 'stp_1', '--json'])).toBe(0)
  })

  test('end with 1 when the pipeline fails, and say why', async () => {
    started()
    answers['GET /api/slipway/v1/pipeline-runs/prn_1'] = [
      { ...RUN, steps: [{ ...STEP, state: 'waiting' }] },
      { ...RUN, state: 'failed', reason: 'step fit ended with 1', steps: [{ ...STEP, state: 'failed' }] },
    ]
    answers[`${LOG}0`] = [{ text: 'Traceback\n', next_offset: 10, ended: true }]
    expect(await main(['run', 'train'])).toBe(1)
    expect(out).toContain('  fit | Traceback\np/train #3 failed: step fit ended with 1\n')
  })

  test('interrupted, leave the run to the server and end with 130', async () => {
    started()
    answers['GET /api/slipway/v1/pipeline-runs/prn_1'] = [{ ...RUN, steps: [] }]
    const child = spawn(process.execPath, [MAIN, 'run', 'train'], { env: { ...process.env, SLIPWAY_URL: url } })
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    await once(child.stdout, 'data')
    // The first line is said just before the signal is listened for.
    const again = setInterval(() => child.kill('SIGINT'), 100)
    const [code] = await once(child, 'exit')
    clearInterval(again)
    expect([code, said]).toEqual([130, 'it goes on without you: slipway logs -f prn_1\n'])
  })
})

describe('progress', () => {
  test('is silent for a second, then tells the newest, also of one long piece of work', () => {
    vi.useFakeTimers()
    const { update, done } = createOutput({ json: false }).progress('upload')
    update('1 of 1: a.csv')
    vi.advanceTimersByTime(999)
    expect(err).toBe('')
    vi.advanceTimersByTime(1)
    expect(err).toBe('upload: 1 of 1: a.csv\n')
    done()
  })

  test('repeats itself every five seconds at most, and never in JSON', () => {
    vi.useFakeTimers()
    const { update } = createOutput({ json: false }).progress('upload')
    const quiet = createOutput({ json: true }).progress('upload')
    for (let second = 0; second < 12; second++) {
      update(`${second}`)
      quiet.update(`${second}`)
      vi.advanceTimersByTime(1000)
    }
    expect(err).toBe('upload: 0\nupload: 6\nupload: 11\n')
  })
})

describe('doctor', () => {
  const look = async (...more: string[]) => {
    out = ''
    const code = await main(['--json', 'doctor', ...more])
    const findings = JSON.parse(out) as { check: string; verdict: string; words: string }[]
    return { code, find: (check: string) => findings.find((one) => one.check === check)! }
  }

  test('finds nothing to mend where nothing is wrong, and warns where no server answers', async () => {
    answers['GET /health'] = ['OK']
    const sound = await look('--data', join(dir, 'new'))
    expect(sound.code).toBe(0)
    expect(sound.find('data folder').words).toContain('is not there yet')
    expect(sound.find('server').verdict).toBe('ok')
    vi.stubEnv('SLIPWAY_URL', 'http://127.0.0.1:9')
    expect((await look('--data', join(dir, 'new'))).find('server').verdict).toBe('warn')
  })

  test('names what is wrong and ends with 1', async () => {
    answers['GET /health'] = [{ status: 503, body: {} }]
    const file = join(dir, 'file')
    writeFileSync(file, '')
    vi.stubEnv('SLIPWAY_STORE_RESERVE', '1000000 GB')
    const { code, find } = await look('--data', join(file, 'below'))
    expect(code).toBe(1)
    expect(find('data folder').verdict).toBe('fail')
    expect(find('disk')).toMatchObject({ verdict: 'fail', words: expect.stringContaining('writes stop below') })
    expect(find('server')).toMatchObject({ verdict: 'fail', words: expect.stringContaining('503') })
  })

  test('warns of a data folder that others can read', async () => {
    chmodSync(dir, 0o755)
    expect((await look('--data', dir)).find('data folder')).toMatchObject({
      verdict: 'warn',
      words: expect.stringContaining('chmod 700'),
    })
  })
})
