-- Models and their versions. What hangs on one of them is reached through its integer key and carries no workspace of
-- its own.
CREATE TABLE registered_model (
  model_key :seq:,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  created_by TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  -- The highest number ever given: a deleted version's number is not used again.
  last_version :int: NOT NULL
) :strict:;
CREATE UNIQUE INDEX registered_model_name ON registered_model (workspace, name);

CREATE TABLE registered_model_tag (
  model_key :int: NOT NULL REFERENCES registered_model (model_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_key, key)
) :clustered:;

CREATE TABLE model_version (
  version_key :seq:,
  workspace TEXT NOT NULL,
  model_key :int: NOT NULL REFERENCES registered_model (model_key) ON DELETE CASCADE,
  version :int: NOT NULL,
  created_by TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  stage TEXT NOT NULL,
  description TEXT,
  source TEXT NOT NULL,
  run_id TEXT,
  run_link TEXT,
  logged_model_id TEXT,
  -- Over the paths and digests of its files; null when none of them lie here.
  digest TEXT,
  size_bytes :int: NOT NULL,
  file_count :int: NOT NULL,
  -- Read out of the MLmodel file when the version was made.
  signature :json:,
  flavors :json:,
  python_version TEXT,
  mlflow_version TEXT,
  requirements TEXT
) :strict:;
CREATE UNIQUE INDEX model_version_number ON model_version (model_key, version);
CREATE INDEX model_version_stage ON model_version (model_key, stage, version);
CREATE INDEX model_version_updated ON model_version (workspace, updated_ms);
CREATE INDEX model_version_run ON model_version (workspace, run_id);
CREATE INDEX model_version_logged ON model_version (workspace, logged_model_id);

CREATE TABLE model_version_tag (
  version_key :int: NOT NULL REFERENCES model_version (version_key) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version_key, key)
) :clustered:;

-- The files as they were when the version was made, whatever becomes of the run's artifacts.
CREATE TABLE model_version_file (
  version_key :int: NOT NULL REFERENCES model_version (version_key) ON DELETE CASCADE,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes :int: NOT NULL,
  PRIMARY KEY (version_key, path)
) :clustered:;
-- Asked before the bytes of a blob are removed.
CREATE INDEX model_version_file_digest ON model_version_file (digest);

CREATE TABLE model_alias (
  model_key :int: NOT NULL REFERENCES registered_model (model_key) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  version_key :int: NOT NULL REFERENCES model_version (version_key) ON DELETE CASCADE,
  version :int: NOT NULL,
  moved_ms :ms: NOT NULL,
  moved_by TEXT NOT NULL,
  PRIMARY KEY (model_key, alias)
) :clustered:;
CREATE INDEX model_alias_version ON model_alias (version_key);
