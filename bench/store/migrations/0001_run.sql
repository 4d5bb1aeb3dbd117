CREATE TABLE run (
  workspace TEXT NOT NULL,
  run_id TEXT NOT NULL,
  experiment TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  started_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, run_id)) :strict:;
CREATE INDEX run_experiment ON run (workspace, experiment, started_ms);

CREATE TABLE tag (
  workspace TEXT NOT NULL,
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (workspace, run_id, name)) :clustered:;

CREATE TABLE latest_metric (
  workspace TEXT NOT NULL,
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  series :int: NOT NULL,
  step :int: NOT NULL,
  at_ms :ms: NOT NULL,
  value :real: NOT NULL,
  PRIMARY KEY (workspace, run_id, name)) :clustered:;

CREATE TABLE metric (
  series :int: NOT NULL,
  step :int: NOT NULL,
  at_ms :ms: NOT NULL,
  value :real: NOT NULL,
  PRIMARY KEY (series, step, at_ms, value)) :clustered:;
