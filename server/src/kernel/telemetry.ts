import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { assert } from './errors.ts'

/** Label sets of one metric; what comes after them is counted under `other`, so that no caller can fill the memory. */
export const SERIES_MAX = 1_000
const OTHER = 'other'
const LOOP_RESOLUTION_MS = 20
const QUANTILES = [0.5, 0.99, 0.999]

export type Labels<L extends string> = Readonly<Record<L, string>>

interface Spec<L extends string> {
  /** Without `slipway_`, which is put before it. Ends in its unit: `_seconds`, `_bytes`, `_total`. */
  name: string
  help: string
  labels?: readonly L[]
}

export interface CounterMetric<L extends string> {
  add(labels: Labels<L>, by?: number): void
}
export interface GaugeMetric<L extends string> {
  set(labels: Labels<L>, value: number): void
  /** Takes a label set out, when what it spoke of is gone. */
  remove(labels: Labels<L>): void
}
export interface HistogramMetric<L extends string> {
  observe(labels: Labels<L>, value: number): void
}

export interface Telemetry {
  counter<L extends string = never>(spec: Spec<L>): CounterMetric<L>
  /** With `read`, its value is asked for at each scrape. */
  gauge<L extends string = never>(spec: Spec<L> & { read?: () => number | Promise<number> }): GaugeMetric<L>
  histogram<L extends string = never>(spec: Spec<L> & { buckets: readonly number[] }): HistogramMetric<L>
  /** The text of /metrics. */
  text(): Promise<string>
  readonly content_type: string
  /** Longest delay of the event loop since the last call, milliseconds; for tests and `slipway doctor`. */
  loopDelayMax(): number
  stop(): void
}

/** Metrics in a registry of their own: two servers in one process do not meet. A name asked for twice is one metric. */
export function createTelemetry(): Telemetry {
  const registry = new Registry()
  const made = new Map<string, { kind: string; labels: readonly string[]; metric: unknown }>()
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  addProcessMetrics(registry, loop)

  const once = <T>(kind: string, { name, labels = [] }: Spec<string>, make: () => T): T => {
    const known = made.get(name)
    if (!known) {
      const metric = make()
      made.set(name, { kind, labels, metric })
      return metric
    }
    assert(known.kind === kind && known.labels.join() === labels.join(), `metric ${name} is declared in two ways`)
    return known.metric as T
  }

  const base = <L extends string>({ name, help, labels = [] }: Spec<L>) => ({
    name: `slipway_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  })

  return {
    counter: (spec) =>
      once('counter', spec, () => {
        const counter = new Counter<string>(base(spec))
        const bound = bounder(spec.labels ?? [])
        return { add: (labels, by = 1) => counter.inc(bound(labels), by) }
      }),

    gauge: (spec) =>
      once('gauge', spec, () => {
        const { read } = spec
        const gauge = new Gauge<string>({
          ...base(spec),
          ...(read && {
            async collect() {
              this.set(await read())
            },
          }),
        })
        const bound = bounder(spec.labels ?? [])
        return {
          set: (labels, value) => gauge.set(bound(labels), value),
          remove: (labels) => {
            gauge.remove(bound(labels))
            bound.forget(labels)
          },
        }
      }),

    histogram: (spec) =>
      once('histogram', spec, () => {
        const histogram = new Histogram<string>({ ...base(spec), buckets: [...spec.buckets] })
        const bound = bounder(spec.labels ?? [])
        return { observe: (labels, value) => histogram.observe(bound(labels), value) }
      }),

    text: () => registry.metrics(),
    content_type: registry.contentType,
    loopDelayMax() {
      const max_ms = loop.max / 1e6
      loop.reset()
      return max_ms
    },
    stop: () => loop.disable(),
  }
}

/** Lets the first SERIES_MAX label sets through as they are. */
function bounder(names: readonly string[]) {
  const seen = new Set<string>()
  const keyOf = (labels: Readonly<Record<string, string>>) => names.map((name) => labels[name]).join('\n')
  const bound = (labels: Readonly<Record<string, string>>): Record<string, string> => {
    const key = keyOf(labels)
    if (names.length === 0 || seen.has(key)) return labels
    if (seen.size < SERIES_MAX) {
      seen.add(key)
      return labels
    }
    return Object.fromEntries(names.map((name) => [name, OTHER]))
  }
  return Object.assign(bound, { forget: (labels: Readonly<Record<string, string>>) => seen.delete(keyOf(labels)) })
}

/** The names that Prometheus dashboards know, and how late the event loop runs. */
function addProcessMetrics(registry: Registry, loop: ReturnType<typeof monitorEventLoopDelay>): void {
  const started_s = Date.now() / 1000 - process.uptime()
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  gauge('process_start_time_seconds', 'Start time of the process since the epoch', () => started_s)
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  gauge('nodejs_external_memory_bytes', 'Memory of buffers and native objects', () => process.memoryUsage().external)
  let cpu_s = 0
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage()
      const now_s = (user + system) / 1e6
      this.inc(Math.max(0, now_s - cpu_s))
      cpu_s = now_s
    },
  })
  new Gauge({
    name: 'slipway_event_loop_delay_seconds',
    help: 'Delay of the event loop since the last scrape',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of QUANTILES) this.set({ quantile: String(quantile) }, loop.percentile(quantile * 100) / 1e9)
      this.set({ quantile: '1' }, loop.max / 1e9)
      loop.reset()
    },
  })
}
