import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Who } from '#kernel/http/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import type { LoggedModel, Run } from './model.ts'

eachStore('runs, models and their files', (open) => {
  let at: MlflowServer
  let ada: Who

  beforeAll(async () => {
    at = await startMlflowServer(open)
    ada = at.who()
  })
  afterAll(() => at?.close())

  const write = <T>(work: (tx: Tx) => Promise<T>) => at.store.write(work)
  const experiment = (name: string) => write((tx) => at.tracking.createExperiment(tx, ada, { name, tags: [] }))
  const newRun = (experiment_id: string) =>
    at.store.command<Run>('tracking.createRun', { ...at.tracking.draw.run(ada), experiment_id, tags: [] })
  const getRun = (run_id: string) => at.store.query<Run>('tracking.getRun', { workspace: 'default', run_id })
  const hold = (kind: 'run' | 'experiment' | 'logged-model', id: string) =>
    write((tx) =>
      at.holds.place(
        tx,
        'default',
        { kind, id },
        { kind: 'release', id: `rel_${id}` },
        `release rel_${id} serves it at endpoint flights`,
      ),
    )

  describe('what a release holds', () => {
    test('run, logged model and experiment cannot be deleted, and the error names who holds', async () => {
      const id = await experiment('held')
      const { run_id } = await newRun(id)
      const model = await at.store.command<LoggedModel>('tracking.createModel', {
        ...at.tracking.draw.model(ada),
        experiment_id: id,
        source_run_id: run_id,
        params: [],
        tags: [],
      })
      await hold('run', run_id)
      await hold('logged-model', model.model_id)
      await hold('experiment', id)
      const named = { problem: 'conflict', message: expect.stringContaining('serves it at endpoint flights') as string }
      await expect(write((tx) => at.tracking.deleteRun(tx, ada, run_id))).rejects.toMatchObject(named)
      await expect(write((tx) => at.tracking.deleteLoggedModel(tx, ada, model.model_id))).rejects.toMatchObject(named)
      await expect(write((tx) => at.tracking.deleteExperiment(tx, ada, id))).rejects.toMatchObject(named)
      expect((await getRun(run_id)).lifecycle).toBe('active')
      // Words about it can change.
      await at.store.command('tracking.setTag', {
        ...at.tracking.draw.stamp(ada),
        run_id,
        tag: { key: 'note', value: 'live' },
      })
      await write((tx) => at.holds.release(tx, 'default', { kind: 'release', id: `rel_${run_id}` }))
      await write((tx) => at.tracking.deleteRun(tx, ada, run_id))
    })

    test('its files cannot be changed or deleted, by whatever path', async () => {
      const { artifacts } = at.tracking
      const { run_id } = await newRun('0')
      const root = `0/${run_id}/artifacts`
      const bytes = async (text: string) => at.blobs.put(Buffer.from(text))
      const put = async (path: string, text: string) => {
        const ref = await bytes(text)
        await write((tx) => artifacts.put(tx, ada, path, ref))
      }
      await put(`${root}/model/MLmodel`, 'v1')
      await hold('run', run_id)
      const named = { problem: 'conflict', message: expect.stringContaining('endpoint flights') as string }
      await expect(put(`${root}/model/MLmodel`, 'v2')).rejects.toMatchObject(named)
      await put(`${root}/model/MLmodel`, 'v1')
      await put(`${root}/later/plot.txt`, 'new')
      for (const path of [`${root}/model/MLmodel`, `${root}/model`, root, `0/${run_id}`, '0']) {
        await expect(write((tx) => artifacts.remove(tx, ada, path))).rejects.toMatchObject(named)
      }
      await hold('logged-model', 'm-held')
      await expect(put('0/models/m-held/artifacts/extra.txt', 'x')).rejects.toMatchObject(named)
      expect(await at.store.read((sql) => artifacts.filesUnder(sql, 'default', root))).toMatchObject([
        { path: 'later/plot.txt' },
        { path: 'model/MLmodel' },
      ])
    })
  })

  test('artifacts are a tree: listed, replaced, removed, and apart in each workspace', async () => {
    const { artifacts } = at.tracking
    const blue = at.who('blue')
    const put = async (path: string, text = path, who = ada) => {
      const ref = await at.blobs.put(Buffer.from(text))
      await write((tx) => artifacts.put(tx, who, path, ref))
    }
    const list = (folder: string, workspace = 'default') =>
      at.store.read(async (sql) =>
        (await artifacts.list(sql, workspace, folder)).map(({ path, is_dir }) => (is_dir ? `${path}/` : path)),
      )
    for (const path of ['t/a', 't/a b', 't/a.d/x', 't/a-d/x', 't/z/y/x', 't/%41', 't/A']) await put(path)
    expect(await list('t')).toEqual(['%41', 'A', 'a', 'a b', 'a-d/', 'a.d/', 'z/'])
    expect(await list('t/a')).toEqual([])
    expect(await list('t', 'blue')).toEqual([])
    await put('t/a', 'other', blue)
    expect(await list('t', 'blue')).toEqual(['a'])
    await expect(put('t/z')).rejects.toMatchObject({ problem: 'invalid' })
    await expect(put('t/a/below')).rejects.toMatchObject({ problem: 'invalid' })
    await put('t/a', 'replaced')
    const files = await at.store.read((sql) => artifacts.filesUnder(sql, 'default', 't'))
    expect(files.map(({ path }) => path)).toEqual(['%41', 'A', 'a', 'a b', 'a-d/x', 'a.d/x', 'z/y/x'])
    expect(files[2]!.size_bytes).toBe(8)
    await write((tx) => artifacts.remove(tx, ada, 't/z'))
    await write((tx) => artifacts.remove(tx, ada, 't/nothing'))
    expect(await list('t')).toEqual(['%41', 'A', 'a', 'a b', 'a-d/', 'a.d/'])
    await write((tx) => artifacts.remove(tx, ada, 't'))
    expect([await list('t'), await list('t', 'blue')]).toEqual([[], ['a']])
  })
})
