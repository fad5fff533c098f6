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
