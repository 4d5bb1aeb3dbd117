import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DomainError, invalid } from '../errors.ts'

const run = promisify(execFile)

export const PYTHON_MINORS = ['3.11', '3.12', '3.13'] as const
const PROBE_MS = 20_000
const PROBE = `
import json, platform, sys, sysconfig
def has(name):
    import importlib.util
    return importlib.util.find_spec(name) is not None
print(json.dumps({"version": platform.python_version(), "implementation": platform.python_implementation(),
  "executable": sys.executable, "platform": sysconfig.get_platform(), "pip": has("pip"), "venv": has("venv") and has("ensurepip")}))
`

export interface Interpreter {
  /** `x.y.z`. */
  version: string
  executable: string
  /** `linux-x86_64`, `macosx-14.0-arm64`. */
  platform: string
  /** Whether `python -m pip` works. */
  pip: boolean
  /** Whether `python -m venv` can make an environment with pip; Debian keeps that in a package of its own. */
  venv: boolean
}

const minorOf = (version: string) => version.split('.').slice(0, 2).join('.')

/** Asks one command what it is; undefined when there is none, it does not start, or it is not CPython. */
async function probe(command: string, signal?: AbortSignal): Promise<Interpreter | undefined> {
  try {
    const { stdout } = await run(command, ['-I', '-c', PROBE], {
      timeout: PROBE_MS,
      maxBuffer: 65_536,
      ...(signal && { signal }),
    })
    const { implementation, ...found } = JSON.parse(stdout) as Interpreter & { implementation: string }
    return implementation === 'CPython' ? found : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

/**
 * Where interpreters are looked for, in the order of preference: what the user named, what their shell means by python3, then by
 * version, then the places that pyenv, Homebrew and the system use although they are not in PATH.
 */
async function candidates(): Promise<string[]> {
  const named = process.env.SLIPWAY_PYTHON
  const root = process.env.PYENV_ROOT ?? join(homedir(), '.pyenv')
  const pyenv = (await readdir(join(root, 'versions')).catch(() => []))
    .filter((name) => PYTHON_MINORS.some((minor) => name.startsWith(`${minor}.`)))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(root, 'versions', name, 'bin', 'python'))
  const newest_first = PYTHON_MINORS.map((minor) => `python${minor}`).toReversed()
  const outside = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].flatMap((dir) =>
    newest_first.map((name) => join(dir, name)),
  )
  return [...(named ? [named] : []), 'python3', ...newest_first, 'python', ...pyenv, ...outside]
}

export interface PythonFinder {
  /** Throws unavailable when there is none of the version asked for, with what was looked at and how to get one. */
  find(wanted: string | undefined, signal?: AbortSignal): Promise<Interpreter>
}

/** Finds interpreters and remembers what each command turned out to be; `where` is for tests. */
export function createPythonFinder(where: () => Promise<string[]> = candidates): PythonFinder {
  const known = new Map<string, Interpreter>()
  const ask = async (command: string, signal?: AbortSignal) => {
    const found = known.get(command) ?? (await probe(command, signal))
    // Only finds are remembered: what is missing now may be installed a moment later.
    if (found) known.set(command, found)
    return found
  }
  return {
    async find(wanted, signal) {
      if (wanted?.includes('/')) return findAt(wanted, await ask(wanted, signal))
      const minor = wanted === undefined ? undefined : minorOf(wanted)
      if (minor !== undefined && !PYTHON_MINORS.some((each) => each === minor)) throw unsupported(wanted!)
      const exact = wanted !== undefined && wanted.split('.').length > 2
      let other: Interpreter | undefined
      const seen: string[] = []
      for (const command of await where()) {
        const found = await ask(command, signal)
        if (!found) continue
        seen.push(`${command} is ${found.version}`)
        const suits =
          minor === undefined
            ? PYTHON_MINORS.some((each) => each === minorOf(found.version))
            : minorOf(found.version) === minor
        if (!suits) continue
        if (!exact || found.version === wanted) return found
        other ??= found
      }
      if (other) return other
      throw missing(wanted, await where(), [...new Set(seen)])
    },
  }
}

function findAt(path: string, found: Interpreter | undefined): Interpreter {
  if (!found) throw new DomainError('unavailable', `${path} is no Python that can be started`, { field: 'python' })
  if (!PYTHON_MINORS.some((minor) => minor === minorOf(found.version))) throw unsupported(found.version)
  return found
}

const unsupported = (version: string) =>
  invalid(`Python ${version} is not supported`, {
    field: 'python',
    remedy: `Ask for one of ${PYTHON_MINORS.join(', ')}.`,
  })

function missing(wanted: string | undefined, looked: string[], seen: string[]) {
  const what = wanted === undefined ? `Python ${PYTHON_MINORS[0]} to ${PYTHON_MINORS.at(-1)}` : `Python ${wanted}`
  const names = looked.filter((command) => !command.startsWith('/'))
  const paths = looked.length - names.length
  const version = wanted === undefined ? '' : minorOf(wanted)
  return new DomainError(
    'unavailable',
    `${what} was not found; looked for ${names.join(', ')}${paths > 0 ? ` and at ${paths} usual places` : ''}` +
      (seen.length > 0 ? ` (${seen.slice(0, 8).join('; ')})` : ''),
    {
      field: 'python',
      remedy: `Install it ("apt-get install python${version || '3'} python${version || '3'}-venv" on Debian and Ubuntu, "brew install python@${version || '3.13'}" on macOS), or name its path in SLIPWAY_PYTHON.`,
    },
  )
}
