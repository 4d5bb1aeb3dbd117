-- breaking
-- A label that corrects one of the same moment stands beside it: the one that came last counts.
CREATE TABLE label_kept (
  workspace TEXT NOT NULL,
  prediction TEXT NOT NULL, -- prd_….<row>
  observed_ms :ms: NOT NULL,
  received_ms :ms: NOT NULL,
  value TEXT NOT NULL,
  who TEXT NOT NULL,
  PRIMARY KEY (workspace, prediction, observed_ms, received_ms)
) :strict:;

INSERT INTO label_kept (workspace, prediction, observed_ms, received_ms, value, who)
SELECT workspace, prediction, observed_ms, received_ms, value, who FROM label;

DROP TABLE label;

ALTER TABLE label_kept RENAME TO label;

CREATE INDEX label_by_received ON label (workspace, received_ms);
