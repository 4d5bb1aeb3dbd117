-- What an endpoint is, what it should serve, and what the nodes report of it.
CREATE TABLE endpoint (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  project TEXT NOT NULL,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  spec :json: NOT NULL,
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, name)
) :strict:;

CREATE TABLE revision (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  number INTEGER NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- wanted, retired
  created_ms :ms: NOT NULL,
  retired_ms :ms:,
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, endpoint, number)
) :strict:;

CREATE INDEX revision_by_state ON revision (state);

CREATE TABLE revision_report (
  workspace TEXT NOT NULL,
  revision TEXT NOT NULL,
  node TEXT NOT NULL,
  state TEXT NOT NULL, -- loading, ready, failed
  form TEXT,
  reason TEXT,
  load_ms INTEGER,
  reported_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, revision, node)
) :strict:;

-- routes: [{"revision", "share", "role"}], shares add up to 1.
CREATE TABLE traffic (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  routes :json: NOT NULL,
  release_id TEXT,
  changed_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, endpoint)
) :strict:;

CREATE TABLE preparation (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- waiting, done, failed
  form TEXT,
  reason TEXT NOT NULL,
  report :json: NOT NULL,
  compiled_digest TEXT,
  job TEXT,
  created_ms :ms: NOT NULL,
  ended_ms :ms:,
  PRIMARY KEY (workspace, model, version)
) :strict:;

-- Rows that a person attached for parity, in place of the training data.
CREATE TABLE attached_rows (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  attached_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, model, version)
) :strict:;

CREATE TABLE prediction_segment (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes :ms: NOT NULL,
  row_count INTEGER NOT NULL,
  min_at_ms :ms: NOT NULL,
  max_at_ms :ms: NOT NULL,
  min_event_ms :ms: NOT NULL,
  max_event_ms :ms: NOT NULL,
  features :json: NOT NULL,
  sealed_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, id)
) :strict:;

CREATE INDEX prediction_segment_by_event ON prediction_segment (workspace, endpoint, max_event_ms);
CREATE INDEX prediction_segment_by_time ON prediction_segment (workspace, max_at_ms);

CREATE TABLE endpoint_watermark (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  greatest_event_ms :ms: NOT NULL,
  watermark_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, endpoint)
) :strict:;
