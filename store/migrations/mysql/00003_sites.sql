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
