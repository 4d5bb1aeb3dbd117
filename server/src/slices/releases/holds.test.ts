import { expect, onTestFinished, test } from 'vitest'
import { who } from '#kit/registry.ts'
import { ENDPOINT, openReleases } from '#kit/releases.ts'
import { testStore } from '#kit/store.ts'

test('a release does not take hold of data that is deleted at the same moment', async () => {
  const it = await openReleases(testStore)
  onTestFinished(() => it.close())
  const { id } = await it.golive(1)
  const data = {
    id: `dsv_${'d'.repeat(32)}`,
    name: 'd',
    number: 1,
    digest: 'd',
    verdict: 'passed',
    time_to_ms: null,
  } as const
  it.data.set(1, [data])
  it.node.configure({ alias: 'prod' })
  const follow = () => it.write((tx) => it.releases.considerEndpoint(tx, who, ENDPOINT))
  // The delete was under way when the release first looked, and had ended when it had the lock.
  const get = it.data.get.bind(it.data)
  let looks = 0
  it.data.get = (version) => (++looks === 2 ? [] : get(version))
  await expect(follow()).rejects.toMatchObject({
    problem: 'conflict',
    message: expect.stringContaining('deleted just now'),
  })
  expect(await it.alias('prod')).toBeUndefined()
  expect(await it.holds(id)).not.toContainEqual({ subject_kind: 'dataset-version', subject_id: data.id })
  await follow()
  expect(await it.alias('prod')).toBe(1)
  expect(await it.holds(id)).toContainEqual({ subject_kind: 'dataset-version', subject_id: data.id })
})
