-- sqlite --
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

-- mysql --
-- +goose Up
-- What clients send as clientId, which needn't be the site's id. Every
-- statement can be run again: MySQL commits each change of a table by itself,
-- and unlike MariaDB has no ADD COLUMN IF NOT EXISTS.
SET @reseed_column = (SELECT IF(COUNT(*) = 0,
    'ALTER TABLE sites ADD COLUMN client_id VARBINARY(36) NOT NULL DEFAULT '''', ADD COLUMN allow_register TINYINT NOT NULL DEFAULT 0', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'sites' AND column_name = 'client_id');
PREPARE reseed_column FROM @reseed_column;
EXECUTE reseed_column;
DEALLOCATE PREPARE reseed_column;

UPDATE sites SET client_id = uuid WHERE client_id = '';

SET @reseed_index = (SELECT IF(COUNT(*) = 0, 'CREATE UNIQUE INDEX sites_client ON sites (client_id)', 'DO 0')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'sites' AND index_name = 'sites_client');
PREPARE reseed_index FROM @reseed_index;
EXECUTE reseed_index;
DEALLOCATE PREPARE reseed_index;

-- Tokens of a site's visitors (no member) and members, by their SHA-256. An
-- access token belongs to the refresh token whose id is grant_id.
CREATE TABLE IF NOT EXISTS site_tokens (
    id         BIGINT          NOT NULL AUTO_INCREMENT,
    token_hash BINARY(32)      NOT NULL,
    kind       VARCHAR(10)     NOT NULL,
    site_id    BIGINT          NOT NULL,
    member_id  BIGINT          NULL,
    grant_id   BIGINT          NOT NULL DEFAULT 0,
    challenge  VARBINARY(128)  NOT NULL DEFAULT '',
    redirect   VARBINARY(1000) NOT NULL DEFAULT '',
    created_at DATETIME(6)     NOT NULL,
    expires_at DATETIME(6)     NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY site_tokens_hash (token_hash),
    KEY site_tokens_holder (site_id, kind, member_id, grant_id, id),
    KEY site_tokens_member (member_id),
    KEY site_tokens_grant (grant_id),
    KEY site_tokens_expires (expires_at),
    CONSTRAINT site_tokens_site_fk FOREIGN KEY (site_id) REFERENCES sites (id) ON DELETE CASCADE,
    CONSTRAINT site_tokens_member_fk FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
