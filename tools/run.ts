import { spawn } from 'node:child_process'
import path from 'node:path'

/** The repository's root, absolute. */
export const ROOT = path.resolve(import.meta.dirname, '..')

export interface Finished {
  /** Exit code; 1 when a signal ended it, 127 when there is no such program. */
  code: number
  signal: NodeJS.Signals | null
  /** Standard output and error in the order they came, the last megabyte of it. Empty with `show`. */
  output: string
}

const OUTPUT_CHARS_MAX = 1_000_000

/**
 * Runs one program to its end in the repository's root. With `show` it writes straight to our terminal.
 * Past `timeout_ms` it is killed and the result has signal SIGKILL. Never rejects.
 */
export function run(
  command: string,
  args: readonly string[],
  options: { timeout_ms: number; show?: boolean; env?: NodeJS.ProcessEnv; cwd?: string; input?: string },
): Promise<Finished> {
  const { promise, resolve } = Promise.withResolvers<Finished>()
  const shown = options.show ? 'inherit' : 'pipe'
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', shown, shown],
    timeout: options.timeout_ms,
    killSignal: 'SIGKILL',
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.stdin?.end(options.input)
  child.on('error', (error) => resolve({ code: 127, signal: null, output: `${output}${error.message}\n` }))
  child.on('close', (code, signal) => resolve({ code: code ?? 1, signal, output }))
  return promise
}

/** A package's program by the path of its script, run by this very Node. */
export function script(file: string, ...args: string[]): [string, string[]] {
  return [process.execPath, [path.join(ROOT, file), ...args]]
}
