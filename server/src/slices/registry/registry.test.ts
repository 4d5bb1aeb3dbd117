import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemWho } from '#kernel/http/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { openRegistry, RELEASE, type RegistryWorld, WHY, who } from '#kit/registry.ts'
import { eachStore } from '#kit/store.ts'
import { trackingCommands } from '#slices/tracking'

eachStore('registry', (open) => {
  let it: RegistryWorld
  beforeEach(async () => {
    it = await openRegistry(open)
  })
  afterEach(() => it.close())

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
      const refused = { problem: 'conflict', remedy: 'An endpoint follows this alias, so a release moves it.' }
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
    const { registry, tracking } = it
    const of = () => ({ ...tracking.draw.stamp(who), run_id: run.run_id, model_id: model.model_id })
    const metric = { key: 'auc', value: 1, timestamp_ms: 1, step: 0 }
    // What still runs may go on, and end, under a hold: it is told whole before it is fixed.
    await it.write((tx) => registry.holdFor(tx, 'default', it.at(1), RELEASE, WHY))
    await it.write((tx) => tracking.logBatch(tx, who, run.run_id, { metrics: [metric] }))
    await it.write((tx) => trackingCommands['tracking.finalizeModel'](tx, { ...of(), status: 'READY' }))
    await it.write((tx) => tracking.updateRun(tx, who, run.run_id, { status: 'FINISHED', end_ms: 9 }))
    const refused: [string, (tx: Tx) => Promise<unknown>][] = [
      ['version', (tx) => registry.deleteVersion(tx, who, it.at(1))],
      ['model', (tx) => registry.deleteModel(tx, who, 'churn')],
      ['rename', (tx) => registry.renameModel(tx, who, { name: 'churn', to: 'other' })],
      ['artifact', (tx) => tracking.artifacts.remove(tx, who, `${root}/MLmodel`)],
      ['experiment', (tx) => tracking.deleteExperiment(tx, who, run.experiment_id)],
      ['run', (tx) => tracking.deleteRun(tx, who, run.run_id)],
      ['logged model', (tx) => tracking.deleteLoggedModel(tx, who, model.model_id)],
      ['metric', (tx) => trackingCommands['tracking.logMetric'](tx, { ...of(), workspace: 'default', metric })],
      ['batch', (tx) => tracking.logBatch(tx, who, run.run_id, { metrics: [{ ...metric, step: 9 }] })],
      ['param', (tx) => trackingCommands['tracking.logParam'](tx, { ...of(), param: { key: 'late', value: '1' } })],
      ['status', (tx) => tracking.updateRun(tx, who, run.run_id, { status: 'RUNNING' })],
      ['inputs', (tx) => tracking.logInputs(tx, who, run.run_id, [])],
      ['outputs', (tx) => trackingCommands['tracking.logOutputs'](tx, { ...of(), models: [] })],
      ['params', (tx) => trackingCommands['tracking.logModelParams'](tx, { ...of(), params: [] })],
      ['model status', (tx) => trackingCommands['tracking.finalizeModel'](tx, { ...of(), status: 'UPLOAD_FAILED' })],
    ]
    for (const [what, change] of refused) {
      await expect(it.write(change), what).rejects.toMatchObject({
        problem: 'conflict',
        message: expect.stringContaining(WHY),
      })
    }
    const note = { key: 'note', value: 'live' }
    await it.write((tx) => tracking.logBatch(tx, who, run.run_id, { tags: [note] }))
    await it.write((tx) => tracking.updateRun(tx, who, run.run_id, { name: 'live', status: 'FINISHED', end_ms: 9 }))
    await it.write((tx) => tracking.setLoggedModelTags(tx, who, model.model_id, [note]))
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

  test('versions are described for the graph, those that are there', async () => {
    await it.churn(2)
    await it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias: 'live', to: 2 }))
    const ids = ['churn/1', 'churn/2', 'churn/3', 'nonsense', 'other/1']
    expect(await it.read((sql) => it.registry.describeVersions(sql, 'default', ids))).toEqual(
      new Map([
        ['churn/1', { label: 'churn v1' }],
        ['churn/2', { label: 'churn v2', state: '@live' }],
      ]),
    )
  })
})
