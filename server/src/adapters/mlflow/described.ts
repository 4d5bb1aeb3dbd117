/**
 * What each call of MLflow's API takes and answers, for `/openapi.json` alone: requests are read by `Fields`, which also takes
 * what is not written here (integers as text, names in lowerCamelCase, unknown fields), as MLflow does.
 */
import Type, { type TSchema } from 'typebox'
import * as shape from './shapes.ts'

/** One call: fields stand in the query of a GET and in the body of the others; `!` marks those that must be there. */
export interface Described {
  summary: string
  fields?: Record<string, TSchema>
  /** JSON, by its members. */
  answer?: Record<string, TSchema>
  /** What is answered or taken when it is not JSON. */
  answers?: string
  takes?: string
}

const text = Type.String()
const integer = Type.Integer({ minimum: -(2 ** 53), maximum: 2 ** 53 })
const texts = Type.Array(text)
const size = Type.Integer({ minimum: 1 })
const view = Type.Union(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].map((name) => Type.Literal(name)))
const runStatus = Type.Union(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'].map((name) => Type.Literal(name)))
const list = <T extends TSchema>(item: T) => Type.Array(item)
const next = { next_page_token: Type.Optional(text) }
const page = { max_results: size, page_token: text }
const nothing = {}

const run = { 'run_id!': text }
const experiment = { 'experiment_id!': text }
const keyValue = { 'key!': text, value: text }
const tags = list(shape.KeyValue)
const metric = {
  'key!': text,
  'value!': shape.Double,
  'timestamp!': integer,
  step: integer,
  model_id: text,
  dataset_name: text,
  dataset_digest: text,
}
const version = { 'name!': text, 'version!': text }
const files = { root_uri: text, files: list(shape.FileInfo) }
const one = {
  run: { run: shape.Run },
  model: { model: shape.LoggedModel },
  registered: { registered_model: shape.RegisteredModel },
  version: { model_version: shape.ModelVersion },
}
const search = { filter: text, order_by: texts, ...page }
const history = { metrics: list(shape.Metric), ...next }
const bulk = { metrics: list(Type.Object({ ...shape.Metric.properties, run_id: text })), ...next }
const experimentsSearch: Described = {
  summary: 'Experiments by a filter',
  fields: { ...search, view_type: view },
  answer: { experiments: list(shape.Experiment), ...next },
}
const latest: Described = {
  summary: 'The latest versions of a model by stage',
  fields: { 'name!': text, stages: texts },
  answer: { model_versions: list(shape.ModelVersion) },
}
const logParam: Described = {
  summary: 'Log a param; it never changes',
  fields: { ...run, ...keyValue },
  answer: nothing,
}
const notHere = (summary: string): Described => ({ summary: `${summary}: not supported (501)`, answer: nothing })
const elsewhere = (summary: string): Described => ({
  summary: `${summary}: refused (403), it is done in Slipway itself`,
  answer: nothing,
})

/** By method and path below `/api/2.0/mlflow`. */
export const CALLS: Readonly<Record<string, Described>> = {
  'POST /experiments/create': {
    summary: 'Make an experiment',
    fields: { 'name!': text, artifact_location: text, tags },
    answer: { experiment_id: text },
  },
  'GET /experiments/get': { summary: 'An experiment', fields: experiment, answer: { experiment: shape.Experiment } },
  'GET /experiments/get-by-name': {
    summary: 'An experiment by its name',
    fields: { 'experiment_name!': text },
    answer: { experiment: shape.Experiment },
  },
  'GET /experiments/search': experimentsSearch,
  'POST /experiments/search': experimentsSearch,
  'POST /experiments/update': {
    summary: 'Rename an experiment',
    fields: { ...experiment, 'new_name!': text },
    answer: nothing,
  },
  'POST /experiments/delete': { summary: 'Delete an experiment with its runs', fields: experiment, answer: nothing },
  'POST /experiments/restore': { summary: 'Bring an experiment back', fields: experiment, answer: nothing },
  'POST /experiments/set-experiment-tag': {
    summary: 'Set a tag of an experiment',
    fields: { ...experiment, ...keyValue },
    answer: nothing,
  },
  'POST /experiments/delete-experiment-tag': {
    summary: 'Delete a tag of an experiment',
    fields: { ...experiment, 'key!': text },
    answer: nothing,
  },
  'POST /experiments/search-datasets': {
    summary: 'Datasets that the runs of some experiments name',
    fields: { experiment_ids: texts },
    answer: {
      dataset_summaries: list(
        Type.Object({ experiment_id: text, name: text, digest: text, context: Type.Optional(text) }),
      ),
    },
  },
  'POST /runs/create': {
    summary: 'Begin a run',
    fields: { experiment_id: text, run_name: text, user_id: text, start_time: integer, tags },
    answer: one.run,
  },
  'GET /runs/get': { summary: 'A run', fields: run, answer: one.run },
  'POST /runs/update': {
    summary: 'Change the status, end or name of a run',
    fields: { ...run, status: runStatus, end_time: integer, run_name: text },
    answer: { run_info: shape.RunInfo },
  },
  'POST /runs/delete': { summary: 'Delete a run; it can be restored', fields: run, answer: nothing },
  'POST /runs/restore': { summary: 'Bring a run back', fields: run, answer: nothing },
  'POST /runs/log-metric': { summary: 'Log a point of a metric', fields: { ...run, ...metric }, answer: nothing },
  'POST /runs/log-parameter': logParam,
  'POST /runs/log-param': logParam,
  'POST /runs/set-tag': { summary: 'Set a tag of a run', fields: { ...run, ...keyValue }, answer: nothing },
  'POST /runs/delete-tag': { summary: 'Delete a tag of a run', fields: { ...run, 'key!': text }, answer: nothing },
  'POST /runs/log-batch': {
    summary: 'Log metrics, params and tags: all of it, or none',
    fields: { ...run, metrics: list(shape.MetricEntry), params: tags, tags },
    answer: nothing,
  },
  'POST /runs/log-inputs': {
    summary: 'Say what data and models a run reads',
    fields: { ...run, datasets: list(shape.DatasetInput), models: list(Type.Object({ model_id: text })) },
    answer: nothing,
  },
  'POST /runs/outputs': {
    summary: 'Say what models a run made',
    fields: { ...run, models: list(Type.Object({ model_id: text, step: Type.Optional(integer) })) },
    answer: nothing,
  },
  'POST /runs/log-model': {
    summary: 'Record a model of an older client',
    fields: { ...run, 'model_json!': text },
    answer: nothing,
  },
  'POST /runs/search': {
    summary: 'Runs by a filter',
    fields: { experiment_ids: texts, ...search, run_view_type: view },
    answer: { runs: list(shape.Run), ...next },
  },
  'GET /metrics/get-history': {
    summary: 'Every point of a metric of a run',
    fields: { ...run, 'metric_key!': text, ...page },
    answer: history,
  },
  'GET /metrics/get-history-bulk': {
    summary: 'Points of a metric of several runs',
    fields: { 'run_id!': texts, 'metric_key!': text, max_results: size },
    answer: bulk,
  },
  'GET /metrics/get-history-bulk-interval': {
    summary: 'Points of a metric of several runs, sampled by step',
    fields: { 'run_ids!': texts, 'metric_key!': text, start_step: integer, end_step: integer, max_results: size },
    answer: bulk,
  },
  'GET /artifacts/list': {
    summary: "One folder of a run's artifacts",
    fields: { ...run, path: text, page_token: text },
    answer: files,
  },
  'POST /artifacts/presigned-upload-url': notHere('Where to upload an artifact'),
  'POST /artifacts/presigned-download-url': notHere('Where to download an artifact'),
  'POST /logged-models': {
    summary: 'Make a logged model',
    fields: {
      ...experiment,
      name: text,
      model_type: text,
      source_run_id: text,
      params: list(shape.KeyValue),
      tags,
    },
    answer: one.model,
  },
  'POST /logged-models/search': {
    summary: 'Logged models by a filter',
    fields: {
      'experiment_ids!': texts,
      filter: text,
      datasets: list(Type.Object({ dataset_name: text, dataset_digest: Type.Optional(text) })),
      order_by: list(
        Type.Object({
          field_name: text,
          ascending: Type.Optional(Type.Boolean()),
          dataset_name: Type.Optional(text),
          dataset_digest: Type.Optional(text),
        }),
      ),
      ...page,
    },
    answer: { models: list(shape.LoggedModel), ...next },
  },
  'GET /logged-models/:model_id': {
    summary: 'A logged model',
    fields: { allow_deleted: Type.Boolean() },
    answer: one.model,
  },
  'PATCH /logged-models/:model_id': {
    summary: 'Say whether a logged model is ready',
    fields: { 'status!': shape.ModelStatus },
    answer: one.model,
  },
  'DELETE /logged-models/:model_id': { summary: 'Delete a logged model', answer: nothing },
  'POST /logged-models/:model_id/params': {
    summary: 'Log params of a model',
    fields: { params: list(shape.KeyValue) },
    answer: nothing,
  },
  'PATCH /logged-models/:model_id/tags': {
    summary: 'Set tags of a logged model',
    fields: { tags },
    answer: one.model,
  },
  'DELETE /logged-models/:model_id/tags/:tag_key': { summary: 'Delete a tag of a logged model', answer: nothing },
  'GET /logged-models/:model_id/artifacts/directories': {
    summary: "One folder of a logged model's files",
    fields: { artifact_directory_path: text },
    answer: files,
  },
  'GET /logged-models/:model_id/artifacts/files': {
    summary: 'One file of a logged model',
    fields: { 'artifact_file_path!': text },
    answers: '*/*',
  },
  'POST /registered-models/create': {
    summary: 'Register a model',
    fields: { 'name!': text, description: text, tags },
    answer: one.registered,
  },
  'GET /registered-models/get': {
    summary: 'A registered model',
    fields: { 'name!': text },
    answer: one.registered,
  },
  'GET /registered-models/search': {
    summary: 'Registered models by a filter',
    fields: search,
    answer: { registered_models: list(shape.RegisteredModel), ...next },
  },
  'POST /registered-models/rename': {
    summary: 'Rename a registered model',
    fields: { 'name!': text, 'new_name!': text },
    answer: one.registered,
  },
  'PATCH /registered-models/update': {
    summary: 'Describe a registered model',
    fields: { 'name!': text, description: text },
    answer: one.registered,
  },
  'DELETE /registered-models/delete': {
    summary: 'Delete a registered model with its versions',
    fields: { 'name!': text },
    answer: nothing,
  },
  'POST /registered-models/set-tag': {
    summary: 'Set a tag of a registered model',
    fields: { 'name!': text, ...keyValue },
    answer: nothing,
  },
  'DELETE /registered-models/delete-tag': {
    summary: 'Delete a tag of a registered model',
    fields: { 'name!': text, 'key!': text },
    answer: nothing,
  },
  'GET /registered-models/get-latest-versions': latest,
  'POST /registered-models/get-latest-versions': latest,
  'POST /registered-models/alias': {
    summary: 'Point an alias to a version',
    fields: { ...version, 'alias!': text },
    answer: nothing,
  },
  'DELETE /registered-models/alias': {
    summary: 'Delete an alias',
    fields: { 'name!': text, 'alias!': text },
    answer: nothing,
  },
  'GET /registered-models/alias': {
    summary: 'The version that an alias points to',
    fields: { 'name!': text, 'alias!': text },
    answer: one.version,
  },
  'POST /model-versions/create': {
    summary: 'Register a version of a model',
    fields: { 'name!': text, 'source!': text, run_id: text, run_link: text, description: text, model_id: text, tags },
    answer: one.version,
  },
  'GET /model-versions/get': { summary: 'A version of a model', fields: version, answer: one.version },
  'GET /model-versions/search': {
    summary: 'Versions of models by a filter',
    fields: search,
    answer: { model_versions: list(shape.ModelVersion), ...next },
  },
  'GET /model-versions/get-download-uri': {
    summary: 'Where the files of a version are',
    fields: version,
    answer: { artifact_uri: text },
  },
  'PATCH /model-versions/update': {
    summary: 'Describe a version',
    fields: { ...version, description: text },
    answer: one.version,
  },
  'DELETE /model-versions/delete': { summary: 'Delete a version', fields: version, answer: nothing },
  'POST /model-versions/set-tag': {
    summary: 'Set a tag of a version',
    fields: { ...version, ...keyValue },
    answer: nothing,
  },
  'DELETE /model-versions/delete-tag': {
    summary: 'Delete a tag of a version',
    fields: { ...version, 'key!': text },
    answer: nothing,
  },
  'POST /model-versions/transition-stage': {
    summary: 'Move a version to a stage',
    fields: { ...version, 'stage!': text, archive_existing_versions: Type.Boolean() },
    answer: one.version,
  },
  'GET /server-info': {
    summary: 'What this server can do',
    answer: { store_type: text, workspaces_enabled: Type.Boolean() },
  },
  'GET /workspaces': { summary: 'Workspaces of the caller', answer: { workspaces: list(shape.Workspace) } },
  'GET /workspaces/:workspace': { summary: 'A workspace', answer: { workspace: shape.Workspace } },
  'POST /workspaces': elsewhere('Make a workspace'),
  'PATCH /workspaces/:workspace': elsewhere('Change a workspace'),
  'DELETE /workspaces/:workspace': elsewhere('Delete a workspace'),
}

/** By method and whole path. */
export const OTHERS: Readonly<Record<string, Described>> = {
  'GET /api/2.0/mlflow-artifacts/artifacts': {
    summary: 'One folder of the artifact tree',
    fields: { path: text },
    answer: { files: list(shape.FileInfo) },
  },
  'GET /api/2.0/mlflow-artifacts/artifacts/*': { summary: 'Download an artifact, or a range of it', answers: '*/*' },
  'PUT /api/2.0/mlflow-artifacts/artifacts/*': {
    summary: 'Upload an artifact',
    takes: 'application/octet-stream',
    answer: nothing,
  },
  'DELETE /api/2.0/mlflow-artifacts/artifacts/*': { summary: 'Delete an artifact or a folder', answer: nothing },
  'GET /api/2.0/mlflow-artifacts/presigned/*': notHere('Where to download an artifact'),
  'GET /get-artifact': {
    summary: 'One file of a run, for browsers',
    fields: { ...run, 'path!': text },
    answers: '*/*',
  },
  'GET /model-versions/get-artifact': {
    summary: 'One file of a version, for browsers',
    fields: { ...version, 'path!': text },
    answers: '*/*',
  },
  'GET /version': { summary: "The version of MLflow's API that is spoken here", answers: 'text/plain' },
}
