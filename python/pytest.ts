/** Runs pytest in a managed environment and gives each of its cases back as one of ours. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, PYTHON_PACKAGE_DIR, runProcess } from '#kernel/environments/index.ts'
import { testEnvironment } from '#kit/python.ts'

const WALL_MS = 9 * 60_000

export interface PytestCase {
  name: string
  /** What pytest said of a failure; missing: it passed. */
  failure?: string
}

const readable = (text: string) =>
  text
    .replaceAll(/&#(x?)([0-9a-fA-F]+);/g, (_, hex, code) => String.fromCodePoint(Number.parseInt(code, hex ? 16 : 10)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

/** The cases of the given test files of this package. */
export async function pytest(...files: string[]): Promise<PytestCase[]> {
  const environment = await testEnvironment()
  return pytestIn(PYTHON_PACKAGE_DIR, environment, ...files.map((file) => join('tests', file)))
}

/** The cases of test files below `cwd`. Throws when pytest ran none: that is no success. */
export async function pytestIn(cwd: string, environment: Environment, ...files: string[]): Promise<PytestCase[]> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-pytest-'))
  try {
    const report = join(dir, 'report.xml')
    const end = await runProcess({
      args: [
        'python',
        '-m',
        'pytest',
        `--junitxml=${report}`,
        `--basetemp=${join(dir, 'tmp')}`,
        '-p',
        'no:cacheprovider',
        ...files,
      ],
      cwd,
      environment,
      env: { PYTHONDONTWRITEBYTECODE: '1' },
      limits: { wall_ms: WALL_MS },
    })
    const xml = await readFile(report, 'utf8').catch(() => '')
    const cases = [
      ...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g),
    ].map(([, module, name, body]) => {
      const failed = /<(failure|error)[\s>]/.test(body ?? '')
      return {
        name: `${module!.split('.').at(-1)}: ${readable(name!)}`,
        ...(failed && { failure: readable(body!.replaceAll(/<[^>]*>/g, '\n')) }),
      }
    })
    if (cases.length === 0 || (end.code !== 0 && cases.every(({ failure }) => !failure))) {
      throw new Error(`pytest ended with ${end.reason} ${end.code} and ${cases.length} cases: ${end.tail}`)
    }
    return cases
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
