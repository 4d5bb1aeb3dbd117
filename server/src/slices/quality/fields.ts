import { readDuration } from '#kernel/units.ts'

const LIST_MAX = 1000
export const TEXT_CHARS_MAX = 1000

export type Reader = ReturnType<typeof reader>

/** Reads one check's fields; what is wrong with them is told to `wrong`, and undefined answered. */
export function reader(value: Record<string, unknown>, wrong: (key: string, message: string, remedy: string) => void) {
  const text = (key: string, chars_max: number): string | undefined => {
    const found = value[key]
    if (found === undefined) return undefined
    if (typeof found === 'string' && found.trim() !== '' && found.length <= chars_max) return found
    wrong(key, `is ${show(found)}, not a text`, `Write a text of at most ${chars_max} characters.`)
    return undefined
  }
  const must = <T>(key: string, found: T | undefined, remedy: string): T | undefined => {
    if (value[key] === undefined) wrong(key, 'is not stated', remedy)
    return found
  }
  return {
    wrong,
    has: (key: string): boolean => value[key] !== undefined,
    text,
    column: () => must('column', text('column', TEXT_CHARS_MAX), 'Name the column that is judged.'),
    flag(key: string): boolean | undefined {
      const found = value[key]
      if (found === undefined || typeof found === 'boolean') return found
      wrong(key, `is ${show(found)}`, 'Write true or false.')
      return undefined
    },
    oneOf<T extends string>(key: string, allowed: readonly T[]): T | undefined {
      const found = value[key]
      if (found === undefined || allowed.includes(found as T)) return found as T | undefined
      wrong(key, `is ${show(found)}`, suggest(String(found), allowed))
      return undefined
    },
    mostly(): number {
      const found = value.mostly
      if (found === undefined) return 1
      if (typeof found === 'number' && found >= 0 && found <= 1) return found
      wrong('mostly', `is ${show(found)}`, 'Write a share from 0 to 1: 0.99 for ninety-nine in a hundred.')
      return 1
    },
    bound(key: string): number | string | undefined {
      const found = value[key]
      if (found === undefined || (typeof found === 'number' && Number.isFinite(found))) return found
      // YAML reads an unquoted date as a time of its own.
      if (found instanceof Date && !Number.isNaN(found.getTime())) return found.toISOString()
      if (typeof found === 'string') return text(key, TEXT_CHARS_MAX)
      wrong(key, `is ${show(found)}`, 'Write a number, a time or a text.')
      return undefined
    },
    count(key: string): number | undefined {
      const found = value[key]
      if (found === undefined || (Number.isSafeInteger(found) && (found as number) >= 0))
        return found as number | undefined
      wrong(key, `is ${show(found)}`, 'Write a whole number from 0.')
      return undefined
    },
    values(): (string | number | boolean)[] | undefined {
      const found = value.values
      const fine = (one: unknown) =>
        (typeof one === 'string' && one.length <= TEXT_CHARS_MAX) || typeof one === 'boolean' || Number.isFinite(one)
      if (Array.isArray(found) && found.length > 0 && found.length <= LIST_MAX && found.every(fine)) return found
      wrong(
        'values',
        found === undefined ? 'is not stated' : 'is no list of values',
        `Write 1 to ${LIST_MAX} texts, numbers or booleans.`,
      )
      return undefined
    },
    texts(key: string): string[] | undefined {
      const found = value[key]
      if (found === undefined) return undefined
      const fine = (one: unknown) => typeof one === 'string' && one !== '' && one.length <= TEXT_CHARS_MAX
      if (
        Array.isArray(found) &&
        found.length > 0 &&
        found.length <= LIST_MAX &&
        found.every(fine) &&
        new Set(found).size === found.length
      )
        return found
      wrong(key, `is no list of different names`, `Write 1 to ${LIST_MAX} names of columns.`)
      return undefined
    },
    pattern(): string | undefined {
      const found = must('pattern', text('pattern', TEXT_CHARS_MAX), 'Write a regular expression.')
      // RE2 runs in linear time, which is why it has neither.
      if (found !== undefined && /\(\?<?[=!]|\\[1-9]/.test(found)) {
        wrong(
          'pattern',
          'looks around or back, which RE2 does not',
          'Leave out look-ahead, look-behind and back references.',
        )
        return undefined
      }
      return found
    },
    age(): string | undefined {
      const found = value.max_age
      if (typeof found === 'string' && isAge(found)) return found
      wrong(
        'max_age',
        found === undefined ? 'is not stated' : `is ${show(found)}, not a duration`,
        'Write a duration such as 90m, 36h or 2d.',
      )
      return undefined
    },
    moment(key: string): string | undefined {
      const found = value[key]
      if (found === undefined) return undefined
      const ms = found instanceof Date ? found.getTime() : typeof found === 'string' ? timeOf(found) : undefined
      if (ms !== undefined && !Number.isNaN(ms)) return new Date(ms).toISOString()
      wrong(key, `is ${show(found)}, not a time`, 'Write 2013-01-31T17:05:00Z.')
      return undefined
    },
  }
}

function isAge(text: string): boolean {
  try {
    return readDuration(text) > 0
  } catch {
    return false
  }
}

/** Epoch milliseconds of `2013-01-31`, `2013-01-31 17:05`, `2013-01-31T17:05:00.5Z`, …; UTC where no offset is said. */
export function timeOf(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text.trim())
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}${match[3]?.toUpperCase() ?? 'Z'}`)
  return Number.isNaN(ms) ? undefined : ms
}

export const show = (value: unknown): string =>
  value === undefined ? 'not stated' : JSON.stringify(value).slice(0, 60)

/** The nearest of what is known, or all of it. */
export function suggest(word: string, known: readonly string[]): string {
  const near = known.map((one) => ({ one, far: distance(word.toLowerCase(), one) })).sort((a, b) => a.far - b.far)[0]
  return near !== undefined && near.far <= 2 ? `Did you mean ${near.one}?` : `Use one of: ${known.join(', ')}.`
}

/** Levenshtein's distance: letters to change, add or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length && i <= 40; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1)
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]! + Math.max(0, a.length - 40)
}
