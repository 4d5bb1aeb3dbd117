/** What a step stands on: data handed on with its checks, code without the project file, a token that no log shows; and cron. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startProcess } from '#kernel/environments/index.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { testStore } from '#kit/store.ts'
import { createDatasets, type Datasets, datasetsMigrations } from '#slices/datasets'
import { createTracking, type Tracking, trackingMigrations } from '#slices/tracking'
import type { InputState } from './deps.ts'
import { createPipelines, type Pipelines, pipelinesMigrations } from './pipelines.ts'
import type { CodeManifest, PipelineSpec, StepSpec } from './schema.ts'

const ada = person()
const TOKEN = 'slp_0123456789'
let kernel: TestKernel
let datasets: Datasets
let tracking: Tracking
let pipelines: Pipelines
let code: string
const states = new Map<string, InputState>()

beforeAll(async () => {
  kernel = await openKernel(testStore, [datasetsMigrations, trackingMigrations, pipelinesMigrations])
  const { clock, ids, events, holds } = kernel
  datasets = createDatasets(kernel)
  tracking = createTracking({ events, holds, ids, random: seededRandom(3), now: clock.now })
  pipelines = createPipelines({
    ...kernel,
    environments: { ensure: () => Promise.reject(new Error('not in these tests')) },
    startProcess,
    datasets,
    tracking,
    inputState: async (sql, workspace, id) =>
      states.get((await datasets.version(sql, workspace, id)).name) ?? { state: 'ready' },
    issueRunToken: async () => TOKEN,
    endRunTokens: async () => undefined,
    log: silentLog,
    url: () => 'http://127.0.0.1:1',
    settings: { dir: kernel.dir, concurrency: 4, memory_bytes: 512e6 },
  })
  code = await snapshot({ 'a.sh': 'echo a' })
  await kernel.events.start()
  await pipelines.startTriggers()
  await kernel.jobs.start()
}, 60_000)
afterAll(() => kernel.close())

async function snapshot(files: Record<string, string>, more: Partial<CodeManifest> = {}): Promise<string> {
  const manifest: CodeManifest = { files: [], ...more }
  for (const [path, text] of Object.entries(files)) {
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
    manifest.files.push({ path, ...(await pipelines.uploadCode('w', digest, Buffer.from(text))) })
  }
  const prepared = await pipelines.prepareCode('w', ada, manifest)
  return (await kernel.store.write((tx) => pipelines.recordCode(tx, ada, prepared))).digest
}
const apply = (name: string, spec: PipelineSpec) =>
  kernel.store.write((tx) => pipelines.applyPipeline(tx, ada, { project: 'shop', name, spec, environments: {}, code }))
const start = (pipeline: string) =>
  kernel.store.write((tx) => pipelines.start(tx, ada, { project: 'shop', pipeline, cause: { kind: 'manual' } }))
const look = (id: string) =>
  kernel.store.read(async (sql) => {
    const steps = await pipelines.steps(sql, 'w', id)
    return { run: await pipelines.getRun(sql, 'w', id), steps, last: steps.at(-1)! }
  })
async function until<T>(what: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await what()
    if (found) return found
    kernel.clock.advance(20)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it did not come about')
}
const ended = (id: string) =>
  until(async () => {
    const found = await look(id)
    return found.run.state !== 'running' && found
  })
const only = async (name: string, step: StepSpec) => {
  await apply(name, { steps: { only: step } })
  return ended((await start(name)).id)
}
const logOf = async (step: Parameters<Pipelines['readLog']>[0]) => (await pipelines.readLog(step, 0)).text

test('what a step hands on as a data version is read by the next only once its checks have passed', async () => {
  await apply('handed-on', {
    steps: {
      prepare: { run: 'echo a > x.csv; echo 1 >> x.csv', writes: { rows: { path: 'x.csv', dataset: 'clean' } } },
      train: { run: 'cat "$SLIPWAY_INPUT_ROWS"', reads: { rows: { step: 'prepare', output: 'rows' } } },
    },
  })
  states.set('clean', { state: 'pending' })
  const first = await start('handed-on')
  await until(async () => (await look(first.id)).steps.find(({ name }) => name === 'train')?.state === 'running')
  states.set('clean', { state: 'refused', reason: 'its checks failed' })
  const refused = await ended(first.id)
  expect(refused.run.reason).toContain("version 1 of dataset 'clean' may not be an input: its checks failed")
  expect(refused.steps.find(({ name }) => name === 'train')).toMatchObject({ state: 'failed', tracking_run: null })

  // A person accepts it: the version is this step's input, and says so to tracking, as if it were read by name.
  states.set('clean', { state: 'ready' })
  const { run, steps } = await ended((await start('handed-on')).id)
  const [prepare, train] = ['prepare', 'train'].map((name) => steps.find((step) => step.name === name)!)
  const { version } = prepare!.outputs[0]!
  expect([run.state, prepare!.state, await logOf(train!)]).toEqual([
    'done',
    'cached',
    expect.stringContaining('a\n1\n'),
  ])
  expect(train!.inputs).toEqual([
    { name: 'rows', from_step: prepare!.id, dataset: 'clean', version, number: 1, digest: expect.any(String) },
  ])
  const tracked = await kernel.store.read((sql) => tracking.getRun(sql, 'w', train!.tracking_run!))
  expect(tracked.dataset_inputs[0]!.dataset.source).toContain(version)

  // Deleted, it is made again: the cache hands on nothing that is gone.
  await kernel.store.write((tx) => datasets.deleteVersion(tx, ada, version!))
  const again = await ended((await start('handed-on')).id)
  expect(again.steps.map(({ name, state, cache_words }) => [name, state, cache_words])).toContainEqual([
    'prepare',
    'done',
    'the earlier outputs are gone',
  ])
})

test('an edit of the project file runs no step again, since no step finds it; an edit of the code does', async () => {
  const step: StepSpec = { run: 'ls', writes: { o: { path: 'a.sh' } } }
  code = await snapshot({ 'a.sh': 'echo a', 'slipway.yaml': 'project: shop' })
  const first = await only('edited', step)
  expect(await logOf(first.last)).toMatch(/^a\.sh$/m)
  expect(await logOf(first.last)).not.toContain('slipway.yaml')
  code = await snapshot({ 'a.sh': 'echo a', 'slipway.yaml': 'project: shop # edited' })
  expect((await only('edited', step)).last).toMatchObject({ state: 'cached', cached_from: first.last.id })
  code = await snapshot({ 'a.sh': 'echo b', 'slipway.yaml': 'project: shop # edited' })
  expect((await only('edited', step)).last).toMatchObject({ state: 'done', cache_words: 'code changed' })
})

test('a step that prints its environment does not print its token', async () => {
  const { last } = await only('chatty', { run: 'set -x; env; test -n "$SLIPWAY_TOKEN"; echo "$SLIPWAY_TOKEN" >&2' })
  expect(last.state).toBe('done')
  const text = await logOf(last)
  expect(text).toContain('MLFLOW_TRACKING_TOKEN=[token of this step]')
  expect(text).not.toContain(TOKEN)
})

test('a run keeps the commit that its code was of when it began, whatever is said of the same files later', async () => {
  const [one, two] = ['1'.repeat(40), '2'.repeat(40)]
  code = await snapshot({ 'a.sh': 'echo c' }, { commit: one, branch: 'main', dirty: true, diff: '+echo c' })
  const first = await only('committed', { run: 'true' })
  expect(await snapshot({ 'a.sh': 'echo c' }, { commit: two, branch: 'main' })).toBe(code)
  const second = await ended((await start('committed')).id)
  expect((await look(first.run.id)).run.source).toEqual({
    commit: one,
    branch: 'main',
    dirty: true,
    diff: expect.stringMatching(/^sha256:/),
  })
  expect(second.run.source).toEqual({ commit: two, branch: 'main', dirty: false, diff: null })
})

test('cron starts a pipeline, for the person who applied it, and no more once its trigger is gone', async () => {
  const steps = { only: { run: 'true', cache: false } }
  await apply('nightly', { triggers: [{ cron: '0 3 * * *' }], steps })
  const runs = () => kernel.store.read((sql) => pipelines.listRuns(sql, 'w', { pipeline: 'nightly', limit: 10 }))
  const DAY_MS = 86_400_000
  // The schedule is set once the transaction is committed: a day may pass before it is.
  const [run] = await until(async () => {
    kernel.clock.advance(DAY_MS / 4)
    const found = await runs()
    return found.length > 0 && found
  })
  expect(run).toMatchObject({
    cause: { kind: 'cron', cron: '0 3 * * *', due_ms: expect.any(Number) },
    who: { kind: 'rule', id: expect.stringContaining('pipeline:shop/nightly') },
  })
  expect(new Date((run!.cause as { due_ms: number }).due_ms).toISOString()).toContain('T03:00:00')
  expect((await ended(run!.id)).run.state).toBe('done')
  await apply('nightly', { steps })
  const before = (await runs()).length
  kernel.clock.advance(2 * DAY_MS)
  // Another schedule that is due at the same time has come round: this one would have, too.
  await apply('other', { triggers: [{ cron: '0 3 * * *' }], steps })
  await until(async () => {
    kernel.clock.advance(DAY_MS / 4)
    return (await kernel.store.read((sql) => pipelines.listRuns(sql, 'w', { pipeline: 'other', limit: 1 }))).length > 0
  })
  expect(await runs()).toHaveLength(before)
})
