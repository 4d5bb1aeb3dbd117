/** The forms in which MLflow's file store keeps things. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { noPointSet, type PointSet } from '#kernel/point-set.ts'
import type { Pair } from './model.ts'

export type Meta = Record<string, unknown>

export const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

export async function folders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** A `meta.yaml`; undefined when there is none. One that is just being replaced is read again. */
export async function meta(folder: string): Promise<Meta | undefined> {
  for (let tries = 0; ; tries++) {
    try {
      const document = parseDocument(await readFile(join(folder, 'meta.yaml'), 'utf8'), { schema: 'core' })
      const root = document.toJS({ maxAliasCount: 100 }) as unknown
      if (document.errors.length === 0 && typeof root === 'object' && root !== null) return root as Meta
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    if (tries === 3) return undefined
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

export interface FoundFile {
  key: string
  path: string
}

/** Files below a folder by their path, which is the key: a key may have slashes. */
export async function files(folder: string): Promise<FoundFile[]> {
  const found: FoundFile[] = []
  const walk = async (path: string, prefix: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    for (const entry of entries) {
      const below = join(path, entry.name)
      if (entry.isDirectory()) await walk(below, `${prefix}${entry.name}/`)
      else found.push({ key: `${prefix}${entry.name}`, path: below })
    }
  }
  await walk(folder, '')
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}

export async function pairs(folder: string): Promise<Pair[]> {
  const out: Pair[] = []
  for (const { key, path } of await files(folder)) {
    const value = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
    if (value !== undefined) out.push({ key, value })
  }
  return out
}

/** Python writes `nan` and `inf`. */
export function pythonNumber(word: string): number {
  const plain = word.toLowerCase().replace(/^[+-]/, '')
  const sign = word.startsWith('-') ? -1 : 1
  if (plain === 'nan') return Number.NaN
  if (plain === 'inf' || plain === 'infinity') return sign * Number.POSITIVE_INFINITY
  return word === '' ? Number.NaN : Number(word)
}

const whole = (word: string): number | bigint => {
  const number = Number(word)
  return Number.isSafeInteger(number) ? number : BigInt(word)
}

/** Lines of a metric's file: time, value, and since 1.0 the step. A last line without its end is still being written. */
export function metricPoints(content: string, ended: boolean): PointSet {
  const points = noPointSet()
  const lines = content.split('\n')
  const last = lines.pop()!
  if (ended && last !== '') lines.push(last)
  for (const line of lines) {
    const words = line.trim().split(' ')
    if (words.length < 2 || !/^\d{1,18}$/.test(words[0]!)) continue
    const step = words[2] !== undefined && /^-?\d{1,18}$/.test(words[2]) ? whole(words[2]) : 0
    points.step.push(step)
    points.at_ms.push(whole(words[0]!))
    points.value.push(pythonNumber(words[1]!))
  }
  return points
}
