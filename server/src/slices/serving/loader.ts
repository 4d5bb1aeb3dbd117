/** From a model version to something that answers: its prepared form, its files, its processes. */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
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

export interface Loader {
  /** Throws with a sentence for people when the version cannot be loaded. */
  load(workspace: string, version: VersionFiles, preparation: Preparation): Promise<Runtime>
  /** The version's files in a folder of their own, checked by digest; kept for the next load. */
  materialise(version: VersionFiles): Promise<string>
  environmentOf(
    workspace: string,
    version: VersionFiles,
    extras?: readonly string[],
    signal?: AbortSignal,
  ): Promise<Environment>
}

export function createLoader(deps: ServingDeps): Loader {
  const { blobs, log, settings } = deps
  const models = join(settings.dir, 'cache', 'models')
  let sockets: Promise<string> | undefined
  let count = 0

  const materialise: Loader['materialise'] = async (version) => {
    if (version.digest === null)
      throw new DomainError('conflict', `the files of ${version.model}/${version.version} do not lie here`, {
        remedy: 'Register the version from artifacts that were logged to this server.',
      })
    const dir = join(models, version.digest.replace(':', '-'))
    if (await stat(dir).catch(() => undefined)) return dir
    await mkdir(models, { recursive: true, mode: 0o700 })
    const partial = await mkdtemp(join(models, 'partial-'))
    try {
      for (const file of version.files) {
        const path = join(partial, ...file.path.split('/'))
        await mkdir(dirname(path), { recursive: true })
        await blobs.materialise(file.digest, path)
      }
      await rename(partial, dir).catch(async (error: NodeJS.ErrnoException) => {
        // Another load was quicker; equal digests are equal files.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
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
      { lock, ...(python !== undefined && { python }), ...(extras && { extras }) },
      { signal },
    )
  }

  /** Unix sockets have short paths: a folder of our own below the system's temporary one. */
  const socketDir = () => (sockets ??= mkdtemp(join(tmpdir(), 'slw-')))

  const startWorker = async (environment: Environment, model_dir: string, socket: string): Promise<WorkerProcess> => {
    await rm(socket, { force: true })
    const { process, tail } = await startTool(deps, {
      environment,
      module: 'slipway.worker',
      args: ['--socket', socket, '--model', model_dir],
      onLine: (text) => log.debug({ worker: text }, 'Python model'),
    })
    let end: { reason: string } | undefined
    const exited = process.ended.then(({ reason, code, signal }) => {
      end = { reason: `${reason}${code === null ? (signal ? ` ${signal}` : '') : ` ${code}`}: ${tail()}` }
      return end
    })
    const deadline = Date.now() + START_MS
    while (!(await stat(socket).catch(() => undefined))) {
      if (end)
        throw new DomainError('unavailable', `the model does not load in Python: ${(end as { reason: string }).reason}`)
      if (Date.now() > deadline) {
        process.stop()
        throw new DomainError('unavailable', `the model was not loaded within ${START_MS / 1000} s: ${tail()}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return {
      exited,
      async stop() {
        process.stop()
        await process.ended
      },
      memory_bytes: () => undefined,
    }
  }

  return {
    materialise,
    environmentOf,
    async load(workspace, version, preparation) {
      const features = featuresOf(preparation.report?.signature ?? version.signature)
      if (preparation.form === 'onnx' && preparation.compiled_digest && preparation.report && features) {
        const lent = await blobs.lend(preparation.compiled_digest)
        const runtime = await loadOnnx(lent.path, preparation.report, features)
        return {
          ...runtime,
          async close() {
            await runtime.close()
            await lent.done()
          },
        }
      }
      const environment = await environmentOf(workspace, version)
      const dir = await materialise(version)
      const base = join(await socketDir(), `${process.pid}-${count++}`)
      return loadPython(
        { start: (socket) => startWorker(environment, dir, socket), socketPath: (worker) => `${base}-${worker}` },
        settings.workers,
        features,
        log.child({ model: version.model, version: version.version }),
      )
    },
  }
}
