/** From a model version to something that answers: its prepared form, its files, its processes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Environment } from '#kernel/environments/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { ServingDeps, VersionFiles } from './deps.ts'
import { startTool } from './python-tool.ts'
import { loadOnnx } from './runtimes/onnx.ts'
import { loadPython, type WorkerProcess } from './runtimes/python.ts'
import type { Runtime } from './runtimes/runtime.ts'
import type { Preparation } from './serving-store.ts'
import { featuresOf } from './signature.ts'

/** Until a Python process must have its model loaded. */
const START_MS = 120_000
const WORKER_SAYS = 'slipway-worker: '

export interface Loader {
  /** Throws with a sentence for people when the version cannot be loaded. */
  load(workspace: string, version: VersionFiles, preparation: Preparation, signal?: AbortSignal): Promise<Runtime>
  /** The version's files in a folder of their own, checked by digest; kept for the next load. */
  materialise(version: VersionFiles): Promise<string>
  environmentOf(
    workspace: string,
    version: VersionFiles,
    extras?: readonly string[],
    signal?: AbortSignal,
  ): Promise<Environment>
  /** Removes what an ended process left half-made. */
  tidy(): Promise<void>
  close(): Promise<void>
}

export function createLoader(deps: ServingDeps): Loader {
  const { blobs, log, settings } = deps
  const models = join(settings.dir, 'cache', 'models')
  let sockets: Promise<string> | undefined
  let count = 0

  /** How the files of a folder looked when their digests were right. */
  const seen = new Map<string, string>()
  /** Workers run as this user and could change what others load next; a power cut may leave names without content. */
  const isWhole = async (dir: string, version: VersionFiles): Promise<boolean> => {
    const looks = await looksOf(dir, version)
    if (looks === undefined) return false
    if (seen.get(dir) === looks) return true
    for (const file of version.files) {
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(join(dir, ...file.path.split('/')))) hash.update(chunk as Buffer)
      if (`sha256:${hash.digest('hex')}` === file.digest) continue
      log.warn(
        { file: file.path, model: version.model, version: version.version },
        'a file of a model was changed; it is taken from the blobs again',
      )
      return false
    }
    seen.set(dir, looks)
    return (await looksOf(dir, version)) === looks
  }

  const materialise: Loader['materialise'] = async (version) => {
    if (version.digest === null)
      throw new DomainError('conflict', `the files of ${version.model}/${version.version} do not lie here`, {
        remedy: 'Register the version from artifacts that were logged to this server.',
      })
    const dir = join(models, version.digest.replace(':', '-'))
    if (await isWhole(dir, version)) return dir
    await mkdir(models, { recursive: true, mode: 0o700 })
    const partial = await mkdtemp(join(models, 'partial-'))
    try {
      for (const file of version.files) {
        const path = join(partial, ...file.path.split('/'))
        await mkdir(dirname(path), { recursive: true })
        await blobs.materialise(file.digest, path)
        await chmod(path, 0o444)
      }
      await rename(partial, dir).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
        // Another load was quicker, and equal digests are equal files; or what lies there is not whole.
        if (await isWhole(dir, version)) return
        await rm(dir, { recursive: true, force: true })
        await rename(partial, dir)
      })
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
    return dir
  }

  const environmentOf: Loader['environmentOf'] = async (workspace, version, extras, signal) => {
    const trained = await deps.trainedIn(workspace, version.model, version.version)
    const lock = trained?.lock ?? version.requirements
    if (!lock)
      throw new DomainError(
        'conflict',
        `${version.model}/${version.version} says nothing of the packages that it needs`,
        { remedy: 'Log it with pip_requirements, or train it in a pipeline step with an environment.' },
      )
    const python = trained?.python ?? version.python_version?.split('.').slice(0, 2).join('.')
    return deps.environments.ensure(
      { lock, ...(python !== undefined && { python }), ...(extras && { extras, extras_optional: true }) },
      { signal },
    )
  }

  /** Unix sockets have short paths: a folder of our own below the system's temporary one. */
  const socketDir = () => (sockets ??= mkdtemp(join(tmpdir(), 'slw-')))

  const startWorker = async (
    environment: Environment,
    model_dir: string,
    socket: string,
    signal: AbortSignal | undefined,
  ): Promise<WorkerProcess> => {
    signal?.throwIfAborted()
    const ready = Promise.withResolvers<void>()
    let said: string | undefined
    const { process, tail } = await startTool(deps, {
      environment,
      module: 'slipway.worker',
      args: ['--socket', socket, '--model', model_dir],
      limits: { memory_bytes: settings.memory_bytes },
      onLine(text) {
        log.debug({ worker: text }, 'Python model')
        const event = eventOf(text)
        if (event?.event === 'ready') ready.resolve()
        if (event?.event === 'failed') said = event.error?.message
      },
    })
    const exited = process.ended.then(({ reason, code, signal: by }) => ({
      reason:
        reason === 'memory'
          ? `it took more than ${Math.round(settings.memory_bytes / 1e6)} MB of memory; give it more with serving.memory`
          : (said ?? `${reason}${code === null ? (by ? ` ${by}` : '') : ` ${code}`}: ${tail()}`),
    }))
    // Only while it loads: what nobody wants any more still finishes the requests that it has.
    const stop = () => process.stop()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new DomainError('unavailable', `the model was not loaded within ${START_MS / 1000} s: ${tail()}`)),
        START_MS,
      )
    })
    try {
      const gone = await Promise.race([ready.promise, exited, late])
      signal?.throwIfAborted()
      if (gone) throw new DomainError('unavailable', `the model does not load in Python: ${gone.reason}`)
    } catch (error) {
      process.stop()
      await process.ended
      throw error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
    return {
      exited,
      async stop() {
        process.stop()
        await process.ended
      },
    }
  }

  return {
    materialise,
    environmentOf,
    async load(workspace, version, preparation, signal) {
      const features = featuresOf(preparation.report?.signature ?? version.signature)
      if (preparation.form === 'onnx' && preparation.compiled_digest && preparation.report && features) {
        const lent = await blobs.lend(preparation.compiled_digest)
        const runtime = await loadOnnx(lent.path, preparation.report, features).catch(async (error) => {
          await lent.done()
          throw error
        })
        return {
          ...runtime,
          async close() {
            await runtime.close()
            await lent.done()
          },
        }
      }
      const environment = await environmentOf(workspace, version, undefined, signal)
      const dir = await materialise(version)
      const base = join(await socketDir(), `${process.pid}-${count++}`)
      let loading = signal
      const runtime = await loadPython(
        {
          start: (socket) => startWorker(environment, dir, socket, loading),
          socketPath: (worker) => `${base}-${worker}`,
        },
        settings.workers,
        features,
        log.child({ model: version.model, version: version.version }),
        { batch_rows: answersByRow(version.flavors) ? settings.batch_rows : 1 },
      )
      // A process that dies while the last requests are answered is started again for them.
      loading = undefined
      return runtime
    },
    async tidy() {
      for (const name of await readdir(models).catch(() => []))
        if (name.startsWith('partial-')) await rm(join(models, name), { recursive: true, force: true })
    },
    async close() {
      const made = await sockets
      sockets = undefined
      if (made) await rm(made, { recursive: true, force: true })
    },
  }
}

/** Flavours whose libraries answer each row by itself. A function of somebody's own may rank or sum what it is given together. */
const BY_ROW = ['sklearn', 'xgboost', 'lightgbm', 'catboost']
const answersByRow = (flavors: VersionFiles['flavors']): boolean => BY_ROW.some((name) => flavors?.[name] !== undefined)

/** What changes with the content: the time of the last change cannot be set back. Undefined when a file is not there in its size. */
async function looksOf(dir: string, version: VersionFiles): Promise<string | undefined> {
  const looks: string[] = []
  for (const file of version.files) {
    const facts = await stat(join(dir, ...file.path.split('/')), { bigint: true }).catch(() => undefined)
    if (!facts?.isFile() || Number(facts.size) !== file.size_bytes) return undefined
    looks.push(`${facts.ino} ${facts.ctimeNs}`)
  }
  return looks.length > 0 ? looks.join('\n') : undefined
}

/** What the worker says of itself; its other lines are the model's own. */
function eventOf(text: string): { event: string; error?: { message: string } } | undefined {
  if (!text.startsWith(WORKER_SAYS)) return undefined
  try {
    return JSON.parse(text.slice(WORKER_SAYS.length))
  } catch {
    return undefined
  }
}
