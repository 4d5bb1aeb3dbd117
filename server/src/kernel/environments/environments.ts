import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../clock.ts'
import { conflict, DomainError, notFound } from '../errors.ts'
import type { Log } from '../log.ts'
import { claim, isClaimed } from './claim.ts'
import { findInstaller, pipInstaller } from './installers.ts'
import { environmentKey, openExtras, readLock } from './lock.ts'
import {
  type EnsureOptions,
  type Environment,
  type EnvironmentListing,
  type EnvironmentSpec,
  type Environments,
  MANIFEST,
  type Manifest,
} from './model.ts'
import { runningIn, runProcess } from './process.ts'
import { createPythonFinder, type Interpreter, type PythonFinder } from './python.ts'

const run = promisify(execFile)

const KEY = /^[0-9a-f]{32}$/
const USED = 'last-used'
const PACKAGES = `
import json, re
from importlib.metadata import distributions
print(json.dumps({re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in distributions() if d.metadata["Name"]}))
`

export interface EnvironmentsDeps {
  /** Folder that holds them all; made when needed. */
  dir: string
  log: Log
  clock: Clock
  /** Never ask the package index. */
  offline?: boolean | undefined
  /** Where our own uv is kept, when there is none in PATH; missing: `tools` in `dir`. */
  tools_dir?: string | undefined
  finder?: PythonFinder | undefined
}

interface Plan {
  key: string
  python: Interpreter
  lock: string[]
  extras: string[]
}

/** A build that several callers of this process wait for; it ends early when all of them gave up. */
interface Build {
  result: Promise<Environment>
  waiting: Set<EnsureOptions>
  abort: AbortController
}

export function createEnvironments(deps: EnvironmentsDeps): Environments {
  const { log, clock, offline = false, finder = createPythonFinder() } = deps
  const dir = resolve(deps.dir)
  const tools_dir = resolve(deps.tools_dir ?? join(dir, 'tools'))
  const builds = new Map<string, Build>()
  /** Environments that answered in this process: their interpreter is known to start. */
  const proven = new Set<string>()
  /** Locks and extras that were found not to suit each other: not tried again before the next start. */
  const unmet = new Set<string>()
  const home = (key: string) => join(dir, key)

  /** The environment when it is complete and its interpreter still starts, otherwise undefined. */
  async function existing(key: string): Promise<Environment | undefined> {
    const manifest = await readManifest(home(key))
    if (!manifest || manifest.key !== key) return undefined
    const python = join(home(key), 'bin', 'python')
    if (!proven.has(key)) {
      // The Python it was made from may have been removed or replaced since; then it is built anew.
      const version = await run(python, ['-I', '-c', 'import platform; print(platform.python_version())'], {
        timeout: 20_000,
      }).then(
        ({ stdout }) => stdout.trim(),
        () => undefined,
      )
      if (version !== manifest.python.version) {
        log.warn(
          { key, expected: manifest.python.version, found: version ?? null },
          'the Python of an environment is gone: it is built anew',
        )
        return undefined
      }
      proven.add(key)
    }
    const now = new Date(clock.now())
    await utimes(join(home(key), USED), now, now).catch(() => {})
    return { key, python, python_version: manifest.python.version, packages: manifest.packages, dir: home(key) }
  }

  async function plan(spec: EnvironmentSpec, signal?: AbortSignal): Promise<Plan[]> {
    const lock = readLock(spec.lock)
    const extras = openExtras(lock, spec.extras ?? []).map(({ text }) => text)
    const python = await finder.find(spec.python, signal)
    const lines = lock.map(({ text }) => text)
    const planned = (with_extras: string[]): Plan => ({
      key: environmentKey({
        python_version: python.version,
        platform: python.platform,
        lock: lines,
        extras: with_extras,
      }),
      python,
      lock: lines,
      extras: with_extras,
    })
    return extras.length === 0 ? [planned([])] : [planned(extras), planned([])]
  }

  async function ensure(spec: EnvironmentSpec, options: EnsureOptions = {}): Promise<Environment> {
    options.signal?.throwIfAborted()
    const [wanted, bare] = await plan(spec, options.signal)
    const found = await existing(wanted!.key)
    if (found) return found
    if (!bare) return await joinBuild(wanted!, options)
    // What was built from the lock alone may hold our tools already, as somebody else's dependency.
    const plain = await existing(bare.key)
    if (plain && holdsAll(plain, wanted!.extras)) return plain
    if (!spec.extras_optional) return await joinBuild(wanted!, options)
    if (!unmet.has(wanted!.key)) {
      try {
        return await joinBuild(wanted!, options)
      } catch (error) {
        if (!(error instanceof DomainError) || error.problem !== 'invalid') throw error
        log.warn(
          { key: bare.key, error: error.message },
          'our tools do not suit a lock: its environment is made without them',
        )
        unmet.add(wanted!.key)
      }
    }
    return plain ?? (await joinBuild(bare, options))
  }

  async function joinBuild(wanted: Plan, options: EnsureOptions): Promise<Environment> {
    const build = builds.get(wanted.key) ?? start(wanted)
    build.waiting.add(options)
    const { signal } = options
    let leave = () => {}
    const gaveUp = new Promise<never>((_, reject) => {
      leave = () => {
        build.waiting.delete(options)
        if (build.waiting.size === 0) {
          // Who asks from now on starts afresh instead of hearing of somebody else's change of mind.
          if (builds.get(wanted.key) === build) builds.delete(wanted.key)
          build.abort.abort(signal?.reason)
        }
        reject(signal?.reason)
      }
      if (signal?.aborted) leave()
      else signal?.addEventListener('abort', leave, { once: true })
    })
    try {
      return await Promise.race([build.result, gaveUp])
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  function start(wanted: Plan): Build {
    const abort = new AbortController()
    const waiting = new Set<EnsureOptions>()
    const options: EnsureOptions = {
      signal: abort.signal,
      onProgress: (progress) => {
        for (const each of waiting) each.onProgress?.(progress)
      },
    }
    const build: Build = { result: claimAndBuild(wanted, options), waiting, abort }
    const forget = () => {
      if (builds.get(wanted.key) === build) builds.delete(wanted.key)
    }
    build.result.then(forget, forget)
    builds.set(wanted.key, build)
    return build
  }

  async function claimAndBuild(wanted: Plan, options: EnsureOptions): Promise<Environment> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const held = await claim(`${home(wanted.key)}.lock`, () => existing(wanted.key), {
      signal: options.signal,
      onWait: () => options.onProgress?.({ stage: 'waiting', words: 'another process builds this environment' }),
    })
    if ('done' in held) return held.done
    const partial = `${home(wanted.key)}.partial-${process.pid}-${randomBytes(4).toString('hex')}`
    try {
      await sweep(wanted.key)
      const manifest = await make(wanted, partial, options)
      await aside(home(wanted.key))
      await rename(partial, home(wanted.key))
      log.info(
        {
          key: wanted.key,
          seconds: manifest.seconds,
          packages: Object.keys(manifest.packages).length,
          tool: manifest.tool,
        },
        'environment built',
      )
      const environment = await existing(wanted.key)
      if (!environment)
        throw new DomainError('internal', `the environment ${wanted.key} does not start after it was built`)
      return environment
    } finally {
      await rm(partial, { recursive: true, force: true })
      await held.release()
    }
  }

  async function make(wanted: Plan, partial: string, options: EnsureOptions): Promise<Manifest> {
    const started = performance.now()
    const { python, lock, extras, key } = wanted
    options.onProgress?.({ stage: 'python', words: `Python ${python.version} at ${python.executable}` })
    const installer = await findInstaller(tools_dir, python, offline, options)
    const requirements = `${partial}.txt`
    await writeFile(requirements, `${[...lock, ...extras].join('\n')}\n`)
    let tool = installer.name
    try {
      options.onProgress?.({
        stage: 'install',
        words: `installing ${lock.length + extras.length} packages with ${tool}`,
      })
      try {
        await installer.install(partial, python, requirements, offline, options)
      } catch (error) {
        options.signal?.throwIfAborted()
        if (offline) throw notBuilt(key, error)
        // Settings that only pip understands, or a platform that uv is not made for: pip has the last word.
        if (
          installer === pipInstaller ||
          !python.venv ||
          (error instanceof DomainError && error.problem !== 'unavailable')
        )
          throw error
        log.warn({ key, error: (error as Error).message }, 'uv failed, trying pip')
        await rm(partial, { recursive: true, force: true })
        await pipInstaller.install(partial, python, requirements, offline, options).catch((again: unknown) => {
          options.signal?.throwIfAborted()
          log.warn({ key, error: (again as Error).message }, 'pip failed too')
          throw error
        })
        tool = pipInstaller.name
      }
    } finally {
      await rm(requirements, { force: true })
    }
    options.onProgress?.({ stage: 'finish', words: 'checking what was installed' })
    const manifest: Manifest = {
      format: 1,
      key,
      python: { version: python.version, executable: python.executable },
      platform: python.platform,
      lock,
      extras,
      tool,
      packages: await packagesOf(partial, options),
      size_bytes: await sizeOf(partial),
      built_ms: clock.now(),
      seconds: Math.round((performance.now() - started) / 100) / 10,
    }
    await writeFile(join(partial, USED), '')
    await writeDurably(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
    // Thousands of files that a power cut could leave empty behind a manifest that counts: one sync for them all.
    await run('sync', process.platform === 'linux' ? ['-f', partial] : [], { timeout: 60_000 }).catch(() => {})
    return manifest
  }

  /** Removes what builds that were killed left behind, and what is being removed. The caller holds the claim on `own`. */
  async function sweep(own: string): Promise<void> {
    for (const name of await readdir(dir)) {
      const [, key, kind] = /^([0-9a-f]{32})\.(partial|gone)-/.exec(name) ?? []
      if (!key) continue
      if (kind === 'gone' || key === own || !(await isClaimed(join(dir, `${key}.lock`)))) {
        await rm(join(dir, name), { recursive: true, force: true })
      }
    }
  }

  async function aside(path: string): Promise<void> {
    const gone = `${path}.gone-${process.pid}-${randomBytes(4).toString('hex')}`
    const moved = await rename(path, gone).then(
      () => true,
      () => false,
    )
    if (moved) await rm(gone, { recursive: true, force: true })
  }

  return {
    ensure,
    async list() {
      const names = (await readdir(dir).catch(() => [])).filter((name) => KEY.test(name))
      const listings = await Promise.all(names.map((name) => describe(home(name))))
      return listings.filter((each) => each !== undefined).sort((a, b) => b.last_used_ms - a.last_used_ms)
    },
    async remove(key) {
      if (!KEY.test(key) || !(await stat(home(key)).catch(() => undefined)))
        throw notFound(`there is no environment ${key}`, { field: 'key' })
      const running = runningIn(home(key))
      if (running > 0)
        throw conflict(`${running} processes run in environment ${key}`, {
          remedy: 'Stop them first.',
          facts: { running },
        })
      proven.delete(key)
      await aside(home(key))
    },
  }
}

const holdsAll = (environment: Environment, extras: readonly string[]) =>
  readLock(extras.join('\n'), 'extras').every(({ name, version }) => environment.packages[name] === version)

function notBuilt(key: string, cause: unknown) {
  return new DomainError(
    'unavailable',
    `environment ${key} is not built, and environments.offline forbids asking the package index`,
    {
      remedy:
        'Start once with environments.offline switched off, or copy the folder of environments from a machine that has it.',
      cause,
    },
  )
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')) as Manifest
    await access(join(dir, 'bin', 'python'))
    return manifest.format === 1 ? manifest : undefined
  } catch {
    return undefined
  }
}

async function describe(dir: string): Promise<EnvironmentListing | undefined> {
  const manifest = await readManifest(dir)
  if (!manifest) return undefined
  const used = await stat(join(dir, USED)).catch(() => undefined)
  return {
    key: manifest.key,
    dir,
    python_version: manifest.python.version,
    package_count: Object.keys(manifest.packages).length,
    size_bytes: manifest.size_bytes,
    built_ms: manifest.built_ms,
    last_used_ms: Math.round(used?.mtimeMs ?? manifest.built_ms),
    running: runningIn(dir),
  }
}

async function packagesOf(dir: string, options: EnsureOptions): Promise<Record<string, string>> {
  const end = await runProcess({
    args: [join(dir, 'bin', 'python'), '-I', '-c', PACKAGES],
    signal: options.signal,
    limits: { wall_ms: 60_000 },
    line_limits: { chars_max: 1_000_000, per_second_max: 100, bytes_per_second_max: 16_000_000 },
  })
  options.signal?.throwIfAborted()
  if (end.code !== 0) throw new DomainError('internal', `the new environment's Python does not start: ${end.tail}`)
  return JSON.parse(end.stdout) as Record<string, string>
}

async function sizeOf(dir: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', dir], { timeout: 120_000 }).catch(() => ({ stdout: '0' }))
  return Number.parseInt(stdout, 10) * 1024
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
