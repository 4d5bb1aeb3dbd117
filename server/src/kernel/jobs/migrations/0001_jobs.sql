-- Durable work. `lease` rises each time a worker takes the job; whoever holds an older number changes nothing.
CREATE TABLE job (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  input :json: NOT NULL,
  who :json: NOT NULL,
  subject_kind TEXT,
  subject_id TEXT,
  open_key TEXT,
  state TEXT NOT NULL,
  attempt :int: NOT NULL DEFAULT 0,
  attempts_max :int: NOT NULL,
  losses :int: NOT NULL DEFAULT 0,
  cancel_asked :bool: NOT NULL DEFAULT 0,
  lease :int: NOT NULL DEFAULT 0,
  lease_until_ms :ms: NOT NULL DEFAULT 0,
  progress :real:,
  note TEXT,
  result :json:,
  error :json:,
  created_ms :ms: NOT NULL,
  run_at_ms :ms: NOT NULL,
  started_ms :ms:,
  ended_ms :ms:,
  PRIMARY KEY (workspace, id)
) :strict:;

-- `open_key` is emptied when the job ends, so that only an open job keeps a second one away.
CREATE UNIQUE INDEX job_open_key ON job (workspace, kind, open_key);
CREATE INDEX job_waiting ON job (kind, run_at_ms, id) WHERE state = 'waiting';
CREATE INDEX job_running ON job (lease_until_ms) WHERE state = 'running';
CREATE INDEX job_kind ON job (workspace, kind, id);
CREATE INDEX job_state ON job (workspace, state, id);
CREATE INDEX job_subject ON job (workspace, subject_kind, subject_id, id);

CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  cron TEXT NOT NULL,
  next_ms :ms: NOT NULL,
  last_ms :ms:
) :strict:;
