/** What can be asked of each kind of thing: the words MLflow's clients use, and what they mean here. */
export type Entity = 'metric' | 'param' | 'tag' | 'attribute' | 'dataset'
export type Operator =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'LIKE'
  | 'ILIKE'
  | 'NOT LIKE'
  | 'NOT ILIKE'
  | 'MATCHES'
  | 'NOT MATCHES'
  | 'IN'
  | 'NOT IN'
  | 'IS NULL'
  | 'IS NOT NULL'

export interface Attribute {
  name: string
  type: 'text' | 'number' | 'id'
  /** May be compared with a list. */
  list?: boolean
}

export interface Grammar {
  entities: Partial<Record<Entity, readonly string[]>>
  /** By every name under which clients know them. */
  attributes: Record<string, Attribute>
  /** Operators of params and tags. */
  text_operators: readonly Operator[]
  /**
   * Beyond MLflow's language: regular expressions, lists and presence of everything, numeric comparison of params and
   * tags. For what is searched in memory; SQL words the rest.
   */
  rich?: boolean
  /** Unquoted values count as text, as the search of logged models takes them. */
  bare_text: boolean
  order: { attributes: readonly string[]; entities: readonly Entity[] }
}

const text = (name: string, list = false): Attribute => ({ name, type: 'text', list })
const number = (name: string): Attribute => ({ name, type: 'number' })

const PRESENCE = ['IS NULL', 'IS NOT NULL'] as const
const EQUAL_OR_LIKE = ['=', '!=', 'LIKE', 'ILIKE'] as const
const LISTS = ['IN', 'NOT IN'] as const

export const NUMBER_OPERATORS: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>=']
export const TEXT_OPERATORS: readonly Operator[] = [...EQUAL_OR_LIKE, ...LISTS]
export const ID_OPERATORS: readonly Operator[] = ['=', '!=', ...LISTS]

/** What rich grammars know beside. */
export const RICH_TEXT_OPERATORS: readonly Operator[] = [
  ...EQUAL_OR_LIKE,
  'NOT LIKE',
  'NOT ILIKE',
  'MATCHES',
  'NOT MATCHES',
  ...LISTS,
  ...PRESENCE,
]
export const RICH_NUMBER_OPERATORS: readonly Operator[] = [...NUMBER_OPERATORS, ...LISTS, ...PRESENCE]

const METRIC = ['metric', 'metrics']
const PARAM = ['param', 'params', 'parameter', 'parameters']
const TAG = ['tag', 'tags']

const start = number('start_time')
const runName = text('run_name')

export const RUNS: Grammar = {
  entities: {
    metric: METRIC,
    param: PARAM,
    tag: TAG,
    attribute: ['attribute', 'attributes', 'attr', 'run'],
    dataset: ['dataset', 'datasets'],
  },
  attributes: {
    run_id: text('run_id', true),
    run_name: runName,
    'run name': runName,
    'Run name': runName,
    'Run Name': runName,
    status: text('status', true),
    user_id: text('user_id', true),
    artifact_uri: text('artifact_uri'),
    start_time: start,
    created: start,
    Created: start,
    end_time: number('end_time'),
  },
  text_operators: [...EQUAL_OR_LIKE, ...LISTS, ...PRESENCE],
  rich: true,
  bare_text: false,
  order: {
    attributes: ['run_id', 'run_name', 'status', 'user_id', 'artifact_uri', 'start_time', 'end_time'],
    entities: ['metric', 'param', 'tag', 'attribute'],
  },
}

export const EXPERIMENTS: Grammar = {
  entities: { tag: TAG, attribute: ['attribute', 'attributes'] },
  attributes: {
    name: text('name', true),
    experiment_id: { name: 'experiment_id', type: 'id', list: true },
    creation_time: number('creation_time'),
    last_update_time: number('last_update_time'),
  },
  text_operators: [...EQUAL_OR_LIKE, ...LISTS, ...PRESENCE],
  bare_text: false,
  order: { attributes: ['name', 'experiment_id', 'creation_time', 'last_update_time'], entities: ['attribute'] },
}

const created = number('creation_timestamp')
const updated = number('last_updated_timestamp')

export const LOGGED_MODELS: Grammar = {
  entities: { metric: METRIC, param: PARAM, tag: TAG, attribute: ['attribute', 'attributes', 'attr'] },
  attributes: {
    name: text('name', true),
    model_id: text('model_id', true),
    model_type: text('model_type', true),
    status: text('status', true),
    source_run_id: text('source_run_id', true),
    creation_timestamp: created,
    creation_time: created,
    creation_timestamp_ms: created,
    last_updated_timestamp: updated,
    last_updated_time: updated,
    last_updated_timestamp_ms: updated,
  },
  text_operators: [...EQUAL_OR_LIKE, ...LISTS, ...PRESENCE],
  bare_text: true,
  order: {
    attributes: [
      'name',
      'model_id',
      'model_type',
      'status',
      'source_run_id',
      'creation_timestamp',
      'last_updated_timestamp',
    ],
    entities: ['metric', 'attribute'],
  },
}
