-- Definitions as last applied, snapshots of code, and what ran.
CREATE TABLE code_snapshot (
  workspace TEXT NOT NULL,
  digest TEXT NOT NULL,
  commit_id TEXT,
  branch TEXT,
  dirty INTEGER NOT NULL,
  diff_digest TEXT,
  file_count INTEGER NOT NULL,
  size_bytes :ms: NOT NULL,
  manifest_digest TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, digest)
) :strict:;

-- environments: {"python": {"python": "3.11", "lock": "sha256:…"}}, each lock by the digest of its text.
CREATE TABLE pipeline (
  workspace TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  spec :json: NOT NULL,
  environments :json: NOT NULL,
  code TEXT NOT NULL,
  applied_by :json: NOT NULL,
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, project, name)
) :strict:;

CREATE TABLE pipeline_run (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  project TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  number INTEGER NOT NULL,
  spec :json: NOT NULL,
  environments :json: NOT NULL,
  code TEXT NOT NULL,
  params :json: NOT NULL,
  inputs :json: NOT NULL, -- dataset name to version id, as far as pinned
  use_cache INTEGER NOT NULL,
  cause :json: NOT NULL,
  who :json: NOT NULL,
  state TEXT NOT NULL, -- running, done, failed, cancelled
  reason TEXT,
  tracking_run TEXT,
  created_ms :ms: NOT NULL,
  ended_ms :ms:,
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, project, pipeline, number)
) :strict:;

CREATE INDEX pipeline_run_by_state ON pipeline_run (workspace, state, created_ms);

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
  cache_parts :json: NOT NULL,
  cache_words TEXT,
  cached_from TEXT,
  inputs :json: NOT NULL,
  outputs :json: NOT NULL,
  environment TEXT,
  reason TEXT,
  exit_code INTEGER,
  peak_bytes :ms:,
  log_digest TEXT,
  started_ms :ms:,
  ended_ms :ms:,
  PRIMARY KEY (workspace, id)
) :strict:;

CREATE INDEX step_run_by_run ON step_run (workspace, run);
CREATE INDEX step_run_by_key ON step_run (workspace, cache_key);

-- Projects as they were applied, newest number last.
CREATE TABLE project_version (
  workspace TEXT NOT NULL,
  project TEXT NOT NULL,
  number INTEGER NOT NULL,
  yaml TEXT NOT NULL,
  digest TEXT NOT NULL,
  code TEXT,
  applied_by :json: NOT NULL,
  applied_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, project, number)
) :strict:;
