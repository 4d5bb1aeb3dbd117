/**
 * The loop, walked on real flights: `npm run demo`. Options: `--headless` ends by itself, `--report FILE` writes what was seen
 * (report.schema.json), `--port N`, `--data DIR` (made anew each time), `--speed N` the most seconds of event time for one of wall time.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { closingTable, mistakesOf } from './demo/report.ts'
import { startServer } from './demo/server.ts'
import { setUp } from './demo/set-up.ts'
import { walk } from './demo/story.ts'

const { values } = parseArgs({
  options: {
    headless: { type: 'boolean', default: false },
    report: { type: 'string' },
    port: { type: 'string', default: '8080' },
    data: { type: 'string', default: '.slipway-demo' },
    speed: { type: 'string', default: '250000' },
  },
})
const cwd = process.env.INIT_CWD ?? process.cwd()
const say = (line: string) => void process.stdout.write(`${line}\n`)
const speed = Number(values.speed)
if (!(speed > 0)) {
  say(`--speed ${values.speed}: a positive number is asked for, seconds of event time for one of wall time`)
  process.exit(2)
}

say('Set-up: the Python environment and the data (made once)')
const prepared = await setUp(say)
const server = await startServer({
  data: resolve(cwd, values.data),
  environments: prepared.environments,
  port: Number(values.port),
})
let ending = false
const end = async (code: number) => {
  if (ending) return
  ending = true
  await server.stop()
  process.exit(code)
}
process.on('SIGINT', () => void end(130))
process.on('SIGTERM', () => void end(143))
server.process.once('exit', (code) => {
  if (ending) return
  say(`the server ended with ${code}`)
  process.exit(1)
})

try {
  say(`Slipway runs at ${server.url}; nine months of flights follow`)
  const report = await walk(server.url, prepared, { speed, say })
  say(closingTable(report))
  if (values.report) await writeFile(resolve(cwd, values.report), `${JSON.stringify(report, null, 2)}\n`)
  const failed = report.stages.filter(({ ok }) => !ok).map(({ name }) => name)
  if (failed.length > 0) say(`Not as it should be: ${failed.join(', ')}`)
  if (report.requests.failed > 0) say(`${report.requests.failed} requests failed`)
  const schema = JSON.parse(await readFile(new URL('./report.schema.json', import.meta.url), 'utf8'))
  const mistakes = mistakesOf(report, schema)
  for (const mistake of mistakes) say(`The report is not what its schema says: ${mistake}`)
  const ok = failed.length === 0 && report.requests.failed === 0 && mistakes.length === 0
  if (values.headless || !ok) await end(ok ? 0 : 1)
  else say(`Look around: ${server.url}. It stays up until Ctrl-C.`)
} catch (error) {
  // After Ctrl-C it is no news that the server does not answer.
  if (!ending) say(`The demonstration could not go on: ${(error as Error).message}`)
  await end(1)
}
