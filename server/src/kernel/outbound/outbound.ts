import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Agent, Dispatcher } from 'undici'
import { DomainError, invalid } from '../errors.ts'
import type { Log } from '../log.ts'
import { reachOf } from './addresses.ts'
import type { Outbound, OutboundAnswer, OutboundRequest } from './index.ts'

const TIMEOUT_MS = 10_000
const TIMEOUT_MS_MAX = 10 * 60_000
const ANSWER_BYTES_MAX = 1024 * 1024
const BODY_BYTES_MAX = 64 * 1024 * 1024
const HEADER_BYTES_MAX = 32 * 1024
const ADDRESSES_MAX = 20

/** Set by us or by the connection; a caller who could set them could speak to another host behind the same address. */
const OUR_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'keep-alive',
])

export interface OutboundOptions {
  /** `host:port` (an IPv6 address in brackets) that may be private, loopback or spoken to without TLS: the setting `outbound.allow`. */
  allow: readonly string[]
  log: Log
  /** Answers all addresses of a host name; for tests. */
  resolve?: (host: string) => Promise<string[]>
}

/** Loaded by the first call: it would be a sixth of the time to the first answer. */
const loadUndici = () => import('undici')

const systemResolve = async (host: string): Promise<string[]> =>
  (await systemLookup(host, { all: true, verbatim: true })).map(({ address }) => address)

interface Target {
  url: URL
  /** Every address that may be connected to; all of them were checked. */
  addresses: string[]
}

const PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' }

/** The list as URLs write it, so that `LocalHost:8080` and `[::0001]:80` are found. Throws invalid naming the entry. */
function readAllowed(allow: readonly string[]): Set<string> {
  return new Set(
    allow.map((entry) => {
      const at = entry.lastIndexOf(':')
      const port = entry.slice(at + 1)
      const host = entry.slice(0, at)
      const url = URL.parse(`http://${host}/`)
      if (at < 1 || !/^\d{1,5}$/.test(port) || !url || url.host !== url.hostname || url.pathname !== '/') {
        throw invalid(`"${entry}" in outbound.allow is not host:port`, {
          field: 'outbound.allow',
          remedy: 'write a host name or address and a port, such as hooks.intern:8443 or [::1]:9000',
        })
      }
      return `${url.hostname}:${Number(port)}`
    }),
  )
}

export function createOutbound({ allow, log, resolve = systemResolve }: OutboundOptions): Outbound {
  const allowed = readAllowed(allow)

  const parse = (text: string): URL => {
    const url = URL.parse(text)
    if (!url || !(url.protocol in PORTS)) {
      throw invalid(`"${text.slice(0, 200)}" is no http or https address`, {
        field: 'url',
        remedy: 'write https://host/path',
      })
    }
    if (url.username || url.password) {
      throw invalid('the address carries a user name or password', {
        field: 'url',
        remedy: 'send them in an authorization header',
      })
    }
    return url
  }

  const addressesOf = async (host: string, signal: AbortSignal): Promise<string[]> => {
    const literal = host.startsWith('[') ? host.slice(1, -1) : host
    if (isIP(literal)) return [literal]
    try {
      return (await orAborted(resolve(host), signal)).slice(0, ADDRESSES_MAX)
    } catch (cause) {
      if (signal.aborted) throw cause
      throw new DomainError('unavailable', `the address of ${host} could not be found`, {
        cause,
        remedy: 'check the host name',
      })
    }
  }

  const target = async (text: string, signal: AbortSignal): Promise<Target> => {
    const url = parse(text)
    const entry = `${url.hostname}:${url.port || PORTS[url.protocol]}`
    const listed = allowed.has(entry)
    const forbidden = (why: string, remedy: string) =>
      new DomainError('forbidden', `no call to ${entry}: ${why}`, { field: 'url', remedy })
    const list_it = `an admin can add ${entry} to outbound.allow`
    if (url.protocol === 'http:' && !listed) throw forbidden('it is not encrypted', `use https, or ${list_it}`)
    const addresses = await addressesOf(url.hostname, signal)
    if (addresses.length === 0) throw new DomainError('unavailable', `${url.hostname} has no address`)
    const reaches = new Set(addresses.map(reachOf))
    if (reaches.has('never'))
      throw forbidden('link-local and cloud metadata addresses are never called', 'name another address')
    if (reaches.has('private') && !listed) throw forbidden('it is a private or loopback address', list_it)
    return { url, addresses }
  }

  const within = async <T>(
    request: Pick<OutboundRequest, 'timeout_ms' | 'signal'>,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const timeout_ms = Math.min(Math.max(request.timeout_ms ?? TIMEOUT_MS, 1), TIMEOUT_MS_MAX)
    const timer = AbortSignal.timeout(timeout_ms)
    const signal = request.signal ? AbortSignal.any([request.signal, timer]) : timer
    try {
      signal.throwIfAborted()
      return await work(signal)
    } catch (error) {
      if (error instanceof DomainError) throw error
      if (request.signal?.aborted) throw request.signal.reason
      if (timer.aborted) throw new DomainError('unavailable', `no answer within ${timeout_ms} ms`)
      throw new DomainError('unavailable', `the call failed: ${reasonOf(error)}`, { cause: error })
    }
  }

  return {
    send: (request) =>
      within(request, async (signal) => {
        const { url, addresses } = await target(request.url, signal)
        const agent = await pinnedAgent(addresses)
        try {
          return await exchange(agent, url, request, signal)
        } finally {
          agent.destroy().catch((error) => log.debug({ err: error }, 'a connection did not close'))
        }
      }),

    check: (url) => within({}, async (signal) => void (await target(url, signal))),
  }
}

/** Connects to the checked addresses alone: whatever the name resolves to a moment later is not asked. */
async function pinnedAgent(addresses: readonly string[]): Promise<Agent> {
  const { Agent } = await loadUndici()
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  return new Agent({
    connections: 1,
    pipelining: 1,
    maxHeaderSize: HEADER_BYTES_MAX,
    connect: {
      lookup: (_host, options, answer) => {
        if (options.all) answer(null, found)
        else answer(null, found[0]!.address, found[0]!.family)
      },
    },
  })
}

async function exchange(
  agent: Dispatcher,
  url: URL,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const { method = 'GET', headers = {}, body, answer_bytes_max = ANSWER_BYTES_MAX } = request
  for (const name of Object.keys(headers)) {
    if (OUR_HEADERS.has(name.toLowerCase())) throw invalid(`the header ${name} cannot be set`, { field: 'headers' })
  }
  if (body !== undefined && Buffer.byteLength(body) > BODY_BYTES_MAX) {
    throw new DomainError('too-large', `the body is larger than ${BODY_BYTES_MAX} bytes`, { field: 'body' })
  }
  const { request: send } = await loadUndici()
  const answer = await send(url, { dispatcher: agent, method, headers, body: body ?? null, signal })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > answer_bytes_max) {
      throw new DomainError('too-large', `the answer of ${url.host} is larger than ${answer_bytes_max} bytes`)
    }
    chunks.push(chunk)
  }
  const flat = Object.entries(answer.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return { status: answer.statusCode, headers: Object.fromEntries(flat), body: Buffer.concat(chunks) }
}

/** A look-up cannot be called off, so its caller stops waiting. */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
}

const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
