/** For tests: monitoring over a real prediction log, with traffic that the test makes up. */
import type { EventRecord } from '#kernel/events/index.ts'
import { silentLog } from '#kernel/log.ts'
import { createOutbound } from '#kernel/outbound/index.ts'
import { openKernel, person } from '#kit/kernel.ts'
import type { OpenTestStore } from '#kit/store.ts'
import { createDatasets, datasetsMigrations } from '#slices/datasets'
import { createMonitoring, type MonitorSpec, monitoringMigrations } from '#slices/monitoring'
import { type EndpointSpec, type PredictionRecord, servingMigrations } from '#slices/serving'
import { createPredictionLog } from '../../src/slices/serving/prediction-log/log.ts'

export const ada = person()
export const DAY = 86_400_000
/** A Monday. */
export const START = Date.UTC(2013, 3, 1)

export interface Row {
  /** Event time, days after START. */
  day: number
  score?: number | null
  answer?: string
  version?: number
  status?: PredictionRecord['status']
  features?: PredictionRecord['features']
}

export async function openTraffic(open: OpenTestStore, hooks: readonly string[] = []) {
  const catalog = new URL('./monitoring-catalog.ts', import.meta.url)
  const kernel = await openKernel(
    (options) => open({ ...options, catalog }),
    [datasetsMigrations, servingMigrations, monitoringMigrations],
  )
  const { store, clock, ids, dir } = kernel
  const log = await createPredictionLog({ ...kernel, dir: `${dir}/predictions`, interval_ms: 5, log: silentLog })
  const datasets = createDatasets(kernel)
  const endpoints = new Map<string, EndpointSpec>()
  const marks = new Map<string, number>()
  const training = new Map<number, string>()
  const failing = new Set<number>()
  const monitoring = createMonitoring({
    ...kernel,
    log: silentLog,
    outbound: createOutbound({ allow: hooks, log: silentLog }),
    datasets,
    secret: Buffer.from('the root of secrets'),
    settings: { dir },
    trainingData: async (_sql, _workspace, _model, version) =>
      training.has(version) ? [{ id: training.get(version)! }] : [],
    serving: {
      predictions: async (workspace, endpoint, range) => {
        if (range?.from_ms !== undefined && failing.has(range.from_ms)) throw new Error('the disk is gone')
        return log.files(workspace, endpoint, range)
      },
      watermark: async (_sql, _workspace, endpoint) => marks.get(endpoint),
      getEndpoint: async (_sql, workspace, name) => ({
        workspace,
        name,
        project: 'p',
        model: 'm',
        alias: 'champion',
        spec: endpoints.get(name)!,
        created_ms: 0,
        updated_ms: 0,
      }),
    },
  })
  await kernel.jobs.start()
  await kernel.events.start()

  return {
    ...kernel,
    monitoring,
    datasets,
    training,
    /** Starts of windows whose predictions cannot be read. */
    failing,
    setEndpoint: (name: string, spec: Partial<EndpointSpec> = {}) =>
      endpoints.set(name, { model: 'm', task: 'binary', threshold: 0.5, ...spec }),
    apply: (name: string, spec: MonitorSpec) =>
      store.write((tx) => monitoring.applyMonitor(tx, ada, { project: 'p', name, spec })),
    /** Logs rows; answers their ids. The log's features are those of the first row ever. */
    async predict(endpoint: string, rows: readonly Row[]): Promise<string[]> {
      const features = Object.fromEntries(
        Object.entries(rows[0]?.features ?? {}).map(([name, value]) => [
          name,
          typeof value === 'string' ? 'VARCHAR' : 'DOUBLE',
        ]),
      )
      const made = rows.map((row) => {
        clock.advance(1)
        const { version = 1, score = 0.5 } = row
        const id = `${ids.next('prediction')}.0`
        log.writer.append(
          { workspace: 'w', endpoint, features },
          {
            id,
            event_ms: START + row.day * DAY,
            at_ms: clock.now(),
            latency_us: 2000,
            status: row.status ?? 'ok',
            revision: `rev_${version}`,
            version,
            answered_by: `rev_${version}`,
            answered_version: version,
            release: null,
            key: null,
            score,
            label: row.answer ?? null,
            output: null,
            inputs: null,
            error: null,
            features: row.features ?? {},
          },
        )
        return id
      })
      await log.writer.flush()
      return made
    },
    label: (labels: readonly { prediction: string; value: unknown; observed_at?: string }[]) =>
      store.command<{ accepted: number }>('monitoring.putLabels', monitoring.readLabels(ada, labels)),
    /** Days after START up to which the endpoint has been seen. */
    passed: (endpoint: string, day: number) => marks.set(endpoint, START + day * DAY),
    /** Looks until nothing is due and nothing changes any more; some time passes between two looks. */
    async settle() {
      for (let quiet = 0; quiet < 2; ) {
        clock.advance(10_000)
        await monitoring.look()
        await kernel.settled()
        const open = await store.read(
          async (sql) =>
            (await monitoring.due(sql, 'w')) > 0 ||
            (await sql.get("SELECT 1 AS one FROM monitor_window WHERE state = 'dirty' LIMIT 1")),
        )
        quiet = open ? 0 : quiet + 1
      }
    },
    windows: (monitor: string) => store.read((sql) => monitoring.windows(sql, 'w', monitor, 1000)),
    alerts: (monitor: string) => store.read((sql) => monitoring.alerts(sql, 'w', { monitor, limit: 100 })),
    told: async (name_prefix: string): Promise<EventRecord[]> =>
      (await store.read((sql) => kernel.events.list(sql, 'w', { name_prefix, limit: 100 }))).reverse(),
    async end() {
      await monitoring.stop()
      await log.stop()
      await kernel.close()
    },
  }
}
