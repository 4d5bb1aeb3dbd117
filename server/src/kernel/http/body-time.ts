import type { IncomingMessage } from 'node:http'

/**
 * How long a body may take to arrive. Node's own limit counts for whole requests on a whole server, and an upload of a
 * large file may rightly take an hour: here small bodies have a time, and uploads of known callers must only keep coming.
 */
export const BODY_MS_MAX = 60_000
export const UPLOAD_IDLE_MS_MAX = 120_000

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>()

/** Cuts the connection when the body is not here in time. Called before anybody asks who sends it. */
export function expectBody(request: IncomingMessage, limit_ms = BODY_MS_MAX): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  if ((length === undefined || length === '0') && encoding === undefined) return
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, limit_ms)
  timers.set(request, timer.unref())
}

/** The body is here, or is read as it comes by somebody who watches it. */
export function bodyArrived(request: IncomingMessage): void {
  clearTimeout(timers.get(request))
  timers.delete(request)
}

/** A known caller's upload: as long as it likes, as long as something comes. */
export function expectUpload(request: IncomingMessage, idle_ms = UPLOAD_IDLE_MS_MAX): void {
  if (!timers.has(request)) return
  bodyArrived(request)
  const { socket } = request
  let seen_bytes = socket.bytesRead
  const timer = setInterval(() => {
    if (request.complete || socket.destroyed) return clearInterval(timer)
    if (socket.bytesRead === seen_bytes) socket.destroy()
    seen_bytes = socket.bytesRead
  }, idle_ms).unref()
}
