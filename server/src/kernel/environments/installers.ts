import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { DomainError, invalid } from '../errors.ts'
import { claim } from './claim.ts'
import type { EnsureOptions } from './model.ts'
import { runProcess } from './process.ts'
import type { Interpreter } from './python.ts'

const run = promisify(execFile)

/** Installed once from the package index when no uv is in PATH. */
const UV_VERSION = '0.13.9'
const INSTALL_MS = 20 * 60_000
const TOOL_MS = 5 * 60_000
const WORDS_LINES = 12

/** Makes a virtual environment at `dir` and fills it; throws what `explain` makes of the tool's output. */
export interface Installer {
  name: string
  install(
    dir: string,
    python: Interpreter,
    requirements: string,
    offline: boolean,
    options: EnsureOptions,
  ): Promise<void>
}

/** What an installer sees of our environment: where the index is and how to reach it, nothing of Slipway's own. */
function indexEnvironment(): Record<string, string> {
  const names = /^(UV_|PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|XDG_|(HTTPS?|ALL|NO)_PROXY$|NETRC$)/i
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => names.test(entry[0]) && entry[1] !== undefined,
  )
  return { ...Object.fromEntries(kept), HOME: homedir() }
}

/** What pip was told (its variables and files) in uv's words, because uv does not read them; uv's own settings win. */
export async function uvIndex(python: Interpreter): Promise<Record<string, string>> {
  if (!python.pip) return {}
  const { stdout } = await run(
    python.executable,
    ['-I', '-m', 'pip', '--disable-pip-version-check', 'config', 'list'],
    {
      timeout: 20_000,
      // `-I` would hide PIP_* from Python's own settings, not from pip: those are pip's, and read by it.
      env: { ...indexEnvironment(), PATH: process.env.PATH ?? '' },
    },
  ).catch(() => ({ stdout: '' }))
  return readPipConfig(stdout, process.env)
}

/** `pip config list` prints `global.index-url='…'`, `:env:.cert='…'`; later lines win. */
export function readPipConfig(
  text: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  const told = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^(?::env:|[a-z]+)\.([a-z-]+)=(['"])(.*)\2$/.exec(line.trim())
    if (match) told.set(match[1]!, match[3]!.replaceAll('\\n', ' ').trim())
  }
  const uv: Record<string, string> = {}
  const set = (name: string, value: string | undefined) => {
    if (value && env[name] === undefined) uv[name] = value
  }
  if (env.UV_INDEX_URL === undefined) set('UV_DEFAULT_INDEX', told.get('index-url'))
  if (env.UV_EXTRA_INDEX_URL === undefined) set('UV_INDEX', told.get('extra-index-url'))
  set('UV_FIND_LINKS', told.get('find-links')?.split(/\s+/).join(','))
  set('SSL_CERT_FILE', told.get('cert'))
  set('UV_INSECURE_HOST', told.get('trusted-host'))
  if (told.has('no-index') && /^(1|true|yes|on)$/i.test(told.get('no-index')!)) set('UV_NO_INDEX', '1')
  set('UV_HTTP_TIMEOUT', told.get('default-timeout') ?? told.get('timeout'))
  return uv
}

/** Turns what an installer printed into a problem that says whose it is. */
export function explain(output: string, tool: string, code: number | null): DomainError {
  const words = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-WORDS_LINES)
    .join('\n')
  const unreachable =
    /error sending request|dns error|failed to (fetch|connect|lookup)|connection (refused|reset|timed out)|tcp connect|name resolution|name or service not known|network is unreachable|NewConnectionError|ConnectTimeout|Max retries exceeded|network connectivity is disabled|network was disabled/i
  if (unreachable.test(output)) {
    return new DomainError('unavailable', `the package index cannot be reached: ${words}`, {
      remedy:
        'Check the network and the index settings (PIP_INDEX_URL or pip.conf); environments that are already built need neither.',
    })
  }
  if (/No space left on device|os error 28/i.test(output)) {
    return new DomainError('storage-full', `the disk is full while packages are installed: ${words}`)
  }
  return invalid(`${tool} cannot install the packages of the lock (code ${code}): ${words}`, {
    field: 'lock',
    remedy: 'Every pinned version must exist for this Python and platform, and the versions must suit each other.',
  })
}

const pipEnvironment = () => ({
  PIP_RETRIES: '2',
  ...indexEnvironment(),
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_PROGRESS_BAR: 'off',
})

async function step(
  tool: string,
  args: string[],
  env: Record<string, string>,
  options: EnsureOptions,
  wall_ms = INSTALL_MS,
) {
  const end = await runProcess({
    args,
    env,
    signal: options.signal,
    limits: { wall_ms },
    onLine: ({ text }) =>
      text.trim() !== '' && options.onProgress?.({ stage: 'install', words: text.trim().slice(0, 200) }),
  })
  options.signal?.throwIfAborted()
  if (end.reason === 'timeout')
    throw new DomainError(
      'unavailable',
      `${tool} did not end within ${wall_ms / 60_000} minutes: ${end.tail.slice(-2000)}`,
    )
  if (end.code !== 0) throw explain(end.tail, tool, end.code)
}

const inside = (dir: string) => join(dir, 'bin', 'python')

export function uvInstaller(uv: string, version: string): Installer {
  return {
    name: `uv ${version}`,
    async install(dir, python, requirements, offline, options) {
      const env = {
        ...indexEnvironment(),
        ...(await uvIndex(python)),
        UV_NO_PROGRESS: '1',
        UV_PYTHON_DOWNLOADS: 'never',
        UV_NO_CONFIG: '1',
      }
      const net = offline ? ['--offline'] : []
      await step(
        'uv',
        [uv, 'venv', '--quiet', '--relocatable', '--python', python.executable, dir, ...net],
        env,
        options,
      )
      await step(
        'uv',
        [uv, 'pip', 'install', '--python', inside(dir), '--requirement', requirements, ...net],
        env,
        options,
      )
    },
  }
}

export const pipInstaller: Installer = {
  name: 'pip',
  async install(dir, python, requirements, offline, options) {
    const env = {
      ...indexEnvironment(),
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      PIP_NO_INPUT: '1',
      PIP_PROGRESS_BAR: 'off',
    }
    if (offline)
      throw new DomainError('unavailable', 'pip cannot install without a network', {
        remedy: 'Build the environment once while online.',
      })
    await step('venv', [python.executable, '-I', '-m', 'venv', dir], env, options)
    await step('pip', [inside(dir), '-I', '-m', 'pip', 'install', '--requirement', requirements], env, options)
    await makeRelocatable(dir)
  },
}

/** pip writes its folder into the first line of each command; a folder that will be renamed needs them relative. */
async function makeRelocatable(dir: string): Promise<void> {
  const bin = join(dir, 'bin')
  const first = `#!${inside(dir)}`
  for (const entry of await readdir(bin, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(bin, entry.name)
    const bytes = await readFile(path)
    if (!bytes.subarray(0, first.length).equals(Buffer.from(first))) continue
    // A line that is shell and Python at once, as uv and virtualenv write it.
    const head = `#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"\n' '''`
    await writeFile(path, head + bytes.toString('utf8').slice(bytes.toString('utf8').indexOf('\n')))
  }
}

async function uvVersion(path: string): Promise<string | undefined> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000 }).catch(() => ({ stdout: '' }))
  return /^uv (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
}

/** uv from PATH, or our own from the package index (once, under `tools`), or pip where neither is to be had. */
export async function findInstaller(
  tools: string,
  python: Interpreter,
  offline: boolean,
  options: EnsureOptions,
): Promise<Installer> {
  const in_path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map((dir) => join(dir, 'uv'))
  for (const path of in_path) {
    const version = await uvVersion(path)
    if (version) return uvInstaller(path, version)
  }
  const home = join(tools, `uv-${UV_VERSION}`)
  const own = async () =>
    (await uvVersion(join(home, 'bin', 'uv'))) === UV_VERSION ? join(home, 'bin', 'uv') : undefined
  const present = await own()
  if (present) return uvInstaller(present, UV_VERSION)
  if (offline) return pipInstaller
  options.onProgress?.({ stage: 'tool', words: `fetching uv ${UV_VERSION}` })
  await mkdir(tools, { recursive: true })
  const held = await claim(`${home}.lock`, own, { signal: options.signal })
  if ('done' in held) return uvInstaller(held.done, UV_VERSION)
  const partial = `${home}.partial-${process.pid}`
  try {
    await rm(partial, { recursive: true, force: true })
    await installUv(partial, python, options)
    await rm(home, { recursive: true, force: true })
    await rename(partial, home)
    return uvInstaller(join(home, 'bin', 'uv'), UV_VERSION)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof DomainError && error.problem === 'invalid' && python.venv) return pipInstaller
    throw error
  } finally {
    await rm(partial, { recursive: true, force: true })
    await held.release()
  }
}

async function installUv(dir: string, python: Interpreter, options: EnsureOptions): Promise<void> {
  const env = pipEnvironment()
  const wanted = `uv==${UV_VERSION}`
  if (python.venv) {
    await step('venv', [python.executable, '-I', '-m', 'venv', dir], env, options, TOOL_MS)
    await step(
      'pip',
      [inside(dir), '-I', '-m', 'pip', 'install', '--only-binary', ':all:', wanted],
      env,
      options,
      TOOL_MS,
    )
  } else if (python.pip) {
    await step(
      'pip',
      [python.executable, '-I', '-m', 'pip', 'install', '--only-binary', ':all:', '--target', dir, wanted],
      env,
      options,
      TOOL_MS,
    )
  } else {
    throw new DomainError('unavailable', `${python.executable} has neither venv nor pip, and uv is not in PATH`, {
      field: 'python',
      remedy: `Install one of them, for example "apt-get install python${python.version.split('.').slice(0, 2).join('.')}-venv".`,
    })
  }
}
