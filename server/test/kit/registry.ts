import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlobs } from '#kernel/blobs/index.ts'
import { manualClock } from '#kernel/clock.ts'
import { createEvents, eventsMigrations } from '#kernel/events/index.ts'
import { createHolds, holdsMigrations } from '#kernel/holds/index.ts'
import { systemWho } from '#kernel/http/index.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { createRegistry, type NewVersion, registerVersion, registryMigrations } from '#slices/registry'
import { createTracking, trackingCommands, trackingMigrations } from '#slices/tracking'
import type { OpenTestStore } from './store.ts'

export const who = systemWho()
export const RELEASE = { kind: 'release', id: 'rel_1' } as const
export const WHY = 'release rel_1 serves it at endpoint live'
export const DATASET = `dsv_${'0'.repeat(32)}`
const MLMODEL = `flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn:
    pickled_model: model.pkl
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "long"}]'
  params: null
`

export type RegistryWorld = Awaited<ReturnType<typeof openRegistry>>

/** The registry over real tracking, blobs, events and holds, with ways to train something worth registering. */
export async function openRegistry(open: OpenTestStore) {
  const clock = manualClock()
  const ids = createIds(clock, systemRandom)
  const { store, close } = await open({
    migrations: [eventsMigrations, holdsMigrations, trackingMigrations, registryMigrations],
  })
  const dir = mkdtempSync(join(tmpdir(), 'slipway-registry-'))
  const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
  const events = createEvents({ store, clock, ids, log: silentLog, random: systemRandom })
  const holds = createHolds({ clock })
  const tracking = createTracking({ events, holds, ids, random: systemRandom, now: clock.now })
  const registry = createRegistry({ events, holds, blobs, clock, runs: tracking })
  const write = <T>(work: (tx: Tx) => Promise<T>) => store.write(work)
  const read = <T>(work: (sql: Sql) => Promise<T>) => store.read(work)

  const put = async (path: string, text: string) => {
    const ref = await blobs.put(Buffer.from(text))
    await write((tx) => tracking.artifacts.put(tx, who, path, ref))
  }
  /** A finished run with an input of ours, and a logged model of three files. */
  const train = async (name = 'model') => {
    const run = await write((tx) =>
      trackingCommands['tracking.createRun'](tx, {
        ...tracking.draw.run(who),
        experiment_id: '0',
        tags: [],
      } as never),
    )
    const source = `{"uri": "slipway://dataset-version/${DATASET}"}`
    const dataset = { name: 'flights', digest: 'abc', source_type: 'slipway', source }
    await write((tx) =>
      trackingCommands['tracking.logInputs'](tx, {
        ...tracking.draw.stamp(who),
        run_id: run.run_id,
        datasets: [{ dataset, tags: [] }],
        models: [],
      } as never),
    )
    const model = await write((tx) =>
      trackingCommands['tracking.createModel'](tx, {
        ...tracking.draw.model(who),
        experiment_id: run.experiment_id,
        name,
        source_run_id: run.run_id,
        params: [{ key: 'depth', value: '3' }],
        tags: [],
      }),
    )
    await write((tx) =>
      trackingCommands['tracking.logOutputs'](tx, {
        ...tracking.draw.stamp(who),
        run_id: run.run_id,
        models: [{ model_id: model.model_id, step: 0 }],
      } as never),
    )
    const root = model.artifact_uri.replace('mlflow-artifacts:/', '')
    await put(`${root}/MLmodel`, MLMODEL)
    await put(`${root}/requirements.txt`, 'scikit-learn==1.9.0\n')
    await put(`${root}/data/model.pkl`, `pickle of ${name}`)
    return { run, model, root }
  }
  const createModel = (name: string, tags: { key: string; value: string }[] = []) =>
    write((tx) => registry.createModel(tx, who, { name, tags }))
  const register = (input: NewVersion) => registerVersion(store, registry, who, input)
  /** A model `churn` with one version; more with the same files. */
  const churn = async (versions = 1) => {
    const trained = await train()
    await createModel('churn')
    for (let n = 0; n < versions; n += 1) await register({ name: 'churn', source: `models:/${trained.model.model_id}` })
    return trained
  }
  const edgesInto = (id: string) =>
    read((sql) => sql.all('SELECT from_kind, from_id, relation FROM lineage_edge WHERE to_id = ? ORDER BY 1, 2', [id]))
  const at = (version: number, name = 'churn') => ({ name, version })
  return {
    store,
    clock,
    ids,
    dir,
    blobs,
    events,
    holds,
    tracking,
    registry,
    write,
    read,
    put,
    train,
    createModel,
    register,
    churn,
    edgesInto,
    at,
    async close() {
      await close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
