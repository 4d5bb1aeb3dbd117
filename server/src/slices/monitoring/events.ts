import { event } from '#kernel/events/index.ts'

export interface AlertMoved {
  alert_id: string
  monitor: string
  endpoint: string
  alert: string
  metric: string
  /** Null where no window moved it: its rule is gone. */
  window: { start_ms: number; end_ms: number } | null
  value: number | null
  threshold: number
  /** Event time up to which the endpoint has been seen. */
  watermark_ms: number
  /** Windows in a row in which the condition held. */
  streak: number
}

export const monitorApplied = event<{ monitor: string; endpoint: string; project: string }>(
  'monitoring.monitor-applied',
  'A monitor was made or changed.',
)
export const monitorRemoved = event<{ monitor: string }>('monitoring.monitor-removed', 'A monitor was removed.')
export const windowComputed = event<{
  monitor: string
  endpoint: string
  start_ms: number
  end_ms: number
  revised: boolean
}>('monitoring.window-computed', 'A window of a monitor was computed, or computed again because labels came late.')
export const alertRaised = event<AlertMoved>(
  'monitoring.alert-raised',
  'A measure crossed its threshold for as many windows as its alert asks.',
)
/** Each further bad window of an open alert: what reacts with brakes of its own may look again. */
export const alertHeld = event<AlertMoved>(
  'monitoring.alert-held',
  'A further window in which an open alert still holds.',
)
export const alertCleared = event<AlertMoved>('monitoring.alert-cleared', 'A measure came back beyond its threshold.')
