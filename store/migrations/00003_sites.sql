-- sqlite --
-- +goose Up
CREATE TABLE sites (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid       TEXT    NOT NULL CHECK (length(uuid) = 36),
    group_id   INTEGER NOT NULL REFERENCES member_groups (id),
    redirects  TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sites_uuid ON sites (uuid);
CREATE INDEX sites_group ON sites (group_id);

-- A key itself is not stored, only its SHA-256.
CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    site_id    INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    key_hash   BLOB    NOT NULL CHECK (length(key_hash) = 32),
    scopes     TEXT    NOT NULL DEFAULT '' CHECK (length(scopes) <= 200),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);
CREATE INDEX api_keys_site ON api_keys (site_id);

-- How many mails a site ordered on a day, which counts from 1970 in UTC.
CREATE TABLE site_days (
    site_id INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    day     INTEGER NOT NULL,
    mails   INTEGER NOT NULL,
    PRIMARY KEY (site_id, day)
) STRICT, WITHOUT ROWID;

-- mysql --
-- +goose Up
-- Every statement can be run again: MySQL commits each CREATE by itself, so a
-- crash may leave the migration half done.
CREATE TABLE IF NOT EXISTS sites (
    id         BIGINT        NOT NULL AUTO_INCREMENT,
    uuid       VARBINARY(36) NOT NULL,
    group_id   BIGINT        NOT NULL,
    redirects  TEXT          NOT NULL,
    created_at DATETIME(6)   NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY sites_uuid (uuid),
    KEY sites_group (group_id),
    CONSTRAINT sites_group_fk FOREIGN KEY (group_id) REFERENCES member_groups (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A key itself is not stored, only its SHA-256.
CREATE TABLE IF NOT EXISTS api_keys (
    id         BIGINT       NOT NULL AUTO_INCREMENT,
    site_id    BIGINT       NOT NULL,
    key_hash   BINARY(32)   NOT NULL,
    scopes     VARCHAR(200) NOT NULL DEFAULT '',
    created_at DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY api_keys_hash (key_hash),
    KEY api_keys_site (site_id),
    CONSTRAINT api_keys_site_fk FOREIGN KEY (site_id) REFERENCES sites (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How many mails a site ordered on a day, which counts from 1970 in UTC.
CREATE TABLE IF NOT EXISTS site_days (
    site_id BIGINT NOT NULL,
    day     INT    NOT NULL,
    mails   INT    NOT NULL,
    PRIMARY KEY (site_id, day),
    CONSTRAINT site_days_site_fk FOREIGN KEY (site_id) REFERENCES sites (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
