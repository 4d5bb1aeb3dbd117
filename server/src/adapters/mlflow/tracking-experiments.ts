import { type Experiment, trackingLimits } from '#slices/tracking'
import { type Asked, closeAnswer, type Group, positionIn } from './api.ts'
import { pageSize } from './fields.ts'
import { experiment, readKeyValue, VIEW_NUMBERS, VIEWS } from './wire.ts'

const PAGE = 1000

export const experiments: Group = (api, { tracking, cursors }) => {
  api.add('POST', '/experiments/create', {
    may: 'tracking.write',
    change: async ({ tx, who, fields }) => {
      const artifact_location = fields.optionalText('artifact_location')
      const name = fields.text('name')
      const tags = fields.list('tags', readKeyValue)
      return {
        experiment_id: await tracking.createExperiment(tx, who, {
          name,
          tags,
          ...(artifact_location && { artifact_location }),
        }),
      }
    },
  })

  api.add('GET', '/experiments/get', {
    may: 'tracking.read',
    ask: {
      name: 'tracking.getExperiment',
      input: ({ who, fields }) => ({ workspace: who.workspace, experiment_id: fields.text('experiment_id') }),
      answer: (found: Experiment) => ({ experiment: experiment(found) }),
    },
  })

  api.add('GET', '/experiments/get-by-name', {
    may: 'tracking.read',
    ask: {
      name: 'tracking.getExperimentByName',
      input: ({ who, fields }) => ({ workspace: who.workspace, name: fields.text('experiment_name') }),
      answer: (found: Experiment) => ({ experiment: experiment(found) }),
    },
  })

  for (const method of ['GET', 'POST'] as const) {
    api.add(method, '/experiments/search', {
      may: 'tracking.read',
      ask: {
        name: 'mlflow.searchExperiments',
        input: ({ who, fields }) => ({
          workspace: who.workspace,
          filter: fields.optionalText('filter') ?? '',
          view: fields.optionalChoice('view_type', VIEWS, VIEW_NUMBERS) ?? 'active',
          order_by: fields.texts('order_by'),
          limit: pageSize(fields, PAGE, trackingLimits.experiments_page),
          ...positionIn(cursors, fields),
        }),
        answer: closeAnswer(cursors),
      },
    })
  }

  const id = ({ fields }: Asked) => fields.text('experiment_id')

  api.add('POST', '/experiments/update', {
    may: 'tracking.write',
    change: async ({ tx, ...asked }) => {
      await tracking.renameExperiment(tx, asked.who, id(asked), asked.fields.text('new_name'))
    },
  })
  api.add('POST', '/experiments/delete', {
    may: 'tracking.write',
    change: async ({ tx, ...asked }) => tracking.deleteExperiment(tx, asked.who, id(asked)),
  })
  api.add('POST', '/experiments/restore', {
    may: 'tracking.write',
    change: async ({ tx, ...asked }) => tracking.restoreExperiment(tx, asked.who, id(asked)),
  })
  api.add('POST', '/experiments/set-experiment-tag', {
    may: 'tracking.write',
    change: async ({ tx, ...asked }) => tracking.setExperimentTag(tx, asked.who, id(asked), readKeyValue(asked.fields)),
  })
  api.add('POST', '/experiments/delete-experiment-tag', {
    may: 'tracking.write',
    change: async ({ tx, ...asked }) =>
      tracking.deleteExperimentTag(tx, asked.who, id(asked), asked.fields.text('key')),
  })

  api.add('POST', '/experiments/search-datasets', {
    may: 'tracking.read',
    ask: {
      name: 'tracking.searchDatasets',
      input: ({ who, fields }) => ({ workspace: who.workspace, experiment_ids: fields.texts('experiment_ids') }),
      answer: (found: { context: string | null }[]) => ({
        dataset_summaries: found.map(({ context, ...rest }) => ({ ...rest, ...(context !== null && { context }) })),
      }),
    },
  })
}
