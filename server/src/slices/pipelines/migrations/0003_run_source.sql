-- Where a run's code came from, as it was said when the run began: the same files may be committed later, or lie at another commit.
ALTER TABLE pipeline_run ADD COLUMN source_commit TEXT;
ALTER TABLE pipeline_run ADD COLUMN source_branch TEXT;
ALTER TABLE pipeline_run ADD COLUMN source_dirty INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pipeline_run ADD COLUMN source_diff TEXT;

-- Of earlier runs, what is said now is all that is known.
UPDATE pipeline_run SET
  source_commit = (SELECT c.commit_id FROM code_snapshot c WHERE c.workspace = pipeline_run.workspace AND c.digest = pipeline_run.code),
  source_branch = (SELECT c.branch FROM code_snapshot c WHERE c.workspace = pipeline_run.workspace AND c.digest = pipeline_run.code),
  source_dirty = coalesce((SELECT c.dirty FROM code_snapshot c WHERE c.workspace = pipeline_run.workspace AND c.digest = pipeline_run.code), 0),
  source_diff = (SELECT c.diff_digest FROM code_snapshot c WHERE c.workspace = pipeline_run.workspace AND c.digest = pipeline_run.code);
