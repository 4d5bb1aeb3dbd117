import type { MetricColumns, MetricInput } from '#slices/tracking'
import type { Fields } from './fields.ts'
import { readMetric } from './wire.ts'

/** Fewer are read one by one. */
const COLUMNS_MIN = 5

/**
 * The metrics of a batch: by column when each is as the clients send them (key, value, timestamp, step in their JSON types and
 * nothing else), which is ten times as fast; else one by one, with everything else that is allowed, and refused as is fit.
 */
export function readMetrics(fields: Fields): { metrics: MetricInput[]; columns?: MetricColumns } {
  const entries = fields.entries('metrics')
  const columns = entries.length >= COLUMNS_MIN ? plainColumns(entries) : undefined
  return columns ? { metrics: [], columns } : { metrics: fields.list('metrics', readMetric) }
}

function plainColumns(entries: readonly unknown[]): MetricColumns | undefined {
  const keys = new Map<string, number>()
  const key = new Uint32Array(entries.length)
  const step = new Float64Array(entries.length)
  const at_ms = new Float64Array(entries.length)
  const value = new Float64Array(entries.length)
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]
    if (!isPlain(entry)) return undefined
    let known = keys.get(entry.key)
    if (known === undefined) {
      known = keys.size
      keys.set(entry.key, known)
    }
    key[at] = known
    step[at] = entry.step ?? 0
    at_ms[at] = entry.timestamp
    value[at] = entry.value
  }
  return { keys: [...keys.keys()], key, step, at_ms, value }
}

interface PlainMetric {
  key: string
  value: number
  timestamp: number
  step?: number
}

function isPlain(entry: unknown): entry is PlainMetric {
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return false
  for (const name in entry) {
    if (name !== 'key' && name !== 'value' && name !== 'timestamp' && name !== 'step') return false
  }
  const { key, value, timestamp, step } = entry as Record<string, unknown>
  return (
    typeof key === 'string' &&
    key !== '' &&
    typeof value === 'number' &&
    Number.isSafeInteger(timestamp) &&
    (step === undefined || Number.isSafeInteger(step))
  )
}
