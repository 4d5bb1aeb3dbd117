/** A stranger's machine: a fresh clone with a home of its own, and nothing of the environment that these tests run in. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '..', '..', '..')
/** Where packages come from, and how that is trusted: it belongs to the line, not to the user. */
const LINE =
  /^(npm_config_(registry|cafile)|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|(PIP|UV)_\w+|(https?|no)_proxy)$/i
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/'
export const OFFLINE = {
  npm_config_registry: NOWHERE,
  npm_config_offline: 'true',
  PIP_INDEX_URL: NOWHERE,
  PIP_FIND_LINKS: '',
  UV_INDEX: NOWHERE,
  UV_INDEX_URL: NOWHERE,
  UV_DEFAULT_INDEX: NOWHERE,
  UV_FIND_LINKS: '',
  HTTPS_PROXY: NOWHERE,
  HTTP_PROXY: NOWHERE,
  NO_PROXY: '127.0.0.1,localhost',
}

export interface User {
  name: string
  uid: number
  gid: number
}

/** Debian's user without any right; programs may run as it when we are root. */
export const NOBODY: User = { name: 'nobody', uid: 65534, gid: 65534 }

export interface Clone {
  dir: string
  env: NodeJS.ProcessEnv
  /** Starts a program in the clone, in a process group of its own, as a terminal would. */
  start(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Running
}

export interface Running {
  pid: number
  output(): string
  /** Resolves with the first match in what it writes; rejects with its last words when it ends before. */
  says(words: RegExp, timeout_ms: number): Promise<RegExpExecArray>
  /** What Ctrl-C does: the signal goes to every process of the group. */
  interrupt(): void
  /** The exit code, or the signal's name. */
  ended: Promise<number | string>
}

/** `folder` must not exist, and be reachable by the user. */
export function makeClone(folder: string, user?: User): Clone {
  const dir = path.join(folder, 'slipway')
  const home = path.join(folder, 'home')
  mkdirSync(home, { recursive: true })
  execFileSync('git', ['clone', '--quiet', ROOT, dir])
  // The address of a registry behind a proxy, where there is one.
  const npmrc = path.join(homedir(), '.npmrc')
  if (existsSync(npmrc)) copyFileSync(npmrc, path.join(home, '.npmrc'))
  const outside = (process.env.PATH ?? '').split(path.delimiter).filter((entry) => !entry.includes('node_modules'))
  const line = Object.entries(process.env).filter(([name]) => LINE.test(name))
  const env = {
    ...Object.fromEntries(line),
    // Of another user only what all users have.
    PATH: user ? '/usr/local/bin:/usr/bin:/bin' : outside.join(path.delimiter),
    HOME: home,
    ...(user && { USER: user.name, LOGNAME: user.name }),
  }
  if (user) {
    chownSync(folder, user.uid, user.gid)
    execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, dir, home])
  }
  return {
    dir,
    env,
    start: (command, args, more) =>
      watch(
        spawn(command, args, {
          cwd: dir,
          env: { ...env, ...more },
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
          ...(user && { uid: user.uid, gid: user.gid }),
        }),
      ),
  }
}

function watch(child: ChildProcess): Running {
  let output = ''
  const watchers = new Set<() => void>()
  const keep = (chunk: Buffer) => {
    output = (output + chunk).slice(-200_000)
    for (const look of watchers) look()
  }
  child.stdout!.on('data', keep)
  child.stderr!.on('data', keep)
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    pid: child.pid!,
    output: () => output,
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
    ended,
    async says(words, timeout_ms) {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
      const fail = (why: string) => reject(new Error(`${why} before it said ${words}:\n${output.slice(-5_000)}`))
      const look = () => {
        const found = words.exec(output)
        if (found) resolve(found)
      }
      const timer = setTimeout(() => fail(`${timeout_ms / 1000} s went by`), timeout_ms)
      watchers.add(look)
      look()
      void ended.then((code) => fail(`it ended with ${code}`))
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        watchers.delete(look)
      }
    },
  }
}
