/** Labels come by the thousand: this runs beside the database. */
import type { Tx } from '#kernel/store/index.ts'

export interface LabelsInput {
  workspace: string
  who: string
  received_ms: number
  labels: readonly { prediction: string; value: string; observed_ms: number }[]
}

/**
 * Keeps every label; of those observed at the same moment the one that came last counts. The very label sent again, as a client does
 * that got no answer, is kept once. Answers how many.
 */
export async function putLabels(tx: Tx, input: LabelsInput): Promise<{ accepted: number }> {
  for (const { prediction, value, observed_ms } of input.labels) {
    const last = await tx.get<{ value: string; who: string; received_ms: number }>(
      'SELECT value, who, received_ms FROM label WHERE workspace = ? AND prediction = ? AND observed_ms = ? ORDER BY received_ms DESC LIMIT 1',
      [input.workspace, prediction, observed_ms],
    )
    if (last?.value === value && last.who === input.who) continue
    // Two in one millisecond: the second came later.
    const received_ms = last ? Math.max(input.received_ms, last.received_ms + 1) : input.received_ms
    await tx.run(
      'INSERT INTO label (workspace, prediction, observed_ms, received_ms, value, who) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, prediction, observed_ms, received_ms) DO UPDATE SET value = excluded.value, who = excluded.who',
      [input.workspace, prediction, observed_ms, received_ms, value, input.who],
    )
  }
  return { accepted: input.labels.length }
}

export const monitoringCommands = { 'monitoring.putLabels': putLabels }
