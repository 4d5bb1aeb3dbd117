/** Tables out of files: CSV as RFC 4180 writes it, and the shapes of JSON that people log tables in. */

export interface Cells {
  columns: string[]
  rows: (string | number | boolean | null)[][]
  /** There were more. */
  more: boolean
}

const COLUMNS_MAX = 300

/** At most `rows_max` rows below a line of names. A quoted field may hold the delimiter, quotes and line ends. */
export function csvCells(text: string, delimiter: string, rows_max: number, whole: boolean): Cells {
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let quoted = false
  let at = 0
  const end = () => {
    row.push(field)
    field = ''
  }
  for (; at < text.length && rows.length <= rows_max; at++) {
    const char = text[at]!
    if (quoted) {
      if (char !== '"') field += char
      else if (text[at + 1] === '"') {
        field += '"'
        at++
      } else quoted = false
    } else if (char === '"' && field === '') quoted = true
    else if (char === delimiter) end()
    else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[at + 1] === '\n') at++
      end()
      if (row.length > 1 || row[0] !== '') rows.push(row)
      row = []
    } else field += char
  }
  const read = at >= text.length
  // The last line of a cut file is half a line.
  if (read && whole && (field !== '' || row.length > 0)) {
    end()
    rows.push(row)
  }
  const [columns = [], ...cells] = rows
  return {
    columns: columns.slice(0, COLUMNS_MAX),
    rows: cells.slice(0, rows_max),
    more: !read || !whole || cells.length > rows_max,
  }
}

/** A table of MLflow's `log_table`, a list of records, or columns by name; undefined for any other JSON. */
export function jsonCells(value: unknown, rows_max: number): Cells | undefined {
  if (isObject(value) && Array.isArray(value.columns) && Array.isArray(value.data)) {
    const rows = value.data.filter(Array.isArray)
    if (rows.length !== value.data.length) return undefined
    return cut(
      value.columns.map(String),
      rows.map((row) => row.map(cellOf)),
      rows_max,
    )
  }
  if (Array.isArray(value) && value.length > 0 && value.every(isObject)) {
    const columns = [...new Set(value.slice(0, 1000).flatMap((row) => Object.keys(row)))].slice(0, COLUMNS_MAX)
    return cut(
      columns,
      value.slice(0, rows_max + 1).map((row) => columns.map((name) => cellOf(row[name]))),
      rows_max,
    )
  }
  return undefined
}

const cut = (columns: string[], rows: Cells['rows'], most: number): Cells => ({
  columns: columns.slice(0, COLUMNS_MAX),
  rows: rows.slice(0, most),
  more: rows.length > most,
})

const cellOf = (value: unknown): string | number | boolean | null => {
  if (value === undefined || value === null) return null
  if (typeof value === 'object') {
    // What `log_table` writes in place of an image.
    if (isObject(value) && value.type === 'image' && typeof value.filepath === 'string') return value.filepath
    return JSON.stringify(value)
  }
  return value as string | number | boolean
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const HTML_TAIL_MAX = 40_000_000

/** A figure of plotly: as JSON, or what its HTML export hands to `Plotly.newPlot`. */
export function figureIn(
  text: string,
): { data: Record<string, unknown>[]; layout: Record<string, unknown> } | undefined {
  const call = /Plotly\.(?:newPlot|react)\s*\(/.exec(text.slice(0, HTML_TAIL_MAX))
  if (!call) return undefined
  const data = jsonAt(text, text.indexOf('[', call.index))
  if (!data || !Array.isArray(data.value)) return undefined
  const layout = jsonAt(text, text.indexOf('{', data.end))
  return { data: data.value.filter(isObject), layout: isObject(layout?.value) ? layout.value : {} }
}

export function figureOf(value: unknown): ReturnType<typeof figureIn> {
  if (!isObject(value) || !Array.isArray(value.data) || value.columns !== undefined) return undefined
  if (value.data.length === 0 || !value.data.every(isObject)) return undefined
  return { data: value.data, layout: isObject(value.layout) ? value.layout : {} }
}

/** The JSON value that begins at a bracket, by matching brackets outside of strings. */
function jsonAt(text: string, start: number): { value: unknown; end: number } | undefined {
  if (start < 0) return undefined
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length; at++) {
    const char = text[at]!
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '[' || char === '{') depth++
    else if ((char === ']' || char === '}') && --depth === 0) {
      try {
        return { value: JSON.parse(text.slice(start, at + 1)), end: at + 1 }
      } catch {
        return undefined
      }
    }
  }
  return undefined
}
