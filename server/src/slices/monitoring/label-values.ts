/** What a label says, for all who read labels: windows, gates and retraining. */
import { literal } from '#kernel/analytics/index.ts'

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i

/** As it is kept: text; truth values as 1 and 0. */
export function labelText(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return String(value)
}

const numberOf = (text: string): number => (NUMBER.test(text) ? Number(text) : Number.NaN)

/** The label is the positive one: the same text, or the same number written another way (`1.0` for 1). */
export function isPositive(positive: string | number | boolean, label: string): boolean {
  const text = labelText(positive)
  return label === text || numberOf(label) === numberOf(text)
}

/** The same in SQL over a column of texts; null counts as no. */
export function positiveSql(positive: string | number | boolean, column: string): string {
  const text = labelText(positive)
  const number = numberOf(text)
  const same = Number.isNaN(number) ? '' : ` OR try_cast(${column} AS DOUBLE) = ${number}`
  return `coalesce(${column} = ${literal(text)}${same}, false)`
}
