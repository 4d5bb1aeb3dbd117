-- People and their secrets are looked up before a workspace is known, and a person may be in several: person,
-- invitation and session stand outside the rule that every key begins with workspace.
CREATE TABLE workspace (
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  PRIMARY KEY (name)) :strict:;

INSERT INTO workspace (name, description, created_ms) VALUES ('default', 'Where everything is that names no workspace.', 0);

CREATE TABLE person (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  password_hash TEXT,
  disabled :bool: NOT NULL,
  created_ms :ms: NOT NULL,
  PRIMARY KEY (id)) :strict:;
CREATE UNIQUE INDEX person_name ON person (name_key);

CREATE TABLE member (
  workspace TEXT NOT NULL,
  person TEXT NOT NULL,
  role TEXT NOT NULL,
  since_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, person)) :strict:;
CREATE INDEX member_person ON member (person, workspace);

-- One-time links. Without a person: the first one, which makes the first admin.
CREATE TABLE invitation (
  digest TEXT NOT NULL,
  person TEXT,
  created_ms :ms: NOT NULL,
  expires_ms :ms: NOT NULL,
  PRIMARY KEY (digest)) :strict:;

CREATE TABLE access_session (
  digest TEXT NOT NULL,
  id TEXT NOT NULL,
  person TEXT NOT NULL,
  created_ms :ms: NOT NULL,
  last_used_ms :ms: NOT NULL,
  expires_ms :ms: NOT NULL,
  PRIMARY KEY (digest)) :strict:;
CREATE INDEX access_session_person ON access_session (person);
CREATE INDEX access_session_expires ON access_session (expires_ms);

-- kind: 'api' (made by a person, holder_id is theirs) or 'run' (made for a run, holder_id is the run's).
CREATE TABLE access_token (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  behalf :json:,
  rights :json: NOT NULL,
  created_ms :ms: NOT NULL,
  expires_ms :ms: NOT NULL,
  revoked_ms :ms:,
  last_used_ms :ms:,
  PRIMARY KEY (workspace, id)) :strict:;
CREATE UNIQUE INDEX access_token_digest ON access_token (digest);
CREATE INDEX access_token_holder ON access_token (workspace, kind, holder_id);
