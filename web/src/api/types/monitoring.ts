/** Monitors, windows and alerts. */

export interface FeatureDrift {
  feature: string
  kind: 'numeric' | 'categorical'
  psi: number | null
  ks: number | null
  ks_p: number | null
  nulls: number
  /** Share of nulls in the reference. */
  nulls_reference?: number
  bins: { reference: number[]; current: number[]; names: string[] }
}
export interface WindowFacts {
  requests: number
  rows: number
  errors: number
  fallbacks: number
  labelled: number
  versions: Record<string, number>
  metrics: Record<string, number | null>
  words: string[]
  latency_ms: { p50: number | null; p95: number | null; p99: number | null }
  score: { mean: number | null; histogram: number[] }
  positives: number | null
  drift: FeatureDrift[]
  drift_version: number | null
}
export interface MonitorWindow {
  monitor: string
  start_ms: number
  end_ms: number
  state: 'computed' | 'revised' | 'dirty' | 'failed'
  facts: WindowFacts
  computed_ms: number
  revisions: number
}
export interface AlertRule {
  name: string
  metric: string
  below?: number
  above?: number
  below_reference?: number
  above_reference?: number
  for?: number
  clear?: number
}
export interface Monitor {
  name: string
  project: string
  endpoint: string
  spec: {
    endpoint: string
    window: string
    every?: string
    label_delay?: string
    labels_min?: number
    metrics?: string[]
    drift?: { psi?: boolean; ks?: boolean; psi_above?: number }
    alerts?: AlertRule[]
  }
  applied_ms: number
  next_ms: number | null
}
export interface MonitorRow extends Monitor {
  last_window: MonitorWindow | null
  alerts_open: number
}
export interface MonitorDetail extends Monitor {
  windows: MonitorWindow[]
  alerts: Alert[]
}
export interface Alert {
  id: string
  monitor: string
  endpoint: string
  name: string
  metric: string
  state: 'open' | 'cleared'
  threshold: number
  value: number | null
  reference: { value: number; version: number; window_ms: number } | null
  opened_window_ms: number
  cleared_window_ms: number | null
  watermark_ms: number
  opened_ms: number
  cleared_ms: number | null
}
