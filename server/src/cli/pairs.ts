import { invalid } from '#kernel/errors.ts'

/** `name=value` of a repeatable flag. */
export function pair(text: string, flag: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw invalid(`'${text}' is not name=value`, { field: flag })
  return [text.slice(0, at), text.slice(at + 1)]
}

/** A param as its type: true, false, a number, else text. */
export function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}
