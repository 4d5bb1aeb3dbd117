/**
 * Requests that wait for a Python process: bounded in number and bytes, and gathered into one call where that is sound. A call costs
 * milliseconds whatever its rows (MLflow makes a frame and checks it against the signature), so under load rows of several
 * requests go together; alone, nobody waits for company. See docs/decisions/0083-waiting-rows-in-one-call.md.
 */
import { DomainError } from '#kernel/errors.ts'
import type { Cell } from '../signature.ts'

/** A call of several requests may take this long, or somewhat longer than a call of one where that takes long already. */
const CALL_MS = 20
const CALL_FACTOR = 1.5
/** A model that was too slow for two rows in a call is asked for two again after so many calls; twice as many each time. */
const AGAIN_CALLS = 4
const AGAIN_CALLS_MAX = 64
/** Bytes of one gathered call. */
const CALL_BYTES_MAX = 4 * 1024 ** 2
/** Rows that must have had the same answer in company and alone before company counts. */
const PROOF_ROWS = 64

export interface Task {
  /** The request when it is asked by itself. */
  request: Record<string, unknown>
  /** Set when it may be asked with others. */
  rows: Cell[][] | undefined
  size_bytes: number
  resolve(answer: Record<string, unknown>): void
  reject(error: unknown): void
  /** Answered or given up: a process may still be at it. */
  over: boolean
  /** It was in a call that failed, or proves one: by itself now. */
  alone?: boolean
  /** What it was answered in company. */
  expected?: unknown[]
}

export interface Waiting {
  readonly length: number
  /** Throws too-many. */
  push(task: Task): void
  remove(task: Task): void
  /** Tasks for one call, at least one; undefined when nothing waits. */
  take(): Task[] | undefined
  /** What the process said to a call: answers its tasks, or has them wait again, each by itself. */
  answered(group: readonly Task[], answer: Record<string, unknown>): void
  /** Back to the front of the queue. */
  again(tasks: readonly Task[], alone: boolean): void
  /** Takes everything out. */
  clear(): Task[]
}

export interface WaitingLimits {
  waiting_max: number
  bytes_max: number
  /** Rows of one gathered call; 1: each request is asked by itself. */
  rows_max: number
  /** The model's answer to a row depends on the rows beside it. */
  onDependent(): void
}

export function createWaiting({ waiting_max, bytes_max, rows_max, onDependent }: WaitingLimits): Waiting {
  let queue: Task[] = []
  let together = rows_max > 1
  let proven_rows = 0
  /** Time of calls of one row of late; their cost by itself tells nothing of what a second row would cost. */
  let single_ms = 0
  /** Rows of a call: doubled while that costs next to nothing, halved when it does not. */
  let most = 1
  /** Calls of one row until two are tried: at once when it is known what one takes. */
  let until_two = 1
  let again_calls = AGAIN_CALLS

  const learn = (rows: number, took_ms: number): void => {
    if (rows === 1) {
      single_ms = single_ms === 0 ? took_ms : (single_ms * 3 + took_ms) / 4
      if (most === 1 && --until_two <= 0) most = Math.min(2, rows_max)
    } else if (took_ms > Math.max(CALL_MS, single_ms * CALL_FACTOR)) {
      most = Math.max(1, Math.min(most, rows) >> 1)
      until_two = again_calls
      if (most === 1) again_calls = Math.min(AGAIN_CALLS_MAX, again_calls * 2)
    } else if (rows * 2 > most) {
      most = Math.min(rows_max, most * 2)
      again_calls = AGAIN_CALLS
    }
  }

  const again: Waiting['again'] = (tasks, alone) => {
    const left = tasks.filter((task) => !task.over)
    if (alone) for (const task of left) task.alone = true
    queue = [...left, ...queue]
  }
  const dependent = () => {
    if (!together) return
    together = false
    onDependent()
  }
  const next = (): Task | undefined => {
    while (queue[0]?.over) queue.shift()
    return queue[0]
  }

  return {
    get length() {
      return queue.length
    },
    push(task) {
      const bytes = queue.reduce((sum, { size_bytes }) => sum + size_bytes, task.size_bytes)
      if (queue.length >= waiting_max || (queue.length > 0 && bytes > bytes_max))
        throw new DomainError('too-many', 'too many requests wait for this model', {
          remedy: 'Send fewer at once, or raise serving.workers.',
        })
      queue.push(task)
    },
    remove(task) {
      const place = queue.indexOf(task)
      if (place >= 0) queue.splice(place, 1)
    },
    take() {
      const first = next()
      if (!first) return undefined
      queue.shift()
      const group = [first]
      if (!together || !first.rows || first.alone) return group
      let rows = first.rows.length
      let bytes = first.size_bytes
      for (let one = next(); one?.rows && !one.alone; one = next()) {
        rows += one.rows.length
        bytes += one.size_bytes
        if (rows > most || bytes > CALL_BYTES_MAX) break
        group.push(one)
        queue.shift()
      }
      return group
    },
    answered(group, answer) {
      const { predictions, took_ms, error } = answer
      const count = group.reduce((sum, { rows }) => sum + (rows?.length ?? 1), 0)
      if (typeof took_ms === 'number') learn(count, took_ms)
      const [only] = group
      if (group.length === 1) {
        if (only!.expected && !error) {
          if (isSame(only!.expected, predictions)) proven_rows += only!.expected.length
          else dependent()
        }
        only!.resolve(answer)
        return
      }
      // Some row is at fault, and it is to hurt nobody else.
      if (error) return again(group, true)
      if (!Array.isArray(predictions) || predictions.length !== count) {
        dependent()
        return again(group, true)
      }
      let from = 0
      const proven = proven_rows >= PROOF_ROWS
      for (const task of group) {
        const own = predictions.slice(from, from + task.rows!.length)
        from += task.rows!.length
        if (proven) task.resolve({ predictions: own })
        else task.expected = own
      }
      if (!proven) again(group, true)
    },
    again,
    clear() {
      const all = queue
      queue = []
      return all
    },
  }
}

/** Equal as far as sums of other order are: libraries multiply a matrix and a vector by different code. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Object.is(a, b) || Math.abs(a - b) <= 1e-8 + 1e-5 * Math.max(Math.abs(a), Math.abs(b))
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, at) => isSame(each, b[at]))
  if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
    const keys = Object.keys(left)
    return keys.length === Object.keys(right).length && keys.every((key) => isSame(left[key], right[key]))
  }
  return a === b
}

/** About what the value takes as JSON. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 3
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + sizeOf(each), 2)
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).reduce((sum, [key, each]) => sum + key.length + 4 + sizeOf(each), 2)
  return 8
}
