-- What a project says of a dataset: versions registered without a time column take this one.
ALTER TABLE dataset ADD COLUMN time_column TEXT;
