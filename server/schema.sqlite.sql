-- Made from all migrations by `npm run gen`; `npm run check` compares. Do not edit.

CREATE TABLE access_session (
  digest TEXT NOT NULL,
  id TEXT NOT NULL,
  person TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (digest)) STRICT;

CREATE INDEX access_session_expires ON access_session (expires_ms);

CREATE INDEX access_session_person ON access_session (person);

CREATE TABLE access_token (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  behalf TEXT,
  rights TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER,
  last_used_ms INTEGER,
  PRIMARY KEY (workspace, id)) STRICT;

CREATE UNIQUE INDEX access_token_digest ON access_token (digest);

CREATE INDEX access_token_holder ON access_token (workspace, kind, holder_id);

CREATE TABLE alert (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  monitor TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  name TEXT NOT NULL,
  metric TEXT NOT NULL,
  state TEXT NOT NULL, -- open, cleared
  threshold REAL NOT NULL,
  value REAL,
  reference TEXT NOT NULL,
  opened_window_ms INTEGER NOT NULL,
  cleared_window_ms INTEGER,
  watermark_ms INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX alert_by_monitor ON alert (workspace, monitor, state);

CREATE INDEX alert_by_state ON alert (workspace, state, opened_ms);

CREATE TABLE alert_streak (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  name TEXT NOT NULL,
  streak INTEGER NOT NULL,
  last_window_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, monitor, name)
) STRICT;

CREATE TABLE artifact_file (
  workspace TEXT NOT NULL,
  folder TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, folder, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifact_file_digest ON artifact_file (digest);

CREATE TABLE artifact_folder (
  workspace TEXT NOT NULL,
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (workspace, parent, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE attached_rows (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  attached_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, model, version)
) STRICT;

CREATE TABLE attribution (
  workspace TEXT NOT NULL,
  prediction TEXT NOT NULL, -- prd_….<row>
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  facts TEXT NOT NULL,
  took_ms INTEGER NOT NULL,
  made_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, prediction)
) STRICT;

CREATE TABLE board_record (
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  tag TEXT NOT NULL,
  step INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  position INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_key, kind, tag, step, at_ms, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE board_source (
  experiment INTEGER NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  folder TEXT NOT NULL,
  file TEXT NOT NULL,
  run_id TEXT NOT NULL,
  taken_bytes INTEGER NOT NULL,
  -- What the reader has to remember of the bytes before: JSON.
  memory TEXT NOT NULL,
  -- Why it is read no further.
  damage TEXT,
  PRIMARY KEY (experiment, folder, file)
) STRICT, WITHOUT ROWID;

CREATE TABLE client_call (
  workspace TEXT NOT NULL,
  client TEXT NOT NULL,
  version TEXT NOT NULL,
  method TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  supported INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, client, version, method, endpoint, supported)
) STRICT;

CREATE INDEX client_call_by_time ON client_call (workspace, last_ms);

CREATE TABLE code_snapshot (
  workspace TEXT NOT NULL,
  digest TEXT NOT NULL,
  commit_id TEXT,
  branch TEXT,
  dirty INTEGER NOT NULL,
  diff_digest TEXT,
  file_count INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  manifest_digest TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, digest)
) STRICT;

CREATE TABLE code_upload (
  workspace TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, digest)
) STRICT;

CREATE TABLE dataset (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  -- Numbers are given once: the version after a deleted one does not take its number.
  last_number INTEGER NOT NULL, time_column TEXT,
  PRIMARY KEY (workspace, name)) STRICT;

CREATE TABLE dataset_file (
  workspace TEXT NOT NULL,
  version TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  PRIMARY KEY (workspace, version, path)) STRICT;

CREATE INDEX dataset_file_digest ON dataset_file (workspace, digest);

CREATE TABLE dataset_profile (
  workspace TEXT NOT NULL,
  version TEXT NOT NULL,
  profile TEXT NOT NULL,
  PRIMARY KEY (workspace, version)) STRICT;

CREATE TABLE dataset_upload (
  workspace TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, digest)) STRICT;

CREATE TABLE dataset_version (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  number INTEGER NOT NULL,
  digest TEXT NOT NULL,
  format TEXT NOT NULL,
  csv TEXT,
  state TEXT NOT NULL,
  failure TEXT,
  verdict TEXT NOT NULL,
  schema TEXT,
  column_count INTEGER,
  row_count INTEGER,
  size_bytes INTEGER NOT NULL,
  file_count INTEGER NOT NULL,
  time_column TEXT,
  time_from_ms REAL,
  time_to_ms REAL,
  tags TEXT NOT NULL,
  source TEXT NOT NULL,
  reason TEXT,
  who TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  profiled_ms INTEGER,
  PRIMARY KEY (workspace, id)) STRICT;

CREATE UNIQUE INDEX dataset_version_digest ON dataset_version (workspace, dataset, digest);

CREATE UNIQUE INDEX dataset_version_number ON dataset_version (workspace, dataset, number);

CREATE TABLE endpoint (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  project TEXT NOT NULL,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  spec TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, name)
) STRICT;

CREATE TABLE endpoint_watermark (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  greatest_event_ms INTEGER NOT NULL,
  watermark_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, endpoint)
) STRICT;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  who_kind TEXT NOT NULL,
  who_id TEXT NOT NULL,
  who_name TEXT NOT NULL,
  behalf TEXT,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  before_json TEXT NOT NULL,
  after_json TEXT NOT NULL,
  reason TEXT,
  sealed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX event_id ON event (workspace, id);

CREATE INDEX event_name ON event (workspace, name, seq);

CREATE INDEX event_newest ON event (workspace, seq);

CREATE INDEX event_subject ON event (workspace, subject_kind, subject_id, seq);

CREATE INDEX event_time ON event (workspace, at_ms);

CREATE INDEX event_unsealed ON event (workspace, seq) WHERE sealed = 0;

CREATE INDEX event_who ON event (workspace, who_id, seq);

CREATE TABLE event_delivery (
  workspace TEXT NOT NULL,
  subscriber TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  last_error TEXT,
  PRIMARY KEY (workspace, subscriber, seq)
) STRICT;

CREATE INDEX event_delivery_next ON event_delivery (subscriber, state, seq);

CREATE TABLE event_seal (
  workspace TEXT NOT NULL,
  position INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  digest TEXT NOT NULL,
  previous TEXT NOT NULL,
  salt TEXT,
  fields TEXT,
  PRIMARY KEY (workspace, position)
) STRICT;

CREATE UNIQUE INDEX event_seal_event ON event_seal (workspace, event_seq);

CREATE TABLE event_subscription (
  subscriber TEXT NOT NULL,
  type TEXT NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (type, subscriber)
) STRICT;

CREATE TABLE experiment (
  workspace TEXT NOT NULL,
  experiment INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  artifact_location TEXT NOT NULL,
  lifecycle TEXT NOT NULL,
  -- The one that id "0" means in its workspace, also after a rename.
  is_default INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX experiment_created ON experiment (workspace, created_ms, experiment);

CREATE UNIQUE INDEX experiment_default ON experiment (workspace) WHERE is_default = 1;

CREATE UNIQUE INDEX experiment_name ON experiment (workspace, name);

CREATE TABLE experiment_counter (
  name TEXT NOT NULL PRIMARY KEY,
  next_id INTEGER NOT NULL
) STRICT;

CREATE TABLE experiment_runs (
  experiment INTEGER NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  stripe INTEGER NOT NULL,
  active INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  running INTEGER NOT NULL,
  PRIMARY KEY (experiment, stripe)
) STRICT, WITHOUT ROWID;

CREATE TABLE experiment_tag (
  experiment INTEGER NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE explanation (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- waiting, done, failed
  reason TEXT,
  report TEXT NOT NULL,
  job TEXT,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  PRIMARY KEY (workspace, model, version)
) STRICT;

CREATE TABLE hold (
  workspace TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  by_kind TEXT NOT NULL,
  by_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  placed_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, subject_kind, subject_id, by_kind, by_id)
) STRICT;

CREATE INDEX hold_by ON hold (workspace, by_kind, by_id);

CREATE TABLE import_mark (
  workspace TEXT NOT NULL,
  source TEXT NOT NULL,
  item TEXT NOT NULL,
  mark TEXT NOT NULL,
  PRIMARY KEY (workspace, source, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE input_dataset (
  dataset_key INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  experiment INTEGER NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema_text TEXT,
  profile_text TEXT
) STRICT;

CREATE UNIQUE INDEX input_dataset_name ON input_dataset (experiment, name, digest);

CREATE TABLE invitation (
  digest TEXT NOT NULL,
  person TEXT,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (digest)) STRICT;

CREATE TABLE job (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  input TEXT NOT NULL,
  who TEXT NOT NULL,
  subject_kind TEXT,
  subject_id TEXT,
  open_key TEXT,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  attempts_max INTEGER NOT NULL,
  losses INTEGER NOT NULL DEFAULT 0,
  cancel_asked INTEGER NOT NULL DEFAULT 0,
  lease INTEGER NOT NULL DEFAULT 0,
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  progress REAL,
  note TEXT,
  result TEXT,
  error TEXT,
  created_ms INTEGER NOT NULL,
  run_at_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX job_kind ON job (workspace, kind, id);

CREATE UNIQUE INDEX job_open_key ON job (workspace, kind, open_key);

CREATE INDEX job_running ON job (lease_until_ms) WHERE state = 'running';

CREATE INDEX job_state ON job (workspace, state, id);

CREATE INDEX job_subject ON job (workspace, subject_kind, subject_id, id);

CREATE INDEX job_waiting ON job (kind, run_at_ms, id) WHERE state = 'waiting';

CREATE TABLE "label" (
  workspace TEXT NOT NULL,
  prediction TEXT NOT NULL, -- prd_….<row>
  observed_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  value TEXT NOT NULL,
  who TEXT NOT NULL,
  PRIMARY KEY (workspace, prediction, observed_ms, received_ms)
) STRICT;

CREATE INDEX label_by_received ON label (workspace, received_ms);

CREATE TABLE lineage_edge (
  workspace TEXT NOT NULL,
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  event_seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, from_kind, from_id, to_kind, to_id, relation)
) STRICT;

CREATE INDEX lineage_edge_back ON lineage_edge (workspace, to_kind, to_id);

CREATE TABLE logged_model (
  model_key INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  model_id TEXT NOT NULL,
  experiment INTEGER NOT NULL REFERENCES experiment (experiment),
  name TEXT NOT NULL,
  model_type TEXT NOT NULL,
  source_run_id TEXT NOT NULL,
  status TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  lifecycle TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX logged_model_id ON logged_model (workspace, model_id);

CREATE INDEX logged_model_order ON logged_model (experiment, lifecycle, created_ms DESC, model_id);

CREATE INDEX logged_model_run ON logged_model (workspace, source_run_id);

CREATE TABLE logged_model_metric (
  model_key INTEGER NOT NULL REFERENCES logged_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  step INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  dataset_name TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  PRIMARY KEY (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_model_param (
  model_key INTEGER NOT NULL REFERENCES logged_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_model_tag (
  model_key INTEGER NOT NULL REFERENCES logged_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
  workspace TEXT NOT NULL,
  person TEXT NOT NULL,
  role TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, person)) STRICT;

CREATE INDEX member_person ON member (person, workspace);

CREATE TABLE metric_batch (
  batch_key INTEGER PRIMARY KEY AUTOINCREMENT,
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  points INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE INDEX metric_batch_run ON metric_batch (run_key, batch_key);

CREATE TABLE metric_block (
  series INTEGER NOT NULL,
  block_key INTEGER NOT NULL,
  points INTEGER NOT NULL,
  min_step INTEGER NOT NULL,
  max_step INTEGER NOT NULL,
  min_ms INTEGER NOT NULL,
  max_ms INTEGER NOT NULL,
  -- Timestamps rise with the steps: the last by step is the last by time.
  in_time_order INTEGER NOT NULL,
  summary BLOB NOT NULL,
  PRIMARY KEY (series, block_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_block_body (
  block_key INTEGER PRIMARY KEY AUTOINCREMENT,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE metric_chunk (
  chunk_key INTEGER PRIMARY KEY AUTOINCREMENT,
  series INTEGER NOT NULL,
  points INTEGER NOT NULL,
  min_step INTEGER NOT NULL,
  max_step INTEGER NOT NULL,
  min_ms INTEGER NOT NULL,
  max_ms INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE INDEX metric_chunk_series ON metric_chunk (series, chunk_key);

CREATE TABLE metric_point (
  series INTEGER NOT NULL,
  step INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  PRIMARY KEY (series, step, at_ms, value, is_nan)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_alias (
  model_key INTEGER NOT NULL REFERENCES registered_model (model_key) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  version_key INTEGER NOT NULL REFERENCES model_version (version_key) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  moved_ms INTEGER NOT NULL,
  moved_by TEXT NOT NULL,
  PRIMARY KEY (model_key, alias)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_alias_version ON model_alias (version_key);

CREATE TABLE model_version (
  version_key INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  model_key INTEGER NOT NULL REFERENCES registered_model (model_key) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  stage TEXT NOT NULL,
  description TEXT,
  source TEXT NOT NULL,
  run_id TEXT,
  run_link TEXT,
  logged_model_id TEXT,
  -- Over the paths and digests of its files; null when none of them lie here.
  digest TEXT,
  size_bytes INTEGER NOT NULL,
  file_count INTEGER NOT NULL,
  -- Read out of the MLmodel file when the version was made.
  signature TEXT,
  flavors TEXT,
  python_version TEXT,
  mlflow_version TEXT,
  requirements TEXT
) STRICT;

CREATE INDEX model_version_logged ON model_version (workspace, logged_model_id);

CREATE UNIQUE INDEX model_version_number ON model_version (model_key, version);

CREATE INDEX model_version_run ON model_version (workspace, run_id);

CREATE INDEX model_version_stage ON model_version (model_key, stage, version);

CREATE INDEX model_version_updated ON model_version (workspace, updated_ms);

CREATE TABLE model_version_file (
  version_key INTEGER NOT NULL REFERENCES model_version (version_key) ON DELETE CASCADE,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  PRIMARY KEY (version_key, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_version_file_digest ON model_version_file (digest);

CREATE TABLE model_version_tag (
  version_key INTEGER NOT NULL REFERENCES model_version (version_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE monitor (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  spec TEXT NOT NULL,
  applied_ms INTEGER NOT NULL,
  -- Start of the next window to be closed; null before the first prediction was seen.
  next_ms INTEGER,
  labels_seen_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, name)
) STRICT;

CREATE TABLE monitor_reference (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  metric TEXT NOT NULL,
  version INTEGER NOT NULL,
  value REAL NOT NULL,
  window_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, monitor, metric, version)
) STRICT;

CREATE TABLE monitor_window (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  state TEXT NOT NULL, -- computed, revised, dirty
  facts TEXT NOT NULL,
  computed_ms INTEGER NOT NULL,
  revisions INTEGER NOT NULL, first_id TEXT, last_id TEXT, labels_ms INTEGER, labels_digest TEXT,
  PRIMARY KEY (workspace, monitor, start_ms)
) STRICT;

CREATE TABLE person (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  password_hash TEXT,
  disabled INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (id)) STRICT;

CREATE UNIQUE INDEX person_name ON person (name_key);

CREATE TABLE pipeline (
  workspace TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  environments TEXT NOT NULL,
  code TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, name)
) STRICT;

CREATE TABLE pipeline_run (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  project TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  number INTEGER NOT NULL,
  spec TEXT NOT NULL,
  environments TEXT NOT NULL,
  code TEXT NOT NULL,
  params TEXT NOT NULL,
  inputs TEXT NOT NULL, -- dataset name to version id, as far as pinned
  use_cache INTEGER NOT NULL,
  cause TEXT NOT NULL,
  who TEXT NOT NULL,
  state TEXT NOT NULL, -- running, done, failed, cancelled
  reason TEXT,
  tracking_run TEXT,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER, source_commit TEXT, source_branch TEXT, source_dirty INTEGER NOT NULL DEFAULT 0, source_diff TEXT,
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, project, pipeline, number)
) STRICT;

CREATE INDEX pipeline_run_by_state ON pipeline_run (workspace, state, created_ms);

CREATE TABLE prediction_segment (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  min_at_ms INTEGER NOT NULL,
  max_at_ms INTEGER NOT NULL,
  min_event_ms INTEGER NOT NULL,
  max_event_ms INTEGER NOT NULL,
  features TEXT NOT NULL,
  sealed_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX prediction_segment_by_event ON prediction_segment (workspace, endpoint, max_event_ms);

CREATE INDEX prediction_segment_by_time ON prediction_segment (workspace, max_at_ms);

CREATE TABLE preparation (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- waiting, done, failed
  form TEXT,
  reason TEXT NOT NULL,
  report TEXT NOT NULL,
  compiled_digest TEXT,
  job TEXT,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  PRIMARY KEY (workspace, model, version)
) STRICT;

CREATE TABLE project_version (
  workspace TEXT NOT NULL,
  project TEXT NOT NULL,
  number INTEGER NOT NULL,
  yaml TEXT NOT NULL,
  digest TEXT NOT NULL,
  code TEXT,
  applied_by TEXT NOT NULL,
  applied_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, number)
) STRICT;

CREATE TABLE quality_checks (
  workspace TEXT NOT NULL,
  dataset TEXT NOT NULL,
  checks TEXT NOT NULL,
  digest TEXT NOT NULL,
  who TEXT NOT NULL,
  set_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, dataset)) STRICT;

CREATE TABLE quality_override (
  workspace TEXT NOT NULL,
  version TEXT NOT NULL,
  checks_digest TEXT NOT NULL,
  reason TEXT NOT NULL,
  who TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, version, checks_digest)) STRICT;

CREATE TABLE quality_verdict (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  dataset TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  note TEXT,
  checks_digest TEXT NOT NULL,
  counts TEXT NOT NULL,
  results TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)) STRICT;

CREATE INDEX quality_verdict_dataset ON quality_verdict (workspace, dataset, id);

CREATE INDEX quality_verdict_version ON quality_verdict (workspace, version, id);

CREATE TABLE registered_model (
  model_key INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  created_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  -- The highest number ever given: a deleted version's number is not used again.
  last_version INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX registered_model_name ON registered_model (workspace, name);

CREATE TABLE registered_model_tag (
  model_key INTEGER NOT NULL REFERENCES registered_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE release (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- proposed, checking, refused, approved, loading, canary, live, superseded, rolled_back
  reason TEXT,
  revision TEXT,
  previous TEXT, -- the release that was live when this one was approved
  step INTEGER,
  step_counts TEXT NOT NULL, -- {"canary": counts, "stable": counts} when the step began
  policy TEXT NOT NULL,
  verdict TEXT NOT NULL,
  bundle TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_ms INTEGER NOT NULL,
  step_ms INTEGER,
  live_ms INTEGER,
  ended_ms INTEGER,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX release_by_endpoint ON release (workspace, endpoint, id);

CREATE INDEX release_by_state ON release (state);

CREATE TABLE release_decision (
  workspace TEXT NOT NULL,
  release_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  state TEXT NOT NULL,
  words TEXT NOT NULL,
  facts TEXT NOT NULL,
  who TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  watermark_ms INTEGER,
  PRIMARY KEY (workspace, release_id, position)
) STRICT;

CREATE TABLE release_policy (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  project TEXT NOT NULL,
  spec TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  digest TEXT NOT NULL,
  applied_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, endpoint)
) STRICT;

CREATE TABLE retraining (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  alert TEXT NOT NULL,
  state TEXT NOT NULL, -- collecting, training, proposed, skipped, failed, done
  reason TEXT,
  evidence TEXT NOT NULL,
  dataset TEXT,
  dataset_version TEXT,
  pipeline_run TEXT,
  release_id TEXT,
  from_ms INTEGER,
  to_ms INTEGER,
  watermark_ms INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX retraining_by_endpoint ON retraining (workspace, endpoint, created_ms);

CREATE INDEX retraining_by_run ON retraining (workspace, pipeline_run);

CREATE TABLE revision (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  number INTEGER NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- wanted, retired
  created_ms INTEGER NOT NULL,
  retired_ms INTEGER,
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, endpoint, number)
) STRICT;

CREATE INDEX revision_by_state ON revision (state);

CREATE TABLE revision_report (
  workspace TEXT NOT NULL,
  revision TEXT NOT NULL,
  node TEXT NOT NULL,
  state TEXT NOT NULL, -- loading, ready, failed
  form TEXT,
  reason TEXT,
  load_ms INTEGER,
  reported_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, revision, node)
) STRICT;

CREATE TRIGGER run_changed
AFTER UPDATE OF experiment, run_id, name, user_id, status, start_ms, end_ms, lifecycle, artifact_uri ON run
WHEN OLD.segment IS NOT NULL AND NEW.segment IS NOT NULL BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key;
END;

CREATE TRIGGER run_counted AFTER INSERT ON run BEGIN
  INSERT INTO experiment_runs (experiment, stripe, active, deleted, running)
  VALUES (NEW.experiment, 0, NEW.lifecycle = 'active', NEW.lifecycle <> 'active', NEW.lifecycle = 'active' AND NEW.status = 'RUNNING')
  ON CONFLICT (experiment, stripe) DO UPDATE SET
    active = active + excluded.active, deleted = deleted + excluded.deleted, running = running + excluded.running;
END;

CREATE TRIGGER run_recounted AFTER UPDATE OF experiment, lifecycle, status ON run
WHEN OLD.experiment <> NEW.experiment OR OLD.lifecycle <> NEW.lifecycle OR OLD.status <> NEW.status BEGIN
  UPDATE experiment_runs SET
    active = active - (OLD.lifecycle = 'active'), deleted = deleted - (OLD.lifecycle <> 'active'),
    running = running - (OLD.lifecycle = 'active' AND OLD.status = 'RUNNING')
  WHERE experiment = OLD.experiment AND stripe = 0;
  INSERT INTO experiment_runs (experiment, stripe, active, deleted, running)
  VALUES (NEW.experiment, 0, NEW.lifecycle = 'active', NEW.lifecycle <> 'active', NEW.lifecycle = 'active' AND NEW.status = 'RUNNING')
  ON CONFLICT (experiment, stripe) DO UPDATE SET
    active = active + excluded.active, deleted = deleted + excluded.deleted, running = running + excluded.running;
END;

CREATE TRIGGER run_removed AFTER DELETE ON run WHEN OLD.segment IS NOT NULL BEGIN
  INSERT INTO run_segment_dead (experiment, segment, run_key)
  SELECT experiment, segment, OLD.run_key FROM run_segment WHERE segment = OLD.segment ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER run_uncounted AFTER DELETE ON run BEGIN
  UPDATE experiment_runs SET
    active = active - (OLD.lifecycle = 'active'), deleted = deleted - (OLD.lifecycle <> 'active'),
    running = running - (OLD.lifecycle = 'active' AND OLD.status = 'RUNNING')
  WHERE experiment = OLD.experiment AND stripe = 0;
END;

CREATE TRIGGER run_unsealed AFTER UPDATE OF segment ON run WHEN OLD.segment IS NOT NULL AND NEW.segment IS NULL BEGIN
  INSERT INTO run_segment_dead (experiment, segment, run_key)
  SELECT experiment, segment, OLD.run_key FROM run_segment WHERE segment = OLD.segment ON CONFLICT DO NOTHING;
END;

CREATE TABLE run (
  run_key INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  run_id TEXT NOT NULL,
  experiment INTEGER NOT NULL REFERENCES experiment (experiment),
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER,
  lifecycle TEXT NOT NULL,
  -- Deleted together with its experiment, so that restoring the experiment brings it back.
  deleted_with_experiment INTEGER NOT NULL
, artifact_uri TEXT, segment INTEGER) STRICT;

CREATE UNIQUE INDEX run_id ON run (workspace, run_id);

CREATE INDEX run_loose ON run (experiment, run_key) WHERE segment IS NULL;

CREATE INDEX run_order ON run (experiment, lifecycle, start_ms DESC, run_id);

CREATE TRIGGER run_input_changed AFTER UPDATE ON run_input BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_input_put AFTER INSERT ON run_input BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_input_removed AFTER DELETE ON run_input BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;

CREATE TABLE run_input (
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  dataset_key INTEGER NOT NULL REFERENCES input_dataset (dataset_key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (run_key, dataset_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_input_dataset ON run_input (dataset_key);

CREATE TRIGGER run_input_tag_changed AFTER UPDATE ON run_input_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_input_tag_put AFTER INSERT ON run_input_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_input_tag_removed AFTER DELETE ON run_input_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;

CREATE TABLE run_input_tag (
  run_key INTEGER NOT NULL,
  dataset_key INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_key, dataset_key, key),
  FOREIGN KEY (run_key, dataset_key) REFERENCES run_input (run_key, dataset_key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TRIGGER run_metric_changed AFTER UPDATE ON run_metric BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_metric_gone AFTER DELETE ON run_metric BEGIN
  DELETE FROM metric_block_body WHERE block_key IN (SELECT block_key FROM metric_block WHERE series = OLD.series);
  DELETE FROM metric_block WHERE series = OLD.series;
  DELETE FROM metric_chunk WHERE series = OLD.series;
  DELETE FROM metric_point WHERE series = OLD.series;
END;

CREATE TRIGGER run_metric_put AFTER INSERT ON run_metric BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_metric_removed AFTER DELETE ON run_metric BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;

CREATE TABLE run_metric (
  series INTEGER PRIMARY KEY AUTOINCREMENT,
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  step INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX run_metric_key ON run_metric (run_key, key);

CREATE TRIGGER run_model_changed AFTER UPDATE ON run_model BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_model_put AFTER INSERT ON run_model BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_model_removed AFTER DELETE ON run_model BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;

CREATE TABLE run_model (
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  direction TEXT NOT NULL,
  model_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (run_key, direction, model_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_model_model ON run_model (model_id, run_key);

CREATE TRIGGER run_param_changed AFTER UPDATE ON run_param BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_param_put AFTER INSERT ON run_param BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_param_removed AFTER DELETE ON run_param BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;

CREATE TABLE run_param (
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_segment (
  segment INTEGER PRIMARY KEY AUTOINCREMENT,
  experiment INTEGER NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  -- 'open' while its runs are being read, then 'sealed'.
  state TEXT NOT NULL,
  runs INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  -- Of an open one the keys of its runs, of a sealed one which columns it has, and where.
  head BLOB NOT NULL
) STRICT;

CREATE INDEX run_segment_experiment ON run_segment (experiment, segment);

CREATE TABLE run_segment_dead (
  experiment INTEGER NOT NULL,
  segment INTEGER NOT NULL REFERENCES run_segment (segment) ON DELETE CASCADE,
  run_key INTEGER NOT NULL,
  PRIMARY KEY (experiment, segment, run_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_segment_dead_segment ON run_segment_dead (segment);

CREATE TABLE run_segment_page (
  page_key INTEGER NOT NULL PRIMARY KEY,
  segment INTEGER NOT NULL REFERENCES run_segment (segment) ON DELETE CASCADE,
  body BLOB NOT NULL
) STRICT;

CREATE INDEX run_segment_page_segment ON run_segment_page (segment);

CREATE TRIGGER run_tag_changed AFTER UPDATE ON run_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_tag_put AFTER INSERT ON run_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;

CREATE TRIGGER run_tag_removed AFTER DELETE ON run_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;

CREATE TABLE run_tag (
  run_key INTEGER NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_key, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_tag_parent ON run_tag (substr(value, 1, 64)) WHERE key = 'mlflow.parentRunId';

CREATE INDEX run_tag_step ON run_tag (substr(value, 1, 64)) WHERE key = 'slipway.step_run';

CREATE TABLE run_view (
  workspace TEXT NOT NULL,
  view_id TEXT NOT NULL,
  name TEXT NOT NULL,
  experiments_json TEXT NOT NULL,
  state_json TEXT NOT NULL,
  by_name TEXT NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, view_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX run_view_name ON run_view (workspace, name);

CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  cron TEXT NOT NULL,
  next_ms INTEGER NOT NULL,
  last_ms INTEGER
) STRICT;

CREATE TABLE score_reference (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  version INTEGER NOT NULL,
  window_ms INTEGER NOT NULL,
  histogram TEXT NOT NULL,
  PRIMARY KEY (workspace, monitor, version)
) STRICT;

CREATE TABLE slipway_migration (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  breaking INTEGER NOT NULL,
  applied_ms INTEGER NOT NULL,
  PRIMARY KEY (owner, number)) STRICT;

CREATE TABLE step_run (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  run TEXT NOT NULL,
  name TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  state TEXT NOT NULL, -- waiting, running, done, cached, failed, cancelled, skipped
  job TEXT,
  tracking_run TEXT,
  cache_key TEXT,
  cache_parts TEXT NOT NULL,
  cache_words TEXT,
  cached_from TEXT,
  inputs TEXT NOT NULL,
  outputs TEXT NOT NULL,
  environment TEXT,
  reason TEXT,
  exit_code INTEGER,
  peak_bytes INTEGER,
  log_digest TEXT,
  started_ms INTEGER,
  ended_ms INTEGER,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX step_run_by_key ON step_run (workspace, cache_key);

CREATE INDEX step_run_by_run ON step_run (workspace, run);

CREATE TABLE traffic (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  routes TEXT NOT NULL,
  release_id TEXT,
  changed_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, endpoint)
) STRICT;

CREATE TABLE webhook (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  url TEXT NOT NULL,
  topics TEXT NOT NULL, -- ["model_version.created", …]
  active INTEGER NOT NULL,
  sealed_secret TEXT, -- readable only with the server's own secret
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE TABLE webhook_delivery (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  alert TEXT NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL,
  status INTEGER,
  words TEXT,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE TABLE webhook_message (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  webhook TEXT NOT NULL,
  topic TEXT NOT NULL,
  state TEXT NOT NULL, -- waiting, delivered, failed
  attempts INTEGER NOT NULL,
  status INTEGER,
  words TEXT,
  made_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX webhook_message_by_webhook ON webhook_message (workspace, webhook, id);

CREATE TABLE workspace (
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (name)) STRICT;
