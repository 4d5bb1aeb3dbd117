import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBlobs } from '#kernel/blobs/index.ts'
import { manualClock } from '#kernel/clock.ts'
import { createEvents, eventsMigrations } from '#kernel/events/index.ts'
import { createHolds, holdsMigrations } from '#kernel/holds/index.ts'
import { systemWho } from '#kernel/http/index.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { eachStore } from '#kit/store.ts'
import { createTracking, trackingCommands, trackingMigrations } from '#slices/tracking'
import { createRegistry, type NewVersion, registerVersion, registryMigrations } from './index.ts'

const who = systemWho()
const RELEASE = { kind: 'release', id: 'rel_1' } as const
const WHY = 'release rel_1 serves it at endpoint live'
const DATASET = `dsv_${'0'.repeat(32)}`
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

eachStore('registry', (open) => {
  async function build() {
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
      for (let n = 0; n < versions; n += 1)
        await register({ name: 'churn', source: `models:/${trained.model.model_id}` })
      return trained
    }
    const edgesInto = (id: string) =>
      read((sql) =>
        sql.all('SELECT from_kind, from_id, relation FROM lineage_edge WHERE to_id = ? ORDER BY 1, 2', [id]),
      )
    const at = (version: number, name = 'churn') => ({ name, version })
    return {
      store,
      clock,
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
  let it: Awaited<ReturnType<typeof build>>
  beforeEach(async () => {
    it = await build()
  })
  afterEach(() => it.close())

  describe('a version', () => {
    test('pins the files of a logged model, tells what MLmodel says and where it comes from', async () => {
      const { run, model, root } = await it.churn()
      const version = await it.read((sql) => it.registry.getVersion(sql, 'default', it.at(1)))
      expect(version).toMatchObject({
        version: 1,
        run_id: run.run_id,
        logged_model_id: model.model_id,
        stage: 'None',
        file_count: 3,
      })
      const files = await it.read((sql) => it.registry.versionFiles(sql, 'default', it.at(1)))
      expect(files.map(({ path }) => path)).toEqual(['MLmodel', 'data/model.pkl', 'requirements.txt'])
      const manifest = await it.read((sql) => it.registry.versionManifest(sql, 'default', it.at(1)))
      expect(manifest).toMatchObject({
        python_version: '3.11.7',
        mlflow_version: '3.17.2',
        requirements: 'scikit-learn==1.9.0\n',
      })
      expect(Object.keys(manifest.flavors!)).toEqual(['python_function', 'sklearn'])
      expect(manifest.signature!.inputs).toContain('"name": "x"')
      expect(await it.edgesInto('churn/1')).toEqual([
        { from_kind: 'dataset-version', from_id: DATASET, relation: 'trained' },
        { from_kind: 'logged-model', from_id: model.model_id, relation: 'registered' },
        { from_kind: 'run', from_id: run.run_id, relation: 'registered' },
      ])
      const logged = await it.read((sql) => it.tracking.getLoggedModel(sql, 'default', model.model_id))
      expect(logged.tags).toEqual([{ key: 'mlflow.modelVersions', value: '[{"name":"churn","version":1}]' }])

      // Whatever becomes of the artifacts, the version is what it was.
      await it.put(`${root}/data/model.pkl`, 'another pickle')
      const uri = await it.read((sql) => it.registry.downloadUri(sql, 'default', it.at(1)))
      const path = uri.replace('mlflow-artifacts:/models-registry/', '')
      const { pinned } = it.registry
      const pickle = await it.read((sql) => pinned.file(sql, 'default', `${path}/data/model.pkl`))
      expect(Buffer.from(await it.blobs.read(pickle!.digest)).toString()).toBe('pickle of model')
      expect(await it.read((sql) => it.registry.pins(sql, pickle!.digest))).toBe(true)
      expect(await it.read((sql) => pinned.list(sql, 'default', path))).toMatchObject([
        { path: 'MLmodel', is_dir: false },
        { path: 'data', is_dir: true },
        { path: 'requirements.txt', is_dir: false, size_bytes: 20 },
      ])
      expect(await it.read((sql) => pinned.list(sql, 'default', `${path}/data`))).toMatchObject([{ path: 'model.pkl' }])
      expect(await it.read((sql) => pinned.file(sql, 'other', `${path}/MLmodel`))).toBeUndefined()
      const second = await it.register({ name: 'churn', source: `models:/${model.model_id}` })
      expect(second.digest).not.toBe(version.digest)
    })

    test('takes each form of source that clients send, and copies a version whole', async () => {
      const { run, model, root } = await it.churn()
      const { digest } = await it.read((sql) => it.registry.getVersion(sql, 'default', it.at(1)))
      await it.put(`${run.artifact_uri.replace('mlflow-artifacts:/', '')}/plain/weights.bin`, 'weights')
      await it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias: 'best', to: 1 }))
      await it.createModel('copy')
      const uri = await it.read((sql) => it.registry.downloadUri(sql, 'default', it.at(1)))
      for (const source of [
        `runs:/${run.run_id}/model`,
        `mlflow-artifacts:/${root}`,
        `mlflow-artifacts://localhost:8080/${root}`,
        `http://localhost:8080/api/2.0/mlflow-artifacts/artifacts/${root}`,
        'models:/churn/1',
        'models:/churn@best',
        'models:/churn/latest',
        uri,
      ]) {
        const made = await it.register({ name: 'copy', source, run_id: run.run_id })
        expect([source, made.digest]).toEqual([source, digest])
      }
      const copied = await it.read((sql) => it.registry.versionManifest(sql, 'default', it.at(5, 'copy')))
      expect(copied.python_version).toBe('3.11.7')
      expect(await it.edgesInto('copy/5')).toContainEqual({
        from_kind: 'model-version',
        from_id: 'churn/1',
        relation: 'derived',
      })
      const folder = await it.register({ name: 'copy', source: `runs:/${run.run_id}/plain` })
      expect(folder).toMatchObject({ file_count: 1, run_id: run.run_id, logged_model_id: null })
      const remote = await it.register({ name: 'copy', source: 's3://bucket/model' })
      expect(remote).toMatchObject({ file_count: 0, digest: null })
      expect(await it.read((sql) => it.registry.downloadUri(sql, 'default', it.at(remote.version, 'copy')))).toBe(
        's3://bucket/model',
      )
      const same = await it.register({
        name: 'copy',
        source: `models:/${model.model_id}`,
        run_link: 'https://x.example/1',
      })
      expect(same).toMatchObject({ run_link: 'https://x.example/1' })
    })

    test.each([
      ['/etc/passwd', 'Invalid model version source'],
      ['file:///etc/passwd', 'Invalid model version source'],
      ['mlflow-artifacts:/0/../1/model', 'without relative path references'],
      ['mlflow-artifacts:/0/%252e%252e/1', 'without relative path references'],
      ['models:/churn/99', 'Model Version (name=churn, version=99) not found'],
      ['models:/churn/Nowhere', 'Invalid Model Version stage'],
      [`runs:/${'f'.repeat(32)}/model`, 'f'.repeat(32)],
      [`models:/m-${'f'.repeat(32)}`, 'f'.repeat(32)],
    ])('is refused from %s', async (source, text) => {
      await it.churn()
      await expect(it.register({ name: 'churn', source })).rejects.toThrow(text)
      expect(await it.read((sql) => it.registry.latestVersions(sql, 'default', 'churn', []))).toHaveLength(1)
    })

    test('numbers rise and are never used again while the model lives', async () => {
      const { model } = await it.churn(2)
      await it.write((tx) => it.registry.deleteVersion(tx, who, it.at(2)))
      expect((await it.register({ name: 'churn', source: `models:/${model.model_id}` })).version).toBe(3)
      const many = await Promise.all(
        Array.from({ length: 5 }, () => it.register({ name: 'churn', source: `models:/${model.model_id}` })),
      )
      expect(many.map(({ version }) => version).sort()).toEqual([4, 5, 6, 7, 8])
      await expect(it.register({ name: 'unknown', source: 's3://b/m' })).rejects.toThrow(
        'Registered Model with name=unknown not found',
      )
    })

    test('is registered again when its files change meanwhile, and a broken MLmodel stops nobody', async () => {
      const { model, root } = await it.churn()
      const texts = await it.registry.prepareVersion((work) => it.store.read(work), 'default', {
        name: 'churn',
        source: `models:/${model.model_id}`,
      })
      await it.put(`${root}/MLmodel`, 'flavors: [')
      await expect(
        it.write((tx) =>
          it.registry.createVersion(tx, who, { name: 'churn', source: `models:/${model.model_id}` }, texts),
        ),
      ).rejects.toMatchObject({ problem: 'conflict', field: 'source' })
      await it.register({ name: 'churn', source: `models:/${model.model_id}` })
      const manifest = await it.read((sql) => it.registry.versionManifest(sql, 'default', it.at(2)))
      expect(manifest).toMatchObject({ flavors: null, signature: null, requirements: 'scikit-learn==1.9.0\n' })
    })

    test('moves through stages as old clients expect', async () => {
      await it.churn(3)
      const move = (version: number, stage: 'Production' | 'Archived', archive_existing = false) =>
        it.write((tx) => it.registry.moveStage(tx, who, { ...it.at(version), stage, archive_existing }))
      await move(1, 'Production')
      await move(2, 'Production', true)
      const newest = await it.read((sql) => it.registry.latestVersions(sql, 'default', 'churn', []))
      expect(newest.map(({ version, stage }) => [version, stage])).toEqual([
        [1, 'Archived'],
        [2, 'Production'],
        [3, 'None'],
      ])
      await expect(move(3, 'Archived', true)).rejects.toThrow('is not an Active stage')
    })
  })

  describe('an alias', () => {
    test('points to one version, moves, and goes with it', async () => {
      await it.churn(2)
      const move = (to: number) =>
        it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias: 'best', to }))
      await move(1)
      await move(2)
      await move(2)
      const told = await it.read((sql) =>
        it.events.list(sql, 'default', { name_prefix: 'registry.alias-moved', limit: 10 }),
      )
      expect(told.map(({ before, after }) => [before, after])).toEqual([
        [
          { name: 'churn', alias: 'best', version: 1 },
          { name: 'churn', alias: 'best', version: 2 },
        ],
        [null, { name: 'churn', alias: 'best', version: 1 }],
      ])
      await it.write((tx) => it.registry.deleteVersion(tx, who, it.at(2)))
      expect(await it.read((sql) => it.registry.getAlias(sql, 'default', 'churn', 'best'))).toBeUndefined()
      await expect(move(2)).rejects.toThrow('not found')
    })

    test.each(['latest', 'LATEST', 'v3', 'a b', 'a'.repeat(256), ''])(
      'is refused when it is called %j',
      async (alias) => {
        await it.churn()
        await expect(
          it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias, to: 1 })),
        ).rejects.toMatchObject({
          problem: 'invalid',
          field: 'alias',
        })
      },
    )

    test('that an endpoint follows is moved by a release alone', async () => {
      await it.churn(2)
      await it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias: 'live', to: 1 }))
      await it.write((tx) => it.holds.place(tx, 'default', { kind: 'model', id: 'churn@live' }, RELEASE, WHY))
      const refused = { problem: 'conflict', remedy: expect.stringContaining('slipway release propose churn/') }
      const move = (through?: string) =>
        it.write((tx) =>
          it.registry.moveAlias(tx, who, { model: 'churn', alias: 'live', to: 2, ...(through && { through }) }),
        )
      await expect(move()).rejects.toMatchObject(refused)
      await expect(move()).rejects.toThrow(WHY)
      await expect(
        it.write((tx) => it.registry.deleteAlias(tx, who, { model: 'churn', alias: 'live' })),
      ).rejects.toMatchObject(refused)
      await expect(it.write((tx) => it.registry.deleteVersion(tx, who, it.at(1)))).rejects.toThrow(WHY)
      expect(await move('rel_2')).toEqual({ alias: 'live', version: 2 })
    })
  })

  test('what a live release stands on cannot be deleted, renamed or taken away from below; tags and words can change', async () => {
    const { run, model, root } = await it.churn(2)
    await it.write((tx) => it.registry.holdFor(tx, 'default', it.at(1), RELEASE, WHY))
    const { registry, tracking } = it
    const refused: [string, (tx: Tx) => Promise<unknown>][] = [
      ['version', (tx) => registry.deleteVersion(tx, who, it.at(1))],
      ['model', (tx) => registry.deleteModel(tx, who, 'churn')],
      ['rename', (tx) => registry.renameModel(tx, who, { name: 'churn', to: 'other' })],
      ['artifact', (tx) => tracking.artifacts.remove(tx, who, `${root}/MLmodel`)],
      ['experiment', (tx) => tracking.deleteExperiment(tx, who, run.experiment_id)],
      ['run', (tx) => tracking.deleteRun(tx, who, run.run_id)],
      ['logged model', (tx) => tracking.deleteLoggedModel(tx, who, model.model_id)],
    ]
    for (const [what, change] of refused) {
      await expect(it.write(change), what).rejects.toMatchObject({
        problem: 'conflict',
        message: expect.stringContaining(WHY),
      })
    }
    await it.write((tx) => registry.setVersionTag(tx, who, { ...it.at(1), key: 'checked', value: 'yes' }))
    await it.write((tx) => registry.describeVersion(tx, who, { ...it.at(1), description: 'live' }))
    await it.write((tx) => registry.describeModel(tx, who, { name: 'churn', description: 'who leaves' }))
    await it.write((tx) => registry.deleteVersion(tx, who, it.at(2)))
    await it.write((tx) => it.holds.release(tx, 'default', RELEASE))
    await it.write((tx) => registry.deleteModel(tx, who, 'churn'))
    await expect(it.read((sql) => registry.getModel(sql, 'default', 'churn'))).rejects.toThrow('not found')
  })

  describe('a model', () => {
    test('is made once, renamed with its versions, and its lineage goes on', async () => {
      await it.churn()
      await expect(it.createModel('churn')).rejects.toMatchObject({ problem: 'already-exists' })
      await it.createModel('taken')
      await expect(
        it.write((tx) => it.registry.renameModel(tx, who, { name: 'churn', to: 'taken' })),
      ).rejects.toMatchObject({ problem: 'already-exists' })
      const renamed = await it.write((tx) => it.registry.renameModel(tx, who, { name: 'churn', to: 'leavers' }))
      expect(renamed.latest_versions).toMatchObject([{ name: 'leavers', version: 1 }])
      expect(await it.edgesInto('leavers/1')).toEqual([
        { from_kind: 'model-version', from_id: 'churn/1', relation: 'derived' },
      ])
      for (const name of ['a/b', 'a:b', '.', '..', ' ', 'x'.repeat(257)]) {
        await expect(it.createModel(name), name).rejects.toMatchObject({ problem: 'invalid', field: 'name' })
      }
    })

    test('and a prompt do not share a name', async () => {
      await it.createModel('greeting', [{ key: 'mlflow.prompt.is_prompt', value: 'true' }])
      await expect(it.createModel('greeting')).rejects.toThrow('already taken by a prompt')
      await it.createModel('plain')
      await expect(it.createModel('plain', [{ key: 'mlflow.prompt.is_prompt', value: 'true' }])).rejects.toThrow(
        'already taken by a registered model',
      )
      const text = { key: 'mlflow.prompt.text', value: 'Hello {{name}}' }
      const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }, text]
      const version = await it.register({ name: 'greeting', source: 'dummy-source', tags })
      expect(version).toMatchObject({ file_count: 0, tags })
      const names = async (filter: string) =>
        (
          await it.read((sql) => it.registry.searchModels(sql, 'default', { filter, order_by: [], limit: 10 }))
        ).items.map(({ name }) => name)
      expect(await names('')).toEqual(['plain'])
      expect(await names("tags.`mlflow.prompt.is_prompt` = 'true'")).toEqual(['greeting'])
      expect(await names("tags.`mlflow.prompt.is_prompt` != 'true'")).toEqual(['plain'])
    })

    test('is found by name, tags and time, in pages, in its own workspace alone', async () => {
      for (const [n, name] of ['Alpha', 'alpine', 'beta', 'gamma'].entries()) {
        it.clock.set(1_000 * (n + 1))
        await it.createModel(name, n % 2 ? [{ key: 'team', value: 'crm' }] : [])
      }
      await it.write((tx) => it.registry.createModel(tx, systemWho('other'), { name: 'alpha-elsewhere' }))
      const search = async (filter: string, order_by: string[] = [], limit = 10, after?: unknown) => {
        const page = await it.read((sql) =>
          it.registry.searchModels(sql, 'default', { filter, order_by, limit, after }),
        )
        return { names: page.items.map(({ name }) => name), next: page.next }
      }
      expect((await search('')).names).toEqual(['Alpha', 'alpine', 'beta', 'gamma'])
      expect((await search("name LIKE 'al%'")).names).toEqual(['alpine'])
      expect((await search("name ILIKE 'AL%'")).names).toEqual(['Alpha', 'alpine'])
      expect((await search("tags.team = 'crm' AND name != 'alpine'")).names).toEqual(['gamma'])
      expect((await search("tags.team != 'x'")).names).toEqual(['alpine', 'gamma'])
      expect((await search('creation_timestamp >= 3000', ['timestamp DESC'])).names).toEqual(['gamma', 'beta'])
      const first = await search('', ['name DESC'], 3)
      expect(first.names).toEqual(['gamma', 'beta', 'alpine'])
      expect(await search('', ['name DESC'], 3, first.next)).toEqual({ names: ['Alpha'], next: undefined })
      for (const wrong of ["name ~ 'x'", "colour = 'red'", 'name = 3', "name = 'x' OR", "run_id = 'x'"]) {
        await expect(search(wrong), wrong).rejects.toMatchObject({ problem: 'invalid', field: 'filter' })
      }
    })
  })

  test('versions are found by run, number, source and tags, newest change first', async () => {
    const { run } = await it.churn(3)
    await it.createModel('other')
    await it.register({ name: 'other', source: 's3://bucket/other' })
    it.clock.advance(1_000)
    await it.write((tx) => it.registry.describeVersion(tx, who, { ...it.at(1), description: 'touched' }))
    const search = async (filter: string, order_by: string[] = []) => {
      const page = await it.read((sql) => it.registry.searchVersions(sql, 'default', { filter, order_by, limit: 10 }))
      return page.items.map(({ name, version }) => `${name}/${version}`)
    }
    expect(await search('')).toEqual(['churn/1', 'churn/3', 'churn/2', 'other/1'])
    expect(await search(`run_id = '${run.run_id}'`, ['version_number ASC'])).toEqual(['churn/1', 'churn/2', 'churn/3'])
    expect(await search(`run_id IN ('${run.run_id}', 'x') AND version_number >= 2`)).toEqual(['churn/3', 'churn/2'])
    expect(await search("source_path LIKE 's3://%'")).toEqual(['other/1'])
    await it.write((tx) => it.registry.setVersionTag(tx, who, { ...it.at(2), key: 'my key', value: 'a' }))
    expect(await search("tags.`my key` = 'a'")).toEqual(['churn/2'])
    await it.write((tx) => it.registry.deleteVersionTag(tx, who, { ...it.at(2), key: 'my key' }))
    expect(await search("tags.`my key` = 'a'")).toEqual([])
  })
})
