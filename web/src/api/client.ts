import createClient from 'openapi-fetch'
import type { paths } from './schema.d.ts'

/** What a request was refused for, in the words of the server (RFC 9457). */
export class ApiProblem extends Error {
  readonly status: number
  /** One of the closed list: `invalid`, `conflict`, `not-found`, … */
  readonly problem: string
  readonly field: string | undefined
  readonly remedy: string | undefined
  readonly facts: Record<string, unknown> | undefined

  constructor(status: number, body: Partial<ProblemBody>) {
    super(body.detail ?? `the server answered ${status}`)
    this.name = 'ApiProblem'
    this.status = status
    this.problem = body.title ?? 'internal'
    this.field = body.field
    this.remedy = body.remedy
    this.facts = body.facts
  }
}

interface ProblemBody {
  title: string
  detail: string
  field: string
  remedy: string
  facts: Record<string, unknown>
}

/**
 * Our API, typed by server/openapi.json: `const { data } = await api.GET('/api/slipway/v1/audit', { params })`. `data` is
 * there whenever the call resolves: what is refused or unreachable throws an ApiProblem (status 0 when nobody answered).
 */
export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' })

api.use({
  async onResponse({ response }) {
    if (response.ok) return
    throw new ApiProblem(response.status, (await response.json().catch(() => ({}))) as Partial<ProblemBody>)
  },
  onError({ error }) {
    if (error instanceof ApiProblem) return error
    return new ApiProblem(0, { detail: 'the server does not answer', remedy: 'Is it running?', title: 'unavailable' })
  },
})
