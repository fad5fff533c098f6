-- +goose Up
-- A membership has an id, a role and more, as clients read it.
CREATE TABLE new_memberships (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id     INTEGER NOT NULL REFERENCES member_groups (id) ON DELETE CASCADE,
    member_id    INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    role         TEXT    NOT NULL DEFAULT 'contributor' CHECK (length(role) <= 20),
    notification TEXT    NOT NULL DEFAULT 'immediate' CHECK (length(notification) <= 20),
    email_listed INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NULL
) STRICT;
INSERT INTO new_memberships (group_id, member_id)
SELECT s.group_id, s.member_id FROM memberships AS s ORDER BY s.group_id, s.member_id;
DROP TABLE memberships;
ALTER TABLE new_memberships RENAME TO memberships;
CREATE UNIQUE INDEX memberships_group ON memberships (group_id, member_id);
CREATE INDEX memberships_member ON memberships (member_id);

-- The id of a client that was carried over, and what it may ask for beside its
-- own credentials.
ALTER TABLE oauth_clients ADD COLUMN given_id TEXT NOT NULL DEFAULT '' CHECK (length(given_id) <= 100);
ALTER TABLE oauth_clients ADD COLUMN grants TEXT NOT NULL DEFAULT '' CHECK (length(grants) <= 100);

CREATE TABLE refresh_tokens (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    client_id  TEXT    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    member_id  INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_client ON refresh_tokens (client_id);
CREATE INDEX refresh_tokens_member ON refresh_tokens (member_id);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_at);
