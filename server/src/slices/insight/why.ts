/** Why this prediction: from its id to the rows that trained the model, each part told by who owns it. */
import { DomainError, notFound } from '#kernel/errors.ts'
import type { InsightDeps } from './deps.ts'

export interface Why {
  prediction: unknown
  label: { value: string; observed_ms: number } | null
  endpoint: { name: string; model: string }
  /** The release whose traffic rules sent it, with its verdict and decisions. */
  release: unknown
  version: unknown
  preparation: unknown
  run: string | null
  code: unknown
  environment: string | null
  data: unknown[]
  attributions: unknown
  /** What could not be told, and why. */
  parts_missing: { part: string; words: string }[]
}

export async function whyOf(deps: InsightDeps, workspace: string, id: string): Promise<Why> {
  const prediction = await deps.serving.findPrediction(workspace, id)
  if (!prediction)
    throw notFound(`no prediction '${id}' in the log`, {
      field: 'prediction',
      remedy: 'It may have been lost with a crash before it was written, or be of another workspace.',
    })
  return deps.store.read(async (sql) => {
    const missing: Why['parts_missing'] = []
    const part = async <T>(name: string, tell: () => Promise<T>): Promise<T | null> => {
      try {
        return await tell()
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        missing.push({ part: name, words: error.message })
        return null
      }
    }
    const endpoint = await part('endpoint', () => deps.serving.getEndpoint(sql, workspace, prediction.endpoint))
    // The endpoint may serve another model by now.
    const model = prediction.model ?? endpoint?.model ?? ''
    const version = prediction.answered_version
    const provenance = await part('provenance', () => deps.provenance(sql, workspace, model, version))
    const release = prediction.release
      ? await part('release', async () => {
          const found = await deps.releases.getRelease(sql, workspace, prediction.release!)
          return { ...found, decisions: await deps.releases.decisions(sql, workspace, found.id) }
        })
      : null
    const labels = await deps.monitoring.labelsOf(sql, workspace, prediction.id)
    if (labels.length === 0) missing.push({ part: 'label', words: 'no label has come yet' })
    const attributions = (await deps.attributions(sql, workspace, prediction.id)) ?? null
    if (!attributions) missing.push({ part: 'attributions', words: 'they were not computed yet; ask for them' })
    const data = (await part('data', () => deps.trainingData(sql, workspace, model, version))) ?? []
    if (data.length === 0)
      missing.push({ part: 'data', words: 'the run of this version names no data version of ours' })
    return {
      prediction,
      label: labels.at(-1) ?? null,
      endpoint: { name: prediction.endpoint, model },
      release,
      version: await part('version', () => deps.registry.getVersion(sql, workspace, { name: model, version })),
      preparation: (await deps.serving.preparation(sql, workspace, model, version)) ?? null,
      run: provenance?.run ?? null,
      code: provenance?.code
        ? await part('code', () => deps.pipelines.getCode(sql, workspace, provenance.code!))
        : null,
      environment: provenance?.environment ?? null,
      data: await Promise.all(
        data.map(async (one) => ({
          ...one,
          version: await part('data', () => deps.datasets.version(sql, workspace, one.id)),
        })),
      ),
      attributions,
      parts_missing: missing,
    }
  })
}
