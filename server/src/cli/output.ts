/** What the command line says: people read stderr and tables, programs read stdout as JSON. */
export interface Output {
  readonly json: boolean
  /** The answer: as JSON with --json, else as the text that `words` makes of it. */
  answer(value: unknown, words: () => string): void
  /** A line for people; silent with --json. */
  say(line: string): void
  warn(line: string): void
  /** A line that rewrites itself on a terminal and is repeated at most every 5 s elsewhere. */
  progress(label: string): Progress
}

export interface Progress {
  update(text: string): void
  done(text?: string): void
}

/** Anything quicker than this shows no progress at all. */
const PATIENCE_MS = 1000
const PLAIN_REPEAT_MS = 5000

export function createOutput(options: { json: boolean; quiet?: boolean }): Output {
  const { stdout, stderr } = process
  const say = (line: string) => {
    if (!options.json && !options.quiet) stdout.write(`${line}\n`)
  }
  return {
    json: options.json,
    answer(value, words) {
      stdout.write(options.json ? `${JSON.stringify(value)}\n` : `${words()}\n`)
    },
    say,
    warn: (line) => void stderr.write(`${line}\n`),
    progress(label) {
      const started = Date.now()
      let latest = ''
      let shown = ''
      let last = 0
      const terminal = stderr.isTTY === true && !options.json
      const show = () => {
        const now = Date.now()
        if (latest === shown || options.quiet || options.json || now - started < PATIENCE_MS) return
        if (terminal) stderr.write(`\r\x1b[2K${label}: ${latest}`)
        else if (now - last >= PLAIN_REPEAT_MS) {
          stderr.write(`${label}: ${latest}\n`)
          last = now
        } else return
        shown = latest
      }
      // One long piece of work tells of itself once.
      const patience = setTimeout(show, PATIENCE_MS)
      patience.unref()
      return {
        update(text) {
          latest = text
          show()
        },
        done(text) {
          clearTimeout(patience)
          if (terminal && shown) stderr.write('\r\x1b[2K')
          if (text) say(text)
        },
      }
    },
  }
}

/** Columns padded to their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'))
  return cells
    .map((row) =>
      row
        .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
