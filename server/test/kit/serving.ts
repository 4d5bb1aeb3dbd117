/** Serving over a fresh store and folder, with versions that lie in folders in place of the registry. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEnvironments, type Environment, PYTHON_PACKAGE_DIR, startProcess } from '#kernel/environments/index.ts'
import { type Log, silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { createTelemetry } from '#kernel/telemetry.ts'
import {
  createServing,
  type EndpointSpec,
  type ServingDeps,
  servingMigrations,
  type VersionFiles,
} from '#slices/serving'
import { putPreparation } from '../../src/slices/serving/serving-store.ts'
import { openKernel, person } from './kernel.ts'
import { testEnvironment } from './python.ts'
import type { OpenTestStore } from './store.ts'

export const ada = person()

export interface Case {
  type: string
  body: unknown
}

export interface Models {
  dir: string
  environment: Environment
  /** What MLflow's scoring server said to the cases. */
  answers: { status: number; text: string }[]
  close(): Promise<void>
}

/** Runs serving_models.py in the tests' Python environment. */
export async function makeModels(cases: readonly Case[]): Promise<Models> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-models-'))
  await writeFile(join(dir, 'cases.json'), JSON.stringify(cases))
  const environment = await testEnvironment()
  const lines: string[] = []
  const run = await startProcess({
    args: [environment.python, join(import.meta.dirname, 'serving_models.py'), dir],
    environment,
    env: { MLFLOW_DISABLE_TELEMETRY: 'true' },
    onLine: ({ text }) => lines.push(text),
  })
  const { code } = await run.ended
  if (code !== 0) throw new Error(`serving_models.py ended with ${code}: ${lines.slice(-15).join('\n')}`)
  const answers = JSON.parse(await readFile(join(dir, 'answers.json'), 'utf8'))
  return { dir, environment, answers, close: () => rm(dir, { recursive: true, force: true }) }
}

export type Harness = Awaited<ReturnType<typeof openServing>>

export async function openServing(open: OpenTestStore, models?: Models, log: Log = silentLog) {
  const kernel = await openKernel(open, [servingMigrations])
  const telemetry = createTelemetry()
  const versions = new Map<string, VersionFiles>()
  let training: string | undefined
  const nothing = async () => undefined
  const { environment } = models ?? {}
  const deps: ServingDeps = {
    ...kernel,
    environments: environment
      ? { ensure: async () => environment }
      : createEnvironments({ dir: kernel.dir, log: silentLog, clock: kernel.clock, offline: true }),
    startProcess,
    random: seededRandom(3),
    log,
    telemetry,
    versionFiles: async (_sql, _workspace, model, version) => versions.get(`${model}/${version}`),
    trainedIn: nothing,
    trainingRows: async () => (training ? { path: training, format: 'parquet', done: async () => {} } : undefined),
    settings: {
      dir: kernel.dir,
      log_interval_ms: 20,
      workers: 1,
      memory_bytes: 2e9,
      batch_rows: 64,
      python_path: PYTHON_PACKAGE_DIR,
    },
  }
  const serving = await createServing(deps, [])
  await kernel.events.start()
  await kernel.jobs.start()

  return {
    ...kernel,
    deps,
    serving,
    telemetry,
    /** Rows that preparations compare the forms on. */
    trainOn(path: string | undefined) {
      training = path
    },
    /** A version whose files are those of a folder. */
    async addVersion(model: string, version: number, folder: string): Promise<void> {
      const files = []
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue
        const path = join(entry.parentPath, entry.name)
        const { digest, size_bytes } = await kernel.blobs.putFile(path)
        files.push({ path: path.slice(folder.length + 1), digest, size_bytes })
      }
      versions.set(`${model}/${version}`, {
        model,
        version,
        digest: `sha256:${Buffer.from(`${model}/${version}`).toString('hex').padEnd(64, '0')}`,
        files,
        signature: null,
        flavors: files.some(({ path }) => path === 'model.pkl') ? { sklearn: {} } : null,
        requirements: 'scikit-learn==1.0\n',
        python_version: '3.11',
      })
    },
    /** Says that the Python form serves, without the seconds that finding out takes. */
    async takeAsPrepared(model: string, version: number): Promise<void> {
      const facts = {
        state: 'done',
        form: 'python',
        reason: 'not compiled',
        report: null,
        compiled_digest: null,
      } as const
      await kernel.store.write((tx) =>
        putPreparation(tx, { workspace: 'w', model, version, ...facts, job: null, created_ms: 1, ended_ms: 2 }),
      )
    },
    async prepare(model: string, version: number) {
      await kernel.store.write((tx) => serving.prepare(tx, ada, model, version))
      await kernel.settled()
      return (await kernel.store.read((sql) => serving.preparation(sql, 'w', model, version)))!
    },
    async apply(name: string, spec: EndpointSpec): Promise<void> {
      await kernel.store.write((tx) => serving.applyEndpoint(tx, ada, { project: 'p', name, spec }))
    },
    /** Wants a version at an endpoint and waits until the node has loaded it, or could not. */
    async load(endpoint: string, version: number) {
      const { id } = await kernel.store.write((tx) => serving.addRevision(tx, ada, { endpoint, version }))
      return { id, ...(await this.loaded(id)) }
    },
    async loaded(revision: string) {
      for (;;) {
        const said = await kernel.store.read((sql) => serving.readiness(sql, 'w', revision))
        if (said.state === 'ready' || said.state === 'failed') return said
        await serving.node.settle()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    async route(endpoint: string, stable: string, canary?: { revision: string; share: number }): Promise<void> {
      const routes = [
        { revision: stable, share: 1 - (canary?.share ?? 0), role: 'stable' as const },
        ...(canary ? [{ ...canary, role: 'canary' as const }] : []),
      ]
      await kernel.store.write((tx) => serving.setTraffic(tx, ada, { endpoint, routes }))
      await serving.node.settle()
    },
    async close(): Promise<void> {
      await serving.stop()
      await kernel.close()
      telemetry.stop()
    },
  }
}
