import { invalid } from '#kernel/errors.ts'
import { type LoggedModel, sendArtifact, trackingLimits } from '#slices/tracking'
import { closeAnswer, type Group, positionIn } from './api.ts'

import { pageSize } from './fields.ts'
import { loggedModel, MODEL_STATUS_NUMBERS, MODEL_STATUSES, readKeyValue } from './wire.ts'

const PAGE = 100

export const loggedModels: Group = (api, deps) => {
  const { tracking, cursors, store } = deps
  const { draw } = tracking
  const one = (found: LoggedModel) => ({ model: loggedModel(found) })

  api.add('POST', '/logged-models', {
    may: 'tracking.write',
    command: {
      name: 'tracking.createModel',
      input: ({ who, fields }) => {
        const name = fields.optionalText('name')
        return {
          ...draw.model(who),
          experiment_id: fields.text('experiment_id'),
          model_type: fields.optionalText('model_type') ?? '',
          source_run_id: fields.optionalText('source_run_id') ?? '',
          params: fields.list('params', readKeyValue),
          tags: fields.list('tags', readKeyValue),
          ...(name && { name }),
        }
      },
      answer: one,
    },
  })

  api.add('POST', '/logged-models/search', {
    may: 'tracking.read',
    ask: {
      name: 'mlflow.searchLoggedModels',
      input: ({ who, fields }) => {
        const experiment_ids = fields.texts('experiment_ids')
        if (experiment_ids.length === 0)
          throw invalid("Missing value for required parameter 'experiment_ids'.", { field: 'experiment_ids' })
        return {
          workspace: who.workspace,
          experiment_ids,
          filter: fields.optionalText('filter') ?? '',
          datasets: fields.list('datasets', (entry) => {
            const dataset_digest = entry.optionalText('dataset_digest')
            return { dataset_name: entry.text('dataset_name'), ...(dataset_digest && { dataset_digest }) }
          }),
          order_by: fields.list('order_by', (entry) => {
            const dataset_name = entry.optionalText('dataset_name')
            const dataset_digest = entry.optionalText('dataset_digest')
            return {
              field_name: entry.text('field_name'),
              ascending: entry.optionalBoolean('ascending') ?? true,
              ...(dataset_name && { dataset_name }),
              ...(dataset_digest && { dataset_digest }),
            }
          }),
          limit: pageSize(fields, PAGE, trackingLimits.logged_models_page),
          ...positionIn(cursors, fields),
        }
      },
      answer: closeAnswer(cursors),
    },
  })

  api.add('GET', '/logged-models/:model_id', {
    may: 'tracking.read',
    ask: {
      name: 'tracking.getLoggedModel',
      input: ({ who, params, fields }) => ({
        workspace: who.workspace,
        model_id: params.model_id,
        allow_deleted: fields.optionalBoolean('allow_deleted') ?? false,
      }),
      answer: one,
    },
  })

  api.add('PATCH', '/logged-models/:model_id', {
    may: 'tracking.write',
    command: {
      name: 'tracking.finalizeModel',
      input: ({ who, params, fields }) => {
        const status = fields.optionalChoice('status', MODEL_STATUSES, MODEL_STATUS_NUMBERS)
        if (!status) throw invalid("Missing value for required parameter 'status'.", { field: 'status' })
        return { ...draw.stamp(who), model_id: params.model_id, status }
      },
      answer: one,
    },
  })

  api.add('DELETE', '/logged-models/:model_id', {
    may: 'tracking.write',
    change: async ({ tx, who, params }) => tracking.deleteLoggedModel(tx, who, params.model_id!),
  })

  api.add('POST', '/logged-models/:model_id/params', {
    may: 'tracking.write',
    command: {
      name: 'tracking.logModelParams',
      input: ({ who, params, fields }) => ({
        ...draw.stamp(who),
        model_id: params.model_id,
        params: fields.list('params', readKeyValue),
      }),
    },
  })

  api.add('PATCH', '/logged-models/:model_id/tags', {
    may: 'tracking.write',
    command: {
      name: 'tracking.setModelTags',
      input: ({ who, params, fields }) => ({
        ...draw.stamp(who),
        model_id: params.model_id,
        tags: fields.list('tags', readKeyValue),
      }),
      answer: one,
    },
  })

  api.add('DELETE', '/logged-models/:model_id/tags/:tag_key', {
    may: 'tracking.write',
    command: {
      name: 'tracking.deleteModelTag',
      input: ({ who, params }) => ({ ...draw.stamp(who), model_id: params.model_id, key: params.tag_key }),
    },
  })

  api.add('GET', '/logged-models/:model_id/artifacts/directories', {
    may: 'tracking.read',
    read: async ({ sql, who, params, fields }) => {
      const { artifact_uri } = await tracking.getLoggedModel(sql, who.workspace, params.model_id!)
      const path = fields.optionalText('artifact_directory_path') ?? ''
      const files = await tracking.listUnder(sql, who.workspace, artifact_uri, path)
      return {
        root_uri: artifact_uri,
        files: files.map(({ path, is_dir, size_bytes }) => ({
          path,
          is_dir,
          ...(size_bytes !== undefined && { file_size: size_bytes }),
        })),
      }
    },
  })

  api.add('GET', '/logged-models/:model_id/artifacts/files', {
    may: 'tracking.read',
    handle: async ({ who, params, fields, request, reply }) => {
      const path = fields.optionalText('artifact_file_path')
      if (!path)
        throw invalid('Request must include the "artifact_file_path" query parameter.', { field: 'artifact_file_path' })
      const ref = await store.read(async (sql) => {
        const { artifact_uri } = await tracking.getLoggedModel(sql, who.workspace, params.model_id!)
        return await tracking.fileUnder(sql, who.workspace, artifact_uri, path)
      })
      return await sendArtifact(deps.blobs, request, reply, path, ref)
    },
  })
}
