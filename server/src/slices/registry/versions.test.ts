import { afterEach, beforeEach, expect, test } from 'vitest'
import { DATASET, openRegistry, type RegistryWorld, who } from '#kit/registry.ts'
import { eachStore } from '#kit/store.ts'

eachStore('a model version', (open) => {
  let it: RegistryWorld
  beforeEach(async () => {
    it = await openRegistry(open)
  })
  afterEach(() => it.close())

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
