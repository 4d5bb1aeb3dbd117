/**
 * The loop, walked on real flights: `npm run demo`. Options: `--headless` ends by itself, `--report FILE` writes what was seen
 * (report.schema.json), `--port N`, `--data DIR` (made anew each time).
 */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { closingTable } from './demo/report.ts'
import { startServer } from './demo/server.ts'
import { setUp } from './demo/set-up.ts'
import { walk } from './demo/story.ts'

const { values } = parseArgs({
  options: {
    headless: { type: 'boolean', default: false },
    report: { type: 'string' },
    port: { type: 'string', default: '8080' },
    data: { type: 'string', default: '.slipway-demo' },
  },
})
const cwd = process.env.INIT_CWD ?? process.cwd()
const say = (line: string) => void process.stdout.write(`${line}\n`)

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
  const report = await walk(server.url, prepared, say)
  say(closingTable(report, server.url))
  if (values.report) await writeFile(resolve(cwd, values.report), `${JSON.stringify(report, null, 2)}\n`)
  const failed = report.stages.filter(({ ok }) => !ok).map(({ name }) => name)
  if (failed.length > 0) say(`Not as it should be: ${failed.join(', ')}`)
  if (report.requests.failed > 0) say(`${report.requests.failed} requests failed`)
  const ok = failed.length === 0 && report.requests.failed === 0
  if (values.headless || !ok) await end(ok ? 0 : 1)
  else say('It stays up until Ctrl-C.')
} catch (error) {
  say(`The demonstration could not go on: ${(error as Error).message}`)
  await end(1)
}
