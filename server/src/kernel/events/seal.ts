import { hash, randomBytes } from 'node:crypto'
import { conflict, notFound } from '../errors.ts'
import { json, parseJson, placeholders, type Sql, type Tx } from '../store/index.ts'
import { EVENT_COLUMNS, type EventRow } from './rows.ts'

/** Events sealed in one transaction: some milliseconds of hashing. */
const SEAL_BATCH = 200
const VERIFY_PAGE = 500
/** What the first link of a workspace's chain follows. */
export const CHAIN_START = '0'.repeat(64)

/** The parts of an event that may tell of a person. Each enters the chain as a salted digest of its own. */
export const PERSONAL_FIELDS = ['who', 'subject', 'before', 'after', 'reason'] as const
export type PersonalField = (typeof PERSONAL_FIELDS)[number]

/** After an erasure: the digest of what is gone, the salt of what is left. */
type FieldRest = { digest: string } | { salt: string }
type Rests = Record<PersonalField, FieldRest>

interface SealRow {
  position: number
  event_seq: number
  digest: string
  previous: string
  salt: string | null
  fields: string | null
}

export interface ChainReport {
  ok: boolean
  /** Links looked at in this call. */
  checked: number
  /** Where to go on: hand it back as `after`. */
  through: ChainPoint
  /** More links follow `through`. */
  more: boolean
  /** The first link that does not hold. */
  broken?: { position: number; event_seq: number; why: string }
}

export interface ChainPoint {
  position: number
  digest: string
}

const sha256 = (text: string) => hash('sha256', text)

const textOf: Record<PersonalField, (row: EventRow) => string> = {
  who: (row) => json([row.who_kind, row.who_id, row.who_name, row.behalf]),
  subject: (row) => json([row.subject_kind, row.subject_id]),
  before: (row) => row.before_json,
  after: (row) => row.after_json,
  reason: (row) => json(row.reason),
}

/** What an erased field reads as. */
const ERASED: Record<PersonalField, Partial<Record<keyof EventRow, string | null>>> = {
  who: { who_id: 'erased', who_name: 'erased', behalf: null },
  subject: { subject_id: 'erased' },
  before: { before_json: 'null' },
  after: { after_json: 'null' },
  reason: { reason: null },
}

const saltOf = (salt: string, field: PersonalField) => sha256(`${salt}:${field}`)
const digestOf = (salt: string, row: EventRow, field: PersonalField) => sha256(`${salt}:${textOf[field](row)}`)

const linkDigest = (previous: string, position: number, row: EventRow, fields: readonly string[]) =>
  sha256(json([previous, position, row.workspace, row.seq, row.id, row.name, row.at_ms, ...fields]))

/**
 * Seals what is committed and not sealed yet, in order of seq; on PostgreSQL a seq that commits late is the next link when it comes.
 * Answers how many events it sealed.
 */
export async function sealBatch(tx: Tx, workspace: string): Promise<number> {
  await tx.lock('event-seal', workspace)
  const rows = await tx.all<EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM event e WHERE e.workspace = ? AND e.sealed = 0 ORDER BY e.seq LIMIT ${SEAL_BATCH}`,
    [workspace],
  )
  if (rows.length === 0) return 0
  const last = await tx.get<ChainPoint>(
    'SELECT position, digest FROM event_seal WHERE workspace = ? ORDER BY position DESC LIMIT 1',
    [workspace],
  )
  let { position, digest } = last ?? { position: 0, digest: CHAIN_START }
  const links = rows.flatMap((row) => {
    const previous = digest
    const salt = randomBytes(16).toString('hex')
    const fields = PERSONAL_FIELDS.map((field) => digestOf(saltOf(salt, field), row, field))
    position += 1
    digest = linkDigest(previous, position, row, fields)
    return [workspace, position, row.seq, digest, previous, salt]
  })
  await tx.run(
    `INSERT INTO event_seal (workspace, position, event_seq, digest, previous, salt)
     VALUES ${rows.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
    links,
  )
  const seqs = rows.map((row) => row.seq)
  await tx.run(`UPDATE event SET sealed = 1 WHERE workspace = ? AND seq IN ${placeholders(seqs)}`, [workspace, ...seqs])
  return rows.length
}

/** Walks a workspace's chain from `after`, at most `limit` links; stops at the first that does not hold. */
export async function verifyChain(
  sql: Sql,
  workspace: string,
  { after, limit = 10_000 }: { after?: ChainPoint; limit?: number } = {},
): Promise<ChainReport> {
  let through = after ?? { position: 0, digest: CHAIN_START }
  let checked = 0
  while (checked < limit) {
    const page = Math.min(VERIFY_PAGE, limit - checked)
    const seals = await sql.all<SealRow & Partial<EventRow>>(
      `SELECT s.position, s.event_seq, s.digest, s.previous, s.salt, s.fields, ${EVENT_COLUMNS}
       FROM event_seal s LEFT JOIN event e ON e.workspace = s.workspace AND e.seq = s.event_seq
       WHERE s.workspace = ? AND s.position > ? ORDER BY s.position LIMIT ?`,
      [workspace, through.position, page],
    )
    for (const seal of seals) {
      const why = faultOf(seal, through)
      if (why)
        return {
          ok: false,
          checked,
          through,
          more: true,
          broken: { position: seal.position, event_seq: seal.event_seq, why },
        }
      through = { position: seal.position, digest: seal.digest }
      checked += 1
    }
    if (seals.length < page) {
      const stray = await unchained(sql, workspace)
      if (stray !== undefined) {
        const why = 'the event says it is sealed, and no link of the chain names it'
        return {
          ok: false,
          checked,
          through,
          more: false,
          broken: { position: through.position + 1, event_seq: stray, why },
        }
      }
      return { ok: true, checked, through, more: false }
    }
  }
  return { ok: true, checked, through, more: true }
}

const unchained = async (sql: Sql, workspace: string): Promise<number | undefined> => {
  const row = await sql.get<{ seq: number }>(
    `SELECT e.seq FROM event e LEFT JOIN event_seal s ON s.workspace = e.workspace AND s.event_seq = e.seq
     WHERE e.workspace = ? AND e.sealed = 1 AND s.position IS NULL ORDER BY e.seq LIMIT 1`,
    [workspace],
  )
  return row?.seq
}

function faultOf(seal: SealRow & Partial<EventRow>, last: ChainPoint): string | undefined {
  if (seal.position !== last.position + 1) return `link ${last.position + 1} is missing`
  if (seal.previous !== last.digest) return 'it does not follow the link before it'
  if (seal.id === undefined || seal.id === null) return 'its event is missing'
  const row = seal as EventRow
  const rests = parseJson<Rests | null>(seal.fields, null)
  if (!rests && !seal.salt) return 'its salt is missing'
  const digests: string[] = []
  for (const field of PERSONAL_FIELDS) {
    const rest = rests ? rests[field] : { salt: saltOf(seal.salt!, field) }
    if ('salt' in rest) digests.push(digestOf(rest.salt, row, field))
    else if (Object.entries(ERASED[field]).every(([column, value]) => row[column] === value)) digests.push(rest.digest)
    else return `its ${field} was erased and written again`
  }
  return linkDigest(seal.previous, seal.position, row, digests) === seal.digest
    ? undefined
    : 'the event was changed after it was sealed'
}

/**
 * Takes fields out of a sealed event for good, as a person may ask, and keeps the chain whole: their salts go, their digests stay.
 * Throws not-found, and conflict for an event that is not sealed yet (within a second it is). The caller records that it happened.
 */
export async function eraseFields(
  tx: Tx,
  workspace: string,
  seq: number,
  fields: readonly PersonalField[],
): Promise<void> {
  await tx.lock('event-seal', workspace)
  const row = await tx.get<EventRow>(`SELECT ${EVENT_COLUMNS} FROM event e WHERE e.workspace = ? AND e.seq = ?`, [
    workspace,
    seq,
  ])
  if (!row) throw notFound(`no event ${seq} in workspace ${workspace}`)
  const seal = await tx.get<SealRow>('SELECT * FROM event_seal WHERE workspace = ? AND event_seq = ?', [workspace, seq])
  if (!seal) throw conflict(`event ${seq} is not sealed yet`, { remedy: 'ask again in a second' })

  const rests =
    parseJson<Rests | null>(seal.fields, null) ??
    (Object.fromEntries(PERSONAL_FIELDS.map((field) => [field, { salt: saltOf(seal.salt!, field) }])) as Rests)
  const columns: Partial<Record<keyof EventRow, string | null>> = {}
  for (const field of fields) {
    const rest = rests[field]
    if ('digest' in rest) continue
    rests[field] = { digest: digestOf(rest.salt, row, field) }
    Object.assign(columns, ERASED[field])
  }
  const changed = Object.entries(columns) as [string, string | null][]
  if (changed.length === 0) return
  await tx.run(
    `UPDATE event SET ${changed.map(([column]) => `${column} = ?`).join(', ')} WHERE workspace = ? AND seq = ?`,
    [...changed.map(([, value]) => value), workspace, seq],
  )
  await tx.run('UPDATE event_seal SET salt = NULL, fields = ? WHERE workspace = ? AND event_seq = ?', [
    json(rests),
    workspace,
    seq,
  ])
}
