/** Rows that become a Parquet file: written as lines first, so that no more than one is in memory. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Analytics } from '#kernel/analytics/index.ts'

type Cell = string | number | bigint | null

export interface Table {
  name: string
  rows: number
  add(...cells: Cell[]): Promise<void>
  /** Writes the Parquet file; without rows there is none. */
  end(analytics: Analytics): Promise<void>
}

/** Columns by name with their types in DuckDB's words. Numbers go as text, so that none is rounded and NaN is one. */
export function openTable(
  dir: string,
  temp: string,
  name: string,
  columns: Record<string, string>,
  order: string,
): Table {
  const lines = join(temp, `${name}.json`)
  const names = Object.keys(columns)
  const stream: WriteStream = createWriteStream(lines)
  return {
    name,
    rows: 0,
    async add(...cells) {
      this.rows++
      const row = Object.fromEntries(cells.map((cell, at) => [names[at], cell === null ? null : String(cell)]))
      if (!stream.write(`${JSON.stringify(row)}\n`)) await new Promise((resolve) => stream.once('drain', resolve))
    },
    async end(analytics) {
      await new Promise<void>((resolve, reject) => {
        stream.once('error', reject)
        stream.end(resolve)
      })
      if (this.rows > 0) {
        const casts = Object.entries(columns).map(([column, type]) => `CAST("${column}" AS ${type}) AS "${column}"`)
        await analytics.copyTo({
          sql: `SELECT ${casts.join(', ')} FROM lines ORDER BY ${order}`,
          files: {
            lines: {
              files: [lines],
              format: 'json',
              json: { types: Object.fromEntries(names.map((column) => [column, 'VARCHAR'])) },
            },
          },
          to: join(dir, `${name}.parquet`),
          timeout_ms: 30 * 60_000,
        })
      }
      await rm(lines, { force: true })
    },
  }
}

export interface Written {
  path: string
  size_bytes: number
  sha256: string
}

export async function written(dir: string, path: string): Promise<Written> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(join(dir, path))) hash.update(chunk as Buffer)
  return { path, size_bytes: (await stat(join(dir, path))).size, sha256: hash.digest('hex') }
}
