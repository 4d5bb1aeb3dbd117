/**
 * The one typed list of what can be set. A value comes from a flag, else from the environment (SLIPWAY_…), else from
 * `slipway.config.yaml` in the data folder, else the default. A bad start prints all mistakes and stops.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { DomainError } from '#kernel/errors.ts'
import { readBytes, readDuration } from '#kernel/units.ts'

interface Entry<T> {
  about: string
  default: T
  read(text: string): T
  /** How a value that holds a secret is shown to people; others are shown as they are. */
  show?(text: string): string
}

/** A secret that can be guessed signs nothing. */
export const SECRET_BYTES_MIN = 32

const text = (fallback: string, about: string): Entry<string> => ({ about, default: fallback, read: (value) => value })
const secret = (about: string): Entry<string> => ({
  about,
  default: '',
  read: (value) => {
    if (value !== '' && Buffer.byteLength(value) < SECRET_BYTES_MIN)
      throw new Error(`has fewer than ${SECRET_BYTES_MIN} bytes`)
    return value
  },
  show: () => '[set]',
})
/** Of an address with a password only the rest is shown, also when it is not well formed. */
const address = (about: string): Entry<string> => ({
  about,
  default: '',
  read: (value) => {
    if (value !== '' && !/^postgres(ql)?:\/\//.test(value)) throw new Error('is not a postgres:// address')
    return value
  },
  show: (value) => value.replace(/^([\w+.-]+:(\/\/)?)?.*@/s, '$1…@').replace(/([?&]password=)[^&]*/gi, '$1…'),
})
const flag = (fallback: boolean, about: string): Entry<boolean> => ({
  about,
  default: fallback,
  read: (value) => {
    if (/^(true|1|yes|on)$/i.test(value)) return true
    if (/^(false|0|no|off)$/i.test(value)) return false
    throw new Error('is not true or false')
  },
})
const integer = (fallback: number, min: number, max: number, about: string): Entry<number> => ({
  about,
  default: fallback,
  read: (value) => {
    const number = Number(value)
    if (!Number.isInteger(number) || number < min || number > max)
      throw new Error(`is not a whole number from ${min} to ${max}`)
    return number
  },
})
const bytes = (fallback: number, about: string): Entry<number> => ({ about, default: fallback, read: readBytes })
const duration = (fallback_ms: number, about: string): Entry<number> => ({
  about,
  default: fallback_ms,
  read: readDuration,
})
const list = (about: string): Entry<string[]> => ({
  about,
  default: [],
  read: (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
})
const oneOf = <T extends string>(choices: readonly T[], fallback: T, about: string): Entry<T> => ({
  about: `${about} One of ${choices.join(', ')}.`,
  default: fallback,
  read: (value) => {
    if (!choices.includes(value as T)) throw new Error(`is not one of ${choices.join(', ')}`)
    return value as T
  },
})

export const SETTINGS = {
  data: text('.slipway', 'Folder that holds everything; made with mode 0700.'),
  store: address('postgres://… to keep the tables in PostgreSQL; empty for the SQLite file in the data folder.'),
  host: text('127.0.0.1', 'Address to listen on.'),
  port: integer(8080, 0, 65_535, 'Port to listen on; 0 takes a free one.'),
  dev: flag(false, 'No sign-in, loopback only. For one person on one machine.'),
  'server.hosts': list(
    'Names by which browsers reach this server, comma-separated: needed behind a proxy that passes on another Host, and for other than loopback names with --dev.',
  ),
  'server.connections': integer(4_096, 16, 1_000_000, 'Connections open at once; further ones are closed.'),
  'server.secret': secret('Signs cursors and sessions; made and kept in the data folder when empty.'),
  'log.level': oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const,
    'info',
    'Least severe line that is written.',
  ),
  'store.reserve': bytes(256 * 1024 ** 2, 'Free disk below which writes are refused with 507.'),
  'outbound.allow': list('Private or loopback host:port pairs that webhooks and the like may reach, comma-separated.'),
  'pipelines.concurrency': integer(2, 1, 64, 'Pipeline steps that run at once in this process.'),
  'pipelines.memory': bytes(8 * 1024 ** 3, 'Memory of a step that names no limit of its own.'),
  'environments.dir': text(
    '',
    'Folder of the managed Python environments, when several data folders share them; empty: in the data folder.',
  ),
  'environments.offline': flag(false, 'Never ask the package index; only environments that exist are used.'),
  'serving.root_endpoint': text('', 'Endpoint that /invocations and /ping mean at the root.'),
  'serving.log_interval': duration(
    200,
    'Longest time that a prediction stays in memory before it is written to its segment.',
  ),
  'serving.workers': integer(1, 1, 32, 'Python processes for each loaded version that is served by Python.'),
  'serving.memory': bytes(
    4 * 1024 ** 3,
    'Memory of each of these processes; one that takes more is ended and started again.',
  ),
  'serving.batch_rows': integer(
    64,
    1,
    1024,
    'Rows of waiting requests that a Python process is asked in one call; 1 asks each by itself.',
  ),
  'serving.token_grace': duration(15 * 60_000, 'How long known tokens hold for inference while the store is away.'),
  'analytics.memory': bytes(1024 ** 3, 'Memory of the DuckDB process.'),
  'analytics.threads': integer(2, 1, 64, 'Threads of the DuckDB process.'),
} as const satisfies Record<string, Entry<never> | Entry<string> | Entry<number> | Entry<boolean> | Entry<string[]>>

export type Setting = keyof typeof SETTINGS
export type Config = {
  [K in Setting]: (typeof SETTINGS)[K]['default'] extends infer D
    ? D extends string
      ? string
      : D extends number
        ? number
        : D extends boolean
          ? boolean
          : string[]
    : never
}

export interface Source {
  flags?: Partial<Record<Setting, string>>
  env?: Record<string, string | undefined>
  /** Where relative paths start: the caller's folder, which under npm is INIT_CWD. */
  cwd: string
}

export const envName = (setting: string): string => `SLIPWAY_${setting.replaceAll('.', '_').toUpperCase()}`

/** A setting's value for people to read: without what nobody may read. */
export function showSetting(setting: Setting, value: Config[Setting]): Config[Setting] {
  const { show }: Entry<never> = SETTINGS[setting] as Entry<never>
  return show && value !== '' ? show(String(value)) : value
}

/** Throws one DomainError that names every mistake. */
export function readConfig(
  source: Source,
): Config & { origin: Record<Setting, 'flag' | 'environment' | 'file' | 'default'> } {
  const mistakes: string[] = []
  const config: Record<string, unknown> = {}
  const origin: Record<string, string> = {}
  const given = (setting: Setting, file: Record<string, unknown>): [string, string] | undefined => {
    const fromFlag = source.flags?.[setting]
    if (fromFlag !== undefined) return [fromFlag, 'flag']
    const fromEnv = source.env?.[envName(setting)]
    if (fromEnv !== undefined && fromEnv !== '') return [fromEnv, 'environment']
    if (file[setting] !== undefined)
      return [Array.isArray(file[setting]) ? (file[setting] as unknown[]).join(',') : String(file[setting]), 'file']
    return undefined
  }
  const take = (setting: Setting, file: Record<string, unknown>) => {
    const entry: Entry<unknown> = SETTINGS[setting]
    const found = given(setting, file)
    config[setting] = entry.default
    origin[setting] = 'default'
    if (!found) return
    try {
      config[setting] = entry.read(found[0])
      origin[setting] = found[1]
    } catch (error) {
      mistakes.push(
        `${setting} (${found[1]}): '${entry.show ? entry.show(found[0]) : found[0]}' ${(error as Error).message}. ${entry.about}`,
      )
    }
  }

  take('data', {})
  config.data = resolve(source.cwd, config.data as string)
  const file = readFile(join(config.data as string, 'slipway.config.yaml'), mistakes)
  for (const setting of Object.keys(SETTINGS) as Setting[]) if (setting !== 'data') take(setting, file)
  for (const name of Object.keys(file))
    if (!(name in SETTINGS)) mistakes.push(`${name} (file): there is no such setting`)
  const known = new Set([...Object.keys(SETTINGS).map(envName), ...NOT_SETTINGS])
  for (const name of Object.keys(source.env ?? {})) {
    if (name.startsWith('SLIPWAY_') && !known.has(name) && !OF_A_STEP.test(name))
      mistakes.push(`${name} (environment): there is no such setting`)
  }
  if (config.dev && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(config.host as string))
    mistakes.push(`dev: --dev has no sign-in and listens on loopback only, not on '${config.host}'`)

  if (mistakes.length > 0) {
    throw new DomainError(
      'invalid',
      `the configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`,
      {
        remedy: '`slipway config` lists all settings.',
      },
    )
  }
  return {
    ...(config as unknown as Config),
    origin: origin as Record<Setting, 'flag' | 'environment' | 'file' | 'default'>,
  }
}

/** What a step is told of its inputs and params: a `slipway` that it starts inherits them. */
const OF_A_STEP = /^SLIPWAY_(INPUT|PARAM)_/

/** Names that clients, steps and the search for Python use, which are no settings of the server. */
const NOT_SETTINGS = [
  'SLIPWAY_PYTHON',
  'SLIPWAY_URL',
  'SLIPWAY_TOKEN',
  'SLIPWAY_WORKSPACE',
  'SLIPWAY_PARAMS',
  'SLIPWAY_STEP_RUN',
  'SLIPWAY_PIPELINE_RUN',
]

function readFile(path: string, mistakes: string[]): Record<string, unknown> {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch {
    return {}
  }
  try {
    const value: unknown = parse(content)
    if (value === null || value === undefined) return {}
    if (typeof value === 'object' && !Array.isArray(value)) return flatten(value as Record<string, unknown>)
    mistakes.push(`${path}: is not a list of 'setting: value'`)
  } catch (error) {
    mistakes.push(`${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  return {}
}

function flatten(value: Record<string, unknown>, prefix = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner !== null && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.entries(flatten(inner as Record<string, unknown>, `${prefix}${key}.`))
        : [[`${prefix}${key}`, inner]],
    ),
  )
}
