-- +goose Up
-- What clients send as clientId, which needn't be the site's id.
ALTER TABLE sites ADD COLUMN client_id TEXT NOT NULL DEFAULT '' CHECK (length(client_id) <= 36);
ALTER TABLE sites ADD COLUMN allow_register INTEGER NOT NULL DEFAULT 0;
UPDATE sites SET client_id = uuid;
CREATE UNIQUE INDEX sites_client ON sites (client_id);

-- Tokens of a site's visitors (no member) and members, by their SHA-256. An
-- access token belongs to the refresh token whose id is grant_id.
CREATE TABLE site_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB    NOT NULL CHECK (length(token_hash) = 32),
    kind       TEXT    NOT NULL CHECK (length(kind) <= 10),
    site_id    INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    member_id  INTEGER NULL REFERENCES members (id) ON DELETE CASCADE,
    grant_id   INTEGER NOT NULL DEFAULT 0,
    challenge  TEXT    NOT NULL DEFAULT '' CHECK (length(challenge) <= 128),
    redirect   TEXT    NOT NULL DEFAULT '' CHECK (length(redirect) <= 1000),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX site_tokens_hash ON site_tokens (token_hash);
CREATE INDEX site_tokens_holder ON site_tokens (site_id, kind, member_id, grant_id, id);
CREATE INDEX site_tokens_member ON site_tokens (member_id);
CREATE INDEX site_tokens_grant ON site_tokens (grant_id);
CREATE INDEX site_tokens_expires ON site_tokens (expires_at);
