-- sqlite --
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

-- mysql --
-- +goose Up
-- A membership has an id, a role and more, as clients read it. Every statement
-- can be run again: MySQL commits each ALTER by itself.
SET @reseed_alter = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE memberships
    ADD COLUMN id BIGINT NOT NULL AUTO_INCREMENT,
    ADD COLUMN role VARCHAR(20) NOT NULL DEFAULT ''contributor'',
    ADD COLUMN notification VARCHAR(20) NOT NULL DEFAULT ''immediate'',
    ADD COLUMN email_listed BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN created_at DATETIME(6) NULL,
    ADD UNIQUE KEY memberships_id (id)', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'memberships' AND column_name = 'role');
PREPARE reseed_alter FROM @reseed_alter;
EXECUTE reseed_alter;

-- The id of a client that was carried over, and what it may ask for beside its
-- own credentials.
SET @reseed_alter = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE oauth_clients
    ADD COLUMN given_id VARBINARY(100) NOT NULL DEFAULT '''',
    ADD COLUMN grants VARCHAR(100) NOT NULL DEFAULT ''''', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'oauth_clients' AND column_name = 'grants');
PREPARE reseed_alter FROM @reseed_alter;
EXECUTE reseed_alter;

CREATE TABLE IF NOT EXISTS refresh_tokens (
    token_hash BINARY(32)  NOT NULL,
    client_id  BINARY(16)  NOT NULL,
    member_id  BIGINT      NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (token_hash),
    KEY refresh_tokens_client (client_id),
    KEY refresh_tokens_member (member_id),
    KEY refresh_tokens_expires (expires_at),
    CONSTRAINT refresh_tokens_client_fk FOREIGN KEY (client_id) REFERENCES oauth_clients (id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_member_fk FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DEALLOCATE PREPARE reseed_alter;
