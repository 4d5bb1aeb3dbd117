const DURATION = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const BYTES = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
} as const

/** `250ms`, `90s`, `10m`, `2h`, `14d`, `1w` as milliseconds; throws a plain Error that finishes the sentence "… is". */
export function readDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim())
  if (!match) throw new Error('is not a duration such as 250ms, 90s, 10m, 2h or 14d')
  return Math.round(Number(match[1]) * DURATION[match[2] as keyof typeof DURATION])
}

/** `512MB`, `3GiB`, `1000` as bytes. */
export function readBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?$/i.exec(text.trim())
  if (!match) throw new Error('is not a size such as 512MB or 3GiB')
  return Math.round(Number(match[1]) * BYTES[(match[2] ?? 'b').toLowerCase() as keyof typeof BYTES])
}

export function showDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${+(ms / 1000).toFixed(1)}s`
  if (ms < 3_600_000) return `${+(ms / 60_000).toFixed(1)}m`
  if (ms < 86_400_000) return `${+(ms / 3_600_000).toFixed(1)}h`
  return `${+(ms / 86_400_000).toFixed(1)}d`
}
