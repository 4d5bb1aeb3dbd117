/** What a window means for the alerts of its monitor; all of it in the transaction that keeps the window. */
import type { Clock } from '#kernel/clock.ts'
import type { Events, EventType } from '#kernel/events/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Tx } from '#kernel/store/index.ts'
import * as alerts from './alert-store.ts'
import { judgeAlert } from './alerts.ts'
import { type AlertMoved, alertCleared, alertHeld, alertRaised } from './events.ts'
import * as rows from './monitoring-store.ts'
import type { Webhooks } from './webhooks.ts'
import { mainVersion, type WindowFacts } from './window.ts'

/** From this share of rows on, a window is the version's own. */
const OWN_SHARE = 0.95
/** A window is full when its rows reach this near to both its ends. */
const EDGE_SHARE = 0.25

export interface JudgeInput {
  monitor: rows.Monitor
  start_ms: number
  end_ms: number
  facts: WindowFacts
  /** What it was computed as before, when labels that came late made it anew. */
  before?: WindowFacts
  watermark_ms: number
}

export interface Judge {
  /** Judges each alert by the window once: when it closes, or when labels that came late first give its metric a value. */
  judgeWindow(tx: Tx, who: Who, input: JudgeInput): Promise<void>
  /** Clears open alerts that `keep` does not name: their rule is gone. */
  clearOrphans(tx: Tx, who: Who, monitor: string, keep: ReadonlySet<string>): Promise<void>
}

/** One version answered it nearly alone, and from one end to the other: what the version can do. */
export function isFull({ facts, start_ms, end_ms }: Pick<JudgeInput, 'facts' | 'start_ms' | 'end_ms'>): boolean {
  const edge_ms = (end_ms - start_ms) * EDGE_SHARE
  return (
    facts.seen !== null &&
    (facts.versions[String(mainVersion(facts))] ?? 0) > facts.rows * OWN_SHARE &&
    facts.seen.from_ms <= start_ms + edge_ms &&
    facts.seen.to_ms >= end_ms - edge_ms
  )
}

export function createJudge(deps: {
  events: Pick<Events, 'record'>
  webhooks: Pick<Webhooks, 'send'>
  clock: Clock
  ids: Ids
}): Judge {
  const { events, webhooks, clock, ids } = deps

  const judgeOne = async (
    tx: Tx,
    who: Who,
    { monitor, start_ms, end_ms, facts, before: earlier, watermark_ms }: JudgeInput,
    spec: NonNullable<rows.Monitor['spec']['alerts']>[number],
    full: boolean,
  ): Promise<void> => {
    const { workspace } = monitor
    const version = mainVersion(facts)
    const value = facts.metrics[spec.metric] ?? null
    const relative = spec.below_reference !== undefined || spec.above_reference !== undefined
    if (relative && value !== null && full)
      await alerts.putReference(tx, workspace, monitor.name, spec.metric, version, value, start_ms)
    const reference = relative
      ? ((await alerts.referenceOf(tx, workspace, monitor.name, spec.metric, version)) ?? null)
      : null
    const before = await alerts.streakOf(tx, workspace, monitor.name, spec.name)
    // Decided once and in order: a revision decides only what had no value until now, while no later window is decided.
    const decided = (earlier?.metrics[spec.metric] ?? null) !== null
    if (earlier && (decided || start_ms <= (before?.last_window_ms ?? Number.NEGATIVE_INFINITY))) return
    const open = await alerts.openAlert(tx, workspace, monitor.name, spec.name)
    const judged = judgeAlert({
      spec,
      value,
      reference: reference?.value ?? null,
      streak: before?.streak ?? 0,
      open: open !== undefined,
    })
    // A window without a value waits for its labels.
    if (value !== null) await alerts.putStreak(tx, workspace, monitor.name, spec.name, judged.streak, start_ms)
    if (judged.move === 'none' || judged.threshold === null) return
    const alert: alerts.Alert = open ?? {
      workspace,
      id: ids.next('alert'),
      monitor: monitor.name,
      endpoint: monitor.endpoint,
      name: spec.name,
      metric: spec.metric,
      state: 'open',
      threshold: judged.threshold,
      value,
      reference,
      opened_window_ms: start_ms,
      cleared_window_ms: null,
      watermark_ms,
      opened_ms: clock.now(),
      cleared_ms: null,
    }
    const fact: AlertMoved = {
      alert_id: alert.id,
      monitor: monitor.name,
      endpoint: monitor.endpoint,
      alert: spec.name,
      metric: spec.metric,
      window: { start_ms, end_ms },
      value,
      threshold: judged.threshold,
      watermark_ms,
      streak: judged.streak,
    }
    const type: EventType<AlertMoved> =
      judged.move === 'open' ? alertRaised : judged.move === 'clear' ? alertCleared : alertHeld
    await alerts.putAlert(
      tx,
      judged.move === 'clear'
        ? { ...alert, state: 'cleared', value, cleared_window_ms: start_ms, cleared_ms: clock.now() }
        : { ...alert, value },
    )
    await events.record(tx, type, {
      who,
      subject: { kind: 'alert', id: alert.id },
      after: fact,
      edges:
        judged.move === 'open'
          ? [
              {
                from: { kind: 'endpoint', id: monitor.endpoint },
                to: { kind: 'alert', id: alert.id },
                relation: 'caused',
              },
            ]
          : [],
    })
    if (spec.webhook && judged.move !== 'hold')
      await webhooks.send(tx, who, { url: spec.webhook, alert: alert.id, type: type.name, data: fact })
  }

  return {
    async judgeWindow(tx, who, input) {
      const full = isFull(input)
      for (const spec of input.monitor.spec.alerts ?? []) await judgeOne(tx, who, input, spec, full)
      if (full && input.facts.score.histogram.some((count) => count > 0))
        await rows.putScoreReference(
          tx,
          input.monitor.workspace,
          input.monitor.name,
          mainVersion(input.facts),
          input.start_ms,
          input.facts.score.histogram,
        )
    },

    async clearOrphans(tx, who, monitor, keep) {
      const open = await alerts.alertsOf(tx, who.workspace, { monitor, state: 'open', limit: 1000 })
      for (const alert of open) {
        if (keep.has(alert.name)) continue
        await alerts.putAlert(tx, { ...alert, state: 'cleared', cleared_ms: clock.now() })
        await events.record(tx, alertCleared, {
          who,
          subject: { kind: 'alert', id: alert.id },
          reason: 'its rule is declared no more',
          after: {
            alert_id: alert.id,
            monitor,
            endpoint: alert.endpoint,
            alert: alert.name,
            metric: alert.metric,
            window: null,
            value: alert.value,
            threshold: alert.threshold,
            watermark_ms: alert.watermark_ms,
            streak: 0,
          },
        })
      }
    },
  }
}
