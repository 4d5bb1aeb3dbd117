-- A saved arrangement of the run table. `state_json` is the page's own: kept and handed back as it came.
CREATE TABLE run_view (
  workspace TEXT NOT NULL,
  view_id TEXT NOT NULL,
  name TEXT NOT NULL,
  experiments_json :json: NOT NULL,
  state_json :json: NOT NULL,
  by_name TEXT NOT NULL,
  updated_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, view_id)
) :clustered:;
CREATE UNIQUE INDEX run_view_name ON run_view (workspace, name);
