import { event } from '#kernel/events/index.ts'

export const versionExplained = event<{ model: string; version: number; ok: boolean; reason: string | null }>(
  'explain.version-explained',
  'What matters to a model version on the whole was computed, or could not be.',
)
