import { DomainError, invalid } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { type ModelVersion, readStage, registerVersion } from '#slices/registry'
import type { LoggedModel, Tracking } from '#slices/tracking'
import { type Api, type Asked, type Group, type MlflowDeps, pageAnswer, positionIn } from './api.ts'
import { pageSize } from './fields.ts'
import { modelVersion, registeredModel, versionIn } from './registry-wire.ts'
import { readKeyValue } from './wire.ts'

/** Logged models looked up for one answer: searches of thousands of versions leave the rest without params and metrics. */
const LOGGED_MODELS_MAX = 200

/** Registered models, their versions and aliases. */
export const registry: Group = (api, deps) => {
  modelCalls(api, deps)
  aliasCalls(api, deps)
  versionCalls(api, deps)
  versionChanges(api, deps)
}

const read = { may: 'registry.read' } as const
const write = { may: 'registry.write' } as const
const nothing = async (done: Promise<unknown>) => {
  await done
  return {}
}
const nameIn = ({ fields }: Pick<Asked, 'fields'>) => fields.text('name')
const placeIn = ({ fields }: Pick<Asked, 'fields'>) => ({ name: fields.text('name'), version: versionIn(fields) })
const tagIn = ({ fields }: Pick<Asked, 'fields'>) => ({
  key: fields.text('key'),
  value: fields.optionalText('value') ?? '',
})
const searchIn = ({ fields }: Pick<Asked, 'fields'>, { cursors }: MlflowDeps, limit: number) => {
  const { position } = positionIn(cursors, fields)
  return {
    filter: fields.optionalText('filter') ?? '',
    order_by: fields.texts('order_by').filter((each) => each.trim() !== ''),
    limit,
    ...(position !== undefined && { after: position }),
  }
}

function modelCalls(api: Api, deps: MlflowDeps): void {
  const { registry } = deps
  api.add('POST', '/registered-models/create', {
    ...write,
    change: async ({ tx, who, fields }) => {
      const description = fields.optionalText('description')
      const made = await registry.createModel(tx, who, {
        name: fields.text('name'),
        tags: fields.list('tags', readKeyValue),
        ...(description !== undefined && { description }),
      })
      return { registered_model: registeredModel(made) }
    },
  })
  api.add('GET', '/registered-models/get', {
    ...read,
    read: async ({ sql, who, fields }) => ({
      registered_model: registeredModel(await registry.getModel(sql, who.workspace, nameIn({ fields }))),
    }),
  })
  api.add('GET', '/registered-models/search', {
    ...read,
    read: async ({ sql, who, fields }) => {
      const search = searchIn({ fields }, deps, pageSize(fields, 100, 1000))
      const page = await registry.searchModels(sql, who.workspace, search)
      return pageAnswer(deps.cursors, 'registered_models', page, registeredModel)
    },
  })
  api.add('POST', '/registered-models/rename', {
    ...write,
    change: async ({ tx, who, fields }) => ({
      registered_model: registeredModel(
        await registry.renameModel(tx, who, { name: fields.text('name'), to: fields.text('new_name') }),
      ),
    }),
  })
  api.add('PATCH', '/registered-models/update', {
    ...write,
    change: async ({ tx, who, fields }) => ({
      registered_model: registeredModel(
        await registry.describeModel(tx, who, {
          name: fields.text('name'),
          description: fields.optionalText('description') ?? '',
        }),
      ),
    }),
  })
  api.add('DELETE', '/registered-models/delete', {
    ...write,
    change: ({ tx, who, fields }) => nothing(registry.deleteModel(tx, who, nameIn({ fields }))),
  })
  api.add('POST', '/registered-models/set-tag', {
    ...write,
    change: ({ tx, who, fields }) =>
      nothing(registry.setModelTag(tx, who, { name: nameIn({ fields }), ...tagIn({ fields }) })),
  })
  api.add('DELETE', '/registered-models/delete-tag', {
    ...write,
    change: ({ tx, who, fields }) =>
      nothing(registry.deleteModelTag(tx, who, { name: nameIn({ fields }), key: fields.text('key') })),
  })
  for (const method of ['POST', 'GET'] as const) {
    api.add(method, '/registered-models/get-latest-versions', {
      ...read,
      read: async ({ sql, who, fields }) => {
        const stages = fields.texts('stages').map(readStage)
        const versions = await registry.latestVersions(sql, who.workspace, nameIn({ fields }), stages)
        return { model_versions: await worded(sql, who.workspace, versions, deps.tracking) }
      },
    })
  }
}

function aliasCalls(api: Api, { registry, tracking }: MlflowDeps): void {
  const aliasIn = ({ fields }: Pick<Asked, 'fields'>) => ({ model: fields.text('name'), alias: fields.text('alias') })
  api.add('POST', '/registered-models/alias', {
    ...write,
    change: ({ tx, who, fields }) =>
      nothing(registry.moveAlias(tx, who, { ...aliasIn({ fields }), to: versionIn(fields) })),
  })
  api.add('DELETE', '/registered-models/alias', {
    ...write,
    change: ({ tx, who, fields }) => nothing(registry.deleteAlias(tx, who, aliasIn({ fields }))),
  })
  api.add('GET', '/registered-models/alias', {
    ...read,
    read: async ({ sql, who, fields }) => {
      const { model, alias } = aliasIn({ fields })
      const found = await registry.getAlias(sql, who.workspace, model, alias)
      // The client tells an unknown alias from an unknown model by this code.
      if (!found) throw invalid(`Registered model alias ${alias.slice(0, 300)} not found.`, { field: 'alias' })
      const version = await registry.getVersion(sql, who.workspace, { name: model, version: found.version })
      return { model_version: await wordedOne(sql, who.workspace, version, tracking) }
    },
  })
}

function versionCalls(api: Api, deps: MlflowDeps): void {
  const { registry, store, tracking } = deps
  api.add('POST', '/model-versions/create', {
    ...write,
    handle: async ({ who, fields }) => {
      const optional = (name: string, as: string) => {
        const value = fields.optionalText(name)
        return value ? { [as]: value } : {}
      }
      const version = await registerVersion(store, registry, who, {
        name: fields.text('name'),
        source: fields.text('source'),
        tags: fields.list('tags', readKeyValue),
        ...optional('run_id', 'run_id'),
        ...optional('run_link', 'run_link'),
        ...optional('description', 'description'),
        ...optional('model_id', 'logged_model_id'),
      })
      return { model_version: await store.read((sql) => wordedOne(sql, who.workspace, version, tracking)) }
    },
  })
  api.add('GET', '/model-versions/get', {
    ...read,
    read: async ({ sql, who, fields }) => {
      const version = await registry.getVersion(sql, who.workspace, placeIn({ fields }))
      return { model_version: await wordedOne(sql, who.workspace, version, tracking) }
    },
  })
  api.add('GET', '/model-versions/search', {
    ...read,
    read: async ({ sql, who, fields }) => {
      const search = searchIn({ fields }, deps, pageSize(fields, 10_000, 200_000))
      const page = await registry.searchVersions(sql, who.workspace, search)
      const model_versions = await worded(sql, who.workspace, page.items, tracking)
      return { ...pageAnswer(deps.cursors, 'model_versions', page, () => undefined), model_versions }
    },
  })
  api.add('GET', '/model-versions/get-download-uri', {
    ...read,
    read: async ({ sql, who, fields }) => ({
      artifact_uri: await registry.downloadUri(sql, who.workspace, placeIn({ fields })),
    }),
  })
}

function versionChanges(api: Api, { registry, tracking }: MlflowDeps): void {
  api.add('PATCH', '/model-versions/update', {
    ...write,
    change: async ({ tx, who, fields }) => {
      const description = fields.optionalText('description') ?? ''
      const version = await registry.describeVersion(tx, who, { ...placeIn({ fields }), description })
      return { model_version: await wordedOne(tx, who.workspace, version, tracking) }
    },
  })
  api.add('DELETE', '/model-versions/delete', {
    ...write,
    change: ({ tx, who, fields }) => nothing(registry.deleteVersion(tx, who, placeIn({ fields }))),
  })
  api.add('POST', '/model-versions/set-tag', {
    ...write,
    change: ({ tx, who, fields }) =>
      nothing(registry.setVersionTag(tx, who, { ...placeIn({ fields }), ...tagIn({ fields }) })),
  })
  api.add('DELETE', '/model-versions/delete-tag', {
    ...write,
    change: ({ tx, who, fields }) =>
      nothing(registry.deleteVersionTag(tx, who, { ...placeIn({ fields }), key: fields.text('key') })),
  })
  api.add('POST', '/model-versions/transition-stage', {
    ...write,
    change: async ({ tx, who, fields }) => {
      const version = await registry.moveStage(tx, who, {
        ...placeIn({ fields }),
        stage: readStage(fields.text('stage')),
        archive_existing: fields.optionalBoolean('archive_existing_versions') ?? false,
      })
      return { model_version: await wordedOne(tx, who.workspace, version, tracking) }
    },
  })
}

type Models = Pick<Tracking, 'getLoggedModel'>

/** Versions in MLflow's words, with the params and metrics of the logged models that they were made of. */
async function worded(sql: Sql, workspace: string, versions: readonly ModelVersion[], tracking: Models) {
  const ids = new Set(versions.map((version) => version.logged_model_id).filter((id) => id !== null))
  const models = new Map<string, LoggedModel>()
  for (const id of [...ids].slice(0, LOGGED_MODELS_MAX)) {
    try {
      models.set(id, await tracking.getLoggedModel(sql, workspace, id))
    } catch (error) {
      // Deleted since: the version lives on without it.
      if (!(error instanceof DomainError) || error.problem !== 'not-found') throw error
    }
  }
  return versions.map((version) => modelVersion(version, models.get(version.logged_model_id ?? '')))
}

const wordedOne = async (sql: Sql, workspace: string, version: ModelVersion, tracking: Models) =>
  (await worded(sql, workspace, [version], tracking))[0]
