import { invalid } from '#kernel/errors.ts'
import { refuseDeep } from '#kernel/http/index.ts'
import { type Run, type RunInfo, trackingLimits } from '#slices/tracking'
import { closeAnswer, type Group, positionIn } from './api.ts'
import { pageSize } from './fields.ts'
import { readMetrics } from './metric-columns.ts'
import {
  readDatasetInput,
  readKeyValue,
  readMetric,
  run,
  runInfo,
  STATUS_NUMBERS,
  STATUSES,
  VIEW_NUMBERS,
  VIEWS,
} from './wire.ts'

const PAGE = 1000
/** Datasets' schemas and profiles may be megabytes of text. */
const INPUTS_BYTES_MAX = 20 << 20

export const runs: Group = (api, { tracking, cursors }) => {
  const { draw } = tracking

  api.add('POST', '/runs/create', {
    may: 'tracking.write',
    command: {
      name: 'tracking.createRun',
      input: ({ who, fields }) => {
        const name = fields.optionalText('run_name')
        const user_id = fields.optionalText('user_id')
        const start_ms = fields.optionalCount('start_time')
        return {
          ...draw.run(who),
          experiment_id: fields.optionalText('experiment_id') ?? '',
          tags: fields.list('tags', readKeyValue),
          ...(name && { name }),
          ...(user_id && { user_id }),
          ...(start_ms !== undefined && { start_ms }),
        }
      },
      answer: (made: Run) => ({ run: run(made) }),
    },
  })

  api.add('GET', '/runs/get', {
    may: 'tracking.read',
    ask: {
      name: 'mlflow.getRun',
      input: ({ who, fields }) => ({ workspace: who.workspace, run_id: fields.runId() }),
      answer: closeAnswer(cursors),
    },
  })

  api.add('POST', '/runs/update', {
    may: 'tracking.write',
    command: {
      name: 'tracking.updateRun',
      input: ({ who, fields }) => {
        const status = fields.optionalChoice('status', STATUSES, STATUS_NUMBERS)
        const end_ms = fields.optionalCount('end_time')
        const name = fields.optionalText('run_name')
        return {
          ...draw.stamp(who),
          run_id: fields.runId(),
          ...(status && { status }),
          ...(end_ms !== undefined && { end_ms }),
          ...(name && { name }),
        }
      },
      answer: (info: RunInfo) => ({ run_info: runInfo(info) }),
    },
  })

  api.add('POST', '/runs/delete', {
    may: 'tracking.write',
    change: async ({ tx, who, fields }) => tracking.deleteRun(tx, who, fields.runId()),
  })
  api.add('POST', '/runs/restore', {
    may: 'tracking.write',
    change: async ({ tx, who, fields }) => tracking.restoreRun(tx, who, fields.runId()),
  })

  api.add('POST', '/runs/log-metric', {
    may: 'tracking.write',
    command: {
      name: 'tracking.logMetric',
      input: ({ who, fields }) => ({ workspace: who.workspace, run_id: fields.runId(), metric: readMetric(fields) }),
    },
  })
  for (const path of ['/runs/log-parameter', '/runs/log-param']) {
    api.add('POST', path, {
      may: 'tracking.write',
      command: {
        name: 'tracking.logParam',
        input: ({ who, fields }) => ({ ...draw.stamp(who), run_id: fields.runId(), param: readKeyValue(fields) }),
      },
    })
  }
  api.add('POST', '/runs/set-tag', {
    may: 'tracking.write',
    command: {
      name: 'tracking.setTag',
      input: ({ who, fields }) => ({ ...draw.stamp(who), run_id: fields.runId(), tag: readKeyValue(fields) }),
    },
  })
  api.add('POST', '/runs/delete-tag', {
    may: 'tracking.write',
    command: {
      name: 'tracking.deleteTag',
      input: ({ who, fields }) => ({ ...draw.stamp(who), run_id: fields.runId(), key: fields.text('key') }),
    },
  })
  api.add('POST', '/runs/log-batch', {
    may: 'tracking.write',
    command: {
      name: 'tracking.logBatch',
      input: ({ who, fields }) => ({
        ...draw.stamp(who),
        run_id: fields.runId(),
        ...readMetrics(fields),
        params: fields.list('params', readKeyValue),
        tags: fields.list('tags', readKeyValue),
      }),
    },
  })
  api.add('POST', '/runs/log-inputs', {
    may: 'tracking.write',
    body_bytes_max: INPUTS_BYTES_MAX,
    command: {
      name: 'tracking.logInputs',
      input: ({ who, fields }) => ({
        ...draw.stamp(who),
        run_id: fields.runId(),
        datasets: fields.list('datasets', readDatasetInput),
        models: fields.list('models', (model) => model.text('model_id')),
      }),
    },
  })
  api.add('POST', '/runs/outputs', {
    may: 'tracking.write',
    command: {
      name: 'tracking.logOutputs',
      input: ({ who, fields }) => ({
        ...draw.stamp(who),
        run_id: fields.runId(),
        models: fields.list('models', (model) => ({
          model_id: model.text('model_id'),
          step: model.optionalInteger('step') ?? 0,
        })),
      }),
    },
  })

  api.add('POST', '/runs/log-model', {
    may: 'tracking.write',
    command: {
      name: 'tracking.recordModel',
      input: ({ who, fields }) => ({
        ...draw.stamp(who),
        run_id: fields.runId(),
        model: readOldModel(fields.text('model_json')),
      }),
    },
  })

  api.add('POST', '/runs/search', {
    may: 'tracking.read',
    ask: {
      name: 'mlflow.searchRuns',
      input: ({ who, fields }) => ({
        workspace: who.workspace,
        experiment_ids: fields.texts('experiment_ids'),
        filter: fields.optionalText('filter') ?? '',
        view: fields.optionalChoice('run_view_type', VIEWS, VIEW_NUMBERS) ?? 'active',
        order_by: fields.texts('order_by'),
        limit: pageSize(fields, PAGE, trackingLimits.runs_page),
        ...positionIn(cursors, fields),
      }),
      answer: closeAnswer(cursors),
    },
  })
}

const MANDATORY = ['artifact_path', 'flavors', 'utc_time_created', 'run_id']

function readOldModel(text: string): Record<string, unknown> {
  let model: unknown
  try {
    model = JSON.parse(text)
  } catch {
    throw invalid(`Malformed model info. \n ${text.slice(0, 300)} \n is not a valid JSON.`, { field: 'model_json' })
  }
  if (model === null || typeof model !== 'object') throw invalid('Malformed model info.', { field: 'model_json' })
  refuseDeep(model)
  const missing = MANDATORY.filter((name) => !Object.hasOwn(model, name))
  if (missing.length > 0) {
    throw invalid(`Model json is missing mandatory fields: {${missing.map((name) => `'${name}'`).join(', ')}}`, {
      field: 'model_json',
    })
  }
  return model as Record<string, unknown>
}
