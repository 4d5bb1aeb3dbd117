import { type ChildProcess, fork } from 'node:child_process'
import { DomainError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { AnalyticsResult, Cell, FileSource, Statement, TableSource } from './index.ts'
import { type Ask, type Limits, PART_CELLS_MAX, type Tell } from './protocol.ts'

/** Longest a new process takes until it says that it is ready. */
const START_MS_MAX = 20_000
/** What a dying process said is kept to this many characters, for the log. */
const LAST_WORDS_CHARS_MAX = 2000

export interface Work {
  files: Record<string, FileSource>
  tables: Record<string, TableSource>
  statements: readonly Statement[]
  rows_max: number
  copy_to: string | null
}

export interface Answer {
  results: AnalyticsResult[]
  copied: number
}

/** How a process ended while calls ran in it. */
export class ProcessEnded extends Error {
  readonly signal: NodeJS.Signals | null
  constructor(code: number | null, signal: NodeJS.Signals | null) {
    super(`the analytics process ended (${signal ?? `code ${code}`})`)
    this.signal = signal
  }
}

/** One analytics process. Dead once `ended` resolves; then a new one is made. */
export interface Child {
  readonly pid: number
  /** False from the moment it ends or is told to. */
  readonly alive: boolean
  /** Rejects with DomainError as the process said, or ProcessEnded. */
  run(work: Work): { id: number; answer: Promise<Answer> }
  cancel(id: number): void
  kill(): void
  readonly ended: Promise<void>
}

export async function startChild(limits: Limits, log: Log): Promise<Child> {
  const child = fork(new URL('./process.ts', import.meta.url), [JSON.stringify(limits)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // None of the server's secrets, and no home: DuckDB would look there for extensions and credentials.
    env: { PATH: process.env.PATH, HOME: limits.temp_dir, TMPDIR: limits.temp_dir },
  })
  let last_words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    last_words = (last_words + text).slice(-LAST_WORDS_CHARS_MAX)
  })
  const waiting = new Map<number, Waiting>()
  let ended = false
  let killed = false
  const end = new Promise<void>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      if (ended) return
      ended = true
      const error = new ProcessEnded(code, signal)
      if (waiting.size > 0) log.warn({ pid: child.pid, code, signal, last_words, calls: waiting.size }, error.message)
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
      resolve()
    }
    child.once('exit', finish)
    child.once('error', () => {
      child.kill('SIGKILL')
      if (child.pid === undefined) finish(null, null)
    })
  })

  await ready(child, end)
  child.on('message', (message: Tell) => take(waiting, message))

  let next_id = 0
  return {
    pid: child.pid!,
    get alive() {
      return !ended && !killed
    },
    ended: end,
    run(work) {
      next_id += 1
      const id = next_id
      const answer = new Promise<Answer>((resolve, reject) => {
        if (ended) return reject(new ProcessEnded(null, null))
        waiting.set(id, { resolve, reject, rows: [], results: [] })
        send(child, id, work, () => waiting.has(id)).catch((error) => {
          // The process went away in the middle of being told; `exit` rejects with what is known.
          log.debug({ err: error }, 'a message to the analytics process was not delivered')
          killed = true
          child.kill('SIGKILL')
        })
      })
      return { id, answer }
    },
    cancel(id) {
      if (!ended && child.connected) child.send({ kind: 'cancel', id } satisfies Ask, () => {})
    },
    kill() {
      killed = true
      child.kill('SIGKILL')
    },
  }
}

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
  rows: Cell[][]
  results: AnalyticsResult[]
}

function take(waiting: Map<number, Waiting>, message: Tell): void {
  if (message.kind === 'ready') return
  const call = waiting.get(message.id)
  if (call === undefined) return
  if (message.kind === 'rows') {
    for (const row of message.rows) call.rows.push(row)
  } else if (message.kind === 'result') {
    call.results.push({ columns: message.columns, rows: call.rows, truncated: message.truncated })
    call.rows = []
  } else {
    waiting.delete(message.id)
    if (message.kind === 'done') call.resolve({ results: call.results, copied: message.copied })
    else call.reject(DomainError.fromJSON(message.problem))
  }
}

async function ready(child: ChildProcess, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    const said = new Promise<string>((resolve) => child.once('message', () => resolve('ready')))
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('late'), START_MS_MAX)
    })
    const outcome = await Promise.race([said, late, ended.then(() => 'ended')])
    if (outcome === 'ready') return
    child.kill('SIGKILL')
    throw new DomainError('unavailable', `the analytics process did not start (${outcome})`, {
      remedy: 'See the log; `slipway doctor` tries it by itself.',
    })
  } finally {
    clearTimeout(timer)
  }
}

/** Files first, then the rows of the tables in parts, each sent when the one before is out; then the statements. */
async function send(child: ChildProcess, id: number, work: Work, wanted: () => boolean): Promise<void> {
  const say = (ask: Ask) =>
    new Promise<void>((resolve, reject) => {
      child.send(ask, (error) => (error ? reject(error) : resolve()))
    })
  const empty = Object.entries(work.tables).map(([name, table]) => [
    name,
    {
      columns: Object.fromEntries(
        Object.entries(table.columns).map(([column, { type }]) => [column, { type, values: [] }]),
      ),
    },
  ])
  await say({ kind: 'prepare', id, files: work.files, tables: Object.fromEntries(empty), copy_to: work.copy_to })
  for (const [name, table] of Object.entries(work.tables)) {
    const columns = Object.values(table.columns)
    const rows = columns[0]?.values.length ?? 0
    const step = Math.max(1, Math.floor(PART_CELLS_MAX / Math.max(1, columns.length)))
    for (let from = 0; from < rows && wanted(); from += step) {
      await say({
        kind: 'part',
        id,
        table: name,
        columns: columns.map(({ values }) => values.slice(from, from + step)),
      })
    }
  }
  if (wanted())
    await say({ kind: 'run', id, statements: work.statements, rows_max: work.rows_max, copy_to: work.copy_to })
}
