import { DomainError, PROBLEMS, type Problem } from '#kernel/errors.ts'

export interface Client {
  readonly url: string
  get<T = unknown>(path: string): Promise<T>
  post<T = unknown>(path: string, body?: unknown): Promise<T>
  put<T = unknown>(path: string, body: unknown): Promise<T>
  /** Sends raw bytes, streamed. */
  upload<T = unknown>(path: string, body: ReadableStream<Uint8Array> | Uint8Array): Promise<T>
  /** The bare answer, for streams. */
  open(path: string, signal?: AbortSignal): Promise<Response>
}

export interface ClientOptions {
  url: string
  token?: string | undefined
  workspace?: string | undefined
}

/** Longest wait for an ordinary answer. Uploads and streams have none: they end when the connection does. */
const ANSWER_MS = 60_000

/** Talks to a running server. Every failure becomes a DomainError with the server's own words. */
export function createClient(options: ClientOptions): Client {
  const base = options.url.replace(/\/+$/, '')
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(options.token && { authorization: `Bearer ${options.token}` }),
    ...(options.workspace && { 'slipway-workspace': options.workspace }),
  }

  const call = async (path: string, init: RequestInit & { duplex?: 'half' }): Promise<Response> => {
    let response: Response
    try {
      response = await fetch(base + path, {
        ...init,
        headers: { ...headers, ...(init.headers as Record<string, string>) },
      })
    } catch (error) {
      const reason = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message
      throw new DomainError('unavailable', `no Slipway answers at ${base} (${reason})`, {
        remedy: 'Start it with `slipway up`, or name another with --url or SLIPWAY_URL.',
      })
    }
    if (!response.ok) throw await problemOf(response)
    return response
  }
  const json = async <T>(path: string, init: RequestInit): Promise<T> =>
    (await (await call(path, { ...init, signal: AbortSignal.timeout(ANSWER_MS) })).json()) as T
  const withBody = (method: string, body: unknown): RequestInit =>
    body === undefined
      ? { method }
      : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }

  return {
    url: base,
    get: (path) => json(path, { method: 'GET' }),
    post: (path, body) => json(path, withBody('POST', body ?? {})),
    put: (path, body) => json(path, withBody('PUT', body)),
    async upload(path, body) {
      const response = await call(path, {
        method: 'PUT',
        body: body as NonNullable<RequestInit['body']>,
        duplex: 'half',
        headers: { 'content-type': 'application/octet-stream' },
      })
      return (await response.json()) as never
    },
    open: (path, signal) => call(path, { method: 'GET', ...(signal && { signal }) }),
  }
}

async function problemOf(response: Response): Promise<DomainError> {
  const body = (await response.json().catch(() => ({}))) as {
    title?: string
    detail?: string
    field?: string
    remedy?: string
    facts?: Record<string, unknown>
  }
  const problem: Problem =
    body.title !== undefined && body.title in PROBLEMS
      ? (body.title as Problem)
      : response.status >= 500
        ? 'internal'
        : 'invalid'
  return new DomainError(problem, body.detail ?? `${response.status} ${response.statusText}`, {
    ...(body.field !== undefined && { field: body.field }),
    ...(body.remedy !== undefined && { remedy: body.remedy }),
    ...(body.facts !== undefined && { facts: body.facts }),
  })
}
