import type { FastifyReply } from 'fastify'

/** Longest silence on a live stream: proxies close what says nothing for a minute. */
const PING_MS = 15_000

/** Server-sent events. `start` gets a way to send and answers how to stop; the stream ends when the reader leaves. */
export function liveReply(
  reply: FastifyReply,
  start: (send: (event: string, data: unknown) => void) => () => void,
): FastifyReply {
  const { raw } = reply.hijack()
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  raw.write(': hello\n\n')
  // A reader that does not keep up is let go: it comes back and refetches.
  const send = (event: string, data: unknown) => {
    if (raw.writableLength > 1 << 20) raw.destroy()
    else raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const stop = start(send)
  const ping = setInterval(() => raw.write(': ping\n\n'), PING_MS)
  raw.on('close', () => {
    clearInterval(ping)
    stop()
  })
  return reply
}
