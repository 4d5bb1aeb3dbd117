/** Runs column by column: what filters and orders look at. A place is an index into every column of one block. */

/** Where a number column has no number. NaN stands in `values` at both other states, so comparisons are false there. */
export const MISSING = 0
export const NUMBER = 1
export const NOT_A_NUMBER = 2

export interface NumberColumn {
  kind: 'number'
  values: Float64Array
  state: Uint8Array
}

export interface TextColumn {
  kind: 'text'
  /** Index into `texts`, where a text may stand more than once; -1 where there is none. */
  codes: Int32Array
  texts: readonly string[]
}

/** Several texts at one place: the names of a run's datasets. */
export interface ListColumn {
  kind: 'list'
  lists: readonly (readonly string[] | undefined)[]
}

export type Column = NumberColumn | TextColumn | ListColumn

/**
 * Which column: a letter and a key. `m` metric, `p` param, `t` tag, `a` attribute of the run, `d` datasets (`name`,
 * `digest`, `context`), `k` the run's key.
 */
export type ColumnName = 'k' | `${'m' | 'p' | 't' | 'a' | 'd'}${string}`

export const kindOf = (name: ColumnName): Column['kind'] => {
  if (name === 'k' || name[0] === 'm' || name === 'astart_time' || name === 'aend_time') return 'number'
  return name[0] === 'd' ? 'list' : 'text'
}

export const emptyColumn = (kind: Column['kind'], n: number): Column => {
  switch (kind) {
    case 'number':
      return { kind, values: new Float64Array(n).fill(Number.NaN), state: new Uint8Array(n) }
    case 'text':
      return { kind, codes: new Int32Array(n).fill(-1), texts: [] }
    case 'list':
      return { kind, lists: new Array<undefined>(n).fill(undefined) }
  }
}

/** What it takes in memory, about. */
export function bytesOf(column: Column): number {
  switch (column.kind) {
    case 'number':
      return column.values.length * 9
    case 'text':
      return column.codes.length * 4 + column.texts.reduce((sum, text) => sum + 24 + text.length, 0)
    case 'list':
      return column.lists.length * 8 + column.lists.reduce((sum, list) => sum + (list ? list.length * 60 : 0), 0)
  }
}

/** By Unicode code point, as both databases compare UTF-8 byte by byte. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i)
    let y = b.charCodeAt(i)
    if (x === y) continue
    // Surrogates stand for code points above all of the rest.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x2000 : x + 0x2000
      y = y >= 0xe000 ? y - 0x2000 : y + 0x2000
    }
    return x - y
  }
  return a.length - b.length
}
