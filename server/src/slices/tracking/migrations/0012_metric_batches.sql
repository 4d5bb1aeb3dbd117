-- A batch of many keys with few points each, as it was logged: one row instead of one for each point. It is taken apart into
-- the series' own forms when a run has some of them (docs/decisions/0080-metric-points-in-three-forms.md).
CREATE TABLE metric_batch (
  batch_key :seq:,
  run_key :int: NOT NULL REFERENCES run (run_key) ON DELETE CASCADE,
  points :int: NOT NULL,
  body :bytes: NOT NULL
) :strict:;
CREATE INDEX metric_batch_run ON metric_batch (run_key, batch_key);
