/** What is JSON and yet harms whoever reads on: too deep for a recursion, or text that no database keeps. */
import { invalid } from '../errors.ts'

/** Far more than anything that is sent in earnest, and far less than what ends a recursion. */
const DEPTH_MAX = 200
/** An escape of half a letter: of two together they are one, alone they are none. */
const HALF_A_LETTER = /\\u[dD][89a-fA-F]/

/** Throws invalid for a lone surrogate anywhere in `value`, which `text` was parsed into: databases would keep another text. */
export function refuseHalfLetters(text: string, value: unknown): void {
  if (!HALF_A_LETTER.test(text)) return
  const left: unknown[] = [value]
  while (left.length > 0) {
    const each = left.pop()
    if (typeof each === 'string') refuseIllFormed(each)
    else if (Array.isArray(each)) for (const item of each) left.push(item)
    else if (each !== null && typeof each === 'object') {
      for (const [key, item] of Object.entries(each)) {
        refuseIllFormed(key)
        left.push(item)
      }
    }
  }
}

function refuseIllFormed(text: string): void {
  if (text.isWellFormed()) return
  throw invalid('the body holds text with half a letter (a lone surrogate)', {
    field: 'body',
    remedy: 'Send well-formed Unicode.',
  })
}

/** Throws invalid for lists and objects within each other beyond any use. */
export function refuseDeep(value: unknown): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX)
      throw invalid(`the body has lists or objects within each other beyond ${DEPTH_MAX} levels`, { field: 'body' })
    const below: unknown[] = []
    for (const each of level) {
      if (each === null || typeof each !== 'object') continue
      for (const item of Array.isArray(each) ? each : Object.values(each))
        if (item !== null && typeof item === 'object') below.push(item)
    }
    level = below
  }
}
