-- What matters to a model version on the whole.
CREATE TABLE explanation (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL, -- waiting, done, failed
  reason TEXT,
  report :json: NOT NULL,
  job TEXT,
  created_ms :ms: NOT NULL,
  ended_ms :ms:,
  PRIMARY KEY (workspace, model, version)
) :strict:;

-- What mattered to one prediction row.
CREATE TABLE attribution (
  workspace TEXT NOT NULL,
  prediction TEXT NOT NULL, -- prd_….<row>
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  facts :json: NOT NULL,
  took_ms INTEGER NOT NULL,
  made_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, prediction)
) :strict:;
