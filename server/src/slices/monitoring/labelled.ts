/** Predictions joined with the labels that count: for windows, gates and retraining. */
import { join } from 'node:path'
import {
  type Analytics,
  type AnalyticsResult,
  type Cell,
  type FileSource,
  identifier,
  literal,
  type Statement,
  type TableSource,
} from '#kernel/analytics/index.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Serving } from '#slices/serving'
import { createLabelTables } from './label-tables.ts'
import { labelText } from './label-values.ts'

const JOIN_MS_MAX = 120_000
/** How far back a version is looked for that may be used. */
const VERSIONS_MAX = 20

export interface LabelledRow {
  id: string
  /** Null: a row of a dataset without a time column. */
  event_ms: number | null
  answered_version: number
  /** The revision that answered; null for a row of a dataset. A version's number alone may be of another model. */
  answered_by: string | null
  score: number | null
  /** What was answered. */
  answer: string | null
  label: string
  features: Record<string, Cell>
}

export interface Span {
  workspace: string
  endpoint: string
  from_ms: number
  to_ms: number
}

export interface Labelled {
  /** Newest labelled rows of a span, oldest first; at most `rows_max`. */
  labelledRows(span: Span & { rows_max: number }): Promise<LabelledRow[]>
  /** Features, label and `event_time` of every labelled row as Parquet. */
  copyLabelled(span: Span & { label: string; to: string }): Promise<{ rows: number; size_bytes: number }>
  /** The latest version of a dataset that did not fail its checks, as labelled rows. */
  rowsOfDataset(input: {
    workspace: string
    dataset: string
    label: string
    rows_max: number
  }): Promise<{ id: string; digest: string; number: number; rows: LabelledRow[] } | undefined>
  /**
   * Opens a span for several statements. What `ask` makes of the FROM clause of its predictions is answered in the same call
   * that finds their ids. Undefined: no prediction.
   */
  open(span: Span, ask?: (from: string) => readonly Statement[]): Promise<OpenSpan | undefined>
}

export interface OpenSpan {
  /** FROM clause: predictions of the span. */
  predictions: string
  /** FROM clause: predictions with a column `truth`, null without a label. */
  joined: string
  files: Record<string, FileSource>
  tables: Record<string, TableSource>
  features: string[]
  /** Least and greatest id of its predictions. */
  first_id: string
  last_id: string
  /** Answers to what was asked with the opening. */
  told: AnalyticsResult[]
  done(): Promise<void>
}

export function createLabelled(deps: {
  store: Pick<Store, 'read' | 'query'>
  analytics: Analytics
  serving: Pick<Serving, 'predictions'>
  datasets: Pick<Datasets, 'versions' | 'version' | 'lend'>
  settings: { dir: string }
}): Labelled {
  const { store, analytics, serving, datasets } = deps
  const readLabels = createLabelTables({ store, dir: join(deps.settings.dir, 'cache', 'monitoring') })

  const open: Labelled['open'] = async ({ workspace, endpoint, from_ms, to_ms }, ask = () => []) => {
    const found = await serving.predictions(workspace, endpoint, { from_ms, to_ms })
    try {
      if (!found.from) {
        await found.done()
        return undefined
      }
      const sources = readOnce(found.sources)
      // Labels are found by the ids of the predictions of the span: event time and wall time are different things.
      const [ids, ...told] = await analytics.queries({
        statements: [{ sql: `SELECT min(id), max(id) FROM ${found.from}` }, ...ask(found.from)],
        files: sources,
        timeout_ms: JOIN_MS_MAX,
      })
      const [first_id, last_id] = ids!.rows[0] as [string | null, string | null]
      if (first_id === null || last_id === null) {
        await found.done()
        return undefined
      }
      const labels = await readLabels({ workspace, from_id: first_id, to_id: last_id })
      return {
        predictions: found.from,
        joined: `(SELECT p.*, l.truth FROM ${found.from} p LEFT JOIN labels l ON l.prediction = p.id)`,
        files: { ...sources, ...labels.files },
        tables: labels.tables,
        features: found.features,
        first_id,
        last_id,
        told,
        async done() {
          await Promise.all([found.done(), labels.done()])
        },
      }
    } catch (error) {
      await found.done()
      throw error
    }
  }

  return {
    open,

    async labelledRows({ rows_max, ...span }) {
      const opened = await open(span)
      if (!opened) return []
      try {
        const columns = opened.features.map((name) => identifier(`f_${name}`))
        const { rows } = await analytics.query({
          sql: `SELECT id, event_ms, answered_version, answered_by, score, label, truth${columns.map((column) => `, ${column}`).join('')} FROM ${opened.joined} WHERE truth IS NOT NULL AND status <> 'error' ORDER BY event_ms DESC, id DESC LIMIT ${Math.trunc(rows_max)}`,
          files: opened.files,
          tables: opened.tables,
          rows_max: Math.trunc(rows_max),
          timeout_ms: JOIN_MS_MAX,
        })
        return rows
          .reverse()
          .map(([id, event_ms, answered_version, answered_by, score, answer, label, ...features]) => ({
            id: id as string,
            event_ms: event_ms as number,
            answered_version: answered_version as number,
            answered_by: answered_by as string | null,
            score: score as number | null,
            answer: answer as string | null,
            label: label as string,
            features: Object.fromEntries(opened.features.map((name, at) => [name, features[at]!])),
          }))
      } finally {
        await opened.done()
      }
    },

    async copyLabelled({ label, to, ...span }) {
      const opened = await open(span)
      if (!opened) return { rows: 0, size_bytes: 0 }
      try {
        const rows = `FROM ${opened.joined} WHERE truth IS NOT NULL AND status <> 'error'`
        const taken = new Set([...opened.features, label].map((name) => name.toLowerCase()))
        const columns = [
          // A feature of the same name is what the model was trained with: it stays.
          ...(taken.has('prediction') ? [] : ['id AS prediction']),
          ...(taken.has('event_time') ? [] : ['make_timestamp(event_ms * 1000) AS event_time']),
          ...opened.features
            .filter((name) => name.toLowerCase() !== label.toLowerCase())
            .map((name) => `${identifier(`f_${name}`)} AS ${identifier(name)}`),
          `truth::${await labelType(opened, rows)} AS ${identifier(label)}`,
        ]
        return await analytics.copyTo({
          sql: `SELECT ${columns.join(', ')} ${rows} ORDER BY event_ms, id`,
          files: opened.files,
          tables: opened.tables,
          to,
          timeout_ms: JOIN_MS_MAX,
        })
      } finally {
        await opened.done()
      }
    },

    async rowsOfDataset({ workspace, dataset, label, rows_max }) {
      const version = await store.read(async (sql) => {
        const newest = await datasets.versions(sql, workspace, dataset, { limit: VERSIONS_MAX })
        const usable = newest.find(({ state, verdict }) => state === 'ready' && ['passed', 'none'].includes(verdict))
        return usable && datasets.version(sql, workspace, usable.id)
      })
      if (!version) return undefined
      const { time_column } = version
      const time = time_column === null ? 'NULL' : `epoch_ms(try_cast(${identifier(time_column)} AS TIMESTAMP))`
      const { source, done, reword } = await datasets.lend(version)
      try {
        const { columns, rows } = await analytics.query({
          sql: `SELECT ${time}, * FROM data WHERE ${identifier(label)} IS NOT NULL ORDER BY hash(${version.schema?.map(({ name }) => `${identifier(name)}`).join(', ') ?? literal('')}) LIMIT ${Math.trunc(rows_max)}`,
          files: { data: source },
          rows_max: Math.trunc(rows_max),
          timeout_ms: JOIN_MS_MAX,
        })
        const at = columns.findIndex(({ name }, column) => column > 0 && name === label)
        return {
          id: version.id,
          digest: version.digest,
          number: version.number,
          rows: rows.map((row, place) => ({
            id: `${version.id}.${place}`,
            event_ms: row[0] as number | null,
            answered_version: 0,
            answered_by: null,
            score: null,
            answer: null,
            label: labelText(row[at]!),
            features: Object.fromEntries(
              columns.flatMap(({ name }, column) => (column === 0 || column === at ? [] : [[name, row[column]!]])),
            ),
          })),
        }
      } catch (error) {
        throw reword(error)
      } finally {
        await done()
      }
    },
  }

  /** Whole numbers stay numbers in the file that a model is trained on; a fraction among them makes all of them fractions. */
  async function labelType(opened: OpenSpan, rows: string): Promise<string> {
    const { rows: found } = await analytics.query({
      sql: `SELECT count(*) FILTER (NOT regexp_full_match(truth, '[+-]?[0-9]{1,18}')), count(*) FILTER (try_cast(truth AS DOUBLE) IS NULL) ${rows}`,
      files: opened.files,
      tables: opened.tables,
      timeout_ms: JOIN_MS_MAX,
    })
    const [no_integer, no_number] = found[0] as number[]
    return no_integer === 0 ? 'BIGINT' : no_number === 0 ? 'DOUBLE' : 'VARCHAR'
  }
}

/** Plain lines are parsed once for all statements of a call. */
const readOnce = (sources: Record<string, FileSource>): Record<string, FileSource> =>
  Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [
      name,
      source.format === 'json' ? { ...source, load: true } : source,
    ]),
  )
