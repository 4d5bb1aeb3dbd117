import type { Sql } from '#kernel/store/index.ts'
import type { SearchPage } from '#slices/tracking'
import { search as language } from '#slices/tracking'
import { type ModelVersion, PROMPT_TAG, type RegisteredModel, type Search } from './model.ts'
import * as db from './registry-store.ts'

const TAG = ['tag', 'tags']
const TEXT_OPERATORS = ['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL'] as const
const text = (name: string): language.Attribute => ({ name, type: 'text', list: true })
const number = (name: string): language.Attribute => ({ name, type: 'number' })
const CREATED = number('creation_timestamp')
const UPDATED = number('last_updated_timestamp')

const MODELS: language.Grammar = {
  entities: { tag: TAG, attribute: ['attribute', 'attributes'] },
  attributes: {
    name: text('name'),
    creation_timestamp: CREATED,
    last_updated_timestamp: UPDATED,
    timestamp: UPDATED,
  },
  text_operators: TEXT_OPERATORS,
  bare_text: false,
  order: { attributes: ['name', 'creation_timestamp', 'last_updated_timestamp'], entities: ['attribute'] },
}

const VERSIONS: language.Grammar = {
  entities: { tag: TAG, attribute: ['attribute', 'attributes'] },
  attributes: {
    name: text('name'),
    version_number: number('version_number'),
    run_id: text('run_id'),
    source_path: text('source_path'),
    creation_timestamp: CREATED,
    last_updated_timestamp: UPDATED,
  },
  text_operators: TEXT_OPERATORS,
  bare_text: false,
  order: {
    attributes: ['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'],
    entities: ['attribute'],
  },
}

const MODEL_ATTRIBUTES: Record<string, string> = {
  name: 'm.name',
  creation_timestamp: 'm.created_ms',
  last_updated_timestamp: 'm.updated_ms',
}

const VERSION_ATTRIBUTES: Record<string, string> = {
  name: 'm.name',
  version_number: 'v.version',
  run_id: 'v.run_id',
  source_path: 'v.source',
  creation_timestamp: 'v.created_ms',
  last_updated_timestamp: 'v.updated_ms',
}

const NUMBERS = new Set(['version_number', 'creation_timestamp', 'last_updated_timestamp'])

/** What differs between the two searches. */
interface Kind {
  grammar: language.Grammar
  attributes: Record<string, string>
  /** Tag rows of the row at hand; the key is the parameter. */
  tags: string
  /** Tie-breakers, which are also the order when none is asked for. */
  ties: readonly { key: string; descending: boolean }[]
}

const MODEL_KIND: Kind = {
  grammar: MODELS,
  attributes: MODEL_ATTRIBUTES,
  tags: 'SELECT 1 FROM registered_model_tag t WHERE t.model_key = m.model_key AND t.key = ?',
  ties: [{ key: 'name', descending: false }],
}

const VERSION_KIND: Kind = {
  grammar: VERSIONS,
  attributes: VERSION_ATTRIBUTES,
  tags: 'SELECT 1 FROM model_version_tag t WHERE t.version_key = v.version_key AND t.key = ?',
  ties: [
    { key: 'last_updated_timestamp', descending: true },
    { key: 'name', descending: false },
    { key: 'version_number', descending: true },
  ],
}

function conditionSql(kind: Kind, condition: language.Condition): language.Fragment {
  const { entity, key, operator } = condition
  if (entity === 'tag') {
    const rows = language.fragment(kind.tags, [key])
    // What is no prompt has no tag to say so.
    if (key === PROMPT_TAG && operator === '!=') {
      const { text, values } = language.existsIn(rows, { ...condition, operator: '=' }, () =>
        language.compareText('t.value', { ...condition, operator: '=' }),
      )
      return language.fragment(`NOT ${text}`, values)
    }
    return language.existsIn(rows, condition, () => language.compareText('t.value', condition))
  }
  const column = kind.attributes[key]!
  return NUMBERS.has(key) ? language.compareNumber(column, condition) : language.compareText(column, condition)
}

const asksForPrompts = (filter: language.Filter | undefined): boolean => {
  if (!filter) return false
  if (filter.kind === 'condition') return filter.entity === 'tag' && filter.key === PROMPT_TAG
  return filter.kind === 'not' ? asksForPrompts(filter.part) : filter.parts.some(asksForPrompts)
}

function plan(kind: Kind, workspace: string, asked: Search) {
  const filter = language.parseFilter(asked.filter, kind.grammar)
  const keys = language.parseOrder(asked.order_by, kind.grammar)
  const has = (key: string) => keys.some((each) => each.key === key)
  const order = [...keys, ...kind.ties.filter((tie) => !has(tie.key))]
  const sorts = order.map(({ key, descending }) => ({ column: kind.attributes[key]!, descending }))
  const name = order.map(({ key, descending }) => `${key} ${descending ? 'desc' : 'asc'}`).join(',')
  const where = [
    language.fragment('m.workspace = ?', [workspace]),
    ...(asked.model === undefined ? [] : [language.fragment('m.name = ?', [asked.model])]),
    ...(filter ? [language.filterSql(filter, (condition) => conditionSql(kind, condition))] : []),
    ...(asksForPrompts(filter)
      ? []
      : [language.fragment(`NOT EXISTS (${kind.tags} AND t.value = 'true')`, [PROMPT_TAG])]),
    ...(asked.after === undefined ? [] : [language.afterSql(sorts, name, asked.after as language.Position)]),
  ]
  return {
    columns: language.positionColumns(sorts),
    where: where.map(({ text }) => text).join(' AND '),
    order: language.orderSql(sorts),
    values: [...where.flatMap(({ values }) => values), asked.limit + 1],
    next: (row: object) => language.positionOf(sorts, name, row),
  }
}

/** By name unless an order is given. Prompts are left out unless the filter speaks of their tag. */
export async function searchModels(sql: Sql, workspace: string, asked: Search): Promise<SearchPage<RegisteredModel>> {
  const { columns, where, order, values, next } = plan(MODEL_KIND, workspace, asked)
  const rows = await sql.all(
    `SELECT ${db.MODEL_COLUMNS}, ${columns} FROM registered_model m WHERE ${where} ORDER BY ${order} LIMIT ?`,
    values,
  )
  const page = rows.slice(0, asked.limit)
  const items = await db.withModelParts(sql, page.map(db.toModel))
  return rows.length > asked.limit ? { items, next: next(page.at(-1)!) } : { items }
}

/** Newest change first unless an order is given. Prompts are left out unless the filter speaks of their tag. */
export async function searchVersions(sql: Sql, workspace: string, asked: Search): Promise<SearchPage<ModelVersion>> {
  const { columns, where, order, values, next } = plan(VERSION_KIND, workspace, asked)
  const rows = await sql.all(
    `SELECT ${db.VERSION_COLUMNS}, ${columns} FROM model_version v JOIN registered_model m ON m.model_key = v.model_key
     WHERE ${where} ORDER BY ${order} LIMIT ?`,
    values,
  )
  const page = rows.slice(0, asked.limit)
  const items = await db.withVersionParts(sql, page.map(db.toVersion))
  return rows.length > asked.limit ? { items, next: next(page.at(-1)!) } : { items }
}
