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
