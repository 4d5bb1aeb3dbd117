-- How many runs an experiment has, kept with every change of a run (docs/decisions/0081-run-counts-by-trigger.md).
-- A run counts in the row of its key's stripe, so that writers seldom wait for one another.
CREATE TABLE experiment_runs (
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  stripe :int: NOT NULL,
  active :int: NOT NULL,
  deleted :int: NOT NULL,
  running :int: NOT NULL,
  PRIMARY KEY (experiment, stripe)
) :clustered:;

INSERT INTO experiment_runs (experiment, stripe, active, deleted, running)
SELECT experiment, run_key % 64, count(*) FILTER (WHERE lifecycle = 'active'), count(*) FILTER (WHERE lifecycle <> 'active'),
  count(*) FILTER (WHERE lifecycle = 'active' AND status = 'RUNNING')
FROM run GROUP BY experiment, run_key % 64;

CREATE FUNCTION run_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.experiment = NEW.experiment AND OLD.lifecycle = NEW.lifecycle AND OLD.status = NEW.status THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    UPDATE experiment_runs SET
      active = active - (OLD.lifecycle = 'active')::int, deleted = deleted - (OLD.lifecycle <> 'active')::int,
      running = running - (OLD.lifecycle = 'active' AND OLD.status = 'RUNNING')::int
    WHERE experiment = OLD.experiment AND stripe = OLD.run_key % 64;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO experiment_runs AS counted (experiment, stripe, active, deleted, running)
    VALUES (NEW.experiment, NEW.run_key % 64, (NEW.lifecycle = 'active')::int, (NEW.lifecycle <> 'active')::int,
      (NEW.lifecycle = 'active' AND NEW.status = 'RUNNING')::int)
    ON CONFLICT (experiment, stripe) DO UPDATE SET active = counted.active + excluded.active,
      deleted = counted.deleted + excluded.deleted, running = counted.running + excluded.running;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER run_counted AFTER INSERT OR DELETE OR UPDATE OF experiment, lifecycle, status ON run
  FOR EACH ROW EXECUTE FUNCTION run_counted();
