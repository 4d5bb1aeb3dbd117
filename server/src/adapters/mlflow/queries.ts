/**
 * Reads whose answers may be megabytes: worded as JSON text beside the database, so that the thread that listens only
 * passes the text on. Loaded in the store's reader threads: nothing but types is imported from slices.
 */
import type { Sql } from '#kernel/store/index.ts'
import type { Experiment, Integer, LoggedModel, Metric, RunTexts, SearchPage } from '#slices/tracking'
import { double, experiment, loggedModel, run, runMetric } from './wire.ts'

/** An answer as text, open at its end: `{"runs":[…]`. The token of the next page is made by who has the secret. */
export interface OpenAnswer {
  text: string
  next?: unknown
}

interface HistoryColumns {
  key: string
  points: { step: Integer[]; at_ms: Integer[]; value: number[] }
  next?: unknown
}

type Read<A, R> = (sql: Sql, ask: A) => Promise<R>

/** The reads of slice tracking that this wire words; handed in by the catalogue. */
export interface TrackingReads {
  'tracking.searchExperiments': Read<never, SearchPage<Experiment>>
  'tracking.searchLoggedModels': Read<never, SearchPage<LoggedModel>>
  'tracking.historyColumns': Read<never, HistoryColumns>
  'tracking.bulkHistory': Read<never, (Metric & { run_id: string })[]>
  'tracking.intervalHistory': Read<never, (Metric & { run_id: string })[]>
}

const open = (name: string, value: unknown): string => `{"${name}":${JSON.stringify(value)}`

function pages<T>(name: string, read: Read<never, SearchPage<T>>, word: (item: T) => unknown): Read<never, OpenAnswer> {
  return async (sql, ask) => {
    const { items, next } = await read(sql, ask)
    return { text: open(name, items.map(word)), ...(next !== undefined && { next }) }
  }
}

/** Point by point as `metric` words them, put together as text: half the time of an object for each. */
function historyText(key: string, { step, at_ms, value }: HistoryColumns['points']): string {
  const head = `{"key":${JSON.stringify(key)},"value":`
  let text = '{"metrics":['
  for (let at = 0; at < value.length; at++) {
    const number = double(value[at]!)
    text += `${at === 0 ? '' : ','}${head}${typeof number === 'string' ? `"${number}"` : number},"timestamp":${at_ms[at]},"step":${step[at]}}`
  }
  return `${text}]`
}

const runQueries = (texts: RunTexts) => ({
  'mlflow.getRun': async (sql: Sql, ask: Parameters<RunTexts['get']>[1]): Promise<OpenAnswer> => ({
    text: `{"run":${await texts.get(sql, ask)}`,
  }),
  'mlflow.searchRuns': async (sql: Sql, ask: Parameters<RunTexts['search']>[1]): Promise<OpenAnswer> => {
    const { texts: runs, next } = await texts.search(sql, ask)
    return { text: `{"runs":[${runs.join(',')}]`, ...(next !== undefined && { next }) }
  },
})

/** `textsOf` words whole runs, and keeps the text of those that cannot change. */
export const mlflowQueries = (reads: TrackingReads, textsOf: (word: typeof run) => RunTexts) => ({
  ...runQueries(textsOf(run)),
  'mlflow.searchExperiments': pages('experiments', reads['tracking.searchExperiments'], experiment),
  'mlflow.searchLoggedModels': pages('models', reads['tracking.searchLoggedModels'], loggedModel),
  'mlflow.history': async (sql: Sql, ask: never): Promise<OpenAnswer> => {
    const { key, points, next } = await reads['tracking.historyColumns'](sql, ask)
    return { text: historyText(key, points), ...(next !== undefined && { next }) }
  },
  'mlflow.bulkHistory': async (sql: Sql, ask: never): Promise<OpenAnswer> => ({
    text: open('metrics', (await reads['tracking.bulkHistory'](sql, ask)).map(runMetric)),
  }),
  'mlflow.intervalHistory': async (sql: Sql, ask: never): Promise<OpenAnswer> => ({
    text: open('metrics', (await reads['tracking.intervalHistory'](sql, ask)).map(runMetric)),
  }),
})
