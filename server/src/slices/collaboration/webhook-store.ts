import { isTrue, json, parseJson, type Sql, type Tx } from '#kernel/store/index.ts'

/** Messages kept for each webhook. */
export const MESSAGES_KEPT = 200

export interface Webhook {
  id: string
  name: string
  description: string | null
  url: string
  /** `<entity>.<action>`: `model_version.created`. */
  topics: readonly string[]
  active: boolean
  /** Never leaves the slice. */
  sealed_secret: string | null
  created_ms: number
  updated_ms: number
}

export interface Message {
  id: string
  webhook: string
  topic: string
  state: 'waiting' | 'delivered' | 'failed'
  attempts: number
  /** HTTP status of the last answer, null when there was none. */
  status: number | null
  words: string | null
  made_ms: number
  updated_ms: number
}

const COLUMNS = 'id, name, description, url, topics, active, sealed_secret, created_ms, updated_ms'

type Row = Omit<Webhook, 'topics' | 'active'> & { topics: string; active: number }
const toWebhook = (row: Row): Webhook => ({
  ...row,
  topics: parseJson<string[]>(row.topics, []),
  active: isTrue(row.active),
})

export async function find(sql: Sql, workspace: string, id: string): Promise<Webhook | undefined> {
  const row = await sql.get<Row>(`SELECT ${COLUMNS} FROM webhook WHERE workspace = ? AND id = ?`, [workspace, id])
  return row && toWebhook(row)
}

/** In the order in which they were made. */
export async function list(sql: Sql, workspace: string, limit: number, after = ''): Promise<Webhook[]> {
  const rows = await sql.all<Row>(`SELECT ${COLUMNS} FROM webhook WHERE workspace = ? AND id > ? ORDER BY id LIMIT ?`, [
    workspace,
    after,
    limit,
  ])
  return rows.map(toWebhook)
}

export async function put(tx: Tx, workspace: string, hook: Webhook): Promise<void> {
  await tx.run(
    `INSERT INTO webhook (workspace, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, id) DO UPDATE SET name = excluded.name, description = excluded.description,
       url = excluded.url, topics = excluded.topics, active = excluded.active,
       sealed_secret = excluded.sealed_secret, updated_ms = excluded.updated_ms`,
    [
      workspace,
      hook.id,
      hook.name,
      hook.description,
      hook.url,
      json(hook.topics),
      hook.active ? 1 : 0,
      hook.sealed_secret,
      hook.created_ms,
      hook.updated_ms,
    ],
  )
}

export async function remove(tx: Tx, workspace: string, id: string): Promise<void> {
  await tx.run('DELETE FROM webhook_message WHERE workspace = ? AND webhook = ?', [workspace, id])
  await tx.run('DELETE FROM webhook WHERE workspace = ? AND id = ?', [workspace, id])
}

export async function addMessage(tx: Tx, workspace: string, message: Message): Promise<void> {
  await tx.run(
    `INSERT INTO webhook_message (workspace, id, webhook, topic, state, attempts, status, words, made_ms, updated_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      workspace,
      message.id,
      message.webhook,
      message.topic,
      message.state,
      message.attempts,
      message.status,
      message.words,
      message.made_ms,
      message.updated_ms,
    ],
  )
  await tx.run(
    `DELETE FROM webhook_message WHERE workspace = ? AND webhook = ? AND id <= (
       SELECT id FROM webhook_message WHERE workspace = ? AND webhook = ? ORDER BY id DESC LIMIT 1 OFFSET ${MESSAGES_KEPT})`,
    [workspace, message.webhook, workspace, message.webhook],
  )
}

/** Nothing happens when the message is gone with its webhook. */
export async function noteMessage(
  tx: Tx,
  workspace: string,
  note: Pick<Message, 'id' | 'state' | 'attempts' | 'status' | 'words' | 'updated_ms'>,
): Promise<void> {
  await tx.run(
    `UPDATE webhook_message SET state = ?, attempts = ?, status = ?, words = ?, updated_ms = ?
     WHERE workspace = ? AND id = ?`,
    [note.state, note.attempts, note.status, note.words, note.updated_ms, workspace, note.id],
  )
}

/** Newest first. */
export const messages = (sql: Sql, workspace: string, webhook: string, limit: number): Promise<Message[]> =>
  sql.all<Message>(
    `SELECT id, webhook, topic, state, attempts, status, words, made_ms, updated_ms FROM webhook_message
     WHERE workspace = ? AND webhook = ? ORDER BY id DESC LIMIT ?`,
    [workspace, webhook, limit],
  )
