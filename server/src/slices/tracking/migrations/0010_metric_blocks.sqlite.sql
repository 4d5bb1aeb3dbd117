-- Points of a series beyond the rows of metric_point: chunks as they were logged, and sealed blocks
-- (docs/decisions/0080-metric-points-in-three-forms.md). The three together are the series; a point may stand in several.

-- One batch of one key, written at once.
CREATE TABLE metric_chunk (
  chunk_key :seq:,
  series :int: NOT NULL,
  points :int: NOT NULL,
  min_step :int: NOT NULL,
  max_step :int: NOT NULL,
  min_ms :ms: NOT NULL,
  max_ms :ms: NOT NULL,
  body :bytes: NOT NULL
) :strict:;
CREATE INDEX metric_chunk_series ON metric_chunk (series, chunk_key);

-- What a reader asks before it decodes a block. `summary`: the least, greatest and last point, three doubles each.
CREATE TABLE metric_block (
  series :int: NOT NULL,
  block_key :int: NOT NULL,
  points :int: NOT NULL,
  min_step :int: NOT NULL,
  max_step :int: NOT NULL,
  min_ms :ms: NOT NULL,
  max_ms :ms: NOT NULL,
  -- Timestamps rise with the steps: the last by step is the last by time.
  in_time_order :bool: NOT NULL,
  summary :bytes: NOT NULL,
  PRIMARY KEY (series, block_key)
) :clustered:;

CREATE TABLE metric_block_body (
  block_key :seq:,
  body :bytes: NOT NULL
) :strict:;

CREATE TRIGGER run_metric_gone AFTER DELETE ON run_metric BEGIN
  DELETE FROM metric_block_body WHERE block_key IN (SELECT block_key FROM metric_block WHERE series = OLD.series);
  DELETE FROM metric_block WHERE series = OLD.series;
  DELETE FROM metric_chunk WHERE series = OLD.series;
  DELETE FROM metric_point WHERE series = OLD.series;
END;
