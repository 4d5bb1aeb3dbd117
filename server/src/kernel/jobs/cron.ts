import { Cron } from 'croner'
import { invalid } from '../errors.ts'

const ZONE = /^TZ=(\S+)\s+/

/** The moment after `after_ms` at which `cron` is next due. Five fields; UTC, or `TZ=Europe/Berlin` before them. Throws invalid. */
export function nextDue(cron: string, after_ms: number): number {
  const zone = ZONE.exec(cron)?.[1]
  const remedy = 'write five fields, minute first, such as "0 3 * * *"; UTC, or with "TZ=Europe/Berlin " before them'
  let next: Date | null
  try {
    next = new Cron(cron.replace(ZONE, ''), { mode: '5-part', timezone: zone ?? 'UTC', paused: true }).nextRun(
      new Date(after_ms),
    )
  } catch (cause) {
    throw invalid(`"${cron}" is no cron expression: ${(cause as Error).message}`, { field: 'cron', remedy, cause })
  }
  if (!next) throw invalid(`"${cron}" is never due`, { field: 'cron', remedy })
  return next.getTime()
}
