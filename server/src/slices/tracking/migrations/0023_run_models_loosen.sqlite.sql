-- What a run reads and makes is part of what it looks like as a whole: a change of it makes a sealed run loose, too.
CREATE TRIGGER run_model_put AFTER INSERT ON run_model BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_model_changed AFTER UPDATE ON run_model BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_model_removed AFTER DELETE ON run_model BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_input_changed AFTER UPDATE ON run_input BEGIN
  UPDATE run SET segment = NULL WHERE run_key = NEW.run_key AND segment IS NOT NULL;
END;
CREATE TRIGGER run_input_tag_removed AFTER DELETE ON run_input_tag BEGIN
  UPDATE run SET segment = NULL WHERE run_key = OLD.run_key AND segment IS NOT NULL;
END;
