import { afterEach, describe, expect, test } from 'vitest'
import { person } from '#kit/kernel.ts'
import { who } from '#kit/registry.ts'
import { ENDPOINT, openReleases, POLICY, type ReleasesWorld } from '#kit/releases.ts'
import { eachStore } from '#kit/store.ts'

const DATA = { name: 'flights', number: 3, digest: 'sha256:data', verdict: 'passed', time_to_ms: null }
const stateOf = ({ state }: { state: string }) => state

eachStore('a release', (open) => {
  let it: ReleasesWorld
  afterEach(() => it.close())

  test('the first goes from proposal to all traffic, with alias, holds and bundle', async () => {
    it = await openReleases(open)
    it.data.set(1, [{ id: 'dsv_1', ...DATA }])
    const { id } = await it.golive(1)
    expect((await it.decisions(id)).map(stateOf)).toEqual(['proposed', 'checking', 'approved', 'loading', 'live'])
    expect(await it.alias()).toBe(1)
    expect(it.node.traffic()).toMatchObject({ release: id, routes: [{ revision: 'rev_1', share: 1, role: 'stable' }] })
    expect((await it.get(id)).bundle).toMatchObject({
      model: 'churn',
      version: 1,
      commit: 'abc',
      environment: 'sha256:lock',
      model_digest: 'sha256:model',
      data: [{ id: 'dsv_1', name: 'flights', number: 3, digest: 'sha256:data' }],
      endpoint: { threshold: 0.3 },
    })
    expect(await it.holds(id)).toEqual(
      expect.arrayContaining([
        { subject_kind: 'model-version', subject_id: 'churn/1' },
        { subject_kind: 'model', subject_id: 'churn@champion' },
        { subject_kind: 'dataset-version', subject_id: 'dsv_1' },
        { subject_kind: 'run', subject_id: it.trained.run.run_id },
      ]),
    )
    await expect(it.propose(1)).rejects.toMatchObject({ problem: 'conflict', field: 'version' })
  })

  test('a canary takes its steps, is promoted, and leaves the one before loaded for the way back', async () => {
    it = await openReleases(open)
    const first = await it.golive(1)
    const { id } = await it.propose(2)
    await it.until(id, 'canary', 0)
    expect(it.node.traffic()!.routes).toEqual([
      { revision: 'rev_2', share: 0.1, role: 'canary' },
      { revision: 'rev_1', share: 0.9, role: 'stable' },
    ])
    expect(await it.alias()).toBe(1)
    it.node.serve(2, { requests: 100 })
    await it.until(id, 'canary', 1)
    it.node.serve(2, { requests: 99 })
    it.node.serve(2, { requests: 1 })
    await it.until(id, 'live')
    expect(await it.alias()).toBe(2)
    expect(await it.get(first.id)).toMatchObject({ state: 'superseded' })
    expect(await it.holds(first.id)).toContainEqual({ subject_kind: 'model-version', subject_id: 'churn/1' })
    expect(await it.holds(first.id)).not.toContainEqual({ subject_kind: 'model', subject_id: 'churn@champion' })
    await expect(it.write((tx) => it.registry.deleteVersion(tx, who, it.at(1)))).rejects.toMatchObject({
      problem: 'conflict',
      message: expect.stringContaining(`release ${first.id} is the way back of release ${id}, live at endpoint delay`),
    })
    expect(it.node.revisions.get('rev_1')!.state).toBe('wanted')
    const third = await it.golive(3)
    expect([1, 2, 3].map((n) => it.node.revisions.get(`rev_${n}`)!.state)).toEqual(['retired', 'wanted', 'wanted'])
    // The way back of the way back is free; that it is gone keeps nobody from going back one step.
    expect(await it.holds(first.id)).toEqual([])
    await it.write((tx) => it.registry.deleteVersion(tx, who, it.at(1)))
    await it.rollBack(third.id)
    expect(await it.alias()).toBe(2)
    expect(await it.get(id)).toMatchObject({ state: 'live', previous: null })
  })

  test('a breach of a guard takes the canary back; alias and live release stay', async () => {
    it = await openReleases(open, { rollout: { ...POLICY.rollout!, guards: [{ errors: 0 }] } })
    const first = await it.golive(1)
    const { id } = await it.propose(2)
    await it.until(id, 'canary', 0)
    it.node.serve(2, { requests: 7, errors: 1, last_error: 'unknown destination' })
    const ended = await it.until(id, 'rolled_back')
    expect(ended.reason).toContain('failed 1 of 7 requests')
    expect(ended.reason).toContain('unknown destination')
    expect(it.node.traffic()).toMatchObject({ release: first.id, routes: [{ revision: 'rev_1', share: 1 }] })
    expect(await it.alias()).toBe(1)
    expect(it.node.revisions.get('rev_2')!.state).toBe('retired')
    expect((await it.decisions(id)).at(-1)).toMatchObject({ facts: { failures: 1, requests: 7, step: 0 } })
    expect((await it.get(first.id)).state).toBe('live')
  })

  test('the gate refuses with numbers on replayed traffic; what cannot be loaded is refused or rolled back', async () => {
    it = await openReleases(open, {
      gate: {
        replay: { last: '7d' },
        rules: [
          { metric: 'roc_auc', versus: 'champion', at_least: -0.01, confidence: 0.95 },
          { metric: 'roc_auc', at_least: 0.6, confidence: 0.9 },
        ],
      },
    })
    it.traffic(400)
    await it.golive(1)
    // Another model had the endpoint's name before, and a version 1 of its own: what it said is not the champion's.
    for (const row of it.labelled.filter((_, at) => at % 2 === 0))
      Object.assign(row, { answered_by: 'rev_of_another_model', score: 1 - row.score! })
    it.node.answers.set(2, ({ x }) => (Number(x) * 7919) % 1)
    const { id } = await it.propose(2)
    const refused = await it.until(id, 'refused')
    expect(refused.reason).toContain("roc_auc minus champion's")
    expect(refused.verdict!.measured).toMatchObject({ source: 'replay', rows: 400, compared: 400, failed: 0 })
    expect(Object.keys(refused.verdict!.measured.metrics)).toEqual(['roc_auc', 'roc_auc@0.9'])
    expect(refused.verdict!.measured.metrics.roc_auc!.champion!.value).toBeGreaterThan(0.75)
    expect(await it.alias()).toBe(1)

    it.node.answers.set(3, ({ x }) => {
      if (Number(x) > 0.99) throw new Error('never seen')
      return Number(x)
    })
    const failing = await it.until((await it.propose(3)).id, 'refused')
    expect(failing.reason).toMatch(/it failed on \d+ of 400 rows: never seen/)

    it.node.preparations.set(4, { state: 'failed', reason: 'no module named x' })
    const unprepared = await it.until((await it.propose(4)).id, 'refused')
    expect(unprepared.reason).toBe('it cannot be loaded: no module named x')
    it.node.preparations.delete(4)
    it.node.failing.set(4, 'out of memory')
    const unloadable = await it.until((await it.propose(4)).id, 'rolled_back')
    expect(unloadable.reason).toBe('it does not load: out of memory')
    expect(it.node.traffic()!.routes).toHaveLength(1)
  })

  test('requests within the training data are left out of the replay', async () => {
    it = await openReleases(open, {
      gate: { replay: { last: '7d' }, rules: [{ metric: 'roc_auc', at_least: 0.5 }] },
    })
    it.traffic(300)
    it.data.set(1, [{ id: 'dsv_1', ...DATA, time_to_ms: 999_000_000 + 99 }])
    const { verdict } = await it.golive(1)
    expect(verdict!.measured).toMatchObject({ rows: 200, left_out: 100, from_ms: 999_000_100 })
    it.data.set(2, [{ id: 'dsv_2', ...DATA, time_to_ms: 999_000_000 + 250 }])
    const { id } = await it.propose(2)
    const second = await it.until(id, 'refused')
    expect(second.verdict!.measured.source).toBe('none')
    expect(second.reason).toContain('only 49 labelled requests')
  })

  test('nobody goes live unmeasured: rows that it may have been trained on say nothing of its quality', async () => {
    const spec = {
      gate: {
        replay: { last: '7d' },
        evaluate_on: { dataset: 'holdout', label: 'late' },
        rules: [{ metric: 'roc_auc' as const, at_least: 0.6 }, { latency_p99: '1s' }],
      },
    }
    it = await openReleases(open, spec)
    const refusal = async (version: number) => (await it.until((await it.propose(version)).id, 'refused')).reason
    expect(await refusal(1)).toMatch(/no traffic was labelled yet|only 0 labelled requests/)
    it.traffic(300)
    it.data.set(1, [])
    expect(await refusal(1)).toContain('its run names no training data of ours')
    it.data.set(1, [{ id: 'dsv_1', ...DATA }])
    expect(await refusal(1)).toContain('flights@3 have no time_column')
    const rows = it.labelled.map((row, at) => ({ ...row, event_ms: at * 86_400_000, score: null, answered_version: 0 }))
    it.held_out.set('holdout', { id: 'dsv_1', digest: 'sha256:data', number: 3, rows })
    expect(await refusal(1)).toContain('holdout@3 is what the candidate was trained on')
    it.held_out.set('holdout', { id: 'dsv_9', digest: 'sha256:other', number: 4, rows: rows.slice(0, 99) })
    expect(await refusal(1)).toContain('holdout@4 has only 99 rows')
    it.held_out.set('holdout', { id: 'dsv_9', digest: 'sha256:other', number: 5, rows })
    const { verdict } = await it.golive(1)
    expect(verdict).toMatchObject({
      passed: true,
      measured: { source: 'dataset', source_words: 'holdout@5', rows: 300, drawn: { by: 'day', count: 300 } },
    })
    expect(verdict!.reason).toBe('3 of 3 rules passed')
  })

  test('going back from a live release restores the whole bundle in one step, and the way back opens again', async () => {
    it = await openReleases(open)
    await it.golive(1)
    it.node.configure({ threshold: 0.4 })
    const second = await it.golive(2)
    it.node.configure({ threshold: 0.6 })
    const began = performance.now()
    await it.rollBack(second.id)
    expect(performance.now() - began).toBeLessThan(5000)
    expect(it.node.spec().threshold).toBe(0.4)
    expect(await it.alias()).toBe(1)
    const live = await it.read((sql) => it.releases.liveRelease(sql, 'default', ENDPOINT))
    expect(live).toMatchObject({ version: 1, reason: null })
    expect(it.node.traffic()).toMatchObject({ release: live!.id, routes: [{ revision: 'rev_1', share: 1 }] })
    expect(await it.holds(second.id)).toEqual([])
    expect(await it.holds(live!.id)).toContainEqual({ subject_kind: 'model', subject_id: 'churn@champion' })
    await expect(it.rollBack(live!.id)).rejects.toMatchObject({ problem: 'conflict' })
    await expect(it.rollBack(second.id)).rejects.toThrow('is rolled_back')
    const third = await it.golive(3)
    const fourth = await it.golive(4)
    await it.rollBack(fourth.id)
    await it.rollBack(third.id)
    expect(await it.alias()).toBe(1)
  })

  test('a person ends a rollout, or a live release under a rollout of the next', async () => {
    it = await openReleases(open)
    await it.golive(1)
    const second = await it.golive(2)
    const third = await it.propose(3)
    await it.until(third.id, 'canary', 0)
    it.node.serve(3, { requests: 100 })
    await it.rollBack(third.id)
    await it.jobs.idle()
    expect(await it.get(third.id)).toMatchObject({ state: 'rolled_back', reason: 'a person said so' })
    expect(it.node.traffic()!.routes).toEqual([{ revision: 'rev_2', share: 1, role: 'stable' }])
    const fourth = await it.propose(4)
    await it.until(fourth.id, 'canary', 0)
    await it.rollBack(second.id)
    expect(await it.get(fourth.id)).toMatchObject({ state: 'rolled_back' })
    expect(it.node.traffic()!.routes).toEqual([{ revision: 'rev_1', share: 1, role: 'stable' }])
  })

  test('candidates queue in order, however they come; a change of rules is for the next', async () => {
    it = await openReleases(open)
    await it.golive(1)
    const both = await Promise.all([it.propose(2), it.propose(3), it.propose(2)])
    expect(new Set(both.map(({ id }) => id)).size).toBe(2)
    const [ahead, behind] = [...new Set(both.map(({ id }) => id))].sort()
    const one = await it.until(ahead!, 'canary', 0)
    expect((await it.get(behind!)).state).toBe('proposed')
    await it.write((tx) =>
      it.releases.applyPolicy(tx, who, {
        project: 'p',
        endpoint: ENDPOINT,
        spec: { rollout: { steps: [{ share: 0.2, requests: 5 }, { share: 1 }] } },
      }),
    )
    it.node.serve(one.version, { requests: 100 })
    await it.until(one.id, 'canary', 1)
    await it.rollBack(one.id)
    const next = await it.until(behind!, 'canary', 0)
    expect(next.policy.rollout!.steps[0]).toEqual({ share: 0.2, requests: 5 })
    it.node.serve(next.version, { requests: 5 })
    await it.until(next.id, 'live')
  })

  test('goes on after a restart in each state; counts that were lost make its step begin again', async () => {
    it = await openReleases(open)
    await it.golive(1)
    it.node.preparations.set(2, { state: 'waiting', reason: '' })
    const { id } = await it.propose(2)
    await it.until(id, 'checking')
    it.node.slow.add(2)
    await it.restart(() => it.node.preparations.delete(2))
    await it.until(id, 'loading')
    await it.restart()
    it.node.slow.delete(2)
    await it.until(id, 'canary', 0)
    it.node.serve(2, { requests: 60 })
    await it.restart(() => it.node.kill())
    // The way back is open though nothing is loaded yet.
    it.node.load()
    it.node.serve(2, { requests: 90 })
    await expect.poll(async () => (await it.decisions(id)).at(-1)!.words, { timeout: 15_000 }).toContain('begins again')
    expect((await it.get(id)).step).toBe(0)
    it.node.serve(2, { requests: 10 })
    await it.until(id, 'canary', 1)
    await it.restart(() => it.node.kill())
    it.node.failing.set(2, 'its file is gone')
    const ended = await it.until(id, 'rolled_back')
    expect(ended.reason).toBe('it does not load any more: its file is gone')
    expect(it.node.traffic()!.routes).toEqual([{ revision: 'rev_1', share: 1, role: 'stable' }])
  })

  test('what it stands on cannot go by another way, and the refusal names release, endpoint and what to do', async () => {
    it = await openReleases(open)
    const { id } = await it.golive(1)
    const { registry, tracking } = it
    const refused: [string, Parameters<typeof it.write>[0]][] = [
      ['version', (tx) => registry.deleteVersion(tx, who, it.at(1))],
      ['model', (tx) => registry.deleteModel(tx, who, 'churn')],
      ['run', (tx) => tracking.deleteRun(tx, who, it.trained.run.run_id)],
      ['experiment', (tx) => tracking.deleteExperiment(tx, who, it.trained.run.experiment_id)],
      ['move', (tx) => registry.moveAlias(tx, who, { model: 'churn', alias: 'champion', to: 2 })],
      ['alias', (tx) => registry.deleteAlias(tx, who, { model: 'churn', alias: 'champion' })],
    ]
    for (const [what, change] of refused)
      await expect(it.write(change), what).rejects.toMatchObject({
        problem: 'conflict',
        message: expect.stringContaining(`release ${id} serves it at endpoint ${ENDPOINT}`),
      })
    await expect(it.write(refused[4]![1])).rejects.toThrow('slipway release propose delay')
  })

  test('follows a changed alias, and ends with its endpoint', async () => {
    it = await openReleases(open)
    const { id } = await it.golive(1)
    it.node.configure({ alias: 'prod' })
    await it.write((tx) => it.releases.considerEndpoint(tx, who, ENDPOINT))
    expect(await it.alias('prod')).toBe(1)
    await it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias: 'champion', to: 2 }))
    await expect(
      it.write((tx) => it.registry.moveAlias(tx, who, { model: 'churn', alias: 'prod', to: 2 })),
    ).rejects.toMatchObject({ problem: 'conflict' })
    const next = await it.propose(2)
    await it.until(next.id, 'canary')
    it.node.remove()
    const at_ms = it.clock.now()
    await it.write((tx) => it.releases.considerRemoval(tx, who, { endpoint: ENDPOINT, at_ms }))
    await it.jobs.idle()
    expect(await it.get(id)).toMatchObject({ state: 'superseded', reason: 'endpoint delay was removed' })
    expect(await it.get(next.id)).toMatchObject({ state: 'rolled_back' })
    expect(await it.holds(id)).toEqual([])
    await it.write((tx) => it.registry.deleteModel(tx, who, 'churn'))
  })

  test('a new version is proposed by the rule, or waits for a person; rules that say nothing are mistakes', async () => {
    it = await openReleases(open, null)
    const apply = (spec: Parameters<typeof it.releases.applyPolicy>[2]['spec']) =>
      it.write((tx) => it.releases.applyPolicy(tx, person('default'), { project: 'p', endpoint: ENDPOINT, spec }))
    const consider = (version: number) =>
      it.write((tx) => it.releases.considerCandidate(tx, who, { model: 'churn', version }))
    const all = () => it.read((sql) => it.releases.listReleases(sql, 'default', { limit: 10 }))
    await apply({ on_new_version: 'manual' })
    await consider(1)
    expect(await all()).toEqual([])
    await apply({})
    await consider(1)
    await consider(1)
    const [made, ...more] = await all()
    expect(more).toEqual([])
    await it.until(made!.id, 'live')
    const checked = (await it.decisions(made!.id)).find(({ state }) => state === 'checking')
    expect(checked!.who).toMatchObject({ kind: 'rule', id: expect.stringMatching(/^release:delay@[0-9a-f]{16}$/) })
    await expect(apply({ gate: { rules: [{ metric: 'roc_auc' }] } })).rejects.toMatchObject({
      problem: 'invalid',
      field: 'releases.delay.gate.rules[0]',
    })
    await expect(apply({ gate: { rules: [{ metric: 'rmse', at_most: 3 }] } })).rejects.toThrow('task binary')
    const rollout = (steps: object[], ...guards: object[]) => apply({ rollout: { steps, guards } as never })
    await expect(rollout([{ share: 0.1 }, { share: 1 }])).rejects.toMatchObject({
      field: 'releases.delay.rollout.steps[0]',
    })
    const whole = { share: 1 }
    for (const [steps, guard] of [
      [[{ share: 0.1, requests: 99 }, whole], { latency_p99: '1s' }],
      [[{ share: 0.9, requests: 1000 }, whole], { score_psi: 0.2 }],
      [[{ share: 0.5, requests: 10 }, whole], { errors: 0.1, at_least: 11 }],
      [[whole], { errors: 0 }],
    ] as const)
      await expect(rollout([...steps], guard), JSON.stringify(guard)).rejects.toMatchObject({
        field: 'releases.delay.rollout.guards[0]',
      })
    await rollout([{ share: 0.5, requests: 300 }, whole], { latency_p99: '1s' }, { score_psi: 0.2 }, { errors: 0 })
  })

  describe('retraining', () => {
    const alert = (alert_id: string, watermark_ms: number) => ({
      monitor: 'weekly',
      endpoint: ENDPOINT,
      alert: 'auc-falls',
      alert_id,
      metric: 'roc_auc',
      value: 0.6,
      threshold: 0.7,
      watermark_ms,
    })
    const DAY = 86_400_000

    test('begins on its alert, once; brakes are told once for each alert and reason; its version is its outcome', async () => {
      it = await openReleases(open, {
        ...POLICY,
        retrain: {
          on: ['auc-falls'],
          pipeline: 'retrain',
          cooldown: '28d',
          data: { last: '90d', holdout: '14d', dataset: 'served', label: 'late' },
        },
      })
      const consider = (fact: ReturnType<typeof alert>) =>
        it.write((tx) => it.releases.considerRetraining(tx, who, fact))
      const all = () => it.read((sql) => it.releases.listRetrainings(sql, 'default', { limit: 50 }))
      await consider({ ...alert('alt_0', 100 * DAY), alert: 'another' })
      expect(await all()).toEqual([])
      await consider(alert('alt_1', 100 * DAY))
      await expect.poll(async () => (await all())[0]!.state, { timeout: 15_000 }).toBe('training')
      const [one] = await all()
      expect(one).toMatchObject({ from_ms: -4 * DAY, to_ms: 86 * DAY, pipeline_run: 'prn_1' })
      expect(it.started).toMatchObject([
        { project: 'p', pipeline: 'retrain', inputs: { served: one!.dataset_version } },
      ])
      for (const day of [107, 114, 121]) await consider(alert('alt_1', day * DAY))
      expect((await all()).map(stateOf)).toEqual(['skipped', 'training'])
      expect((await all())[0]!.reason).toBe(`retraining ${one!.id} is under way`)

      it.data.set(1, [{ ...DATA, id: one!.dataset_version! }])
      await it.write((tx) => it.releases.considerCandidate(tx, who, { model: 'churn', version: 1 }))
      await it.write((tx) => it.releases.considerPipelineEnd(tx, who, { run: 'prn_1', state: 'done' }))
      const ended = (await all()).find(({ id }) => id === one!.id)!
      expect(ended.state).toBe('done')
      expect(await it.get(ended.release_id!)).toMatchObject({ version: 1 })
      expect(await it.edgesInto(ended.release_id!)).toContainEqual({
        from_kind: 'pipeline-run',
        from_id: 'prn_1',
        relation: 'caused',
      })
      await it.until(ended.release_id!, 'live')

      for (const day of [122, 123]) await consider(alert('alt_2', day * DAY))
      expect((await all()).map(stateOf)).toEqual(['skipped', 'skipped', 'done'])
      expect((await all())[0]!.reason).toContain('the cooldown is 28d')
      it.copied.rows = 12
      await consider(alert('alt_2', 128 * DAY))
      await expect.poll(async () => (await all())[0]!.state, { timeout: 15_000 }).toBe('failed')
      expect((await all())[0]!.reason).toContain('only 12 predictions')
    })
  })
})
