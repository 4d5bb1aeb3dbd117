-- Who has shown a workspace these bytes: knowing a digest is not owning its content.
CREATE TABLE code_upload (
  workspace TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes :ms: NOT NULL,
  at_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, digest)
) :strict:;
