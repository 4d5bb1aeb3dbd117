// `npm test`, `npm run test:long`: Vitest, then the true counts alone on the last line.
// Further arguments go to Vitest: `npm test -- server/src/kernel -t "moving an alias"`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { conclude, countVitest, type VitestReport } from './counts.ts'
import { run, script } from './run.ts'

const [first, ...rest] = process.argv.slice(2)
const long = first === '--long'
const passed = long || first === undefined ? rest : [first, ...rest]

/** Past this it hangs. */
const TEST_MS_MAX = long ? 4 * 60 * 60_000 : 15 * 60_000
/** The promise of the whole `npm test` on 2 cores. It is kept where nothing else runs: on the machine that decides. */
const PROMISED_MS = 12 * 60_000

const folder = mkdtempSync(path.join(tmpdir(), 'slipway-test-'))
try {
  const file = path.join(folder, 'report.json')
  const [node, args] = script(
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  )
  const started = performance.now()
  const finished = await run(node, [...args, ...passed], {
    timeout_ms: TEST_MS_MAX,
    show: true,
    env: { ...process.env, TEST_LONG: long ? '1' : '0' },
  })
  if (finished.signal) process.stdout.write(`Vitest was ended by ${finished.signal}\n`)
  const counts = countVitest(readReport(file), finished.code)
  const took_ms = performance.now() - started
  if (process.env.CI && !long && passed.length === 0 && took_ms > PROMISED_MS) {
    const minutes = (ms: number) => (ms / 60_000).toFixed(1)
    process.stdout.write(
      `npm test took ${minutes(took_ms)} minutes, and ${minutes(PROMISED_MS)} are promised: make the slowest files leaner, or long (*.long.test.ts)\n`,
    )
    counts.failed++
  }
  conclude(counts)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}
