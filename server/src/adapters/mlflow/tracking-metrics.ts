import { invalid } from '#kernel/errors.ts'
import { trackingLimits } from '#slices/tracking'
import { closeAnswer, type Group, positionIn } from './api.ts'
import type { Fields } from './fields.ts'

function historyLimit(fields: Fields): { limit?: number } {
  const limit = fields.optionalCount('max_results')
  if (limit === undefined) return {}
  if (limit <= 0) {
    throw invalid(`Invalid value ${limit} for parameter 'max_results' supplied. It must be a positive integer.`, {
      field: 'max_results',
    })
  }
  return { limit: Math.min(limit, trackingLimits.history_page) }
}

/** Distinct run ids of a request about many runs, within their bound. */
function runIds(fields: Fields, name: string, call: string): string[] {
  const ids = fields.texts(name)
  const most = trackingLimits.bulk_history_runs
  if (ids.length === 0) throw invalid(`${call} request must specify at least one ${name}.`, { field: name })
  if (ids.length > most) {
    throw invalid(`${call} request cannot specify more than ${most} ${name}s. Received ${ids.length} ${name}s.`, {
      field: name,
    })
  }
  return ids
}

export const metrics: Group = (api, { cursors }) => {
  api.add('GET', '/metrics/get-history', {
    may: 'tracking.read',
    ask: {
      name: 'mlflow.history',
      input: ({ who, fields }) => ({
        workspace: who.workspace,
        run_id: fields.runId(),
        key: fields.text('metric_key'),
        ...historyLimit(fields),
        ...positionIn(cursors, fields),
      }),
      answer: closeAnswer(cursors),
    },
  })

  api.add('GET', '/metrics/get-history-bulk', {
    may: 'tracking.read',
    ask: {
      name: 'mlflow.bulkHistory',
      input: ({ who, fields }) => {
        const run_ids = runIds(fields, 'run_id', 'GetMetricHistoryBulk')
        const key = fields.optionalText('metric_key')
        if (!key) throw invalid('GetMetricHistoryBulk request must specify a metric_key.', { field: 'metric_key' })
        const most = trackingLimits.bulk_history_points
        return { workspace: who.workspace, run_ids, key, limit: Math.min(historyLimit(fields).limit ?? most, most) }
      },
      answer: closeAnswer(cursors),
    },
  })

  api.add('GET', '/metrics/get-history-bulk-interval', {
    may: 'tracking.read',
    ask: {
      name: 'mlflow.intervalHistory',
      input: ({ who, fields }) => {
        const start_step = fields.optionalInteger('start_step')
        const end_step = fields.optionalInteger('end_step')
        if ((start_step === undefined) !== (end_step === undefined)) {
          throw invalid('If either start step or end step are specified, both must be specified.', {
            field: start_step === undefined ? 'start_step' : 'end_step',
          })
        }
        if (start_step !== undefined && start_step > end_step!) {
          throw invalid(
            `end_step must be greater than start_step. Found start_step=${start_step} and end_step=${end_step}.`,
            { field: 'end_step' },
          )
        }
        const most = trackingLimits.interval_points
        const limit = fields.optionalCount('max_results') ?? most
        if (limit < 1 || limit > most) {
          throw invalid(`max_results must be between 1 and ${most}.`, { field: 'max_results' })
        }
        return {
          workspace: who.workspace,
          run_ids: runIds(fields, 'run_ids', 'GetMetricHistoryBulkInterval'),
          key: fields.text('metric_key'),
          limit,
          ...(start_step !== undefined && { start_step, end_step }),
        }
      },
      answer: closeAnswer(cursors),
    },
  })
}
