/** First word of every query key: a live event names its area, and what is of that area is fetched again. */
export type Area =
  | 'access'
  | 'audit'
  | 'datasets'
  | 'insight'
  | 'jobs'
  | 'lineage'
  | 'monitoring'
  | 'pipelines'
  | 'quality'
  | 'registry'
  | 'releases'
  | 'serving'
  | 'tracking'

/** What else may look different after an event of an area. */
const ALSO: Partial<Record<string, readonly Area[]>> = {
  quality: ['datasets'],
  releases: ['serving', 'registry'],
  serving: ['releases'],
  registry: ['tracking'],
  tracking: ['registry'],
  pipelines: ['tracking', 'datasets'],
}

export const areasOf = (event: string): Area[] => {
  const area = event.split('.')[0] as Area
  return [area, ...(ALSO[area] ?? []), 'insight', 'audit']
}
