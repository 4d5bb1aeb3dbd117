CREATE TABLE dataset (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  -- Numbers are given once: the version after a deleted one does not take its number.
  last_number INTEGER NOT NULL,
  PRIMARY KEY (workspace, name)) :strict:;

-- state: pending, ready, failed. verdict: pending, passed, failed, none; written for slice quality, which owns the verdicts.
CREATE TABLE dataset_version (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  number INTEGER NOT NULL,
  digest TEXT NOT NULL,
  format TEXT NOT NULL,
  csv :json:,
  state TEXT NOT NULL,
  failure TEXT,
  verdict TEXT NOT NULL,
  schema :json:,
  column_count INTEGER,
  row_count :ms:,
  size_bytes :ms: NOT NULL,
  file_count INTEGER NOT NULL,
  time_column TEXT,
  time_from_ms :real:,
  time_to_ms :real:,
  tags :json: NOT NULL,
  source TEXT NOT NULL,
  reason TEXT,
  who :json: NOT NULL,
  created_ms :ms: NOT NULL,
  profiled_ms :ms:,
  PRIMARY KEY (workspace, id)) :strict:;
CREATE UNIQUE INDEX dataset_version_number ON dataset_version (workspace, dataset, number);
CREATE UNIQUE INDEX dataset_version_digest ON dataset_version (workspace, dataset, digest);

CREATE TABLE dataset_file (
  workspace TEXT NOT NULL,
  version TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes :ms: NOT NULL,
  PRIMARY KEY (workspace, version, path)) :strict:;
CREATE INDEX dataset_file_digest ON dataset_file (workspace, digest);

CREATE TABLE dataset_profile (
  workspace TEXT NOT NULL,
  version TEXT NOT NULL,
  profile :json: NOT NULL,
  PRIMARY KEY (workspace, version)) :strict:;

-- Who has shown a workspace these bytes: knowing a digest is not owning its content.
CREATE TABLE dataset_upload (
  workspace TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes :ms: NOT NULL,
  at_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, digest)) :strict:;
