-- What runs show beside numbers, and how far the files are taken in that it comes from.

-- A file of a folder below some log folder. Bytes before `taken_bytes` are in the run, those behind are not.
CREATE TABLE board_source (
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  folder TEXT NOT NULL,
  file TEXT NOT NULL,
  run_id TEXT NOT NULL,
  taken_bytes :int: NOT NULL,
  -- What the reader has to remember of the bytes before: JSON.
  memory TEXT NOT NULL,
  -- Why it is read no further.
  damage TEXT,
  PRIMARY KEY (experiment, folder, file)
) :clustered:;

-- A histogram or text as JSON; of an image the digest of its bytes.
CREATE TABLE board_record (
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  tag TEXT NOT NULL,
  step :int: NOT NULL,
  at_ms :ms: NOT NULL,
  position :int: NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_key, kind, tag, step, at_ms, position)
) :clustered:;
