import { invalid } from '#kernel/errors.ts'

export type Token =
  | { kind: 'text'; value: string; quote: "'" | '"'; at: number }
  | { kind: 'name'; value: string; quoted: boolean; at: number }
  | { kind: 'number'; value: number; raw: string; at: number }
  | { kind: 'operator'; value: string; at: number }
  | { kind: 'sign'; value: '.' | ',' | '(' | ')'; at: number }

/** `at`: where in the text, from 0; told as a fact, and in the message counted from 1. */
export const wrongFilter = (message: string, field = 'filter', at?: number) =>
  invalid(at === undefined || / at character \d+$/.test(message) ? message : `${message} at character ${at + 1}`, {
    field,
    remedy: "Conditions look like metrics.loss < 0.5 AND tags.stage = 'best'.",
    ...(at !== undefined && { facts: { at } }),
  })

const SPACE = /\s+/y
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy
const OPERATOR = /!=|!~|~=|<=|>=|<>|==|=|<|>|~/y
/** After `entity.` a key runs on over what MLflow's clients write unquoted: dots, dashes, slashes, colons. */
const KEY = /[\p{L}\p{N}_](?:[\p{L}\p{N}_.\-/:]*[\p{L}\p{N}_])?/uy

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** Quoted text from its opening quote at `at`: a doubled quote is one, a backslash takes the next quote as it is. */
function quoted(text: string, at: number): { value: string; end: number } {
  const quote = text[at]!
  let value = ''
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i]!
    if (c === '\\' && text[i + 1] === quote && quote !== '`') {
      value += quote
      i++
    } else if (c === quote && text[i + 1] === quote) {
      value += quote
      i++
    } else if (c === quote) return { value, end: i + 1 }
    else value += c
  }
  throw wrongFilter(`Invalid clause(s) in filter string: the quote is not closed`, 'filter', at)
}

/** Splits a filter or an order key into tokens. Throws invalid for a character that has no place in them. */
export function lex(text: string, field = 'filter'): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const space = match(SPACE, text, at)
    if (space) {
      at += space.length
      continue
    }
    const c = text[at]!
    const before = tokens.at(-1)
    if (before?.kind === 'sign' && before.value === '.' && c !== '"' && c !== '`' && c !== "'") {
      const key = match(KEY, text, at)
      if (key) {
        tokens.push({ kind: 'name', value: key, quoted: false, at })
        at += key.length
        continue
      }
    }
    if (c === "'" || c === '"') {
      const { value, end } = quoted(text, at)
      tokens.push({ kind: 'text', value, quote: c, at })
      at = end
      continue
    }
    if (c === '`') {
      const { value, end } = quoted(text, at)
      tokens.push({ kind: 'name', value, quoted: true, at })
      at = end
      continue
    }
    const number = match(NUMBER, text, at)
    if (number) {
      tokens.push({ kind: 'number', value: Number(number), raw: number, at })
      at += number.length
      continue
    }
    const name = match(NAME, text, at)
    if (name) {
      tokens.push({ kind: 'name', value: name, quoted: false, at })
      at += name.length
      continue
    }
    const operator = match(OPERATOR, text, at)
    if (operator) {
      tokens.push({ kind: 'operator', value: operator, at })
      at += operator.length
      continue
    }
    if (c === '.' || c === ',' || c === '(' || c === ')') {
      tokens.push({ kind: 'sign', value: c, at })
      at++
      continue
    }
    if (c === ';' && field === 'filter') {
      const what = `Search filter contained multiple expression '${text.slice(0, 200)}'. Provide AND-ed expression list.`
      throw wrongFilter(what, field, at)
    }
    throw wrongFilter(`Invalid clause(s) in ${field} string: '${text.slice(at, at + 50)}'`, field, at)
  }
  return tokens
}
