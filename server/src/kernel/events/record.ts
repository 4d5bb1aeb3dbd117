import { DomainError, invalid } from '../errors.ts'
import type { Actor } from '../http/who.ts'
import { json, type Sql } from '../store/index.ts'
import type { Edge, EventInput, EventRecord, EventType } from './index.ts'

/** Before and after together. Larger facts belong into a blob whose digest the event names. */
export const EVENT_BYTES_MAX = 1024 * 1024
export const REASON_LENGTH_MAX = 4_000
export const EDGES_MAX = 10_000
/** Eight parameters an edge: well below both databases' limits. */
const EDGES_IN_ONE_STATEMENT = 500

/** What a caller draws for the event: commands run beside the database and have neither clock nor ids. */
export interface Drawn {
  id: string
  at_ms: number
}

const actor = ({ kind, id, name }: Actor): Actor => ({ kind, id, name })

/**
 * Writes the event, a delivery for every subscriber that wants its type, and its lineage edges. A plain function: commands call it too.
 * Throws too-large past EVENT_BYTES_MAX or EDGES_MAX, invalid for a reason past REASON_LENGTH_MAX.
 */
export async function recordEvent<After>(
  tx: Sql,
  type: EventType<After>,
  input: EventInput<After> & Drawn,
): Promise<EventRecord<After>> {
  const { who, subject, id, at_ms } = input
  const before = json(input.before)
  const after = json(input.after)
  const reason = input.reason ?? null
  refuseTooMuch(type.name, before, after, reason, input.edges)

  const written = await tx.get<{ seq: number }>(
    `INSERT INTO event (workspace, id, name, at_ms, who_kind, who_id, who_name, behalf, subject_kind, subject_id, before_json, after_json, reason)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
    [
      who.workspace,
      id,
      type.name,
      at_ms,
      who.kind,
      who.id,
      who.name,
      who.behalf ? json(actor(who.behalf)) : null,
      subject.kind,
      subject.id,
      before,
      after,
      reason,
    ],
  )
  const seq = written!.seq
  await tx.run(
    `INSERT INTO event_delivery (workspace, subscriber, seq, state, attempts, due_ms)
     SELECT DISTINCT CAST(? AS TEXT), subscriber, CAST(? AS INTEGER), 'waiting', 0, 0 FROM event_subscription WHERE type IN (?, '*')`,
    [who.workspace, seq, type.name],
  )
  await writeEdges(tx, who.workspace, seq, at_ms, input.edges ?? [])
  return {
    seq,
    id,
    name: type.name,
    workspace: who.workspace,
    at_ms,
    who: { ...actor(who), ...(who.behalf && { behalf: actor(who.behalf) }) },
    subject: { kind: subject.kind, id: subject.id },
    before: input.before ?? null,
    after: input.after,
    reason,
  }
}

function refuseTooMuch(
  name: string,
  before: string,
  after: string,
  reason: string | null,
  edges?: readonly Edge[],
): void {
  const bytes = Buffer.byteLength(before) + Buffer.byteLength(after)
  if (bytes > EVENT_BYTES_MAX) {
    throw new DomainError(
      'too-large',
      `event ${name} would carry ${bytes} bytes; at most ${EVENT_BYTES_MAX} are kept`,
      {
        remedy: 'make the change smaller, or in several steps',
      },
    )
  }
  if (edges && edges.length > EDGES_MAX) {
    throw new DomainError(
      'too-large',
      `event ${name} would add ${edges.length} lineage edges; at most ${EDGES_MAX} fit`,
      {
        remedy: 'make the change in several steps',
      },
    )
  }
  if (reason !== null && reason.length > REASON_LENGTH_MAX) {
    throw invalid(`the reason has ${reason.length} characters; at most ${REASON_LENGTH_MAX} are kept`, {
      field: 'reason',
      remedy: `shorten it to ${REASON_LENGTH_MAX} characters`,
    })
  }
}

async function writeEdges(
  tx: Sql,
  workspace: string,
  seq: number,
  at_ms: number,
  edges: readonly Edge[],
): Promise<void> {
  for (let first = 0; first < edges.length; first += EDGES_IN_ONE_STATEMENT) {
    const some = edges.slice(first, first + EDGES_IN_ONE_STATEMENT)
    await tx.run(
      `INSERT INTO lineage_edge (workspace, from_kind, from_id, to_kind, to_id, relation, event_seq, at_ms)
       VALUES ${some.map(() => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')} ON CONFLICT DO NOTHING`,
      some.flatMap(({ from, to, relation }) => [workspace, from.kind, from.id, to.kind, to.id, relation, seq, at_ms]),
    )
  }
}
