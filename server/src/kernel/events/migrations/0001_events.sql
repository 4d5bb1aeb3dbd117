-- What happened. One row is event and audit row at once; `erased` names the fields that were taken out for a person's sake.
CREATE TABLE event (
  seq :seq:,
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  at_ms :ms: NOT NULL,
  who_kind TEXT NOT NULL,
  who_id TEXT NOT NULL,
  who_name TEXT NOT NULL,
  behalf :json:,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  before_json :json: NOT NULL,
  after_json :json: NOT NULL,
  reason TEXT,
  sealed :bool: NOT NULL DEFAULT 0
) :strict:;

CREATE UNIQUE INDEX event_id ON event (workspace, id);
CREATE INDEX event_newest ON event (workspace, seq);
CREATE INDEX event_subject ON event (workspace, subject_kind, subject_id, seq);
CREATE INDEX event_name ON event (workspace, name, seq);
CREATE INDEX event_who ON event (workspace, who_id, seq);
CREATE INDEX event_time ON event (workspace, at_ms);
CREATE INDEX event_unsealed ON event (workspace, seq) WHERE sealed = 0;

-- Who wants which type ('*': any); written at start, read by every record.
CREATE TABLE event_subscription (
  subscriber TEXT NOT NULL,
  type TEXT NOT NULL,
  seen_ms :ms: NOT NULL,
  PRIMARY KEY (type, subscriber)
) :strict:;

-- One row until the subscriber's handler has committed. `state`: waiting, or dead after too many failures.
CREATE TABLE event_delivery (
  workspace TEXT NOT NULL,
  subscriber TEXT NOT NULL,
  seq :int: NOT NULL,
  state TEXT NOT NULL,
  attempts :int: NOT NULL,
  due_ms :ms: NOT NULL,
  last_error TEXT,
  PRIMARY KEY (workspace, subscriber, seq)
) :strict:;

CREATE INDEX event_delivery_next ON event_delivery (subscriber, state, seq);

-- The chain: each digest covers the one before it. Salts go when a person's data is erased; the chain stays whole.
CREATE TABLE event_seal (
  workspace TEXT NOT NULL,
  position :int: NOT NULL,
  event_seq :int: NOT NULL,
  digest TEXT NOT NULL,
  previous TEXT NOT NULL,
  salt TEXT,
  fields :json:,
  PRIMARY KEY (workspace, position)
) :strict:;

CREATE UNIQUE INDEX event_seal_event ON event_seal (workspace, event_seq);

-- Data flows from → to. Written with the event that says so; walked both ways.
CREATE TABLE lineage_edge (
  workspace TEXT NOT NULL,
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  event_seq :int: NOT NULL,
  at_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, from_kind, from_id, to_kind, to_id, relation)
) :strict:;

CREATE INDEX lineage_edge_back ON lineage_edge (workspace, to_kind, to_id);
