/** MLflow's messages as they are answered, for `/openapi.json`. Clients must pass over what they do not know. */
import Type from 'typebox'

const text = Type.String()
const ms = Type.Integer({ description: 'Epoch milliseconds.' })
const optional = Type.Optional(text)

/** JSON has no word for NaN and the infinities: they are texts. */
export const Double = Type.Union([Type.Number(), ...['NaN', 'Infinity', '-Infinity'].map((word) => Type.Literal(word))])
export const KeyValue = Type.Object({ key: text, value: text })
export const FileInfo = Type.Object({ path: text, is_dir: Type.Boolean(), file_size: Type.Optional(Type.Integer()) })
export const Workspace = Type.Object({ name: text, description: optional })
export const ModelStatus = Type.Union(
  ['UNSPECIFIED', 'PENDING', 'READY', 'UPLOAD_FAILED'].map((name) =>
    Type.Literal(name === 'UNSPECIFIED' ? 'LOGGED_MODEL_STATUS_UNSPECIFIED' : `LOGGED_MODEL_${name}`),
  ),
)
const Lifecycle = Type.Union([Type.Literal('active'), Type.Literal('deleted')])

export const Metric = Type.Object({ key: text, value: Double, timestamp: Type.Integer(), step: Type.Integer() })
export const MetricEntry = Type.Object({
  key: text,
  value: Double,
  timestamp: Type.Integer(),
  step: Type.Optional(Type.Integer()),
  model_id: optional,
  dataset_name: optional,
  dataset_digest: optional,
})

const Dataset = Type.Object({
  name: text,
  digest: text,
  source_type: text,
  source: text,
  schema: optional,
  profile: optional,
})
export const DatasetInput = Type.Object({ dataset: Dataset, tags: Type.Optional(Type.Array(KeyValue)) })

export const Experiment = Type.Object({
  experiment_id: text,
  name: text,
  artifact_location: text,
  lifecycle_stage: Lifecycle,
  last_update_time: ms,
  creation_time: ms,
  tags: Type.Array(KeyValue),
})

export const RunInfo = Type.Object({
  run_id: text,
  run_uuid: text,
  experiment_id: text,
  run_name: text,
  user_id: text,
  status: text,
  start_time: ms,
  end_time: Type.Optional(ms),
  artifact_uri: text,
  lifecycle_stage: Lifecycle,
})

export const Run = Type.Object({
  info: RunInfo,
  data: Type.Object({
    metrics: Type.Array(Metric),
    params: Type.Array(KeyValue),
    tags: Type.Array(KeyValue),
  }),
  inputs: Type.Object({
    dataset_inputs: Type.Array(DatasetInput),
    model_inputs: Type.Array(Type.Object({ model_id: text })),
  }),
  outputs: Type.Object({
    model_outputs: Type.Array(Type.Object({ model_id: text, step: Type.Integer() })),
  }),
})

const ModelMetric = Type.Object({
  ...Metric.properties,
  model_id: text,
  run_id: text,
  dataset_name: optional,
  dataset_digest: optional,
})

export const LoggedModel = Type.Object({
  info: Type.Object({
    model_id: text,
    experiment_id: text,
    name: text,
    creation_timestamp_ms: ms,
    last_updated_timestamp_ms: ms,
    artifact_uri: text,
    status: ModelStatus,
    model_type: optional,
    source_run_id: optional,
    tags: Type.Array(KeyValue),
  }),
  data: Type.Object({ params: Type.Array(KeyValue), metrics: Type.Array(ModelMetric) }),
})

export const ModelVersion = Type.Object({
  name: text,
  version: text,
  creation_timestamp: ms,
  last_updated_timestamp: ms,
  user_id: text,
  current_stage: text,
  description: optional,
  source: text,
  run_id: optional,
  run_link: optional,
  status: text,
  tags: Type.Array(KeyValue),
  aliases: Type.Array(text),
  model_id: optional,
  model_params: Type.Optional(Type.Array(Type.Object({ name: text, value: text }))),
  model_metrics: Type.Optional(Type.Array(ModelMetric)),
})

export const RegisteredModel = Type.Object({
  name: text,
  creation_timestamp: ms,
  last_updated_timestamp: ms,
  user_id: text,
  description: optional,
  latest_versions: Type.Array(ModelVersion),
  tags: Type.Array(KeyValue),
  aliases: Type.Array(Type.Object({ alias: text, version: text })),
})

/** Its secret is in no answer. */
export const Webhook = Type.Object({
  webhook_id: text,
  name: text,
  url: text,
  events: Type.Array(Type.Object({ entity: text, action: text })),
  status: text,
  description: optional,
  creation_timestamp: ms,
  last_updated_timestamp: ms,
})

/** Every refusal on this wire. */
export const MlflowError = Type.Object({ error_code: text, message: text })
