/** Columns of the run table: `m.auc`, `p.lr`, `t.stage` in the address; the words of the API; how each is shown. */
import { keyText } from './filter.ts'

type ColumnKind = 'metric' | 'param' | 'tag' | 'attribute'

interface Attribute {
  label: string
  width: number
  /** Left out where the server does not order by it. */
  api?: string
}

export const ATTRIBUTES: Record<string, Attribute> = {
  name: { label: 'Run', width: 280, api: 'attributes.run_name' },
  status: { label: 'State', width: 116, api: 'attributes.status' },
  start: { label: 'Started', width: 112, api: 'attributes.start_time' },
  end: { label: 'Ended', width: 112, api: 'attributes.end_time' },
  took: { label: 'Took', width: 104 },
  user: { label: 'User', width: 120, api: 'attributes.user_id' },
  experiment: { label: 'Experiment', width: 112 },
}

const KINDS: Record<string, ColumnKind> = { m: 'metric', p: 'param', t: 'tag' }

export const kindOf = (id: string): ColumnKind => (id[1] === '.' ? KINDS[id[0]!] : undefined) ?? 'attribute'
export const labelOf = (id: string): string =>
  kindOf(id) === 'attribute' ? (ATTRIBUTES[id]?.label ?? id) : id.slice(2)
export const idOf = (kind: 'metric' | 'param' | 'tag', key: string): string => `${kind[0]}.${key}`

/** The column in the language of filters and orders; undefined for what the server cannot order or group by. */
export function apiName(id: string): string | undefined {
  const kind = kindOf(id)
  if (kind === 'attribute') return ATTRIBUTES[id]?.api
  return `${kind}s.${keyText(id.slice(2))}`
}

/** Whether the server keeps values of this column beside what it says of every run. */
export const isValue = (id: string): boolean => kindOf(id) !== 'attribute'
export const isKnown = (id: string): boolean => isValue(id) || Object.hasOwn(ATTRIBUTES, id)

export type Better = 'up' | 'down' | 'none'

const word = (words: string) => new RegExp(`(^|[^a-z])(${words})([^a-z]|$)`, 'i')
const UP = word('auc|accuracy|acc|f1|precision|recall|r2|score|map|ndcg|bleu|rouge|iou|dice|reward')
const DOWN = word('loss|logloss|error|err|rmse|mse|mae|mape|perplexity|latency|time|duration|seconds|fpr|fnr|brier')

/** Which way a metric gets better: as the person said, else as its name has it, else neither. */
export function betterOf(id: string, chosen: Readonly<Record<string, Better>>): Better {
  if (chosen[id]) return chosen[id]
  if (kindOf(id) !== 'metric') return 'none'
  return DOWN.test(id.slice(2)) ? 'down' : UP.test(id.slice(2)) ? 'up' : 'none'
}

/** Room for a value, and for its difference from the baseline beside it. */
export function widthOf(id: string, withDelta: boolean): number {
  const kind = kindOf(id)
  if (kind === 'attribute') return ATTRIBUTES[id]?.width ?? 120
  const own = Math.min(220, Math.max(112, 44 + labelOf(id).length * 7.4))
  return Math.round(withDelta && kind !== 'tag' ? Math.max(own, 188) : own)
}
