/** Labels come by the thousand: this runs beside the database. */
import type { Tx } from '#kernel/store/index.ts'

export interface LabelsInput {
  workspace: string
  who: string
  received_ms: number
  labels: readonly { prediction: string; value: string; observed_ms: number }[]
}

/** Keeps every label; the same prediction observed at the same moment again takes the newer value. Answers how many. */
export async function putLabels(tx: Tx, input: LabelsInput): Promise<{ accepted: number }> {
  for (const { prediction, value, observed_ms } of input.labels) {
    await tx.run(
      'INSERT INTO label (workspace, prediction, observed_ms, received_ms, value, who) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, prediction, observed_ms) DO UPDATE SET value = excluded.value, received_ms = excluded.received_ms, who = excluded.who',
      [input.workspace, prediction, observed_ms, input.received_ms, value, input.who],
    )
  }
  return { accepted: input.labels.length }
}

export const monitoringCommands = { 'monitoring.putLabels': putLabels }
