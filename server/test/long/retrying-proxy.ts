/**
 * Stands before a server that is killed and started again, so that a driver which knows nothing of that may go on: each request
 * is sent until somebody answers it. What was answered is told, for whoever looks later whether it is still there.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { Pool } from 'undici'

/** A server that is away longer is not coming back. */
const AWAY_MS_MAX = 120_000
const AGAIN_MS = 50
/** Of the connection, not of the message. */
const HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'date']

export interface Answered {
  method: string
  path: string
  request: Buffer
  status: number
  headers: Record<string, string | string[] | undefined>
  /** When the whole answer was here. */
  at_ms: number
}

export interface RetryingProxy {
  url: string
  /** Requests that had to be sent again. */
  readonly repeated: number
  close(): Promise<void>
}

export async function startRetryingProxy(
  upstream: string,
  onAnswered: (answer: Answered) => void,
): Promise<RetryingProxy> {
  const pool = new Pool(upstream, { connections: 32, headersTimeout: 0, bodyTimeout: 0 })
  let repeated = 0

  const ask = async (method: string, path: string, headers: Record<string, string>, body: Buffer) => {
    const answer = await pool.request({ method, path, headers, ...(body.length > 0 && { body }) })
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) }
  }
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request)
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string' && !HOP.includes(entry[0]),
      ),
    )
    const [method, path] = [request.method!, request.url!]
    const deadline = Date.now() + AWAY_MS_MAX
    for (let first = true; ; first = false) {
      if (!first) {
        repeated += 1
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
      const answer = await ask(method, path, headers, body).catch((error: Error) => error)
      const late = Date.now() > deadline
      if (answer instanceof Error) {
        if (!late) continue
        response.writeHead(502).end(answer.message)
        return
      }
      // On its way down, or up again and its models not loaded yet.
      if (answer.status === 503 && !late) continue
      onAnswered({ method, path, request: body, status: answer.status, headers: answer.headers, at_ms: Date.now() })
      const kept = Object.entries(answer.headers).filter(([name]) => !HOP.includes(name))
      response.writeHead(answer.status, Object.fromEntries(kept) as Record<string, string>).end(answer.body)
      return
    }
  }

  const server = createServer((request, response) => {
    pass(request, response).catch((error: Error) => response.destroy(error))
  })
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get repeated() {
      return repeated
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await pool.destroy()
    },
  }
}
