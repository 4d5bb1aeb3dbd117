import { DomainError, invalid } from '#kernel/errors.ts'
import { type Cell, type Features, readCell, readRow } from './signature.ts'

/** Rows of one request: what a batch may hold. */
export const ROWS_MAX = 10_000

/** What a request asks to be predicted: cells in the signature's order, or the payload as it came when the model has no columns. */
export interface Ask {
  rows: Cell[][]
  /** Set when the model's signature names no columns: only a Python form can read it. */
  raw?: { kind: FormKind; payload: unknown }
  params: Record<string, unknown>
}

export type FormKind = 'dataframe_split' | 'dataframe_records' | 'instances' | 'inputs'

const FORMS: readonly FormKind[] = ['dataframe_split', 'dataframe_records', 'instances', 'inputs']

/** MLflow's scoring body: exactly one of its four forms, and `params`. */
export function readInvocation(features: Features | undefined, body: unknown): Ask {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw invalid(`the body must be a JSON object with one of ${FORMS.join(', ')}`, { field: 'body' })
  const given = body as Record<string, unknown>
  const present = FORMS.filter((form) => given[form] !== undefined)
  if (present.length !== 1)
    throw invalid(
      `the body must have exactly one of ${FORMS.join(', ')}; it has ${present.length === 0 ? 'none' : present.join(' and ')}`,
      { field: 'body' },
    )
  for (const name of Object.keys(given)) {
    if (name !== 'params' && name !== present[0])
      throw invalid(`the body has no field '${name}'`, {
        field: name,
        remedy: `It takes one of ${FORMS.join(', ')}, and params.`,
      })
  }
  const params = record(given.params ?? {}, 'params')
  const kind = present[0]!
  const payload = given[kind]
  if (!features) return { rows: [], raw: { kind, payload }, params }
  return { rows: limited(rowsOf(features, kind, payload)), params }
}

export function readRows(
  features: Features | undefined,
  rows: readonly Record<string, unknown>[],
  params: Record<string, unknown> = {},
): Ask {
  if (!features) return { rows: [], raw: { kind: 'dataframe_records', payload: rows }, params }
  return { rows: limited(rows.map((row, at) => readRow(features, row, () => `rows[${at}]`))), params }
}

function rowsOf(features: Features, kind: FormKind, payload: unknown): Cell[][] {
  switch (kind) {
    case 'dataframe_records':
      return list(payload, kind).map((row, at) =>
        readRow(features, record(row, `${kind}[${at}]`), () => `${kind}[${at}]`),
      )
    case 'dataframe_split':
      return split(features, payload)
    case 'instances': {
      if (!Array.isArray(payload)) return columns(features, payload, kind)
      return payload.map((row, at) =>
        Array.isArray(row)
          ? positional(features, row, `${kind}[${at}]`)
          : readRow(features, record(row, `${kind}[${at}]`), () => `${kind}[${at}]`),
      )
    }
    case 'inputs': {
      if (!Array.isArray(payload)) return columns(features, payload, kind)
      return payload.map((row, at) =>
        Array.isArray(row)
          ? positional(features, row, `${kind}[${at}]`)
          : readRow(features, record(row, `${kind}[${at}]`), () => `${kind}[${at}]`),
      )
    }
  }
}

function split(features: Features, payload: unknown): Cell[][] {
  const { columns: names, data } = record(payload, 'dataframe_split') as { columns?: unknown; data?: unknown }
  const rows = list(data, 'dataframe_split.data')
  if (names === undefined)
    return rows.map((row, at) =>
      positional(features, list(row, `dataframe_split.data[${at}]`), `dataframe_split.data[${at}]`),
    )
  const order = list(names, 'dataframe_split.columns')
  for (const name of order) {
    if (!features.some((feature) => feature.name === name))
      throw invalid(`the model has no feature '${String(name)}'`, {
        field: `dataframe_split.columns`,
        remedy: `It takes ${features.map((feature) => feature.name).join(', ')}.`,
      })
  }
  const places = features.map((feature) => order.indexOf(feature.name))
  return rows.map((row, at) => {
    const values = list(row, `dataframe_split.data[${at}]`)
    if (values.length !== order.length)
      throw invalid(`row ${at} has ${values.length} values for ${order.length} columns`, {
        field: `dataframe_split.data[${at}]`,
      })
    return features.map((feature, place) =>
      readCell(feature, places[place]! < 0 ? undefined : values[places[place]!], () => `dataframe_split.data[${at}]`),
    )
  })
}

/** `{name: [values]}`; a single value stands for a column of one. */
function columns(features: Features, payload: unknown, kind: FormKind): Cell[][] {
  const given = record(payload, kind)
  for (const name of Object.keys(given)) {
    if (!features.some((feature) => feature.name === name))
      throw invalid(`the model has no feature '${name}'`, {
        field: `${kind}.${name}`,
        remedy: `It takes ${features.map((feature) => feature.name).join(', ')}.`,
      })
  }
  const lists = features.map((feature) => {
    const value = given[feature.name]
    return value === undefined ? undefined : Array.isArray(value) ? value : [value]
  })
  const length = Math.max(1, ...lists.map((values) => values?.length ?? 0))
  if (lists.some((values) => values && values.length !== length))
    throw invalid('the columns differ in length', { field: kind })
  return Array.from({ length }, (_, at) =>
    features.map((feature, place) => readCell(feature, lists[place]?.[at], () => `${kind}[${at}]`)),
  )
}

function positional(features: Features, values: readonly unknown[], where: string): Cell[] {
  if (values.length !== features.length)
    throw invalid(`a row has ${values.length} values; the model takes ${features.length}`, {
      field: where,
      remedy: `In this order: ${features.map((feature) => feature.name).join(', ')}.`,
    })
  return features.map((feature, at) => readCell(feature, values[at], () => where))
}

function limited(rows: Cell[][]): Cell[][] {
  if (rows.length > ROWS_MAX)
    throw new DomainError('too-large', `a request may hold ${ROWS_MAX} rows; this one has ${rows.length}`, {
      remedy: 'Send several requests.',
    })
  if (rows.length === 0) throw invalid('the request holds no row', { field: 'body' })
  return rows
}

function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw invalid(`${field} must be a list`, { field })
  return value
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalid(`${field} must be an object`, { field })
  return value as Record<string, unknown>
}

/** text/csv with a header line, as MLflow's scoring server takes it. Quotes as in RFC 4180; empty is null. */
export function readCsv(features: Features | undefined, text: string): Ask {
  const lines = csvLines(text)
  const head = lines.shift()
  if (!head) throw invalid('the CSV has no header line', { field: 'body' })
  const records = lines.map((cells, at) => {
    if (cells.length !== head.length)
      throw invalid(`line ${at + 2} has ${cells.length} values for ${head.length} columns`, { field: 'body' })
    return Object.fromEntries(head.map((name, place) => [name, csvCell(features, name, cells[place]!)]))
  })
  return readRows(features, records)
}

function csvCell(features: Features | undefined, name: string, text: string): unknown {
  const type = features?.find((feature) => feature.name === name)?.type
  if (text === '') return type === 'string' ? '' : null
  if (type === 'string' || type === 'datetime' || type === 'binary') return text
  if (type === 'boolean') return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : text
  const number = Number(text)
  return Number.isNaN(number) ? text : number
}

function csvLines(text: string): string[][] {
  const lines: string[][] = []
  let line: string[] = []
  let cell = ''
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    // One line more than may be: enough to be refused.
    if (lines.length > ROWS_MAX + 1) break
    if (quoted) {
      if (char !== '"') cell += char
      else if (text[at + 1] === '"') cell += text[++at]
      else quoted = false
    } else if (char === '"') quoted = true
    else if (char === ',') {
      line.push(cell)
      cell = ''
    } else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[at + 1] === '\n') at++
      lines.push([...line, cell])
      line = []
      cell = ''
    } else cell += char
  }
  if (cell !== '' || line.length > 0) lines.push([...line, cell])
  return lines.filter((cells) => cells.length > 1 || cells[0] !== '')
}
