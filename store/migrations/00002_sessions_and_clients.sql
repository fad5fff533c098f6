-- sqlite --
-- +goose Up
-- Times are microseconds since 1970 in UTC.
CREATE TABLE sessions (
    id_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(id_hash) = 32),
    member_id  INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_member ON sessions (member_id, expires_at);

CREATE TABLE oauth_clients (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT    NOT NULL CHECK (length(name) <= 100),
    secret_hash BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    member_id   INTEGER NULL REFERENCES members (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth_clients_member ON oauth_clients (member_id);

CREATE TABLE access_tokens (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    client_id  TEXT    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    member_id  INTEGER NULL REFERENCES members (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX access_tokens_client ON access_tokens (client_id, expires_at);
CREATE INDEX access_tokens_member ON access_tokens (member_id);

-- mysql --
-- +goose Up
-- Every statement can be run again: MySQL commits each CREATE by itself.
CREATE TABLE IF NOT EXISTS sessions (
    id_hash    BINARY(32)  NOT NULL,
    member_id  BIGINT      NOT NULL,
    created_at DATETIME(6) NOT NULL,
    seen_at    DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id_hash),
    KEY sessions_member (member_id, expires_at),
    CONSTRAINT sessions_member_fk FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS oauth_clients (
    id          BINARY(16)   NOT NULL,
    name        VARCHAR(100) NOT NULL,
    secret_hash BINARY(32)   NOT NULL,
    member_id   BIGINT       NULL,
    created_at  DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    KEY oauth_clients_member (member_id),
    CONSTRAINT oauth_clients_member_fk FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS access_tokens (
    token_hash BINARY(32)  NOT NULL,
    client_id  BINARY(16)  NOT NULL,
    member_id  BIGINT      NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (token_hash),
    KEY access_tokens_client (client_id, expires_at),
    KEY access_tokens_member (member_id),
    CONSTRAINT access_tokens_client_fk FOREIGN KEY (client_id) REFERENCES oauth_clients (id) ON DELETE CASCADE,
    CONSTRAINT access_tokens_member_fk FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
