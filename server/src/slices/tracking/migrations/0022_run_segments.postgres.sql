-- Runs column by column, beside the rows, which stay the truth (docs/decisions/0084-search-in-columns.md). A segment
-- holds runs of one experiment as they were when it was sealed and is never rewritten. A run whose `segment` is null is
-- loose: it is read from the rows. Whatever changes a run makes it loose and its place in the segment dead.
CREATE TABLE run_segment (
  segment :seq:,
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  -- 'open' while its runs are being read, then 'sealed'.
  state TEXT COLLATE "C" NOT NULL,
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
-- Packed already: no second attempt on every write.
ALTER TABLE run_segment_page ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE run_segment_dead (
  experiment :int: NOT NULL,
  segment :int: NOT NULL REFERENCES run_segment (segment) ON DELETE CASCADE,
  run_key :int: NOT NULL,
  PRIMARY KEY (experiment, segment, run_key)
) :clustered:;
CREATE INDEX run_segment_dead_segment ON run_segment_dead (segment);

ALTER TABLE run ADD COLUMN segment :int:;
CREATE INDEX run_loose ON run (experiment, run_key) WHERE segment IS NULL;

CREATE FUNCTION run_place_dies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.segment = OLD.segment AND
      (NEW.experiment, NEW.run_id, NEW.name, NEW.user_id, NEW.status, NEW.start_ms, NEW.end_ms, NEW.lifecycle, NEW.artifact_uri)
      IS DISTINCT FROM
      (OLD.experiment, OLD.run_id, OLD.name, OLD.user_id, OLD.status, OLD.start_ms, OLD.end_ms, OLD.lifecycle, OLD.artifact_uri)
    THEN
      NEW.segment := NULL;
    END IF;
    IF NEW.segment IS NOT NULL THEN RETURN NEW; END IF;
  END IF;
  INSERT INTO run_segment_dead (experiment, segment, run_key)
  SELECT experiment, segment, OLD.run_key FROM run_segment WHERE segment = OLD.segment ON CONFLICT DO NOTHING;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER run_changed BEFORE UPDATE ON run FOR EACH ROW WHEN (OLD.segment IS NOT NULL) EXECUTE FUNCTION run_place_dies();
CREATE TRIGGER run_removed BEFORE DELETE ON run FOR EACH ROW WHEN (OLD.segment IS NOT NULL) EXECUTE FUNCTION run_place_dies();

CREATE FUNCTION run_loosens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE run SET segment = NULL WHERE segment IS NOT NULL AND run_key IN (SELECT run_key FROM changed);
  RETURN NULL;
END $$;
CREATE TRIGGER run_metric_put AFTER INSERT ON run_metric REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_metric_changed AFTER UPDATE ON run_metric REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_metric_removed AFTER DELETE ON run_metric REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_param_put AFTER INSERT ON run_param REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_param_changed AFTER UPDATE ON run_param REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_param_removed AFTER DELETE ON run_param REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_tag_put AFTER INSERT ON run_tag REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_tag_changed AFTER UPDATE ON run_tag REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_tag_removed AFTER DELETE ON run_tag REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_input_put AFTER INSERT ON run_input REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_input_changed AFTER UPDATE ON run_input REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_input_removed AFTER DELETE ON run_input REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_input_tag_put AFTER INSERT ON run_input_tag REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_input_tag_changed AFTER UPDATE ON run_input_tag REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_input_tag_removed AFTER DELETE ON run_input_tag REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
