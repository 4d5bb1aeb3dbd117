import type { Subject, SubjectKind } from '#kernel/events/index.ts'
import { placeholders, type Row, type Sql } from '#kernel/store/index.ts'

export interface StoredEdge {
  from: Subject
  to: Subject
  relation: string
  /** The event that told of it. */
  event_seq: number
  at_ms: number
}

const toEdge = (row: Row): StoredEdge => ({
  from: { kind: row.from_kind as SubjectKind, id: row.from_id as string },
  to: { kind: row.to_kind as SubjectKind, id: row.to_id as string },
  relation: row.relation as string,
  event_seq: Number(row.event_seq),
  at_ms: Number(row.at_ms),
})

/** Ids in one statement, far below both databases' limits. */
const IDS_IN_ONE_STATEMENT = 200

/**
 * Edges that leave (`down`) or enter (`up`) any of the nodes, oldest first; at most `limit` for each bundle of nodes, so a
 * node with a hundred thousand neighbours costs no more than the caller can use. One kind at a time: so both databases
 * seek in the index, where a list of pairs would have them read the workspace's whole graph.
 */
export async function edgesAt(
  sql: Sql,
  workspace: string,
  nodes: readonly Subject[],
  direction: 'up' | 'down',
  limit: number,
): Promise<StoredEdge[]> {
  const side = direction === 'down' ? 'from' : 'to'
  const found: StoredEdge[] = []
  for (const [kind, some] of Map.groupBy(nodes, (node) => node.kind)) {
    for (let first = 0; first < some.length; first += IDS_IN_ONE_STATEMENT) {
      const ids = some.slice(first, first + IDS_IN_ONE_STATEMENT).map(({ id }) => id)
      const rows = await sql.all(
        `SELECT from_kind, from_id, to_kind, to_id, relation, event_seq, at_ms FROM lineage_edge
         WHERE workspace = ? AND ${side}_kind = ? AND ${side}_id IN ${placeholders(ids)}
         ORDER BY event_seq, from_kind, from_id, to_kind, to_id, relation LIMIT ?`,
        [workspace, kind, ...ids, limit],
      )
      found.push(...rows.map(toEdge))
    }
  }
  return found
}
