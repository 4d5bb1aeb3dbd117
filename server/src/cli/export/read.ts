/** What a server answers over MLflow's API, page by page. */
import type { Client } from '../client.ts'

const MLFLOW = '/api/2.0/mlflow'

export interface Pair {
  key: string
  value: string
}

export interface WireExperiment {
  experiment_id: string
  name: string
  artifact_location: string
  lifecycle_stage: string
  creation_time: number
  last_update_time: number
  tags?: Pair[]
}

export interface WireRun {
  info: {
    run_id: string
    run_name: string
    experiment_id: string
    user_id: string
    status: string
    start_time: number
    end_time?: number
    artifact_uri: string
    lifecycle_stage: string
  }
  data: { params?: Pair[]; tags?: Pair[]; metrics?: { key: string }[] }
  inputs?: {
    dataset_inputs?: { dataset: Record<string, string>; tags?: Pair[] }[]
    model_inputs?: { model_id: string }[]
  }
  outputs?: { model_outputs?: { model_id: string; step?: number }[] }
}

async function* pages<T>(ask: (token: string | undefined) => Promise<{ items: T[]; token?: string | undefined }>) {
  let token: string | undefined
  do {
    const page = await ask(token)
    yield page.items
    token = page.token || undefined
  } while (token !== undefined)
}

export const experimentPages = (client: Client) =>
  pages(async (token) => {
    const reply = await client.post<{ experiments?: WireExperiment[]; next_page_token?: string }>(
      `${MLFLOW}/experiments/search`,
      { view_type: 'ALL', max_results: 1000, order_by: ['experiment_id'], ...(token && { page_token: token }) },
    )
    return { items: reply.experiments ?? [], token: reply.next_page_token }
  })

export const runPages = (client: Client, experiment_id: string) =>
  pages(async (token) => {
    const reply = await client.post<{ runs?: WireRun[]; next_page_token?: string }>(`${MLFLOW}/runs/search`, {
      experiment_ids: [experiment_id],
      run_view_type: 'ALL',
      max_results: 500,
      ...(token && { page_token: token }),
    })
    return { items: reply.runs ?? [], token: reply.next_page_token }
  })

export interface WireMetric {
  step?: number | string
  timestamp: number | string
  value: number | string
}

export const historyPages = (client: Client, run_id: string, metric_key: string) =>
  pages(async (token) => {
    const query = new URLSearchParams({ run_id, metric_key, max_results: '25000', ...(token && { page_token: token }) })
    const reply = await client.get<{ metrics?: WireMetric[]; next_page_token?: string }>(
      `${MLFLOW}/metrics/get-history?${query}`,
    )
    return { items: reply.metrics ?? [], token: reply.next_page_token }
  })

export const modelPages = (client: Client, experiment_id: string) =>
  pages(async (token) => {
    const reply = await client.post<{ models?: Record<string, never>[]; next_page_token?: string }>(
      `${MLFLOW}/logged-models/search`,
      { experiment_ids: [experiment_id], max_results: 50, ...(token && { page_token: token }) },
    )
    return { items: reply.models ?? [], token: reply.next_page_token }
  })

export interface WireRegistered {
  name: string
  aliases?: { alias: string; version: string }[]
}

export const registeredPages = (client: Client) =>
  pages(async (token) => {
    const query = new URLSearchParams({ max_results: '100', ...(token && { page_token: token }) })
    const reply = await client.get<{ registered_models?: WireRegistered[]; next_page_token?: string }>(
      `${MLFLOW}/registered-models/search?${query}`,
    )
    return { items: reply.registered_models ?? [], token: reply.next_page_token }
  })

export const versionPages = (client: Client, name: string) =>
  pages(async (token) => {
    const filter = `name = '${name.replaceAll("'", "''")}'`
    const query = new URLSearchParams({ filter, max_results: '1000', ...(token && { page_token: token }) })
    const reply = await client.get<{ model_versions?: object[]; next_page_token?: string }>(
      `${MLFLOW}/model-versions/search?${query}`,
    )
    return { items: reply.model_versions ?? [], token: reply.next_page_token }
  })
