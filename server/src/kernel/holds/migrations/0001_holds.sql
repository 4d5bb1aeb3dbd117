-- Who stands on what. A delete asks here first; a release lets go of all of its own at once.
CREATE TABLE hold (
  workspace TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  by_kind TEXT NOT NULL,
  by_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  placed_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, subject_kind, subject_id, by_kind, by_id)
) :strict:;

CREATE INDEX hold_by ON hold (workspace, by_kind, by_id);
