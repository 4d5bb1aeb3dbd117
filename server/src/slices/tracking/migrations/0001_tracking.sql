-- Experiments, runs and what they log. Rows of a run or model hang on its integer key and carry no workspace of their
-- own: they are reached through the row that does (docs/decisions/0040-rows-of-a-run-hang-on-its-key.md).

-- Experiment ids are decimals that rise over the whole server and are never used again.
CREATE TABLE experiment_counter (
  name TEXT NOT NULL PRIMARY KEY,
  next_id :int: NOT NULL
) :strict:;

CREATE TABLE experiment (
  workspace TEXT NOT NULL,
  experiment :int: NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  artifact_location TEXT NOT NULL,
  lifecycle TEXT NOT NULL,
  -- The one that id "0" means in its workspace, also after a rename.
  is_default :bool: NOT NULL,
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL
) :strict:;
CREATE UNIQUE INDEX experiment_default ON experiment (workspace) WHERE is_default = 1;
CREATE UNIQUE INDEX experiment_name ON experiment (workspace, name);
CREATE INDEX experiment_created ON experiment (workspace, created_ms, experiment);

CREATE TABLE experiment_tag (
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment, key)
) :clustered:;

CREATE TABLE run (
  run_key :seq:,
  workspace TEXT NOT NULL,
  run_id TEXT NOT NULL,
  experiment :int: NOT NULL REFERENCES experiment (experiment),
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL,
  start_ms :ms: NOT NULL,
  end_ms :ms:,
  lifecycle TEXT NOT NULL,
  -- Deleted together with its experiment, so that restoring the experiment brings it back.
  deleted_with_experiment :bool: NOT NULL
) :strict:;
CREATE UNIQUE INDEX run_id ON run (workspace, run_id);
CREATE INDEX run_order ON run (experiment, lifecycle, start_ms DESC, run_id);

CREATE TABLE run_param (
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_key, key)
) :clustered:;

CREATE TABLE run_tag (
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_key, key)
) :clustered:;
-- Child runs of a run, runs of a pipeline step.
CREATE INDEX run_tag_parent ON run_tag (substr(value, 1, 64)) WHERE key = 'mlflow.parentRunId';
CREATE INDEX run_tag_step ON run_tag (substr(value, 1, 64)) WHERE key = 'slipway.step_run';

-- One row a metric key of a run: its series, with the latest point by (step, timestamp, value).
-- NaN is value 0 with is_nan 1, as which it also compares.
CREATE TABLE run_metric (
  series :seq:,
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  step :int: NOT NULL,
  at_ms :ms: NOT NULL,
  value :real: NOT NULL,
  is_nan :bool: NOT NULL
) :strict:;
CREATE UNIQUE INDEX run_metric_key ON run_metric (run_key, key);

-- Every point; an exact repeat is one point. No reference: it would cost a look-up for each point logged.
CREATE TABLE metric_point (
  series :int: NOT NULL,
  step :int: NOT NULL,
  at_ms :ms: NOT NULL,
  value :real: NOT NULL,
  is_nan :bool: NOT NULL,
  PRIMARY KEY (series, step, at_ms, value, is_nan)
) :clustered:;

-- A dataset that runs name as input: what the client told, letter for letter.
CREATE TABLE input_dataset (
  dataset_key :seq:,
  workspace TEXT NOT NULL,
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema_text TEXT,
  profile_text TEXT
) :strict:;
CREATE UNIQUE INDEX input_dataset_name ON input_dataset (experiment, name, digest);

CREATE TABLE run_input (
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  dataset_key :int: NOT NULL REFERENCES input_dataset (dataset_key) ON DELETE CASCADE,
  position :int: NOT NULL,
  PRIMARY KEY (run_key, dataset_key)
) :clustered:;
CREATE INDEX run_input_dataset ON run_input (dataset_key);

CREATE TABLE run_input_tag (
  run_key :int: NOT NULL,
  dataset_key :int: NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_key, dataset_key, key),
  FOREIGN KEY (run_key, dataset_key) REFERENCES run_input (run_key, dataset_key) ON DELETE CASCADE
) :clustered:;

CREATE TABLE logged_model (
  model_key :seq:,
  workspace TEXT NOT NULL,
  model_id TEXT NOT NULL,
  experiment :int: NOT NULL REFERENCES experiment (experiment),
  name TEXT NOT NULL,
  model_type TEXT NOT NULL,
  source_run_id TEXT NOT NULL,
  status TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  lifecycle TEXT NOT NULL
) :strict:;
CREATE UNIQUE INDEX logged_model_id ON logged_model (workspace, model_id);
CREATE INDEX logged_model_order ON logged_model (experiment, lifecycle, created_ms DESC, model_id);
CREATE INDEX logged_model_run ON logged_model (workspace, source_run_id);

CREATE TABLE logged_model_param (
  model_key :int: NOT NULL REFERENCES logged_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_key, key)
) :clustered:;

CREATE TABLE logged_model_tag (
  model_key :int: NOT NULL REFERENCES logged_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_key, key)
) :clustered:;

CREATE TABLE logged_model_metric (
  model_key :int: NOT NULL REFERENCES logged_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  at_ms :ms: NOT NULL,
  step :int: NOT NULL,
  run_id TEXT NOT NULL,
  dataset_name TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  value :real: NOT NULL,
  is_nan :bool: NOT NULL,
  PRIMARY KEY (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest)
) :clustered:;

-- Logged models that a run reads ('input') or makes ('output').
CREATE TABLE run_model (
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  direction TEXT NOT NULL,
  model_id TEXT NOT NULL,
  step :int: NOT NULL,
  position :int: NOT NULL,
  PRIMARY KEY (run_key, direction, model_id)
) :clustered:;
CREATE INDEX run_model_model ON run_model (model_id, run_key);

-- The artifact proxy's tree: a folder row for each folder below the root '', a file row for each file.
CREATE TABLE artifact_folder (
  workspace TEXT NOT NULL,
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (workspace, parent, name)
) :clustered:;

CREATE TABLE artifact_file (
  workspace TEXT NOT NULL,
  folder TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes :int: NOT NULL,
  modified_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, folder, name)
) :clustered:;
-- Which files stand on a blob: asked before its bytes are removed.
CREATE INDEX artifact_file_digest ON artifact_file (digest);
