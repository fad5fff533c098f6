-- sqlite --
-- +goose Up
-- What happened, for those who look after the accounts. Rows are only ever
-- added, and purged when they are old.
CREATE TABLE events (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (length(kind) <= 40),
    request_id TEXT    NOT NULL DEFAULT '' CHECK (length(request_id) <= 40),
    member_id  INTEGER NOT NULL DEFAULT 0,
    actor      TEXT    NOT NULL DEFAULT '' CHECK (length(actor) <= 120),
    group_id   INTEGER NOT NULL DEFAULT 0,
    identifier TEXT    NOT NULL DEFAULT '' CHECK (length(identifier) <= 200),
    client     TEXT    NOT NULL DEFAULT '' CHECK (length(client) <= 64),
    code       TEXT    NOT NULL DEFAULT '' CHECK (length(code) <= 10),
    detail     TEXT    NOT NULL DEFAULT '' CHECK (length(detail) <= 200)
) STRICT;
CREATE INDEX events_at ON events (at, id);
CREATE INDEX events_member ON events (member_id, at);
CREATE INDEX events_kind ON events (kind, at);

-- mysql --
-- +goose Up
-- What happened, for those who look after the accounts. Rows are only ever
-- added, and purged when they are old.
CREATE TABLE IF NOT EXISTS events (
    id         BINARY(16)   NOT NULL,
    at         DATETIME(6)  NOT NULL,
    kind       VARCHAR(40)  NOT NULL,
    request_id VARCHAR(40)  NOT NULL DEFAULT '',
    member_id  BIGINT       NOT NULL DEFAULT 0,
    actor      VARCHAR(120) NOT NULL DEFAULT '',
    group_id   BIGINT       NOT NULL DEFAULT 0,
    identifier VARCHAR(200) NOT NULL DEFAULT '',
    client     VARCHAR(64)  NOT NULL DEFAULT '',
    code       VARCHAR(10)  NOT NULL DEFAULT '',
    detail     VARCHAR(200) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    KEY events_at (at, id),
    KEY events_member (member_id, at),
    KEY events_kind (kind, at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
