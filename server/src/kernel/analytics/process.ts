/** Entry of the analytics process: takes calls by messages, runs each on an instance of its own, tells rows in parts. */
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { DomainError } from '../errors.ts'
import { lastProblemOf } from './failures.ts'
import type { Cell } from './index.ts'
import { type Instance, openInstance } from './instance.ts'
import {
  type Ask,
  type Limits,
  PART_CELLS_MAX,
  PART_CHARS_MAX,
  RESULT_CELLS_MAX,
  RESULT_CHARS_MAX,
  type Tell,
} from './protocol.ts'

const limits = JSON.parse(process.argv[2]!) as Limits

interface Running {
  instance: Instance | undefined
  cancelled: boolean
  interrupting: NodeJS.Timeout | undefined
  /** Messages of one call are worked off in order. */
  last: Promise<void>
}

const calls = new Map<number, Running>()

const tell = (message: Tell): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error ? reject(error) : resolve()))
  })

process.on('message', (ask: Ask) => {
  const call = ask.kind === 'prepare' ? begin(ask.id) : calls.get(ask.id)
  if (call === undefined) return
  if (ask.kind === 'cancel') {
    call.cancelled = true
    // An interrupt between two statements is lost, so it is said until the call has ended.
    call.interrupting ??= setInterval(() => call.instance?.interrupt(), 50)
    call.instance?.interrupt()
    return
  }
  call.last = call.last.then(() =>
    calls.get(ask.id) === call ? work(ask, call).catch((error) => fail(ask.id, error)) : undefined,
  )
})
process.on('disconnect', () => process.exit(0))

function begin(id: number): Running {
  const call: Running = { instance: undefined, cancelled: false, interrupting: undefined, last: Promise.resolve() }
  calls.set(id, call)
  return call
}

async function work(ask: Exclude<Ask, { kind: 'cancel' }>, call: Running): Promise<void> {
  if (call.cancelled) throw new DomainError('unavailable', 'the query was cancelled')
  if (ask.kind === 'prepare') {
    call.instance = await openInstance(limits, ask.files, ask.copy_to)
    await call.instance.define(ask.files, ask.tables)
  } else if (ask.kind === 'part') {
    await call.instance!.append(ask.table, ask.columns)
  } else {
    let copied = 0
    if (ask.copy_to !== null) copied = await call.instance!.copy(ask.statements[0]!, ask.copy_to)
    else {
      const size = { cells: 0, chars: 0 }
      for (const statement of ask.statements) await answer(ask.id, call, statement, ask.rows_max, size)
    }
    end(ask.id)
    await tell({ kind: 'done', id: ask.id, copied })
  }
}

async function answer(
  id: number,
  call: Running,
  statement: Parameters<Instance['select']>[0],
  rows_max: number,
  size: { cells: number; chars: number },
): Promise<void> {
  if (call.cancelled) throw new DomainError('unavailable', 'the query was cancelled')
  let told = 0
  let truncated = false
  let part: Cell[][] = []
  let part_cells = 0
  let part_chars = 0
  const flush = async () => {
    if (part.length === 0) return
    const rows = part
    part = []
    part_cells = 0
    part_chars = 0
    await tell({ kind: 'rows', id, rows })
  }
  const columns = await call.instance!.select(statement, async (rows) => {
    for (const row of rows) {
      if (told === rows_max) {
        truncated = true
        return false
      }
      const chars = row.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0)
      size.cells += row.length
      size.chars += chars
      if (size.cells > RESULT_CELLS_MAX || size.chars > RESULT_CHARS_MAX)
        throw new DomainError('too-large', 'the result is larger than a call answers', {
          field: 'sql',
          remedy: 'Ask for fewer rows or columns, or write the result to a file.',
        })
      part.push(row)
      part_cells += row.length
      part_chars += chars
      told += 1
      if (part_cells >= PART_CELLS_MAX || part_chars >= PART_CHARS_MAX) await flush()
    }
    return true
  })
  await flush()
  await tell({ kind: 'result', id, columns, truncated })
}

async function fail(id: number, error: unknown): Promise<void> {
  const problem = error instanceof DomainError ? error : lastProblemOf(error)
  end(id)
  await tell({ kind: 'failed', id, problem: problem.toJSON() })
}

function end(id: number): void {
  const call = calls.get(id)
  calls.delete(id)
  clearInterval(call?.interrupting)
  call?.instance?.close()
}

// Serving goes first, and if memory runs out this process is the one to go.
try {
  setPriority(5)
  if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '800')
} catch {
  // Not allowed here: only an order of preference is lost.
}
await tell({ kind: 'ready' })
