-- Runs column by column, beside the rows, which stay the truth (docs/decisions/0084-search-in-columns.md). A segment
-- holds runs of one experiment as they were when it was sealed and is never rewritten. A run whose `segment` is null is
-- loose: it is read from the rows. Whatever changes a run makes it loose and its place in the segment dead.
CREATE TABLE run_segment (
  segment :seq:,
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  -- 'open' while its runs are being read, then 'sealed'.
  state TEXT NOT NULL,
  runs :int: NOT NULL,
  opened_ms :ms: NOT NULL,
  -- Of an open one the keys of its runs, of a sealed one which columns it has, and where.
  head :bytes: NOT NULL
) :strict:;
CREATE INDEX run_segment_experiment ON run_segment (experiment, segment);

-- `page_key` is segment * 65536 + page.
CREATE TABLE run_segment_page (
  page_key :int: NOT NULL PRIMARY KEY,
  segment :int: NOT NULL REFERENCES run_segment (segment) ON DELETE CASCADE,
  body :bytes: NOT NULL
) :strict:;
CREATE INDEX run_segment_page_segment ON run_segment_page (segment);

CREATE TABLE run_segment_dead (
  experiment :int: NOT NULL,
  segment :int: NOT NULL REFERENCES run_segment (segment) ON DELETE CASCADE,
  run_key :int: NOT NULL,
  PRIMARY KEY (experiment, segment, run_key)
) :clustered:;
CREATE INDEX run_segment_dead_segment ON run_segment_dead (segment);

ALTER TABLE run ADD COLUMN segment :int:;
CREATE INDEX run_loose ON run (experiment, run_key) WHERE segment IS NULL;

CREATE TRIGGER run_unsealed AFTER UPDATE OF segment ON run WHEN OLD.segment IS NOT NULL AND NEW.segment IS NULL BEGIN
  INSERT INTO run_segment_dead (experiment, segment, run_key)
  SELECT experiment, segment, OLD.run_key FROM run_segment WHERE segment = OLD.segment ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER run_removed AFTER DELETE ON run WHEN OLD.segment IS NOT NULL BEGIN
  INSERT INTO run_segment_dead (experiment, segment, run_key)
  SELECT experiment, segment, OLD.run_key FROM run_segment WHERE segment = OLD.segment ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER run_changed
AFTER UPDATE OF experiment, run_id, name, user_id, status, start_ms, end_ms, lifecycle, artifact_uri ON run
WHEN OLD.segment IS NOT NULL AND NEW.segment IS NOT NULL BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key;
END;

CREATE TRIGGER run_metric_put AFTER INSERT ON run_metric BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_metric_changed AFTER UPDATE ON run_metric BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_metric_removed AFTER DELETE ON run_metric BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_param_put AFTER INSERT ON run_param BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_param_changed AFTER UPDATE ON run_param BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_param_removed AFTER DELETE ON run_param BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_tag_put AFTER INSERT ON run_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_tag_changed AFTER UPDATE ON run_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_tag_removed AFTER DELETE ON run_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_input_put AFTER INSERT ON run_input BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_input_removed AFTER DELETE ON run_input BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_input_tag_put AFTER INSERT ON run_input_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_input_tag_changed AFTER UPDATE ON run_input_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
