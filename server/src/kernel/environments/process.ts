import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Writable } from 'node:stream'
import { invalid } from '../errors.ts'
import { type Cgroup, type CgroupMaker, findCgroups } from './cgroup.ts'
import { LINE_LIMITS, type LineLimits, readLines } from './lines.ts'
import { watchMemory } from './memory-watch.ts'
import type { Environment } from './model.ts'
import { type GroupUse, signalQuietly, signalStray } from './process-table.ts'
import { supervised } from './supervisor.ts'

export interface ProcessLimits {
  /** Memory of all processes together; past it they are killed. */
  memory_bytes?: number | undefined
  /** Processors' worth of time, 0.5 or 2; enforced where cgroup v2 is delegated, elsewhere told to the libraries' thread pools. */
  cpu?: number | undefined
  /** Longest life. */
  wall_ms?: number | undefined
}

export interface ProcessOptions {
  /** The program and its arguments; no shell reads them (`['sh', '-c', line]` does). `python` is the environment's own. */
  args: readonly string[]
  /** Added to PATH, HOME, TMPDIR (a scratch folder that is removed at the end) and LANG, which are all that is there otherwise. */
  env?: Readonly<Record<string, string>> | undefined
  /** Missing: the scratch folder. */
  cwd?: string | undefined
  environment?: Pick<Environment, 'dir'> | undefined
  limits?: ProcessLimits | undefined
  /** Each line of output; long lines are cut, floods are thinned, and both say so. */
  onLine?: ((line: { stream: 'stdout' | 'stderr'; text: string }) => void) | undefined
  line_limits?: LineLimits | undefined
  /** Aborting it ends the process: reason `cancelled`. */
  signal?: AbortSignal | undefined
  /** `pipe`: `stdin` of the running process can be written. */
  stdin?: 'none' | 'pipe' | undefined
  /** Between TERM and KILL, when it is asked to end. */
  grace_ms?: number | undefined
}

export type EndReason = 'exit' | 'cancelled' | 'timeout' | 'memory' | 'signal'

export interface ProcessEnd {
  /** Null when a signal ended it. 127: the program was not found, 126: it cannot be executed. */
  code: number | null
  signal: NodeJS.Signals | null
  reason: EndReason
  /** Greatest resident memory seen, all processes together; 0 when it ended before the first look. */
  peak_bytes: number
  wall_ms: number
}

export interface RunningProcess {
  pid: number
  stdin: Writable | null
  /** Resolves after the last line was told and nothing of the group runs any more. Never rejects. */
  ended: Promise<ProcessEnd>
  /** Asks it to end, as an abort of `signal` does. */
  stop(): void
}

const GRACE_MS = 5000
/** After the server's own death nobody waits for tidy goodbyes. */
const ORPHAN_GRACE_S = 2
/** Longest wait for output pipes that a stray process holds open after all others ended. */
const DRAIN_MS = 2000
const ARGS_BYTES_MAX = 1_000_000

let cgroups: Promise<CgroupMaker | undefined> | undefined
let made = 0
const running_in = new Map<string, number>()

/** How many processes of this server run in an environment's folder. */
export const runningIn = (dir: string): number => running_in.get(dir) ?? 0

/** The kernel's own limits where they are delegated to us; looked up once. */
export const kernelLimits = () => (cgroups ??= findCgroups())

/** What a user's process sees of the server's environment: nothing that was not put here on purpose. */
function cleanEnvironment(options: ProcessOptions, scratch: string): Record<string, string> {
  const { environment, env, limits } = options
  const path = process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'
  const clean: Record<string, string> = { PATH: path, HOME: scratch, TMPDIR: join(scratch, 'tmp'), LANG: 'C.UTF-8' }
  // Threads that wait for each other spin by default: beside other work a training then took ten times as long.
  clean.OMP_WAIT_POLICY = 'PASSIVE'
  if (environment) {
    clean.PATH = `${join(environment.dir, 'bin')}${delimiter}${path}`
    clean.VIRTUAL_ENV = environment.dir
    clean.PYTHONNOUSERSITE = '1'
    clean.PYTHONUNBUFFERED = '1'
  }
  if (limits?.cpu !== undefined) {
    const threads = String(Math.max(1, Math.min(availableParallelism(), Math.ceil(limits.cpu))))
    for (const name of ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS'])
      clean[name] = threads
  }
  return { ...clean, ...env }
}

/**
 * Starts a command in a process group of its own, with a clean environment and limits. Whatever happens, no process of its group
 * outlives this server, not when it is killed with -9 either; where cgroup v2 is delegated to us, nor does one that left the group.
 * Elsewhere such a process is ended with its command while this server lives; `slipway doctor` says so. Throws invalid for
 * arguments that cannot be started at all; a program that does not exist is an end with code 127 and a line on stderr that says so.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { args, limits = {}, signal } = options
  signal?.throwIfAborted()
  if (args.length === 0 || args[0] === '') throw invalid('no program is named', { field: 'args' })
  if (args.some((arg) => arg.includes('\0'))) throw invalid('an argument holds a NUL character', { field: 'args' })
  if (args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 1, 0) > ARGS_BYTES_MAX) {
    throw invalid(`the arguments are longer than ${ARGS_BYTES_MAX} bytes together`, {
      field: 'args',
      remedy: 'Pass them in a file.',
    })
  }
  if (options.cwd !== undefined && !(await stat(options.cwd).catch(() => undefined))?.isDirectory()) {
    throw invalid(`${options.cwd} is no folder`, { field: 'cwd' })
  }
  const scratch = await mkdtemp(join(tmpdir(), 'slipway-process-'))
  let cgroup: Cgroup | undefined
  try {
    await mkdir(join(scratch, 'tmp'))
    made += 1
    // Without it memory is watched from outside, so a kernel that changes its mind is no reason to refuse.
    cgroup = await (await kernelLimits())?.make(String(made), limits).catch(() => undefined)
    signal?.throwIfAborted()
    const child = spawn('/bin/sh', supervised(args, ORPHAN_GRACE_S, cgroup?.dir), {
      cwd: options.cwd ?? scratch,
      env: cleanEnvironment(options, scratch),
      detached: true,
      stdio: [options.stdin === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
    })
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    return follow(child, child.pid!, options, scratch, cgroup)
  } catch (error) {
    await cgroup?.dispose()
    await rm(scratch, { recursive: true, force: true })
    throw error
  }
}

function follow(
  child: ChildProcess,
  pid: number,
  options: ProcessOptions,
  scratch: string,
  cgroup: Cgroup | undefined,
): RunningProcess {
  const { limits = {}, onLine, signal, grace_ms = GRACE_MS, line_limits = LINE_LIMITS } = options
  const started = performance.now()
  const dir = options.environment?.dir
  if (dir) running_in.set(dir, runningIn(dir) + 1)
  const timers: NodeJS.Timeout[] = []
  const strays = new Map<number, string>()
  let asked: EndReason | undefined
  let over = false
  let peak_bytes = 0

  const signalAll = (name: NodeJS.Signals) => {
    signalQuietly(-pid, name)
    for (const [stray, since] of strays) void signalStray({ pid: stray, started: since }, name)
  }
  const end = (reason: EndReason) => {
    if (asked || over) return
    asked = reason
    signalAll(reason === 'memory' ? 'SIGKILL' : 'SIGTERM')
    timers.push(setTimeout(() => signalAll('SIGKILL'), grace_ms))
  }
  const onAbort = () => end('cancelled')
  const onUse = (use: GroupUse) => {
    peak_bytes = Math.max(peak_bytes, use.resident_bytes)
    for (const stray of use.strays) strays.set(stray.pid, stray.started)
    if (limits.memory_bytes !== undefined && !cgroup && use.resident_bytes > limits.memory_bytes) end('memory')
  }

  // A process that dies while it is written to is reported by its end, not by its pipe.
  for (const pipe of child.stdio) pipe?.on('error', () => {})
  const stopWatching = watchMemory(pid, limits.memory_bytes, onUse)
  if (limits.wall_ms !== undefined) timers.push(setTimeout(() => end('timeout'), limits.wall_ms))
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  const output = (['stdout', 'stderr'] as const).map((stream) =>
    readLines(child[stream]!, (text) => onLine?.({ stream, text }), line_limits),
  )

  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', async (code, by) => {
      over = true
      for (const timer of timers) clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      stopWatching()
      // The watcher is still in the group, so its number cannot have passed to somebody else.
      signalAll('SIGKILL')
      child.stdio[3]?.destroy()
      const drain = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, DRAIN_MS)
      await Promise.all(output)
      clearTimeout(drain)
      const out_of_memory = (await cgroup?.ranOut()) ?? false
      peak_bytes = Math.max(peak_bytes, (await cgroup?.peakBytes()) ?? 0)
      await cgroup?.dispose()
      await rm(scratch, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
      if (dir) running_in.set(dir, runningIn(dir) - 1)
      const reason = asked ?? (out_of_memory ? 'memory' : by ? 'signal' : 'exit')
      resolve({ code, signal: by, reason, peak_bytes, wall_ms: Math.round(performance.now() - started) })
    })
  })
  return { pid, stdin: child.stdin, ended, stop: () => end('cancelled') }
}

/** Runs a command to its end and keeps the last lines of its output, for our own tools. */
export async function runProcess(
  options: Omit<ProcessOptions, 'stdin'>,
  lines_max = 200,
): Promise<ProcessEnd & { stdout: string; tail: string }> {
  const stdout: string[] = []
  const tail: string[] = []
  const keep = (lines: string[], text: string) => {
    lines.push(text)
    if (lines.length > lines_max) lines.shift()
  }
  const running = await startProcess({
    ...options,
    onLine(line) {
      keep(tail, line.text)
      if (line.stream === 'stdout') keep(stdout, line.text)
      options.onLine?.(line)
    },
  })
  return { ...(await running.ended), stdout: stdout.join('\n'), tail: tail.join('\n') }
}
