import type { FastifyReply, FastifyRequest } from 'fastify'
import { lookup } from 'mime-types'
import type { BlobRef, Blobs } from '#kernel/blobs/index.ts'

/** RFC 6266 and 5987: an ASCII name for everybody, the true one beside it when it is another. */
export function attachment(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const ascii =
    name
      .normalize('NFKD')
      .replace(/[^\x20-\x7e]/g, '')
      .replace(/["\\]/g, '_') || 'download'
  if (ascii === name)
    return /^[\w.!#$&+^`|~-]+$/.test(name) ? `attachment; filename=${name}` : `attachment; filename="${name}"`
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** Text a browser could run as a page of ours is sent as plain text. */
export function contentType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (/^(?:MLmodel|MLproject)$/.test(name) || /\.(?:ya?ml|txt|log|md|csv|py|conf|ini|cfg|toml)$/i.test(name))
    return 'text/plain'
  return lookup(name) || 'application/octet-stream'
}

type Range = { start: number; end: number }

/** One range as RFC 9110 writes it; `end` is the last byte. Undefined for none, null for one that cannot be met. */
export function parseRange(header: string | undefined, size: number): Range | null | undefined {
  const match = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const last = Number(match[2])
    return last === 0 || size === 0 ? null : { start: Math.max(0, size - last), end: size - 1 }
  }
  const start = Number(match[1])
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  return start >= size || end < start ? null : { start, end }
}

/** Streams a file as attachment: whole, one range of it, or 304 when the reader has it. Never shown in the browser. */
export async function sendArtifact(
  blobs: Pick<Blobs, 'open'>,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  ref: BlobRef,
): Promise<FastifyReply> {
  const etag = `"${ref.digest.replace(/^sha256:/, '')}"`
  reply
    .header('content-disposition', attachment(path))
    .header('x-content-type-options', 'nosniff')
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'no-cache')
    .header('etag', etag)
    .type(contentType(path))
  if (request.headers['if-none-match'] === etag) return reply.status(304).send()
  const conditional = request.headers['if-range']
  const wanted = conditional === undefined || conditional === etag ? request.headers.range : undefined
  const range = parseRange(wanted, ref.size_bytes)
  if (range === null) {
    return reply.status(416).header('content-range', `bytes */${ref.size_bytes}`).type('application/json').send('{}')
  }
  if (range === undefined) {
    const { stream } = await blobs.open(ref.digest)
    return reply.header('content-length', ref.size_bytes).send(stream)
  }
  const { stream } = await blobs.open(ref.digest, range)
  return reply
    .status(206)
    .header('content-range', `bytes ${range.start}-${range.end}/${ref.size_bytes}`)
    .header('content-length', range.end - range.start + 1)
    .send(stream)
}
