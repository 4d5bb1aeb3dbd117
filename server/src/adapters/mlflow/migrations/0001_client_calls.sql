-- Which clients called what, and what of it is not here.
CREATE TABLE client_call (
  workspace TEXT NOT NULL,
  client TEXT NOT NULL,
  version TEXT NOT NULL,
  method TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  supported :bool: NOT NULL,
  calls :int: NOT NULL,
  last_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, client, version, method, endpoint, supported)
) :strict:;

CREATE INDEX client_call_by_time ON client_call (workspace, last_ms);
