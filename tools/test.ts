// `npm test`, `npm run test:long`: Vitest, then the true counts alone on the last line.
// Further arguments go to Vitest: `npm test -- server/src/kernel -t "moving an alias"`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { conclude, countVitest, type VitestReport } from './counts.ts'
import { run, script } from './run.ts'

const [first, ...rest] = process.argv.slice(2)
const long = first === '--long'
const passed = long || first === undefined ? rest : [first, ...rest]

/** The promise of `npm test` is 12 minutes on 2 cores; past this it hangs. */
const TEST_MS_MAX = long ? 4 * 60 * 60_000 : 15 * 60_000

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
  const finished = await run(node, [...args, ...passed], {
    timeout_ms: TEST_MS_MAX,
    show: true,
    env: { ...process.env, TEST_LONG: long ? '1' : '0' },
  })
  if (finished.signal) process.stdout.write(`Vitest was ended by ${finished.signal}\n`)
  conclude(countVitest(readReport(file), finished.code))
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
