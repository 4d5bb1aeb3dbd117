-- How many runs an experiment has, kept with every change of a run (docs/decisions/0081-run-counts-by-trigger.md).
-- On PostgreSQL a run counts in one of several rows, so that writers seldom wait for one another; here all in row 0.
CREATE TABLE experiment_runs (
  experiment :int: NOT NULL REFERENCES experiment (experiment) ON DELETE CASCADE,
  stripe :int: NOT NULL,
  active :int: NOT NULL,
  deleted :int: NOT NULL,
  running :int: NOT NULL,
  PRIMARY KEY (experiment, stripe)
) :clustered:;

INSERT INTO experiment_runs (experiment, stripe, active, deleted, running)
SELECT experiment, 0, sum(lifecycle = 'active'), sum(lifecycle <> 'active'), sum(lifecycle = 'active' AND status = 'RUNNING')
FROM run GROUP BY experiment;

CREATE TRIGGER run_counted AFTER INSERT ON run BEGIN
  INSERT INTO experiment_runs (experiment, stripe, active, deleted, running)
  VALUES (NEW.experiment, 0, NEW.lifecycle = 'active', NEW.lifecycle <> 'active', NEW.lifecycle = 'active' AND NEW.status = 'RUNNING')
  ON CONFLICT (experiment, stripe) DO UPDATE SET
    active = active + excluded.active, deleted = deleted + excluded.deleted, running = running + excluded.running;
END;

CREATE TRIGGER run_recounted AFTER UPDATE OF experiment, lifecycle, status ON run
WHEN OLD.experiment <> NEW.experiment OR OLD.lifecycle <> NEW.lifecycle OR OLD.status <> NEW.status BEGIN
  UPDATE experiment_runs SET
    active = active - (OLD.lifecycle = 'active'), deleted = deleted - (OLD.lifecycle <> 'active'),
    running = running - (OLD.lifecycle = 'active' AND OLD.status = 'RUNNING')
  WHERE experiment = OLD.experiment AND stripe = 0;
  INSERT INTO experiment_runs (experiment, stripe, active, deleted, running)
  VALUES (NEW.experiment, 0, NEW.lifecycle = 'active', NEW.lifecycle <> 'active', NEW.lifecycle = 'active' AND NEW.status = 'RUNNING')
  ON CONFLICT (experiment, stripe) DO UPDATE SET
    active = active + excluded.active, deleted = deleted + excluded.deleted, running = running + excluded.running;
END;

CREATE TRIGGER run_uncounted AFTER DELETE ON run BEGIN
  UPDATE experiment_runs SET
    active = active - (OLD.lifecycle = 'active'), deleted = deleted - (OLD.lifecycle <> 'active'),
    running = running - (OLD.lifecycle = 'active' AND OLD.status = 'RUNNING')
  WHERE experiment = OLD.experiment AND stripe = 0;
END;
