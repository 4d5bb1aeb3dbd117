/**
 * How many single-row predictions a second one server process answers over HTTP on loopback, with a token and the prediction log on,
 * for a small compiled model: 16 clients that each wait for their answer. Counts errors, and the rows that the log dropped.
 * `node bench/serving-hot.ts [--seconds 5] [--clients 16] [--native] [--profile DIR] [--json]`
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PYTHON_PACKAGE_DIR, startProcess } from '../server/src/kernel/environments/index.ts'
import { makeModels } from '../server/test/kit/serving.ts'

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '16' },
    /** Our own route in place of MLflow's. */
    native: { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const say = (words: string) => process.stderr.write(`${words}\n`)

const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
say('making and compiling a model')
const models = await makeModels([])
const compiled = join(folder, 'compiled')
const prepare = await startProcess({
  args: [
    models.environment.python,
    '-m',
    'slipway.prepare',
    ...['--model', join(models.dir, 'late'), '--rows', join(models.dir, 'rows.parquet'), '--out', compiled],
  ],
  environment: models.environment,
  env: { PYTHONPATH: PYTHON_PACKAGE_DIR },
})
if ((await prepare.ended).code !== 0) throw new Error('the model was not compiled')

const server = fork(new URL('./serving/server.ts', import.meta.url), [join(folder, 'data'), compiled], {
  execArgv: given.profile ? ['--cpu-prof', `--cpu-prof-dir=${given.profile}`] : [],
})
const message = <T>() => new Promise<T>((resolve) => server.once('message', (said) => resolve(said as T)))
const { url, secret } = await message<{ url: string; secret: string }>()
const { hostname, port } = new URL(url)

const row = { dep: 17.5, dist: 700, stops: 1, carrier: 'B6' }
const body = JSON.stringify(
  given.native ? { rows: [row] } : { dataframe_split: { columns: Object.keys(row), data: [Object.values(row)] } },
)
const path = given.native ? '/api/slipway/v1/endpoints/late/predict' : '/serve/late/invocations'
const request = Buffer.from(
  `POST ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${secret}\r\ncontent-type: application/json\r\nslipway-event-time: 2013-04-01T07:00:00Z\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
)

interface Tally {
  times: number[]
  failed: number
}

/** One client on one connection: asks, waits for the whole answer, asks again. */
function client(until: number, tally: Tally): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    let asked = 0
    const ask = () => {
      if (performance.now() > until) return void socket.end(resolve)
      asked = performance.now()
      socket.write(request)
    }
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('connect', ask)
    socket.on('data', (chunk) => {
      text += chunk
      const end = text.indexOf('\r\n\r\n')
      const length = end < 0 ? undefined : /content-length: (\d+)/i.exec(text)?.[1]
      if (length === undefined || text.length < end + 4 + Number(length)) return
      tally.times.push(performance.now() - asked)
      if (!text.startsWith('HTTP/1.1 200')) tally.failed++
      text = ''
      ask()
    })
  })
}

async function round(seconds: number): Promise<Tally> {
  const tally: Tally = { times: [], failed: 0 }
  const until = performance.now() + seconds * 1000
  await Promise.all(Array.from({ length: Number(given.clients) }, () => client(until, tally)))
  return tally
}

const facts = () => {
  const answer = message<{ dropped: number; cpu: NodeJS.CpuUsage }>()
  server.send('facts')
  return answer
}

say('warming up')
await round(2)
say('measuring')
const before = await facts()
const started = performance.now()
const { times, failed } = await round(Number(given.seconds))
const seconds = (performance.now() - started) / 1000
const after = await facts()
times.sort((a, b) => a - b)
const quantile = (share: number) => Number(times[Math.floor(share * (times.length - 1))]!.toFixed(2))
const cpu_s = (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1e6
const result = {
  path,
  clients: Number(given.clients),
  requests: times.length,
  failed,
  dropped_from_log: after.dropped - before.dropped,
  per_second: Math.round(times.length / seconds),
  /** What one whole processor would do: the machine may give the server less. */
  per_cpu_second: Math.round(times.length / cpu_s),
  cpu_share: Number((cpu_s / seconds).toFixed(2)),
  p50_ms: quantile(0.5),
  p99_ms: quantile(0.99),
  p999_ms: quantile(0.999),
}
console.log(given.json ? JSON.stringify(result) : result)
const ended = new Promise((resolve) => server.once('exit', resolve))
server.send('stop')
await ended
await models.close()
rmSync(folder, { recursive: true, force: true })
