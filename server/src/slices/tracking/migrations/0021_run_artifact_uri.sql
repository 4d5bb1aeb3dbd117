-- Where a run's artifacts are when that is not below its experiment: a run that was moved keeps its files where they lie.
ALTER TABLE run ADD COLUMN artifact_uri TEXT;
