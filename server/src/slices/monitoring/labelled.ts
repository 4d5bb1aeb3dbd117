/** Predictions joined with the labels that count: for windows, gates and retraining. */
import { type Analytics, type Cell, identifier, literal, type TableSource } from '#kernel/analytics/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { PredictionFiles, Serving } from '#slices/serving'

/** Labels that one join takes along; a window with more is cut and says so. */
export const LABELS_MAX = 190_000
const JOIN_MS_MAX = 120_000

export interface LabelledRow {
  id: string
  event_ms: number
  answered_version: number
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
  /** The latest version of a dataset that may be read, as labelled rows. */
  rowsOfDataset(input: {
    workspace: string
    dataset: string
    label: string
    rows_max: number
  }): Promise<{ number: number; rows: LabelledRow[] } | undefined>
  /** Opens a span for several statements: `from` is its predictions, `labels` the table of labels. Undefined: no prediction. */
  open(span: Span): Promise<OpenSpan | undefined>
}

export interface OpenSpan {
  /** FROM clause: predictions of the span. */
  predictions: string
  /** FROM clause: predictions with a column `truth`, null without a label. */
  joined: string
  files: PredictionFiles['sources']
  tables: Record<string, TableSource>
  features: string[]
  labels_truncated: boolean
  done(): Promise<void>
}

export function createLabelled(deps: {
  store: Pick<Store, 'read' | 'query'>
  analytics: Analytics
  serving: Pick<Serving, 'predictions'>
  datasets: Pick<Datasets, 'find' | 'lend'>
}): Labelled {
  const { store, analytics, serving, datasets } = deps

  const open: Labelled['open'] = async ({ workspace, endpoint, from_ms, to_ms }) => {
    const found = await serving.predictions(workspace, endpoint, { from_ms, to_ms })
    if (!found.from) {
      await found.done()
      return undefined
    }
    try {
      // Labels are found by the ids of the predictions of the span: event time and wall time are different things.
      const { rows } = await analytics.query({
        sql: `SELECT min(id), max(id) FROM ${found.from}`,
        files: found.sources,
        timeout_ms: JOIN_MS_MAX,
      })
      const [from_id, to_id] = rows[0] as [string | null, string | null]
      if (from_id === null || to_id === null) {
        await found.done()
        return undefined
      }
      const labels = await store.query<{ predictions: string[]; values: string[]; truncated: boolean }>(
        'monitoring.labelsBetween',
        { workspace, from_id, to_id: `${to_id}~`, limit: LABELS_MAX },
      )
      const tables = {
        labels: {
          columns: {
            prediction: { type: 'VARCHAR' as const, values: labels.predictions },
            truth: { type: 'VARCHAR' as const, values: labels.values },
          },
        },
      }
      return {
        predictions: found.from,
        joined: `(SELECT p.*, l.truth FROM ${found.from} p LEFT JOIN labels l ON l.prediction = p.id)`,
        files: found.sources,
        tables,
        features: found.features,
        labels_truncated: labels.truncated,
        done: found.done,
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
          sql: `SELECT id, event_ms, answered_version, score, label, truth${columns.map((column) => `, ${column}`).join('')} FROM ${opened.joined} WHERE truth IS NOT NULL AND status <> 'error' ORDER BY event_ms DESC, id DESC LIMIT ${Math.trunc(rows_max)}`,
          files: opened.files,
          tables: opened.tables,
          rows_max: Math.trunc(rows_max),
          timeout_ms: JOIN_MS_MAX,
        })
        return rows.reverse().map(([id, event_ms, answered_version, score, answer, label, ...features]) => ({
          id: id as string,
          event_ms: event_ms as number,
          answered_version: answered_version as number,
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
        const columns = opened.features.map((name) => `${identifier(`f_${name}`)} AS ${identifier(name)}`)
        return await analytics.copyTo({
          sql: `SELECT id AS prediction, make_timestamp(event_ms * 1000) AS event_time, ${columns.map((column) => `${column}, `).join('')}coalesce(try_cast(truth AS BIGINT)::VARCHAR, truth)::${await labelType(opened)} AS ${identifier(label)} FROM ${opened.joined} WHERE truth IS NOT NULL AND status <> 'error' ORDER BY event_ms, id`,
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
      const version = await store
        .read((sql) => datasets.find(sql, workspace, `${dataset}@latest`))
        .catch((error: unknown) => {
          if (error instanceof DomainError && error.problem === 'not-found') return undefined
          throw error
        })
      if (!version) return undefined
      const { source, done, reword } = await datasets.lend(version)
      try {
        const { columns, rows } = await analytics.query({
          sql: `SELECT * FROM data WHERE ${identifier(label)} IS NOT NULL ORDER BY hash(${version.schema?.map(({ name }) => `${identifier(name)}`).join(', ') ?? literal('')}) LIMIT ${Math.trunc(rows_max)}`,
          files: { data: source },
          rows_max: Math.trunc(rows_max),
          timeout_ms: JOIN_MS_MAX,
        })
        const at = columns.findIndex(({ name }) => name === label)
        return {
          number: version.number,
          rows: rows.map((row, place) => ({
            id: `${version.id}.${place}`,
            event_ms: 0,
            answered_version: 0,
            score: null,
            answer: null,
            label: labelText(row[at]!),
            features: Object.fromEntries(
              columns.flatMap(({ name }, column) => (column === at ? [] : [[name, row[column]!]])),
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

  /** Whole numbers stay numbers in the file that a model is trained on. */
  async function labelType(opened: OpenSpan): Promise<string> {
    const { rows } = await analytics.query({
      sql: 'SELECT count(*) FILTER (try_cast(truth AS BIGINT) IS NULL), count(*) FILTER (try_cast(truth AS DOUBLE) IS NULL) FROM labels',
      tables: opened.tables,
    })
    const [no_integer, no_number] = rows[0] as number[]
    return no_integer === 0 ? 'BIGINT' : no_number === 0 ? 'DOUBLE' : 'VARCHAR'
  }
}

/** Labels are compared as text: `1`, `true` and `late` alike. */
export function labelText(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return String(value)
}
