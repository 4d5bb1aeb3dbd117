-- Addresses of other systems, told what happens here.
CREATE TABLE webhook (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  url TEXT NOT NULL,
  topics :json: NOT NULL, -- ["model_version.created", …]
  active :bool: NOT NULL,
  sealed_secret TEXT, -- readable only with the server's own secret
  created_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, id)
) :strict:;

-- What was sent, newest first; old ones go when new ones come.
CREATE TABLE webhook_message (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  webhook TEXT NOT NULL,
  topic TEXT NOT NULL,
  state TEXT NOT NULL, -- waiting, delivered, failed
  attempts INTEGER NOT NULL,
  status INTEGER,
  words TEXT,
  made_ms :ms: NOT NULL,
  updated_ms :ms: NOT NULL,
  PRIMARY KEY (workspace, id)
) :strict:;

CREATE INDEX webhook_message_by_webhook ON webhook_message (workspace, webhook, id);
