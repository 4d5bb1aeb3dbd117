-- How far a source of another system's is taken in: one text of the reader's own for each thing it reads.
CREATE TABLE import_mark (
  workspace TEXT NOT NULL,
  source TEXT NOT NULL,
  item TEXT NOT NULL,
  mark TEXT NOT NULL,
  PRIMARY KEY (workspace, source, item)
) :clustered:;
