-- Labels as they came; the one observed last counts, all are kept.
CREATE TABLE label (
  workspace TEXT NOT NULL,
  prediction TEXT NOT NULL, -- prd_….<row>
  observed_ms :ms: NOT NULL,
  received_ms :ms: NOT NULL,
  value TEXT NOT NULL,
  who TEXT NOT NULL,
  PRIMARY KEY (workspace, prediction, observed_ms)
) :strict:;

CREATE INDEX label_by_received ON label (workspace, received_ms);

CREATE TABLE monitor (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  spec :json: NOT NULL,
  applied_ms :ms: NOT NULL,
  -- Start of the next window to be closed; null before the first prediction was seen.
  next_ms :ms:,
  labels_seen_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, name)
) :strict:;

CREATE TABLE monitor_window (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  start_ms :ms: NOT NULL,
  end_ms :ms: NOT NULL,
  state TEXT NOT NULL, -- computed, revised, dirty
  facts :json: NOT NULL,
  computed_ms :ms: NOT NULL,
  revisions INTEGER NOT NULL,
  PRIMARY KEY (workspace, monitor, start_ms)
) :strict:;

CREATE TABLE alert (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  monitor TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  name TEXT NOT NULL,
  metric TEXT NOT NULL,
  state TEXT NOT NULL, -- open, cleared
  threshold :real: NOT NULL,
  value :real:,
  reference :json: NOT NULL,
  opened_window_ms :ms: NOT NULL,
  cleared_window_ms :ms:,
  watermark_ms :ms: NOT NULL,
  opened_ms :ms: NOT NULL,
  cleared_ms :ms:,
  PRIMARY KEY (workspace, id)
) :strict:;

CREATE INDEX alert_by_monitor ON alert (workspace, monitor, state);
CREATE INDEX alert_by_state ON alert (workspace, state, opened_ms);

-- How often in a row each alert's condition held, up to which window.
CREATE TABLE alert_streak (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  name TEXT NOT NULL,
  streak INTEGER NOT NULL,
  last_window_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, monitor, name)
) :strict:;

-- What the metric was in the first full window of the version that answers.
CREATE TABLE monitor_reference (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  metric TEXT NOT NULL,
  version INTEGER NOT NULL,
  value :real: NOT NULL,
  window_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, monitor, metric, version)
) :strict:;

CREATE TABLE webhook_delivery (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  alert TEXT NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL,
  status INTEGER,
  words TEXT,
  at_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, id)
) :strict:;
