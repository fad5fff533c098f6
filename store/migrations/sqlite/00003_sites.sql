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
