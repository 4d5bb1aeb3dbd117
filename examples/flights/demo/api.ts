import type { Client } from '../../../server/src/cli/client.ts'

export interface Release {
  id: string
  endpoint: string
  model: string
  version: number
  state: string
  reason: string | null
  verdict: { passed: boolean; reason: string } | null
  previous: string | null
}

export interface ReleaseDetail extends Omit<Release, 'verdict'> {
  verdict: {
    passed: boolean
    reason: string
    seconds: number
    measured: {
      rows: number
      source: string
      latency_p99_ms: number | null
      metrics: Record<
        string,
        Record<'candidate' | 'champion' | 'difference', { value: number; low: number; high: number } | null>
      >
    }
  } | null
  decisions: {
    state: string
    words: string
    facts: Record<string, unknown>
    at_ms: number
    watermark_ms: number | null
  }[]
}

export interface Retraining {
  id: string
  state: string
  reason: string | null
  pipeline_run: string | null
  dataset_version: string | null
  watermark_ms: number
  evidence: {
    alert_id: string
    value: number
    threshold: number
    metric: string
    window: { start_ms: number; end_ms: number }
  }
}

const API = '/api/slipway/v1'

/** What the demonstration asks of the server, beside traffic and labels. It decides nothing. */
export function createApi(client: Client) {
  const list = async <T>(path: string): Promise<T[]> => (await client.get<{ items: T[] }>(`${API}${path}`)).items
  return {
    busy: () => client.get<{ total: number; parts: Record<string, number> }>(`${API}/busy`),
    releases: () => list<Release>('/releases?endpoint=delay&limit=100'),
    release: (id: string) => client.get<ReleaseDetail>(`${API}/releases/${id}`),
    retrainings: () => list<Retraining>('/retrainings?endpoint=delay&limit=100'),
    alerts: () =>
      list<{ id: string; state: string; metric: string; value: number; threshold: number; opened_window_ms: number }>(
        '/alerts?endpoint=delay&limit=100',
      ),
    monitor: () =>
      client.get<{
        next_ms: number | null
        windows: {
          start_ms: number
          end_ms: number
          facts: {
            rows: number
            labelled: number
            metrics: Record<string, number | null>
            latency_ms: { p99: number | null }
            drift: { feature: string; psi: number | null }[]
          }
        }[]
      }>(`${API}/monitors/delay-weekly?windows=1000`),
    /** Start of the next window to be closed; null before the first. */
    nextWindow: async () =>
      (await client.get<{ next_ms: number | null }>(`${API}/monitors/delay-weekly?windows=1`)).next_ms,
    pipelineRuns: (pipeline: string) =>
      list<{ id: string; state: string; reason: string | null; number: number }>(
        `/pipeline-runs?project=flights&pipeline=${pipeline}&limit=50`,
      ),
    pipelineRun: (id: string) =>
      client.get<{
        id: string
        state: string
        reason: string | null
        steps: { id: string; name: string; state: string; tracking_run: string | null; log_digest: string | null }[]
      }>(`${API}/pipeline-runs/${id}`),
    start: (pipeline: string) => client.post<{ id: string }>(`${API}/pipelines/flights/${pipeline}/runs`, {}),
    preparations: () =>
      list<{ model: string; version: number; state: string; form: string | null; reason: string }>(
        '/preparations?model=flight-delay',
      ),
    endpoint: () =>
      client.get<{ watermark_ms: number | null; traffic: { routes: { revision: string; share: number }[] } | null }>(
        `${API}/endpoints/delay`,
      ),
    score: async (version: number, rows: readonly Record<string, unknown>[]) =>
      (
        await client.post<{ scores: (number | null)[] }>(`${API}/models/flight-delay/versions/${version}/score`, {
          endpoint: 'delay',
          rows,
        })
      ).scores,
    latestPrediction: async () => (await list<{ id: string }>('/endpoints/delay/predictions?limit=1'))[0]?.id,
  }
}

export type Api = ReturnType<typeof createApi>
