-- sqlite --
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

-- mysql --
-- +goose Up
-- Who wants to be told of what. kinds has a space before and after each; '' is
-- all of them. The secret is derived from salt and the key, and stands nowhere.
CREATE TABLE IF NOT EXISTS webhooks (
    id            BIGINT          NOT NULL AUTO_INCREMENT,
    salt          BINARY(16)      NOT NULL,
    url           VARBINARY(1000) NOT NULL,
    kinds         VARBINARY(500)  NOT NULL DEFAULT '',
    allow_private TINYINT(1)      NOT NULL DEFAULT 0,
    created_at    DATETIME(6)     NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A row is a request that a hook is to get.
CREATE TABLE IF NOT EXISTS webhook_calls (
    id          BIGINT        NOT NULL AUTO_INCREMENT,
    webhook_id  BIGINT        NOT NULL,
    kind        VARCHAR(30)   NOT NULL,
    member_id   BIGINT        NOT NULL,
    created_at  DATETIME(6)   NOT NULL,
    state       VARCHAR(10)   NOT NULL,
    attempts    INT           NOT NULL DEFAULT 0,
    due_at      DATETIME(6)   NOT NULL,
    claimed_by  VARCHAR(200)  NOT NULL DEFAULT '',
    lease_until DATETIME(6)   NULL,
    settled_at  DATETIME(6)   NULL,
    outcome     VARCHAR(1000) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    KEY webhook_calls_due (state, due_at, id),
    KEY webhook_calls_hook (webhook_id),
    KEY webhook_calls_member (member_id),
    CONSTRAINT webhook_calls_hook_fk FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
