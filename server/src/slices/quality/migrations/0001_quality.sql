CREATE TABLE quality_checks (
  workspace TEXT NOT NULL,
  dataset TEXT NOT NULL,
  checks :json: NOT NULL,
  digest TEXT NOT NULL,
  who :json: NOT NULL,
  set_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, dataset)) :strict:;

-- Ids rise with time: the greatest of a version is its verdict, the others are its history.
CREATE TABLE quality_verdict (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  dataset TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  note TEXT,
  checks_digest TEXT NOT NULL,
  counts :json: NOT NULL,
  results :json: NOT NULL,
  created_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, id)) :strict:;
CREATE INDEX quality_verdict_version ON quality_verdict (workspace, version, id);
CREATE INDEX quality_verdict_dataset ON quality_verdict (workspace, dataset, id);

-- A person accepted a version that these checks fail. Other checks, and it must be accepted again.
CREATE TABLE quality_override (
  workspace TEXT NOT NULL,
  version TEXT NOT NULL,
  checks_digest TEXT NOT NULL,
  reason TEXT NOT NULL,
  who :json: NOT NULL,
  at_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, version, checks_digest)) :strict:;
