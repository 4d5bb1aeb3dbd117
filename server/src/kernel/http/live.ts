import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { DomainError } from '../errors.ts'
import { callerOf, stillMay } from './route.ts'

/** Longest silence on a live stream: proxies close what says nothing for a minute. */
const PING_MS = 15_000
/** How often a stream asks whether its reader may still read: a right that is gone ends it within this. */
const CHECK_MS = 5_000
/** Streams of one server, and of one caller: an open page holds one or two. */
const STREAMS_MAX = 1_000
const STREAMS_OF_ONE_MAX = 100
/** Bytes that wait for a reader that does not keep up. */
const BEHIND_BYTES_MAX = 1 << 20
/** How long the end of a stream may take to reach its reader when the server stops. */
const FAREWELL_MS = 500

/** Open streams of each server, with whose they are. */
const streams = new WeakMap<object, Map<ServerResponse, string>>()

const streamsOf = (app: FastifyInstance): Map<ServerResponse, string> => {
  const open = streams.get(app.server) ?? new Map<ServerResponse, string>()
  streams.set(app.server, open)
  return open
}

/** Ends all live streams when the server is about to close, which waits for open answers: readers come back by themselves. */
export function endLiveStreams(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    for (const raw of streamsOf(app).keys()) {
      raw.end()
      setTimeout(() => raw.destroy(), FAREWELL_MS).unref()
    }
  })
}

/**
 * Server-sent events. `start` gets a way to send and answers how to stop; the stream ends when the reader leaves, loses the
 * right to read, falls far behind, or the server stops. Throws too-many when there are too many streams.
 */
export function liveReply(
  reply: FastifyReply,
  start: (send: (event: string, data: unknown) => void) => () => void,
): FastifyReply {
  const open = streamsOf(reply.server)
  const who = callerOf(reply.request)
  const key = who ? `${who.kind} ${who.id}` : ''
  if (open.size >= STREAMS_MAX || [...open.values()].filter((each) => each === key).length >= STREAMS_OF_ONE_MAX)
    throw new DomainError('too-many', 'too many live streams are open', { remedy: 'Close some pages, then try again.' })
  const { raw } = reply.hijack()
  // A reader that left while its right was looked up tells nobody of it again.
  if (isGone(reply.request.raw, raw)) return reply
  open.set(raw, key)
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'close',
  })
  raw.write(': hello\n\n')
  // A reader that does not keep up is let go: it comes back and refetches.
  const send = (event: string, data: unknown) => {
    if (raw.writableLength > BEHIND_BYTES_MAX) raw.destroy()
    else if (!raw.writableEnded) raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const stop = start(send)
  const ping = setInterval(() => {
    if (!raw.writableEnded) raw.write(': ping\n\n')
  }, PING_MS)
  const check = setInterval(async () => {
    if (!(await stillMay(reply.request))) raw.end()
  }, CHECK_MS)
  raw.on('close', () => {
    open.delete(raw)
    clearInterval(ping)
    clearInterval(check)
    stop()
  })
  return reply
}

const isGone = (request: IncomingMessage, raw: ServerResponse) =>
  raw.destroyed || raw.closed || request.socket.destroyed
