-- +goose Up
-- Who wants to be told of what. kinds has a space before and after each; '' is
-- all of them. The secret is derived from salt and the key, and stands nowhere.
CREATE TABLE webhooks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    salt          BLOB    NOT NULL CHECK (length(salt) = 16),
    url           TEXT    NOT NULL CHECK (length(url) <= 1000),
    kinds         TEXT    NOT NULL DEFAULT '' CHECK (length(kinds) <= 500),
    allow_private INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL
) STRICT;

-- A row is a request that a hook is to get.
CREATE TABLE webhook_calls (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id  INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL CHECK (length(kind) <= 30),
    member_id   INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (length(state) <= 10),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    claimed_by  TEXT    NOT NULL DEFAULT '' CHECK (length(claimed_by) <= 200),
    lease_until INTEGER NULL,
    settled_at  INTEGER NULL,
    outcome     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX webhook_calls_due ON webhook_calls (state, due_at, id);
CREATE INDEX webhook_calls_hook ON webhook_calls (webhook_id);
CREATE INDEX webhook_calls_member ON webhook_calls (member_id);
