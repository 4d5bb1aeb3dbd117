-- What a window was computed from, so that a label that came later is known as late, and an equal result is no revision.
ALTER TABLE monitor_window ADD COLUMN first_id TEXT;
ALTER TABLE monitor_window ADD COLUMN last_id TEXT;
-- Labels received up to this wall time are certainly in it.
ALTER TABLE monitor_window ADD COLUMN labels_ms :ms:;
ALTER TABLE monitor_window ADD COLUMN labels_digest TEXT;

-- Scores of the first full window of each version, as counts in twentieths of 0..1.
CREATE TABLE score_reference (
  workspace TEXT NOT NULL,
  monitor TEXT NOT NULL,
  version INTEGER NOT NULL,
  window_ms :ms: NOT NULL,
  histogram :json: NOT NULL,
  PRIMARY KEY (workspace, monitor, version)
) :strict:;
