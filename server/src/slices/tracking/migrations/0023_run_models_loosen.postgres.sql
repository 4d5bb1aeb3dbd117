-- What a run reads and makes is part of what it looks like as a whole: a change of it makes a sealed run loose, too.
CREATE TRIGGER run_model_put AFTER INSERT ON run_model REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_model_changed AFTER UPDATE ON run_model REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
CREATE TRIGGER run_model_removed AFTER DELETE ON run_model REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION run_loosens();
