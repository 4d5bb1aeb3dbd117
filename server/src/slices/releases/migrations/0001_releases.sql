-- The rules of each endpoint, the releases they judged, and the retrainings they began.
CREATE TABLE release_policy (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  project TEXT NOT NULL,
  spec :json: NOT NULL,
  applied_by :json: NOT NULL,
  digest TEXT NOT NULL,
  applied_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, endpoint)
) :strict:;

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
  step_counts :json: NOT NULL, -- {"canary": counts, "stable": counts} when the step began
  policy :json: NOT NULL,
  verdict :json: NOT NULL,
  bundle :json: NOT NULL,
  proposed_by :json: NOT NULL,
  proposed_ms :ms: NOT NULL,
  step_ms :ms:,
  live_ms :ms:,
  ended_ms :ms:,
  PRIMARY KEY (workspace, id)
) :strict:;

CREATE INDEX release_by_endpoint ON release (workspace, endpoint, id);
CREATE INDEX release_by_state ON release (state);

-- Each decision with the numbers that it was taken from.
CREATE TABLE release_decision (
  workspace TEXT NOT NULL,
  release_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  state TEXT NOT NULL,
  words TEXT NOT NULL,
  facts :json: NOT NULL,
  who :json: NOT NULL,
  at_ms :ms: NOT NULL,
  watermark_ms :ms:,
  PRIMARY KEY (workspace, release_id, position)
) :strict:;

CREATE TABLE retraining (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  alert TEXT NOT NULL,
  state TEXT NOT NULL, -- collecting, training, proposed, skipped, failed, done
  reason TEXT,
  evidence :json: NOT NULL,
  dataset TEXT,
  dataset_version TEXT,
  pipeline_run TEXT,
  release_id TEXT,
  from_ms :ms:,
  to_ms :ms:,
  watermark_ms :ms: NOT NULL,
  created_ms :ms: NOT NULL,
  ended_ms :ms:,
  PRIMARY KEY (workspace, id)
) :strict:;

CREATE INDEX retraining_by_endpoint ON retraining (workspace, endpoint, created_ms);
CREATE INDEX retraining_by_run ON retraining (workspace, pipeline_run);
