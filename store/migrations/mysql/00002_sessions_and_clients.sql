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
