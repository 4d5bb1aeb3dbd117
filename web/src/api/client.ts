import createClient from 'openapi-fetch'
import { base } from '../workspace.ts'
import type { paths } from './schema.d.ts'

/** What a request was refused for, in the words of the server (RFC 9457). */
export class ApiProblem extends Error {
  readonly status: number
  /** One of the closed list: `invalid`, `conflict`, `not-found`, … */
  readonly problem: string
  readonly field: string | undefined
  readonly remedy: string | undefined
  readonly facts: Record<string, unknown> | undefined
  readonly request_id: string | undefined

  constructor(status: number, body: Partial<ProblemBody>) {
    super(body.detail ?? `the server answered ${status}`)
    this.name = 'ApiProblem'
    this.status = status
    this.problem = body.title ?? 'internal'
    this.field = body.field
    this.remedy = body.remedy
    this.facts = body.facts
    this.request_id = body.request_id
  }
}

interface ProblemBody {
  title: string
  detail: string
  field: string
  remedy: string
  facts: Record<string, unknown>
  request_id: string
}

/**
 * Our API, typed by server/openapi.json: `const { data } = await api.GET('/api/slipway/v1/audit', { params })`. `data` is
 * there whenever the call resolves: what is refused or unreachable throws an ApiProblem (status 0 when nobody answered).
 */
export const api = createClient<paths>({ baseUrl: base, credentials: 'same-origin' })

api.use({
  async onResponse({ response }) {
    if (response.ok) return
    if (response.status === 401)
      location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`)
    throw new ApiProblem(response.status, (await response.json().catch(() => ({}))) as Partial<ProblemBody>)
  },
  onError({ error }) {
    if (error instanceof ApiProblem || (error as Error).name === 'AbortError') return error as Error
    return new ApiProblem(0, {
      detail: 'the server does not answer',
      remedy: 'Is it running? This page tries again by itself.',
      title: 'unavailable',
    })
  },
})

type Path = keyof paths & string
type Init = {
  params?: { path?: Record<string, unknown>; query?: Record<string, unknown> }
  body?: unknown
  signal?: AbortSignal
}

/**
 * A call whose reply the API's description does not shape yet: the address is checked, the shape is ours (types.ts).
 * Left-out query fields are left out.
 */
export async function ask<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: Path, init: Init = {}): Promise<T> {
  const call = api[method] as unknown as (path: string, init: Init) => Promise<{ data?: unknown }>
  return (await call(path, init)).data as T
}

/** Address of a route outside of `fetch`: downloads and live streams. */
export const address = (path: string, query: Record<string, string | number> = {}): string => {
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString()
  return `${base}/api/slipway/v1${path}${search && `?${search}`}`
}
