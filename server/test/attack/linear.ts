/**
 * Whether a history of one register could have happened one operation after another: Wing and Gong's search, by register, with
 * what was seen before remembered (Lowe). An operation of which no answer came may have happened at any time after it was
 * asked, or never.
 */
export interface Operation {
  kind: 'read' | 'write'
  value: string
  asked: number
  /** Infinity: no answer came. */
  answered: number
}

const STATES_MAX = 2_000_000

/** `initial`: what stands in the register before. Throws when a history is too tangled to be judged. */
export function isLinearizable(history: readonly Operation[], initial: string): boolean {
  // A read without an answer tells nothing.
  const operations = history.filter(({ kind, answered }) => kind === 'write' || answered < Number.POSITIVE_INFINITY)
  operations.sort((a, b) => a.asked - b.asked)
  const done = new Uint8Array(operations.length)
  const seen = new Set<string>()
  const required = operations.filter(({ answered }) => answered < Number.POSITIVE_INFINITY).length
  const key = (first: number, value: string): string => {
    let ahead = ''
    for (let at = first; at < operations.length && ahead.length < 400; at++) ahead += done[at]
    return `${first} ${ahead.replace(/0+$/, '')} ${value}`
  }
  /** Depth-first, with a stack of our own: histories are long. */
  const stack: { at: number; before: string; first: number; next: number }[] = []
  let value = initial
  let first = 0
  let next = 0
  let left = required
  for (;;) {
    if (left === 0) return true
    const found = step(next)
    if (found !== undefined) {
      const { kind, value: word, answered } = operations[found]!
      stack.push({ at: found, before: value, first, next: found + 1 })
      done[found] = 1
      if (answered < Number.POSITIVE_INFINITY) left--
      if (kind === 'write') value = word
      while (first < operations.length && done[first]) first++
      const state = key(first, value)
      if (!seen.has(state)) {
        if (seen.size > STATES_MAX) throw new Error('the history is too tangled to be judged')
        seen.add(state)
        next = first
        continue
      }
    }
    // Nothing more fits here, or it was tried from here before: take the last step back.
    const last = stack.pop()
    if (!last) return false
    done[last.at] = 0
    if (operations[last.at]!.answered < Number.POSITIVE_INFINITY) left++
    value = last.before
    first = last.first
    next = last.next
  }

  /** The next operation from `from` on that may come first of those not done: none was answered before it was asked. */
  function step(from: number): number | undefined {
    let bound = Number.POSITIVE_INFINITY
    for (let at = first; at < operations.length; at++) {
      const operation = operations[at]!
      if (operation.asked > bound) return undefined
      if (done[at]) continue
      if (at >= from && (operation.kind === 'write' || operation.value === value)) return at
      bound = Math.min(bound, operation.answered)
    }
    return undefined
  }
}
