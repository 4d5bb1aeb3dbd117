/** What the demonstration saw, for people and for machines. Its schema is report.schema.json. */
import { Ajv2020 } from 'ajv/dist/2020.js'

export const STAGES = [
  'data',
  'train',
  'register',
  'gate',
  'deploy',
  'drift',
  'retrain',
  'canary',
  'promote',
  'refuse',
  'rollback',
] as const
export type StageName = (typeof STAGES)[number]

export interface StageReport {
  name: StageName
  ok: boolean
  /** Ids that the API can be asked for. */
  evidence: string[]
  numbers: Record<string, number>
  words: string
}

export interface Report {
  stages: StageReport[]
  requests: { served: number; failed: number }
  auc_by_month: { month: string; frozen: number; live: number }[]
  lags: {
    /** Furthest that the traffic was past a window that was due and not computed yet, in ms of event time; taken before each hold. */
    event_time_ms_max: number
    /** Wall time that the replay held at boundaries of days for work to end. */
    held_ms: number
    longest_hold_ms: number
  }
  /** Seconds of event time for each second of wall time, holds left out. */
  speed: number
  /** The most that was asked for. */
  stated_speed: number
  latency_ms: { p50: number; p99: number }
  decisions: { at: string; version: number; state: string; words: string }[]
  seconds: number
}

/** Stages that were not reached count as failed. */
export function createStages(say: (line: string) => void) {
  const stages = new Map<StageName, StageReport>()
  return {
    add(
      name: StageName,
      ok: boolean,
      words: string,
      evidence: readonly (string | null | undefined)[] = [],
      numbers: Record<string, number | null | undefined> = {},
    ) {
      const kept = Object.fromEntries(
        Object.entries(numbers).filter(
          (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
        ),
      )
      stages.set(name, {
        name,
        ok,
        words,
        evidence: evidence.filter((id): id is string => typeof id === 'string'),
        numbers: kept,
      })
      say(`${ok ? '✓' : '✗'} ${name.padEnd(9)} ${words}`)
    },
    has: (name: StageName) => stages.has(name),
    all: (): StageReport[] =>
      STAGES.map(
        (name) => stages.get(name) ?? { name, ok: false, words: 'it was not reached', evidence: [], numbers: {} },
      ),
  }
}

export type Stages = ReturnType<typeof createStages>

/** Area under the ROC curve by ranks; ties count one half. */
export function auc(rows: readonly { score: number; label: number }[]): number {
  const sorted = [...rows].sort((a, b) => a.score - b.score)
  let ranks = 0
  let positives = 0
  for (let at = 0; at < sorted.length; ) {
    let end = at
    while (end < sorted.length && sorted[end]!.score === sorted[at]!.score) end++
    const rank = (at + 1 + end) / 2
    for (; at < end; at++) {
      if (sorted[at]!.label === 1) {
        ranks += rank
        positives++
      }
    }
  }
  const negatives = sorted.length - positives
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives)
}

export function closingTable(report: Report): string {
  const lines = ['', 'month     AUC frozen  AUC live']
  for (const { month, frozen, live } of report.auc_by_month)
    lines.push(`${month}      ${frozen.toFixed(3)}     ${live.toFixed(3)}`)
  lines.push('', 'decisions')
  for (const { at, version, state, words } of report.decisions)
    lines.push(`  ${at}  version ${version}  ${state.padEnd(11)} ${words}`)
  lines.push(
    '',
    `${report.requests.served.toLocaleString('en')} requests served, failed = ${report.requests.failed}; p50 ${report.latency_ms.p50.toFixed(1)} ms, p99 ${report.latency_ms.p99.toFixed(1)} ms`,
    `replayed ${Math.round(report.speed).toLocaleString('en')} times as fast as it happened (stated: ${report.stated_speed.toLocaleString('en')}); windows were at most ${(report.lags.event_time_ms_max / 3_600_000).toFixed(1)} h of event time behind; held ${(report.lags.held_ms / 1000).toFixed(1)} s for work at boundaries of days`,
    `${report.stages.filter(({ ok }) => ok).length} of ${report.stages.length} stages did what they should, in ${Math.round(report.seconds)} s`,
  )
  return lines.join('\n')
}

/** Where a report is not what its schema says: too few requests or months, a figure that is no number. Read as it is written. */
export function mistakesOf(report: Report, schema: object): string[] {
  const validate = new Ajv2020({ allErrors: true }).compile(schema)
  if (validate(JSON.parse(JSON.stringify(report)))) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
}
