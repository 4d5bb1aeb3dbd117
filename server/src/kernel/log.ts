import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/** Names whose values never reach a log line, at any of the depths that our own lines use. */
const SECRET = ['authorization', 'cookie', 'token', 'password', 'secret', 'set-cookie']
const REDACTED = SECRET.flatMap((name) =>
  [name, `*.${name}`, `*.*.${name}`].map((path) =>
    path.replace(/(^|\.)set-cookie$/, '$1["set-cookie"]').replace('.[', '['),
  ),
)

/** Of an error what people need: libraries hang whole requests, headers and all, on theirs. */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return Object.fromEntries(
    Object.entries(pino.stdSerializers.err(error)).filter(
      ([name, value]) =>
        name === 'facts' || (value !== null && typeof value !== 'object' && typeof value !== 'function'),
    ),
  )
}

/** Structured lines, one JSON object each. `level` is pino's; `destination` is for tests. */
export function createLog(options: { level?: string; destination?: DestinationStream } = {}): Log {
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      serializers: { err: plainError },
      redact: { paths: REDACTED, censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    options.destination ?? pino.destination({ dest: 2, sync: false }),
  )
}

export const silentLog: Log = pino({ level: 'silent' })
