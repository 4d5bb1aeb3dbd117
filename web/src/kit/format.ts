/** How numbers, sizes, spans and times are written, everywhere the same. Nothing known is an en dash. */

export const NONE = '–'
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const known = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && Number.isFinite(value)

export const count = (value: number | null | undefined): string => (known(value) ? whole.format(value) : NONE)

/** A count in few letters: 1,234 · 12.3k · 4.56M. */
export function short(value: number | null | undefined): string {
  if (!known(value)) return NONE
  const size = Math.abs(value)
  if (size < 10_000) return whole.format(value)
  const [scaled, unit] = size < 1e6 ? [value / 1e3, 'k'] : size < 1e9 ? [value / 1e6, 'M'] : [value / 1e9, 'G']
  return `${Number(scaled.toPrecision(3))}${unit}`
}

/** A measure: as many digits as can be told apart, never a long tail. */
export function measure(value: number | string | null | undefined): string {
  if (typeof value === 'string') return value
  if (!known(value)) return NONE
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e7) return whole.format(value)
  if (size >= 1e7 || size < 1e-4) return value.toExponential(2)
  return size >= 1000 ? whole.format(value) : size >= 10 ? value.toFixed(2) : value.toFixed(4)
}

export const signed = (value: number | null | undefined, digits = 4): string =>
  known(value) ? `${value > 0 ? '+' : value < 0 ? '−' : '±'}${Math.abs(value).toFixed(digits)}` : NONE

export function percent(share: number | null | undefined, digits?: number): string {
  if (!known(share)) return NONE
  const value = share * 100
  const places = digits ?? (Math.abs(value) >= 10 || Number.isInteger(value) ? 0 : Math.abs(value) >= 1 ? 1 : 2)
  return `${value.toFixed(places)} %`
}

export function bytes(value: number | null | undefined): string {
  if (!known(value)) return NONE
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  let left = value
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000
    at++
  }
  return `${at === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${units[at]}`
}

/** Milliseconds of work: 0.84 ms · 312 ms · 4.2 s · 3 min 10 s · 2 h 5 min · 3 d 4 h. */
export function span(ms: number | null | undefined): string {
  if (!known(ms)) return NONE
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = ms / 1000
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`
  const parts: [number, string][] =
    s < 3600
      ? [
          [Math.floor(s / 60), 'min'],
          [Math.floor(s % 60), 's'],
        ]
      : s < 86_400
        ? [
            [Math.floor(s / 3600), 'h'],
            [Math.floor((s % 3600) / 60), 'min'],
          ]
        : [
            [Math.floor(s / 86_400), 'd'],
            [Math.floor((s % 86_400) / 3600), 'h'],
          ]
  return parts
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number) => String(value).padStart(2, '0')

/** Event time, always UTC: 14 Aug 2013, with the hour when it is not midnight. */
export function day(ms: number | null | undefined, withTime = false): string {
  if (!known(ms)) return NONE
  const at = new Date(ms)
  const date = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
  return withTime ? `${date} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}` : date
}
export const dayShort = (ms: number): string => `${new Date(ms).getUTCDate()} ${MONTHS[new Date(ms).getUTCMonth()]}`

/** In full, with its zone, for hovering. */
export function exact(ms: number): string {
  const at = new Date(ms)
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  return `${at.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'medium' })} ${zone}\n${at.toISOString()}`
}

/** 4 s ago · 12 min ago · yesterday 14:05 · 3 Mar 09:12. */
export function ago(ms: number, now: number): string {
  const s = Math.round((now - ms) / 1000)
  if (s < -5) return `in ${span(-s * 1000)}`
  if (s < 5) return 'just now'
  if (s < 60) return `${s} s ago`
  if (s < 3600) return `${Math.floor(s / 60)} min ago`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`
  if (s < 7 * 86_400) return `${Math.floor(s / 86_400)} d ago`
  const at = new Date(ms)
  const year = at.getFullYear() === new Date(now).getFullYear() ? '' : ` ${at.getFullYear()}`
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year}`
}

/** The part of an id or digest that people compare: `rel_…9f3a`, `sha256 1c9f03ab`. */
export function shortId(id: string): string {
  const digest = /^(sha256):([0-9a-f]{8})/.exec(id)
  if (digest) return digest[2]!
  const ours = /^([a-z]{3})_([0-9a-f]{32})(\.\d+)?$/.exec(id)
  if (ours) return `${ours[1]}_…${ours[2]!.slice(-6)}${ours[3] ?? ''}`
  const logged = /^m-([0-9a-f]{32})$/.exec(id)
  if (logged) return `m-…${logged[1]!.slice(-6)}`
  return /^[0-9a-f]{32,64}$/.test(id) ? id.slice(0, 8) : id
}

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`
