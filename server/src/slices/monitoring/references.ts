/** References of features by version, kept in memory: what a version was trained on never changes. */
import type { Analytics } from '#kernel/analytics/index.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Reference } from './drift.ts'
import { readReference } from './reference-data.ts'

const KEPT_MAX = 20

export type ReferenceOf = (
  workspace: string,
  model: string,
  version: number,
) => Promise<Record<string, Reference> | undefined>

/** Undefined: the version's run names no data of ours; asked again next time, since data may be named later. */
export function createReferences(deps: {
  store: Pick<Store, 'read'>
  analytics: Analytics
  datasets: Pick<Datasets, 'lend' | 'version'>
  trainingData(sql: Sql, workspace: string, model: string, version: number): Promise<{ id: string }[]>
}): ReferenceOf {
  const { store, analytics, datasets } = deps
  const known = new Map<string, Promise<Record<string, Reference> | undefined>>()

  const make: ReferenceOf = async (workspace, model, version) => {
    const data = await store.read(async (sql) => {
      const [first] = await deps.trainingData(sql, workspace, model, version)
      return first && datasets.version(sql, workspace, first.id)
    })
    if (!data) return undefined
    const { source, done, reword } = await datasets.lend(data)
    try {
      return await readReference(
        analytics,
        source,
        (data.schema ?? []).map(({ name }) => name),
      )
    } catch (error) {
      throw reword(error)
    } finally {
      await done()
    }
  }

  return async (workspace, model, version) => {
    const key = `${workspace}/${model}/${version}`
    let asked = known.get(key)
    if (!asked) {
      asked = make(workspace, model, version)
      known.set(key, asked)
      if (known.size > KEPT_MAX) known.delete(known.keys().next().value!)
    }
    try {
      const reference = await asked
      if (!reference) known.delete(key)
      return reference
    } catch (error) {
      known.delete(key)
      throw error
    }
  }
}
