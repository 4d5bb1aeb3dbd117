/** Ids of many runs in an address: 500 of them still fit what servers and proxies take as one (16 KiB). */

const HEX = /^[0-9a-f]{32}$/
/** Up to here the ids stay readable. */
const PLAIN_MAX = 12
/** 16 bytes in base64url. */
const PACKED_CHARS = 22

const packOne = (hex: string): string => {
  const bytes = hex.match(/../g)!.map((pair) => String.fromCharCode(Number.parseInt(pair, 16)))
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').slice(0, PACKED_CHARS)
}

const unpackOne = (packed: string): string => {
  const bytes = atob(packed.replaceAll('-', '+').replaceAll('_', '/'))
  return [...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

/** Comma-separated while they are few; else a dot and 22 characters for each. */
export function packRuns(ids: readonly string[]): string {
  if (ids.length <= PLAIN_MAX || !ids.every((id) => HEX.test(id))) return ids.join(',')
  return `.${ids.map(packOne).join('')}`
}

/** What `packRuns` wrote, each id once; what cannot be read is left out. */
export function unpackRuns(text: string): string[] {
  if (!text.startsWith('.')) return [...new Set(text.split(',').filter(Boolean))]
  const packed = text.slice(1).match(/[\w-]{22}/g) ?? []
  return [...new Set(packed.map(unpackOne).filter((id) => HEX.test(id)))]
}
