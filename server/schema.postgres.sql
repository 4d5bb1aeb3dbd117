-- Made from all migrations by `npm run gen`; `npm run check` compares. Do not edit.

CREATE TABLE access_session (
  digest text NOT NULL,
  id text NOT NULL,
  person text NOT NULL,
  created_ms bigint NOT NULL,
  last_used_ms bigint NOT NULL,
  expires_ms bigint NOT NULL,
  PRIMARY KEY (digest)
);
CREATE INDEX access_session_expires ON public.access_session USING btree (expires_ms);
CREATE INDEX access_session_person ON public.access_session USING btree (person);

CREATE TABLE access_token (
  workspace text NOT NULL,
  id text NOT NULL,
  digest text NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  holder_id text NOT NULL,
  behalf text,
  rights text NOT NULL,
  created_ms bigint NOT NULL,
  expires_ms bigint NOT NULL,
  revoked_ms bigint,
  last_used_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE UNIQUE INDEX access_token_digest ON public.access_token USING btree (digest);
CREATE INDEX access_token_holder ON public.access_token USING btree (workspace, kind, holder_id);

CREATE TABLE alert (
  workspace text NOT NULL,
  id text NOT NULL,
  monitor text NOT NULL,
  endpoint text NOT NULL,
  name text NOT NULL,
  metric text NOT NULL,
  state text NOT NULL,
  threshold double precision NOT NULL,
  value double precision,
  reference text NOT NULL,
  opened_window_ms bigint NOT NULL,
  cleared_window_ms bigint,
  watermark_ms bigint NOT NULL,
  opened_ms bigint NOT NULL,
  cleared_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX alert_by_monitor ON public.alert USING btree (workspace, monitor, state);
CREATE INDEX alert_by_state ON public.alert USING btree (workspace, state, opened_ms);

CREATE TABLE alert_streak (
  workspace text NOT NULL,
  monitor text NOT NULL,
  name text NOT NULL,
  streak bigint NOT NULL,
  last_window_ms bigint NOT NULL,
  PRIMARY KEY (workspace, monitor, name)
);

CREATE TABLE artifact_file (
  workspace text NOT NULL,
  folder text NOT NULL,
  name text NOT NULL,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  modified_ms bigint NOT NULL,
  PRIMARY KEY (workspace, folder, name)
);
CREATE INDEX artifact_file_digest ON public.artifact_file USING btree (digest);

CREATE TABLE artifact_folder (
  workspace text NOT NULL,
  parent text NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (workspace, parent, name)
);

CREATE TABLE attached_rows (
  workspace text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  digest text NOT NULL,
  attached_ms bigint NOT NULL,
  PRIMARY KEY (workspace, model, version)
);

CREATE TABLE attribution (
  workspace text NOT NULL,
  prediction text NOT NULL,
  endpoint text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  facts text NOT NULL,
  took_ms bigint NOT NULL,
  made_ms bigint NOT NULL,
  PRIMARY KEY (workspace, prediction)
);

CREATE TABLE board_record (
  run_key bigint NOT NULL,
  kind text NOT NULL,
  tag text NOT NULL,
  step bigint NOT NULL,
  at_ms bigint NOT NULL,
  "position" bigint NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (run_key, kind, tag, step, at_ms, "position"),
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);

CREATE TABLE board_source (
  experiment bigint NOT NULL,
  folder text NOT NULL,
  file text NOT NULL,
  run_id text NOT NULL,
  taken_bytes bigint NOT NULL,
  memory text NOT NULL,
  damage text,
  PRIMARY KEY (experiment, folder, file),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment) ON DELETE CASCADE
);

CREATE TABLE client_call (
  workspace text NOT NULL,
  client text NOT NULL,
  version text NOT NULL,
  method text NOT NULL,
  endpoint text NOT NULL,
  supported smallint NOT NULL,
  calls bigint NOT NULL,
  last_ms bigint NOT NULL,
  PRIMARY KEY (workspace, client, version, method, endpoint, supported)
);
CREATE INDEX client_call_by_time ON public.client_call USING btree (workspace, last_ms);

CREATE TABLE code_snapshot (
  workspace text NOT NULL,
  digest text NOT NULL,
  commit_id text,
  branch text,
  dirty bigint NOT NULL,
  diff_digest text,
  file_count bigint NOT NULL,
  size_bytes bigint NOT NULL,
  manifest_digest text NOT NULL,
  created_by text NOT NULL,
  created_ms bigint NOT NULL,
  PRIMARY KEY (workspace, digest)
);

CREATE TABLE code_upload (
  workspace text NOT NULL,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (workspace, digest)
);

CREATE TABLE dataset (
  workspace text NOT NULL,
  name text NOT NULL,
  created_ms bigint NOT NULL,
  last_number bigint NOT NULL,
  time_column text,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE dataset_file (
  workspace text NOT NULL,
  version text NOT NULL,
  path text NOT NULL,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  PRIMARY KEY (workspace, version, path)
);
CREATE INDEX dataset_file_digest ON public.dataset_file USING btree (workspace, digest);

CREATE TABLE dataset_profile (
  workspace text NOT NULL,
  version text NOT NULL,
  profile text NOT NULL,
  PRIMARY KEY (workspace, version)
);

CREATE TABLE dataset_upload (
  workspace text NOT NULL,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (workspace, digest)
);

CREATE TABLE dataset_version (
  workspace text NOT NULL,
  id text NOT NULL,
  dataset text NOT NULL,
  number bigint NOT NULL,
  digest text NOT NULL,
  format text NOT NULL,
  csv text,
  state text NOT NULL,
  failure text,
  verdict text NOT NULL,
  schema text,
  column_count bigint,
  row_count bigint,
  size_bytes bigint NOT NULL,
  file_count bigint NOT NULL,
  time_column text,
  time_from_ms double precision,
  time_to_ms double precision,
  tags text NOT NULL,
  source text NOT NULL,
  reason text,
  who text NOT NULL,
  created_ms bigint NOT NULL,
  profiled_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE UNIQUE INDEX dataset_version_digest ON public.dataset_version USING btree (workspace, dataset, digest);
CREATE UNIQUE INDEX dataset_version_number ON public.dataset_version USING btree (workspace, dataset, number);

CREATE TABLE endpoint (
  workspace text NOT NULL,
  name text NOT NULL,
  project text NOT NULL,
  model text NOT NULL,
  alias text NOT NULL,
  spec text NOT NULL,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE endpoint_watermark (
  workspace text NOT NULL,
  endpoint text NOT NULL,
  greatest_event_ms bigint NOT NULL,
  watermark_ms bigint NOT NULL,
  PRIMARY KEY (workspace, endpoint)
);

CREATE TABLE event (
  seq bigint NOT NULL GENERATED AS IDENTITY,
  workspace text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  at_ms bigint NOT NULL,
  who_kind text NOT NULL,
  who_id text NOT NULL,
  who_name text NOT NULL,
  behalf text,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  before_json text NOT NULL,
  after_json text NOT NULL,
  reason text,
  sealed smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (seq)
);
CREATE UNIQUE INDEX event_id ON public.event USING btree (workspace, id);
CREATE INDEX event_name ON public.event USING btree (workspace, name, seq);
CREATE INDEX event_newest ON public.event USING btree (workspace, seq);
CREATE INDEX event_subject ON public.event USING btree (workspace, subject_kind, subject_id, seq);
CREATE INDEX event_time ON public.event USING btree (workspace, at_ms);
CREATE INDEX event_unsealed ON public.event USING btree (workspace, seq) WHERE (sealed = 0);
CREATE INDEX event_who ON public.event USING btree (workspace, who_id, seq);

CREATE TABLE event_delivery (
  workspace text NOT NULL,
  subscriber text NOT NULL,
  seq bigint NOT NULL,
  state text NOT NULL,
  attempts bigint NOT NULL,
  due_ms bigint NOT NULL,
  last_error text,
  PRIMARY KEY (workspace, subscriber, seq)
);
CREATE INDEX event_delivery_next ON public.event_delivery USING btree (subscriber, state, seq);

CREATE TABLE event_seal (
  workspace text NOT NULL,
  "position" bigint NOT NULL,
  event_seq bigint NOT NULL,
  digest text NOT NULL,
  previous text NOT NULL,
  salt text,
  fields text,
  PRIMARY KEY (workspace, "position")
);
CREATE UNIQUE INDEX event_seal_event ON public.event_seal USING btree (workspace, event_seq);

CREATE TABLE event_subscription (
  subscriber text NOT NULL,
  type text NOT NULL,
  seen_ms bigint NOT NULL,
  PRIMARY KEY (type, subscriber)
);

CREATE TABLE experiment (
  workspace text NOT NULL,
  experiment bigint NOT NULL,
  name text NOT NULL,
  artifact_location text NOT NULL,
  lifecycle text NOT NULL,
  is_default smallint NOT NULL,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  PRIMARY KEY (experiment)
);
CREATE INDEX experiment_created ON public.experiment USING btree (workspace, created_ms, experiment);
CREATE UNIQUE INDEX experiment_default ON public.experiment USING btree (workspace) WHERE (is_default = 1);
CREATE UNIQUE INDEX experiment_name ON public.experiment USING btree (workspace, name);

CREATE TABLE experiment_counter (
  name text NOT NULL,
  next_id bigint NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE experiment_runs (
  experiment bigint NOT NULL,
  stripe bigint NOT NULL,
  active bigint NOT NULL,
  deleted bigint NOT NULL,
  running bigint NOT NULL,
  PRIMARY KEY (experiment, stripe),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment) ON DELETE CASCADE
);

CREATE TABLE experiment_tag (
  experiment bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (experiment, key),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment) ON DELETE CASCADE
);

CREATE TABLE explanation (
  workspace text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  reason text,
  report text NOT NULL,
  job text,
  created_ms bigint NOT NULL,
  ended_ms bigint,
  PRIMARY KEY (workspace, model, version)
);

CREATE TABLE hold (
  workspace text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  by_kind text NOT NULL,
  by_id text NOT NULL,
  reason text NOT NULL,
  placed_ms bigint NOT NULL,
  PRIMARY KEY (workspace, subject_kind, subject_id, by_kind, by_id)
);
CREATE INDEX hold_by ON public.hold USING btree (workspace, by_kind, by_id);

CREATE TABLE import_mark (
  workspace text NOT NULL,
  source text NOT NULL,
  item text NOT NULL,
  mark text NOT NULL,
  PRIMARY KEY (workspace, source, item)
);

CREATE TABLE input_dataset (
  dataset_key bigint NOT NULL GENERATED AS IDENTITY,
  workspace text NOT NULL,
  experiment bigint NOT NULL,
  name text NOT NULL,
  digest text NOT NULL,
  source_type text NOT NULL,
  source text NOT NULL,
  schema_text text,
  profile_text text,
  PRIMARY KEY (dataset_key),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment) ON DELETE CASCADE
);
CREATE UNIQUE INDEX input_dataset_name ON public.input_dataset USING btree (experiment, name, digest);

CREATE TABLE invitation (
  digest text NOT NULL,
  person text,
  created_ms bigint NOT NULL,
  expires_ms bigint NOT NULL,
  PRIMARY KEY (digest)
);

CREATE TABLE job (
  workspace text NOT NULL,
  id text NOT NULL,
  kind text NOT NULL,
  input text NOT NULL,
  who text NOT NULL,
  subject_kind text,
  subject_id text,
  open_key text,
  state text NOT NULL,
  attempt bigint NOT NULL DEFAULT 0,
  attempts_max bigint NOT NULL,
  losses bigint NOT NULL DEFAULT 0,
  cancel_asked smallint NOT NULL DEFAULT 0,
  lease bigint NOT NULL DEFAULT 0,
  lease_until_ms bigint NOT NULL DEFAULT 0,
  progress double precision,
  note text,
  result text,
  error text,
  created_ms bigint NOT NULL,
  run_at_ms bigint NOT NULL,
  started_ms bigint,
  ended_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX job_kind ON public.job USING btree (workspace, kind, id);
CREATE UNIQUE INDEX job_open_key ON public.job USING btree (workspace, kind, open_key);
CREATE INDEX job_running ON public.job USING btree (lease_until_ms) WHERE (state = 'running'::text);
CREATE INDEX job_state ON public.job USING btree (workspace, state, id);
CREATE INDEX job_subject ON public.job USING btree (workspace, subject_kind, subject_id, id);
CREATE INDEX job_waiting ON public.job USING btree (kind, run_at_ms, id) WHERE (state = 'waiting'::text);

CREATE TABLE label (
  workspace text NOT NULL,
  prediction text NOT NULL,
  observed_ms bigint NOT NULL,
  received_ms bigint NOT NULL,
  value text NOT NULL,
  who text NOT NULL,
  PRIMARY KEY (workspace, prediction, observed_ms, received_ms)
);
CREATE INDEX label_by_received ON public.label USING btree (workspace, received_ms);

CREATE TABLE lineage_edge (
  workspace text NOT NULL,
  from_kind text NOT NULL,
  from_id text NOT NULL,
  to_kind text NOT NULL,
  to_id text NOT NULL,
  relation text NOT NULL,
  event_seq bigint NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (workspace, from_kind, from_id, to_kind, to_id, relation)
);
CREATE INDEX lineage_edge_back ON public.lineage_edge USING btree (workspace, to_kind, to_id);

CREATE TABLE logged_model (
  model_key bigint NOT NULL GENERATED AS IDENTITY,
  workspace text NOT NULL,
  model_id text NOT NULL,
  experiment bigint NOT NULL,
  name text NOT NULL,
  model_type text NOT NULL,
  source_run_id text NOT NULL,
  status text NOT NULL,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  lifecycle text NOT NULL,
  PRIMARY KEY (model_key),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment)
);
CREATE UNIQUE INDEX logged_model_id ON public.logged_model USING btree (workspace, model_id);
CREATE INDEX logged_model_order ON public.logged_model USING btree (experiment, lifecycle, created_ms DESC, model_id);
CREATE INDEX logged_model_run ON public.logged_model USING btree (workspace, source_run_id);

CREATE TABLE logged_model_metric (
  model_key bigint NOT NULL,
  key text NOT NULL,
  at_ms bigint NOT NULL,
  step bigint NOT NULL,
  run_id text NOT NULL,
  dataset_name text NOT NULL,
  dataset_digest text NOT NULL,
  value double precision NOT NULL,
  is_nan smallint NOT NULL,
  PRIMARY KEY (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest),
  FOREIGN KEY (model_key) REFERENCES logged_model(model_key) ON DELETE CASCADE
);

CREATE TABLE logged_model_param (
  model_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model_key, key),
  FOREIGN KEY (model_key) REFERENCES logged_model(model_key) ON DELETE CASCADE
);

CREATE TABLE logged_model_tag (
  model_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model_key, key),
  FOREIGN KEY (model_key) REFERENCES logged_model(model_key) ON DELETE CASCADE
);

CREATE TABLE member (
  workspace text NOT NULL,
  person text NOT NULL,
  role text NOT NULL,
  since_ms bigint NOT NULL,
  PRIMARY KEY (workspace, person)
);
CREATE INDEX member_person ON public.member USING btree (person, workspace);

CREATE TABLE metric_batch (
  batch_key bigint NOT NULL GENERATED AS IDENTITY,
  run_key bigint NOT NULL,
  points bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (batch_key),
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);
CREATE INDEX metric_batch_run ON public.metric_batch USING btree (run_key, batch_key);

CREATE TABLE metric_block (
  series bigint NOT NULL,
  block_key bigint NOT NULL,
  points bigint NOT NULL,
  min_step bigint NOT NULL,
  max_step bigint NOT NULL,
  min_ms bigint NOT NULL,
  max_ms bigint NOT NULL,
  in_time_order smallint NOT NULL,
  summary bytea NOT NULL,
  PRIMARY KEY (series, block_key)
);

CREATE TABLE metric_block_body (
  block_key bigint NOT NULL GENERATED AS IDENTITY,
  body bytea NOT NULL,
  PRIMARY KEY (block_key)
);

CREATE TABLE metric_chunk (
  chunk_key bigint NOT NULL GENERATED AS IDENTITY,
  series bigint NOT NULL,
  points bigint NOT NULL,
  min_step bigint NOT NULL,
  max_step bigint NOT NULL,
  min_ms bigint NOT NULL,
  max_ms bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (chunk_key)
);
CREATE INDEX metric_chunk_series ON public.metric_chunk USING btree (series, chunk_key);

CREATE TABLE metric_point (
  series bigint NOT NULL,
  step bigint NOT NULL,
  at_ms bigint NOT NULL,
  value double precision NOT NULL,
  is_nan smallint NOT NULL,
  PRIMARY KEY (series, step, at_ms, value, is_nan)
);

CREATE TABLE model_alias (
  model_key bigint NOT NULL,
  alias text NOT NULL,
  version_key bigint NOT NULL,
  version bigint NOT NULL,
  moved_ms bigint NOT NULL,
  moved_by text NOT NULL,
  PRIMARY KEY (model_key, alias),
  FOREIGN KEY (model_key) REFERENCES registered_model(model_key) ON DELETE CASCADE,
  FOREIGN KEY (version_key) REFERENCES model_version(version_key) ON DELETE CASCADE
);
CREATE INDEX model_alias_version ON public.model_alias USING btree (version_key);

CREATE TABLE model_version (
  version_key bigint NOT NULL GENERATED AS IDENTITY,
  workspace text NOT NULL,
  model_key bigint NOT NULL,
  version bigint NOT NULL,
  created_by text NOT NULL,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  stage text NOT NULL,
  description text,
  source text NOT NULL,
  run_id text,
  run_link text,
  logged_model_id text,
  digest text,
  size_bytes bigint NOT NULL,
  file_count bigint NOT NULL,
  signature text,
  flavors text,
  python_version text,
  mlflow_version text,
  requirements text,
  PRIMARY KEY (version_key),
  FOREIGN KEY (model_key) REFERENCES registered_model(model_key) ON DELETE CASCADE
);
CREATE INDEX model_version_logged ON public.model_version USING btree (workspace, logged_model_id);
CREATE UNIQUE INDEX model_version_number ON public.model_version USING btree (model_key, version);
CREATE INDEX model_version_run ON public.model_version USING btree (workspace, run_id);
CREATE INDEX model_version_stage ON public.model_version USING btree (model_key, stage, version);
CREATE INDEX model_version_updated ON public.model_version USING btree (workspace, updated_ms);

CREATE TABLE model_version_file (
  version_key bigint NOT NULL,
  path text NOT NULL,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  PRIMARY KEY (version_key, path),
  FOREIGN KEY (version_key) REFERENCES model_version(version_key) ON DELETE CASCADE
);
CREATE INDEX model_version_file_digest ON public.model_version_file USING btree (digest);

CREATE TABLE model_version_tag (
  version_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (version_key, key),
  FOREIGN KEY (version_key) REFERENCES model_version(version_key) ON DELETE CASCADE
);

CREATE TABLE monitor (
  workspace text NOT NULL,
  name text NOT NULL,
  project text NOT NULL,
  endpoint text NOT NULL,
  spec text NOT NULL,
  applied_ms bigint NOT NULL,
  next_ms bigint,
  labels_seen_ms bigint NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE monitor_reference (
  workspace text NOT NULL,
  monitor text NOT NULL,
  metric text NOT NULL,
  version bigint NOT NULL,
  value double precision NOT NULL,
  window_ms bigint NOT NULL,
  PRIMARY KEY (workspace, monitor, metric, version)
);

CREATE TABLE monitor_window (
  workspace text NOT NULL,
  monitor text NOT NULL,
  start_ms bigint NOT NULL,
  end_ms bigint NOT NULL,
  state text NOT NULL,
  facts text NOT NULL,
  computed_ms bigint NOT NULL,
  revisions bigint NOT NULL,
  first_id text,
  last_id text,
  labels_ms bigint,
  labels_digest text,
  PRIMARY KEY (workspace, monitor, start_ms)
);

CREATE TABLE person (
  id text NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  password_hash text,
  disabled smallint NOT NULL,
  created_ms bigint NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX person_name ON public.person USING btree (name_key);

CREATE TABLE pipeline (
  workspace text NOT NULL,
  project text NOT NULL,
  name text NOT NULL,
  spec text NOT NULL,
  environments text NOT NULL,
  code text NOT NULL,
  applied_by text NOT NULL,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  PRIMARY KEY (workspace, project, name)
);

CREATE TABLE pipeline_run (
  workspace text NOT NULL,
  id text NOT NULL,
  project text NOT NULL,
  pipeline text NOT NULL,
  number bigint NOT NULL,
  spec text NOT NULL,
  environments text NOT NULL,
  code text NOT NULL,
  params text NOT NULL,
  inputs text NOT NULL,
  use_cache bigint NOT NULL,
  cause text NOT NULL,
  who text NOT NULL,
  state text NOT NULL,
  reason text,
  tracking_run text,
  created_ms bigint NOT NULL,
  ended_ms bigint,
  source_commit text,
  source_branch text,
  source_dirty bigint NOT NULL DEFAULT 0,
  source_diff text,
  UNIQUE (workspace, project, pipeline, number),
  PRIMARY KEY (workspace, id)
);
CREATE INDEX pipeline_run_by_state ON public.pipeline_run USING btree (workspace, state, created_ms);

CREATE TABLE prediction_segment (
  workspace text NOT NULL,
  id text NOT NULL,
  endpoint text NOT NULL,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  row_count bigint NOT NULL,
  min_at_ms bigint NOT NULL,
  max_at_ms bigint NOT NULL,
  min_event_ms bigint NOT NULL,
  max_event_ms bigint NOT NULL,
  features text NOT NULL,
  sealed_ms bigint NOT NULL,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX prediction_segment_by_event ON public.prediction_segment USING btree (workspace, endpoint, max_event_ms);
CREATE INDEX prediction_segment_by_time ON public.prediction_segment USING btree (workspace, max_at_ms);

CREATE TABLE preparation (
  workspace text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  form text,
  reason text NOT NULL,
  report text NOT NULL,
  compiled_digest text,
  job text,
  created_ms bigint NOT NULL,
  ended_ms bigint,
  PRIMARY KEY (workspace, model, version)
);

CREATE TABLE project_version (
  workspace text NOT NULL,
  project text NOT NULL,
  number bigint NOT NULL,
  yaml text NOT NULL,
  digest text NOT NULL,
  code text,
  applied_by text NOT NULL,
  applied_ms bigint NOT NULL,
  PRIMARY KEY (workspace, project, number)
);

CREATE TABLE quality_checks (
  workspace text NOT NULL,
  dataset text NOT NULL,
  checks text NOT NULL,
  digest text NOT NULL,
  who text NOT NULL,
  set_ms bigint NOT NULL,
  PRIMARY KEY (workspace, dataset)
);

CREATE TABLE quality_override (
  workspace text NOT NULL,
  version text NOT NULL,
  checks_digest text NOT NULL,
  reason text NOT NULL,
  who text NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (workspace, version, checks_digest)
);

CREATE TABLE quality_verdict (
  workspace text NOT NULL,
  id text NOT NULL,
  version text NOT NULL,
  dataset text NOT NULL,
  number bigint NOT NULL,
  state text NOT NULL,
  note text,
  checks_digest text NOT NULL,
  counts text NOT NULL,
  results text NOT NULL,
  created_ms bigint NOT NULL,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX quality_verdict_dataset ON public.quality_verdict USING btree (workspace, dataset, id);
CREATE INDEX quality_verdict_version ON public.quality_verdict USING btree (workspace, version, id);

CREATE TABLE registered_model (
  model_key bigint NOT NULL GENERATED AS IDENTITY,
  workspace text NOT NULL,
  name text NOT NULL,
  description text,
  created_by text NOT NULL,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  last_version bigint NOT NULL,
  PRIMARY KEY (model_key)
);
CREATE UNIQUE INDEX registered_model_name ON public.registered_model USING btree (workspace, name);

CREATE TABLE registered_model_tag (
  model_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model_key, key),
  FOREIGN KEY (model_key) REFERENCES registered_model(model_key) ON DELETE CASCADE
);

CREATE TABLE release (
  workspace text NOT NULL,
  id text NOT NULL,
  endpoint text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  reason text,
  revision text,
  previous text,
  step bigint,
  step_counts text NOT NULL,
  policy text NOT NULL,
  verdict text NOT NULL,
  bundle text NOT NULL,
  proposed_by text NOT NULL,
  proposed_ms bigint NOT NULL,
  step_ms bigint,
  live_ms bigint,
  ended_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX release_by_endpoint ON public.release USING btree (workspace, endpoint, id);
CREATE INDEX release_by_state ON public.release USING btree (state);

CREATE TABLE release_decision (
  workspace text NOT NULL,
  release_id text NOT NULL,
  "position" bigint NOT NULL,
  state text NOT NULL,
  words text NOT NULL,
  facts text NOT NULL,
  who text NOT NULL,
  at_ms bigint NOT NULL,
  watermark_ms bigint,
  PRIMARY KEY (workspace, release_id, "position")
);

CREATE TABLE release_policy (
  workspace text NOT NULL,
  endpoint text NOT NULL,
  project text NOT NULL,
  spec text NOT NULL,
  applied_by text NOT NULL,
  digest text NOT NULL,
  applied_ms bigint NOT NULL,
  PRIMARY KEY (workspace, endpoint)
);

CREATE TABLE retraining (
  workspace text NOT NULL,
  id text NOT NULL,
  endpoint text NOT NULL,
  alert text NOT NULL,
  state text NOT NULL,
  reason text,
  evidence text NOT NULL,
  dataset text,
  dataset_version text,
  pipeline_run text,
  release_id text,
  from_ms bigint,
  to_ms bigint,
  watermark_ms bigint NOT NULL,
  created_ms bigint NOT NULL,
  ended_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX retraining_by_endpoint ON public.retraining USING btree (workspace, endpoint, created_ms);
CREATE INDEX retraining_by_run ON public.retraining USING btree (workspace, pipeline_run);

CREATE TABLE revision (
  workspace text NOT NULL,
  id text NOT NULL,
  endpoint text NOT NULL,
  number bigint NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  created_ms bigint NOT NULL,
  retired_ms bigint,
  UNIQUE (workspace, endpoint, number),
  PRIMARY KEY (workspace, id)
);
CREATE INDEX revision_by_state ON public.revision USING btree (state);

CREATE TABLE revision_report (
  workspace text NOT NULL,
  revision text NOT NULL,
  node text NOT NULL,
  state text NOT NULL,
  form text,
  reason text,
  load_ms bigint,
  reported_ms bigint NOT NULL,
  PRIMARY KEY (workspace, revision, node)
);

CREATE TABLE run (
  run_key bigint NOT NULL GENERATED AS IDENTITY,
  workspace text NOT NULL,
  run_id text NOT NULL,
  experiment bigint NOT NULL,
  name text NOT NULL,
  user_id text NOT NULL,
  status text NOT NULL,
  start_ms bigint NOT NULL,
  end_ms bigint,
  lifecycle text NOT NULL,
  deleted_with_experiment smallint NOT NULL,
  artifact_uri text,
  segment bigint,
  PRIMARY KEY (run_key),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment)
);
CREATE UNIQUE INDEX run_id ON public.run USING btree (workspace, run_id);
CREATE INDEX run_loose ON public.run USING btree (experiment, run_key) WHERE (segment IS NULL);
CREATE INDEX run_order ON public.run USING btree (experiment, lifecycle, start_ms DESC, run_id);

CREATE TABLE run_input (
  run_key bigint NOT NULL,
  dataset_key bigint NOT NULL,
  "position" bigint NOT NULL,
  PRIMARY KEY (run_key, dataset_key),
  FOREIGN KEY (dataset_key) REFERENCES input_dataset(dataset_key) ON DELETE CASCADE,
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);
CREATE INDEX run_input_dataset ON public.run_input USING btree (dataset_key);

CREATE TABLE run_input_tag (
  run_key bigint NOT NULL,
  dataset_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (run_key, dataset_key, key),
  FOREIGN KEY (run_key, dataset_key) REFERENCES run_input(run_key, dataset_key) ON DELETE CASCADE
);

CREATE TABLE run_metric (
  series bigint NOT NULL GENERATED AS IDENTITY,
  run_key bigint NOT NULL,
  key text NOT NULL,
  step bigint NOT NULL,
  at_ms bigint NOT NULL,
  value double precision NOT NULL,
  is_nan smallint NOT NULL,
  PRIMARY KEY (series),
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);
CREATE UNIQUE INDEX run_metric_key ON public.run_metric USING btree (run_key, key);

CREATE TABLE run_model (
  run_key bigint NOT NULL,
  direction text NOT NULL,
  model_id text NOT NULL,
  step bigint NOT NULL,
  "position" bigint NOT NULL,
  PRIMARY KEY (run_key, direction, model_id),
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);
CREATE INDEX run_model_model ON public.run_model USING btree (model_id, run_key);

CREATE TABLE run_param (
  run_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (run_key, key),
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);

CREATE TABLE run_segment (
  segment bigint NOT NULL GENERATED AS IDENTITY,
  experiment bigint NOT NULL,
  state text NOT NULL,
  runs bigint NOT NULL,
  opened_ms bigint NOT NULL,
  head bytea NOT NULL,
  PRIMARY KEY (segment),
  FOREIGN KEY (experiment) REFERENCES experiment(experiment) ON DELETE CASCADE
);
CREATE INDEX run_segment_experiment ON public.run_segment USING btree (experiment, segment);

CREATE TABLE run_segment_dead (
  experiment bigint NOT NULL,
  segment bigint NOT NULL,
  run_key bigint NOT NULL,
  PRIMARY KEY (experiment, segment, run_key),
  FOREIGN KEY (segment) REFERENCES run_segment(segment) ON DELETE CASCADE
);
CREATE INDEX run_segment_dead_segment ON public.run_segment_dead USING btree (segment);

CREATE TABLE run_segment_page (
  page_key bigint NOT NULL,
  segment bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (page_key),
  FOREIGN KEY (segment) REFERENCES run_segment(segment) ON DELETE CASCADE
);
CREATE INDEX run_segment_page_segment ON public.run_segment_page USING btree (segment);

CREATE TABLE run_tag (
  run_key bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (run_key, key),
  FOREIGN KEY (run_key) REFERENCES run(run_key) ON DELETE CASCADE
);
CREATE INDEX run_tag_parent ON public.run_tag USING btree (substr(value, 1, 64)) WHERE (key = 'mlflow.parentRunId'::text);
CREATE INDEX run_tag_step ON public.run_tag USING btree (substr(value, 1, 64)) WHERE (key = 'slipway.step_run'::text);

CREATE TABLE run_view (
  workspace text NOT NULL,
  view_id text NOT NULL,
  name text NOT NULL,
  experiments_json text NOT NULL,
  state_json text NOT NULL,
  by_name text NOT NULL,
  updated_ms bigint NOT NULL,
  PRIMARY KEY (workspace, view_id)
);
CREATE UNIQUE INDEX run_view_name ON public.run_view USING btree (workspace, name);

CREATE TABLE schedule (
  name text NOT NULL,
  cron text NOT NULL,
  next_ms bigint NOT NULL,
  last_ms bigint,
  PRIMARY KEY (name)
);

CREATE TABLE score_reference (
  workspace text NOT NULL,
  monitor text NOT NULL,
  version bigint NOT NULL,
  window_ms bigint NOT NULL,
  histogram text NOT NULL,
  PRIMARY KEY (workspace, monitor, version)
);

CREATE TABLE slipway_migration (
  owner text NOT NULL,
  number bigint NOT NULL,
  name text NOT NULL,
  digest text NOT NULL,
  breaking bigint NOT NULL,
  applied_ms bigint NOT NULL,
  PRIMARY KEY (owner, number)
);

CREATE TABLE step_run (
  workspace text NOT NULL,
  id text NOT NULL,
  run text NOT NULL,
  name text NOT NULL,
  attempt bigint NOT NULL,
  state text NOT NULL,
  job text,
  tracking_run text,
  cache_key text,
  cache_parts text NOT NULL,
  cache_words text,
  cached_from text,
  inputs text NOT NULL,
  outputs text NOT NULL,
  environment text,
  reason text,
  exit_code bigint,
  peak_bytes bigint,
  log_digest text,
  started_ms bigint,
  ended_ms bigint,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX step_run_by_key ON public.step_run USING btree (workspace, cache_key);
CREATE INDEX step_run_by_run ON public.step_run USING btree (workspace, run);

CREATE TABLE traffic (
  workspace text NOT NULL,
  endpoint text NOT NULL,
  routes text NOT NULL,
  release_id text,
  changed_ms bigint NOT NULL,
  PRIMARY KEY (workspace, endpoint)
);

CREATE TABLE webhook (
  workspace text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  description text,
  url text NOT NULL,
  topics text NOT NULL,
  active smallint NOT NULL,
  sealed_secret text,
  created_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  PRIMARY KEY (workspace, id)
);

CREATE TABLE webhook_delivery (
  workspace text NOT NULL,
  id text NOT NULL,
  alert text NOT NULL,
  url text NOT NULL,
  state text NOT NULL,
  status bigint,
  words text,
  at_ms bigint NOT NULL,
  PRIMARY KEY (workspace, id)
);

CREATE TABLE webhook_message (
  workspace text NOT NULL,
  id text NOT NULL,
  webhook text NOT NULL,
  topic text NOT NULL,
  state text NOT NULL,
  attempts bigint NOT NULL,
  status bigint,
  words text,
  made_ms bigint NOT NULL,
  updated_ms bigint NOT NULL,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX webhook_message_by_webhook ON public.webhook_message USING btree (workspace, webhook, id);

CREATE TABLE workspace (
  name text NOT NULL,
  description text NOT NULL,
  created_ms bigint NOT NULL,
  PRIMARY KEY (name)
);
