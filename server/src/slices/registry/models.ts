import type { Clock } from '#kernel/clock.ts'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Events, Subject } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { KeyValue } from '#slices/tracking'
import { checkAlias, checkModelName, checkTag, LIMITS, noModel, noVersion, tooLong } from './checks.ts'
import {
  aliasDeleted,
  aliasMoved,
  modelCreated,
  modelDeleted,
  modelDescribed,
  modelRenamed,
  tagChanged,
} from './events.ts'
import { type Alias, PROMPT_TAG, type RegisteredModel } from './model.ts'
import * as db from './registry-store.ts'

/** Versions whose lineage is carried over by a rename: the newest ones, as many as one event may tell of. */
const RENAMED_EDGES_MAX = 5_000

export interface MoveAlias {
  model: string
  alias: string
  /** The version that it shall point to. */
  to: number
  reason?: string
  /** The release in whose step it moves. Without it an alias that an endpoint follows stays where it is. */
  through?: string
}

export interface Models {
  getModel(sql: Sql, workspace: string, name: string): Promise<RegisteredModel>
  createModel(
    tx: Tx,
    who: Who,
    input: { name: string; description?: string; tags?: readonly KeyValue[] },
  ): Promise<RegisteredModel>
  /** Refused while a live release stands on one of its versions or an endpoint follows one of its aliases. */
  renameModel(tx: Tx, who: Who, input: { name: string; to: string }): Promise<RegisteredModel>
  describeModel(tx: Tx, who: Who, input: { name: string; description: string }): Promise<RegisteredModel>
  /** Takes versions, tags and aliases with it. Refused as a rename is. */
  deleteModel(tx: Tx, who: Who, name: string): Promise<void>
  setModelTag(tx: Tx, who: Who, input: { name: string } & KeyValue): Promise<void>
  /** Deleting a tag that is not there is no error. */
  deleteModelTag(tx: Tx, who: Who, input: { name: string; key: string }): Promise<void>
  /** Undefined when the alias is not there. Throws not-found for an unknown model. */
  getAlias(sql: Sql, workspace: string, model: string, alias: string): Promise<Alias | undefined>
  /** Moving an alias to where it is changes nothing. Throws conflict when an endpoint follows it and no release moves it. */
  moveAlias(tx: Tx, who: Who, move: MoveAlias): Promise<Alias>
  deleteAlias(tx: Tx, who: Who, input: { model: string; alias: string; through?: string }): Promise<void>
}

/** What an endpoint that follows an alias holds. */
export const aliasSubject = (model: string, alias: string): Subject => ({ kind: 'model', id: `${model}@${alias}` })
export const modelSubject = (name: string): Subject => ({ kind: 'model', id: name })
export const versionSubject = (name: string, version: number): Subject => ({
  kind: 'model-version',
  id: `${name}/${version}`,
})

interface Deps {
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld'>
  clock: Clock
}

export function createModels({ events, holds, clock }: Deps): Models {
  const model = async (sql: Sql, workspace: string, name: string): Promise<db.ModelRow> => {
    if (name === '') throw checkModelName(name)
    const found = await db.findModel(sql, workspace, name)
    if (!found) throw noModel(name)
    return found
  }
  /** One change of a model at a time: numbers, names and aliases are read to decide. */
  const locked = async (tx: Tx, workspace: string, name: string) => {
    await lockModel(tx, workspace, name)
    return model(tx, workspace, name)
  }
  const whole = async (sql: Sql, row: db.ModelRow) => (await db.withModelParts(sql, [row]))[0]!

  const nameIsFree = async (tx: Tx, workspace: string, name: string, prompt: boolean) => {
    const other = await db.findModel(tx, workspace, name)
    if (!other) return
    const isPrompt = (await db.getTag(tx, 'registered_model_tag', other.model_key, PROMPT_TAG)) === 'true'
    if (isPrompt === prompt) {
      throw new DomainError(
        'already-exists',
        `${prompt ? 'Prompt' : 'Registered Model'} (name=${name}) already exists.`,
        {
          field: 'name',
        },
      )
    }
    const [wanted, taken] = prompt ? ['prompt', 'registered model'] : ['registered model', 'prompt']
    throw invalid(
      `Tried to create a ${wanted} with name '${name}', but the name is already taken by a ${taken}. A registered model and a prompt cannot share one name.`,
      { field: 'name', remedy: 'Choose another name.' },
    )
  }

  /** A release that stands on a version holds its model too; endpoints that follow an alias hold the alias. */
  const refuseIfHeld = async (tx: Tx, workspace: string, row: db.ModelRow, what: string) => {
    const aliases = await db.aliasesOf(tx, [row.model_key])
    const subjects = [modelSubject(row.name), ...aliases.map(({ alias }) => aliasSubject(row.name, alias))]
    await holds.refuseIfHeld(tx, workspace, subjects, what)
  }

  const refuseIfFollowed = async (tx: Tx, workspace: string, name: string, alias: string, what: string) => {
    try {
      await holds.refuseIfHeld(tx, workspace, [aliasSubject(name, alias)], what)
    } catch (error) {
      if (!(error instanceof DomainError) || error.problem !== 'conflict') throw error
      throw new DomainError('conflict', error.message, {
        field: 'alias',
        // Who holds it says how to propose a version.
        remedy: 'An endpoint follows this alias, so a release moves it.',
        ...(error.facts && { facts: error.facts }),
        cause: error,
      })
    }
  }

  return {
    async getModel(sql, workspace, name) {
      return whole(sql, await model(sql, workspace, name))
    },

    async createModel(tx, who, input) {
      checkModelName(input.name)
      tooLong(input.description ?? '', LIMITS.description_chars, 'description')
      const tags = input.tags ?? []
      if (tags.length > LIMITS.create_tags)
        throw invalid(`at most ${LIMITS.create_tags} tags at once`, { field: 'tags' })
      for (const tag of tags) checkTag(tag)
      await lockModel(tx, who.workspace, input.name)
      const prompt = tags.some((tag) => tag.key === PROMPT_TAG && tag.value === 'true')
      await nameIsFree(tx, who.workspace, input.name, prompt)
      const now = clock.now()
      const row = {
        name: input.name,
        description: input.description ?? null,
        created_by: who.name,
        created_ms: now,
        updated_ms: now,
      }
      const model_key = await db.insertModel(tx, who.workspace, row)
      for (const tag of tags) await db.putTag(tx, 'registered_model_tag', model_key, tag)
      await events.record(tx, modelCreated, {
        who,
        subject: modelSubject(row.name),
        after: { name: row.name, description: row.description },
      })
      return whole(tx, { ...row, model_key, last_version: 0 })
    },

    async renameModel(tx, who, { name, to }) {
      checkModelName(to, 'new_name')
      for (const each of [name, to].sort()) await lockModel(tx, who.workspace, each)
      const before = await model(tx, who.workspace, name)
      const prompt = (await db.getTag(tx, 'registered_model_tag', before.model_key, PROMPT_TAG)) === 'true'
      await nameIsFree(tx, who.workspace, to, prompt)
      await refuseIfHeld(tx, who.workspace, before, `rename model ${name}`)
      const numbers = await db.versionNumbers(tx, before.model_key, RENAMED_EDGES_MAX)
      const after = { ...before, name: to, updated_ms: clock.now() }
      await db.updateModel(tx, after)
      await events.record(tx, modelRenamed, {
        who,
        subject: modelSubject(to),
        before: { name },
        after: { name: to },
        // What was told under the old name stays reachable from the new one.
        edges: numbers.map((number) => ({
          from: versionSubject(name, number),
          to: versionSubject(to, number),
          relation: 'derived',
        })),
      })
      return whole(tx, after)
    },

    async describeModel(tx, who, { name, description }) {
      tooLong(description, LIMITS.description_chars, 'description')
      const before = await locked(tx, who.workspace, name)
      const after = { ...before, description, updated_ms: clock.now() }
      await db.updateModel(tx, after)
      await events.record(tx, modelDescribed, {
        who,
        subject: modelSubject(name),
        before: { name, description: before.description },
        after: { name, description },
      })
      return whole(tx, after)
    },

    async deleteModel(tx, who, name) {
      const row = await locked(tx, who.workspace, name)
      await refuseIfHeld(tx, who.workspace, row, `delete model ${name}`)
      const before = await whole(tx, row)
      await db.deleteModel(tx, row.model_key)
      await events.record(tx, modelDeleted, {
        who,
        subject: modelSubject(name),
        before: { name, description: before.description, last_version: row.last_version, aliases: before.aliases },
        after: null,
      })
    },

    async setModelTag(tx, who, { name, key, value }) {
      checkTag({ key, value })
      const row = await locked(tx, who.workspace, name)
      const before = await db.getTag(tx, 'registered_model_tag', row.model_key, key)
      if (before === value) return
      await db.putTag(tx, 'registered_model_tag', row.model_key, { key, value })
      await events.record(tx, tagChanged, {
        who,
        subject: modelSubject(name),
        before: { name, key, value: before ?? null },
        after: { name, key, value },
      })
    },

    async deleteModelTag(tx, who, { name, key }) {
      const row = await locked(tx, who.workspace, name)
      const before = await db.getTag(tx, 'registered_model_tag', row.model_key, key)
      if (before === undefined) return
      await db.deleteTag(tx, 'registered_model_tag', row.model_key, key)
      await events.record(tx, tagChanged, {
        who,
        subject: modelSubject(name),
        before: { name, key, value: before },
        after: { name, key, value: null },
      })
    },

    async getAlias(sql, workspace, name, alias) {
      const row = await model(sql, workspace, name)
      const found = await db.getAlias(sql, row.model_key, alias)
      return found && { alias: found.alias, version: found.version }
    },

    async moveAlias(tx, who, move) {
      checkAlias(move.alias)
      const row = await locked(tx, who.workspace, move.model)
      const version = await db.findVersion(tx, who.workspace, move.model, move.to)
      if (!version) throw noVersion(move.model, move.to)
      const from = await db.getAlias(tx, row.model_key, move.alias)
      if (from?.version === move.to) return { alias: from.alias, version: from.version }
      if (move.through === undefined) {
        await refuseIfFollowed(tx, who.workspace, move.model, move.alias, `move alias ${move.model}@${move.alias}`)
      }
      if (!from && (await db.aliasesOf(tx, [row.model_key])).length >= LIMITS.aliases) {
        throw new DomainError('too-many', `model ${move.model} has ${LIMITS.aliases} aliases`, {
          field: 'alias',
          remedy: 'Delete those that are no longer used.',
        })
      }
      await db.putAlias(tx, {
        model_key: row.model_key,
        alias: move.alias,
        version_key: version.version_key,
        version: move.to,
        moved_ms: clock.now(),
        moved_by: who.name,
      })
      const fact = { name: move.model, alias: move.alias }
      await events.record(tx, aliasMoved, {
        who,
        subject: versionSubject(move.model, move.to),
        before: from && { ...fact, version: from.version },
        after: { ...fact, version: move.to, ...(move.through !== undefined && { release: move.through }) },
        ...(move.reason !== undefined && { reason: move.reason }),
      })
      return { alias: move.alias, version: move.to }
    },

    async deleteAlias(tx, who, { model: name, alias, through }) {
      const row = await locked(tx, who.workspace, name)
      const from = await db.getAlias(tx, row.model_key, alias)
      if (!from) return
      if (through === undefined) {
        await refuseIfFollowed(tx, who.workspace, name, alias, `delete alias ${name}@${alias}`)
      }
      await db.deleteAlias(tx, row.model_key, alias)
      await events.record(tx, aliasDeleted, {
        who,
        subject: versionSubject(name, from.version),
        before: { name, alias, version: from.version },
        after: null,
      })
    },
  }
}

export const lockModel = (tx: Tx, workspace: string, name: string): Promise<void> =>
  tx.lock('registry', workspace, name)
