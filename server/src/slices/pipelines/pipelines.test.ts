import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startProcess } from '#kernel/environments/index.ts'
import { DomainError } from '#kernel/errors.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { eachStore } from '#kit/store.ts'
import { createDatasets, type Datasets, datasetsMigrations } from '#slices/datasets'
import { createTracking, type Tracking, trackingMigrations } from '#slices/tracking'
import type { InputState } from './deps.ts'
import { createPipelines, type Pipelines, pipelinesMigrations } from './pipelines.ts'
import type { PipelineSpec, StepSpec } from './schema.ts'

const ada = person()
const ENDED_MS = 60_000
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

eachStore('pipeline runs', (open) => {
  let kernel: TestKernel
  let datasets: Datasets
  let tracking: Tracking
  let pipelines: Pipelines
  let code: string
  const tokens = new Set<string>()
  /** What quality would say, by dataset. */
  const states = new Map<string, InputState>()

  beforeAll(async () => {
    kernel = await openKernel(open, [datasetsMigrations, trackingMigrations, pipelinesMigrations])
    const { clock, ids, events, holds } = kernel
    datasets = createDatasets(kernel)
    tracking = createTracking({ events, holds, ids, random: seededRandom(3), now: clock.now })
    pipelines = createPipelines({
      ...kernel,
      environments: { ensure: () => Promise.reject(new Error('not in these tests')) },
      startProcess,
      datasets,
      tracking,
      async inputState(sql, workspace, id) {
        return states.get((await datasets.version(sql, workspace, id)).name) ?? { state: 'ready' }
      },
      async issueRunToken(_tx, { run }) {
        tokens.add(run)
        return 'token'
      },
      async endRunTokens(_tx, _workspace, run) {
        tokens.delete(run)
      },
      log: silentLog,
      url: () => 'http://127.0.0.1:1',
      settings: { dir: kernel.dir, concurrency: 4, memory_bytes: 512e6 },
    })
    code = await snapshot({ 'greet.sh': 'echo hello; mkdir -p out; echo "$1" > out/report.csv' })
    await kernel.events.start()
    await pipelines.startTriggers()
    await kernel.jobs.start()
  }, 120_000)
  afterAll(() => kernel.close())

  const snapshot = async (files: Record<string, string>): Promise<string> => {
    const manifest = { files: [] as { path: string; digest: string; size_bytes: number }[] }
    for (const [path, text] of Object.entries(files))
      manifest.files.push({ path, ...(await pipelines.uploadCode('w', digestOf(text), Buffer.from(text))) })
    const prepared = await pipelines.prepareCode('w', ada, manifest)
    return (await kernel.store.write((tx) => pipelines.recordCode(tx, ada, prepared))).digest
  }
  let named = 0
  const apply = async (spec: PipelineSpec, name = `p${++named}`): Promise<string> => {
    await kernel.store.write((tx) =>
      pipelines.applyPipeline(tx, ada, { project: 'shop', name, spec, environments: {}, code }),
    )
    return name
  }
  const applySteps = (steps: Record<string, StepSpec>, params?: PipelineSpec['params']) =>
    apply({ steps, ...(params && { params }) })
  const start = (pipeline: string, more: Partial<Parameters<Pipelines['start']>[2]> = {}) =>
    kernel.store.write((tx) =>
      pipelines.start(tx, ada, { project: 'shop', pipeline, cause: { kind: 'manual' }, ...more }),
    )
  const look = (id: string) =>
    kernel.store.read(async (sql) => ({
      run: await pipelines.getRun(sql, 'w', id),
      steps: await pipelines.steps(sql, 'w', id),
    }))
  const until = async <T>(what: () => Promise<T | undefined | false>): Promise<T> => {
    for (const end = Date.now() + ENDED_MS; Date.now() < end; ) {
      const found = await what()
      if (found) return found
      // The kit's clock stands still; waits before retries and leases pass by it.
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
  const go = async (pipeline: string, more?: Parameters<typeof start>[1]) => ended((await start(pipeline, more)).id)
  const one = async (step: StepSpec, more?: Parameters<typeof start>[1]) => {
    const { run, steps } = await go(await applySteps({ only: step }), more)
    return { run, step: steps.at(-1)!, steps }
  }
  const logOf = async (step: { id: string; state: string; log_digest: string | null }) =>
    (await pipelines.readLog(step, 0)).text
  const data = async (name: string, text: string) => {
    const blob = await kernel.blobs.put(Buffer.from(text))
    return (await kernel.store.write((tx) => datasets.register(tx, ada, { name, files: [{ path: 'a.csv', ...blob }] })))
      .version
  }
  const statusOf = async (run: string) => (await kernel.store.read((sql) => tracking.getRun(sql, 'w', run))).status
  const problem = async (work: Promise<unknown>): Promise<DomainError> => {
    const error = await work.then(
      () => undefined,
      (thrown) => thrown,
    )
    expect(error).toBeInstanceOf(DomainError)
    return error as DomainError
  }

  test('a step runs in its code with its inputs and params; what it wrote is the next version of a dataset', async () => {
    const version = await data('sales', 'a\n1\n')
    const { run, step } = await one(
      {
        run: 'sh greet.sh "n$SLIPWAY_PARAM_SEED,$(tail -1 $SLIPWAY_INPUT_ROWS)"',
        reads: { rows: { dataset: 'sales' } },
        writes: { report: { path: 'out/report.csv', dataset: 'reports' } },
        params: { seed: 7 },
      },
      {},
    )
    expect(run).toMatchObject({ state: 'done', reason: null, inputs: { sales: version.id } })
    expect(step).toMatchObject({ state: 'done', exit_code: 0, cache_words: 'it never ran before' })
    const [output] = step.outputs
    expect(Buffer.from(await kernel.blobs.read(output!.files[0]!.digest)).toString()).toBe('n7,1\n')
    expect(await kernel.store.read((sql) => datasets.find(sql, 'w', 'reports'))).toMatchObject({
      id: output!.version,
      number: 1,
    })
    expect(await logOf(step)).toContain('hello\n')
    const tracked = await kernel.store.read((sql) => tracking.getRun(sql, 'w', step.tracking_run!))
    expect(tracked.status).toBe('FINISHED')
    expect(tracked.dataset_inputs[0]!.dataset.source).toContain(version.id)
    expect(tracked.tags).toContainEqual({ key: 'slipway.step_run', value: step.id })
    expect(tokens.has(step.id)).toBe(false)
    expect(readdirSync(join(kernel.dir, 'scratch'))).toEqual([])
    expect(existsSync(join(kernel.dir, 'steps', `${step.id}.log`))).toBe(false)
  })

  test('a failing command fails the run, says its code, and skips what waits for it', async () => {
    const name = await applySteps({
      first: { run: 'echo oh no >&2; exit 3' },
      second: { run: 'true', needs: ['first'] },
      beside: { run: 'true' },
    })
    const { run, steps } = await go(name)
    expect(run).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('step first: its command answered 3'),
    })
    const states = Object.fromEntries(steps.map((step) => [step.name, step.state]))
    expect(states).toEqual({ first: 'failed', second: 'skipped', beside: 'done' })
    const first = steps.find((step) => step.name === 'first')!
    expect(await logOf(first)).toContain('oh no')
    expect(await statusOf(first.tracking_run!)).toBe('FAILED')
  })

  test('a step over its time is ended with all its processes', async () => {
    const { step } = await one({ run: 'sleep 300 & sleep 300', timeout: '1s' })
    expect(step).toMatchObject({ state: 'failed', reason: expect.stringContaining('took longer than 1s') })
  })

  test('a step over its memory is ended and told to read less', async () => {
    const hog = `exec ${process.execPath} -e "const a=[];setInterval(()=>a.push(Buffer.alloc(3e7,1)),20)"`
    const { step } = await one({ run: hog, memory: '200MB', timeout: '40s' })
    expect(step).toMatchObject({ state: 'failed', reason: expect.stringContaining('more than 200MB of memory') })
  })

  test('an output that is not there fails the step, and so does one that cannot be a data version', async () => {
    const { step } = await one({ run: 'true', writes: { model: { path: 'model.bin' } } })
    expect(step.reason).toMatch(/did not write its output 'model'.*Write the file/)
    const wrong = await one({ run: 'echo > x.txt', writes: { x: { path: 'x.txt', dataset: 'texts' } } })
    expect(wrong.step).toMatchObject({ state: 'failed', reason: expect.stringContaining('x.txt') })
    expect(await statusOf(wrong.step.tracking_run!)).toBe('FAILED')
  })

  test('cancelling ends what runs, does not begin the rest, and says who did it', async () => {
    const name = await applySteps({ long: { run: 'echo begun; sleep 300' }, after: { run: 'true', needs: ['long'] } })
    const { id } = await start(name)
    await until(async () => {
      const [step] = (await look(id)).steps.filter((found) => found.name === 'long')
      return (await pipelines.readLog(step!, 0)).text.includes('begun')
    })
    await kernel.store.write((tx) => pipelines.cancelRun(tx, ada, id, 'wrong data'))
    const { run, steps } = await ended(id)
    expect(run).toMatchObject({ state: 'cancelled', reason: 'Ada cancelled it: wrong data' })
    expect(steps.map(({ state }) => state)).toEqual(['cancelled', 'cancelled'])
    expect(await statusOf(steps[0]!.tracking_run!)).toBe('KILLED')
    await kernel.store.write((tx) => pipelines.cancelRun(tx, ada, id))
    const again = await kernel.store.write((tx) => pipelines.retryRun(tx, ada, id))
    await kernel.store.write((tx) => pipelines.cancelRun(tx, ada, again.id))
    expect((await ended(again.id)).run.state).toBe('cancelled')
  })

  test('equal steps are not computed again; a miss says what differs', async () => {
    const name = await applySteps(
      { only: { run: 'sh greet.sh "$SLIPWAY_PARAM_N"', writes: { o: { path: 'out' } } } },
      { n: 1 },
    )
    const first = (await go(name)).steps[0]!
    const again = (await go(name)).steps[0]!
    expect(again).toMatchObject({ state: 'cached', cached_from: first.id, cache_words: `same as ${first.id}` })
    expect(again.outputs).toEqual(first.outputs)
    const other = (await go(name, { params: { n: 2 } })).steps[0]!
    expect(other).toMatchObject({ state: 'done', cache_words: 'param n changed' })
    const off = (await go(name, { cache: false })).steps[0]!
    expect(off).toMatchObject({ state: 'done', cache_words: 'the cache is off for this step' })
  })

  test('a step is tried again as often as it says', async () => {
    const { run, steps } = await one({ run: 'exit 1', retries: 1 })
    expect(run.state).toBe('failed')
    expect(steps.map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
    ])
  })

  test('outputs go from step to step; a retry takes those of finished steps', async () => {
    const flag = join(kernel.dir, `flag-${code.slice(-8)}`)
    const name = await applySteps(
      {
        make: { run: 'echo 42 > x; echo made >> "$SLIPWAY_PARAM_F.made"', writes: { x: { path: 'x' } }, cache: false },
        use: {
          run: 'test -e "$SLIPWAY_PARAM_F" && grep 42 "$SLIPWAY_INPUT_X"',
          reads: { x: { step: 'make', output: 'x' } },
        },
      },
      { f: flag },
    )
    const failed = await go(name)
    expect(failed.run.state).toBe('failed')
    await kernel.blobs.materialise((await kernel.blobs.put(Buffer.from('1'))).digest, flag)
    const retry = await kernel.store.write((tx) => pipelines.retryRun(tx, ada, failed.run.id))
    const { run, steps } = await ended(retry.id)
    expect(run).toMatchObject({ state: 'done', cause: { kind: 'retry', run: failed.run.id } })
    const made = steps.find((step) => step.name === 'make')!
    expect(made).toMatchObject({ state: 'cached', cache_words: `done in ${failed.run.id}` })
    expect(steps.find((step) => step.name === 'use')!.state).toBe('done')
    expect((await problem(kernel.store.write((tx) => pipelines.retryRun(tx, ada, run.id)))).problem).toBe('conflict')
  })

  test('a failing version is refused until it is accepted; a pending one is waited for', async () => {
    await data('checked', 'a\n1\n')
    states.set('checked', { state: 'refused', reason: 'its checks failed' })
    const step: StepSpec = { run: 'true', reads: { rows: { dataset: 'checked' } } }
    const name = await applySteps({ only: step })
    const refused = await go(name, { inputs: { checked: '1' } })
    expect(refused.run.reason).toContain('may not be an input: its checks failed')
    expect((await go(name)).run.reason).toContain('has no version that may be an input')
    states.set('checked', { state: 'pending' })
    const { id } = await start(name)
    await until(async () => (await look(id)).steps[0]!.state === 'running')
    states.set('checked', { state: 'ready' })
    expect((await ended(id)).run.state).toBe('done')
  })

  test('two steps that end at once begin what waits for both, each time', async () => {
    const name = await applySteps({
      a: { run: 'true', cache: false },
      b: { run: 'true', cache: false },
      c: { run: 'true', needs: ['a', 'b'], cache: false },
    })
    for (const { run, steps } of await Promise.all([go(name), go(name), go(name)])) {
      expect(run.state).toBe('done')
      expect(steps).toHaveLength(3)
    }
  })

  test('a new version, a named event and no other starts a pipeline, once', async () => {
    const name = await apply({
      triggers: [{ dataset: 'arrivals' }, { event: 'monitoring.alert-raised' }],
      steps: { only: { run: 'true', reads: { rows: { dataset: 'arrivals' } } } },
    })
    const version = await data('arrivals', 'a\n5\n')
    const consider = (dataset: string) =>
      kernel.store.write((tx) => pipelines.considerDataset(tx, ada, { dataset, version: version.id }))
    await consider('arrivals')
    await consider('arrivals')
    await consider('arrival_')
    const runs = () => kernel.store.read((sql) => pipelines.listRuns(sql, 'w', { pipeline: name, limit: 10 }))
    expect(await runs()).toMatchObject([
      { cause: { kind: 'dataset', version: version.id }, inputs: { arrivals: version.id } },
    ])
    const event = { id: 'evt_1', name: 'monitoring.alert-raised', who: { kind: 'rule', id: 'r', name: 'r' } }
    const considerEvent = (given: object) =>
      kernel.store.write((tx) => pipelines.considerEvent(tx, ada, { ...event, ...given } as never))
    await considerEvent({})
    await considerEvent({ name: 'monitoring.alert-cleared' })
    expect(await runs()).toHaveLength(2)
    await until(async () => (await runs()).every(({ state }) => state === 'done'))
    const [step] = (await look((await runs())[0]!.id)).steps
    await considerEvent({ who: { kind: 'run', id: step!.id, name: 'own' } })
    expect(await runs()).toHaveLength(2)
  })

  test('starting refuses params and inputs that the pipeline does not know', async () => {
    const name = await applySteps({ only: { run: 'true' } }, { n: 1 })
    expect((await problem(start(name, { params: { m: 2 } }))).remedy).toBe('It has n.')
    expect((await problem(start(name, { inputs: { other: '1' } }))).field).toBe('inputs.other')
    expect((await problem(start('nothing'))).problem).toBe('not-found')
  })

  test('only code that a workspace has uploaded itself can be in its snapshots', async () => {
    const file = { path: 'key.py', digest: digestOf('secret'), size_bytes: 6 }
    await pipelines.uploadCode('w', file.digest, Buffer.from('secret'))
    expect(await pipelines.missing('w', { files: [file] })).toEqual([])
    expect(await pipelines.missing('elsewhere', { files: [file] })).toEqual([file.digest])
    expect(await problem(pipelines.prepareCode('elsewhere', person('elsewhere'), { files: [file] }))).toMatchObject({
      problem: 'conflict',
      message: "the bytes of 'key.py' were not uploaded",
    })
    expect((await pipelines.prepareCode('w', ada, { files: [file] })).file_count).toBe(1)
  })

  test('code paths stay within the snapshot', async () => {
    const digest = digestOf('')
    for (const path of ['../x', '/etc/passwd', 'a//b', 'a/./b', 'a\\b', 'a/..'])
      expect((await problem(pipelines.missing('w', { files: [{ path, digest, size_bytes: 0 }] }))).field).toBe(
        'files[0].path',
      )
    const twice = [
      { path: 'a', digest, size_bytes: 0 },
      { path: 'a/b', digest, size_bytes: 0 },
    ]
    expect((await problem(pipelines.missing('w', { files: twice }))).message).toBe("'a' is a file and a folder")
    expect(
      (await problem(pipelines.prepareCode('w', ada, { files: [{ path: 'a', digest, size_bytes: 0 }] }))).problem,
    ).toBe('conflict')
  })
})
