-- sqlite --
-- +goose Up
-- Times are microseconds since 1970 in UTC.
CREATE TABLE members (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    username_key        TEXT    NULL CHECK (length(username_key) <= 100),
    email_key           TEXT    NULL CHECK (length(email_key) <= 100),
    username            TEXT    NOT NULL DEFAULT '',
    email               TEXT    NOT NULL DEFAULT '',
    firstname           TEXT    NOT NULL DEFAULT '' CHECK (length(firstname) <= 50),
    surname             TEXT    NOT NULL DEFAULT '' CHECK (length(surname) <= 50),
    status              TEXT    NOT NULL CHECK (length(status) <= 20),
    admin               INTEGER NOT NULL DEFAULT 0,
    api_account         INTEGER NOT NULL DEFAULT 0,
    admin_locked        INTEGER NOT NULL DEFAULT 0,
    locked_until        INTEGER NULL,
    failed_signins      INTEGER NOT NULL DEFAULT 0,
    lock_threshold      INTEGER NOT NULL DEFAULT 0,
    language            TEXT    NOT NULL DEFAULT '' CHECK (length(language) <= 35),
    password_hash       TEXT    NOT NULL DEFAULT '' CHECK (length(password_hash) <= 255),
    created_at          INTEGER NULL,
    activated_at        INTEGER NULL,
    last_login_at       INTEGER NULL,
    password_changed_at INTEGER NULL
) STRICT;
CREATE UNIQUE INDEX members_username ON members (username_key);
CREATE UNIQUE INDEX members_email ON members (email_key);

CREATE TABLE member_groups (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name_key    TEXT NOT NULL CHECK (length(name_key) <= 100),
    name        TEXT NOT NULL,
    title       TEXT NOT NULL DEFAULT '' CHECK (length(title) <= 250),
    description TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 1000)
) STRICT;
CREATE UNIQUE INDEX member_groups_name ON member_groups (name_key);

CREATE TABLE memberships (
    group_id  INTEGER NOT NULL REFERENCES member_groups (id) ON DELETE CASCADE,
    member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_member ON memberships (member_id);

-- A row is a token's record and the order to send the mail that carries it.
-- No foreign key to members: a request for nobody writes the same row.
CREATE TABLE mails (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    template    TEXT    NOT NULL CHECK (length(template) <= 50),
    reason      TEXT    NOT NULL DEFAULT '' CHECK (length(reason) <= 20),
    purpose     TEXT    NOT NULL DEFAULT '' CHECK (length(purpose) <= 20),
    member_id   INTEGER NOT NULL,
    addressed   INTEGER NOT NULL,
    group_id    INTEGER NOT NULL DEFAULT 0,
    token_hash  BLOB    NULL CHECK (length(token_hash) = 32),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NULL,
    used_at     INTEGER NULL,
    options     TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (length(state) <= 10),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    claimed_by  TEXT    NOT NULL DEFAULT '' CHECK (length(claimed_by) <= 200),
    lease_until INTEGER NULL,
    sent_at     INTEGER NULL,
    settled_at  INTEGER NULL,
    outcome     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX mails_token ON mails (token_hash);
CREATE INDEX mails_due ON mails (state, due_at, id);
CREATE INDEX mails_member ON mails (member_id, created_at);
CREATE INDEX mails_settled ON mails (settled_at);

-- Nobody: the row that a look-up yields where it finds no member, so that a
-- miss reads as much as a hit.
INSERT INTO members (id, username, email, firstname, surname, status, language, password_hash, created_at)
VALUES (0, 'nobody', 'nobody@invalid', 'No', 'Body', 'disabled', 'en',
        '-------------------------------------------------------------------------------------------------',
        946684800000000);

-- mysql --
-- +goose Up
-- Every statement can be run again: MySQL commits each CREATE by itself, so a
-- crash may leave the migration half done.
CREATE TABLE IF NOT EXISTS members (
    id                  BIGINT         NOT NULL AUTO_INCREMENT,
    username_key        VARBINARY(400) NULL,
    email_key           VARBINARY(400) NULL,
    username            VARCHAR(100)   NOT NULL DEFAULT '',
    email               VARCHAR(100)   NOT NULL DEFAULT '',
    firstname           VARCHAR(50)    NOT NULL DEFAULT '',
    surname             VARCHAR(50)    NOT NULL DEFAULT '',
    status              VARCHAR(20)    NOT NULL,
    admin               BOOLEAN        NOT NULL DEFAULT FALSE,
    api_account         BOOLEAN        NOT NULL DEFAULT FALSE,
    admin_locked        BOOLEAN        NOT NULL DEFAULT FALSE,
    locked_until        DATETIME(6)    NULL,
    failed_signins      INT            NOT NULL DEFAULT 0,
    lock_threshold      INT            NOT NULL DEFAULT 0,
    language            VARCHAR(35)    NOT NULL DEFAULT '',
    password_hash       VARBINARY(255) NOT NULL DEFAULT '',
    created_at          DATETIME(6)    NULL,
    activated_at        DATETIME(6)    NULL,
    last_login_at       DATETIME(6)    NULL,
    password_changed_at DATETIME(6)    NULL,
    PRIMARY KEY (id),
    UNIQUE KEY members_username (username_key),
    UNIQUE KEY members_email (email_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS member_groups (
    id          BIGINT         NOT NULL AUTO_INCREMENT,
    name_key    VARBINARY(400) NOT NULL,
    name        VARCHAR(100)   NOT NULL,
    title       VARCHAR(250)   NOT NULL DEFAULT '',
    description VARCHAR(1000)  NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    UNIQUE KEY member_groups_name (name_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS memberships (
    group_id  BIGINT NOT NULL,
    member_id BIGINT NOT NULL,
    PRIMARY KEY (group_id, member_id),
    KEY memberships_member (member_id),
    CONSTRAINT memberships_group_fk FOREIGN KEY (group_id) REFERENCES member_groups (id) ON DELETE CASCADE,
    CONSTRAINT memberships_member_fk FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A row is a token's record and the order to send the mail that carries it.
-- No foreign key to members: a request for nobody writes the same row.
CREATE TABLE IF NOT EXISTS mails (
    id          BINARY(16)    NOT NULL,
    template    VARCHAR(50)   NOT NULL,
    reason      VARCHAR(20)   NOT NULL DEFAULT '',
    purpose     VARCHAR(20)   NOT NULL DEFAULT '',
    member_id   BIGINT        NOT NULL,
    addressed   TINYINT NOT NULL,
    group_id    BIGINT        NOT NULL DEFAULT 0,
    token_hash  BINARY(32)    NULL,
    created_at  DATETIME(6)   NOT NULL,
    expires_at  DATETIME(6)   NULL,
    used_at     DATETIME(6)   NULL,
    options     TEXT          NOT NULL,
    state       VARCHAR(10)   NOT NULL,
    attempts    INT           NOT NULL DEFAULT 0,
    due_at      DATETIME(6)   NOT NULL,
    claimed_by  VARCHAR(200)  NOT NULL DEFAULT '',
    lease_until DATETIME(6)   NULL,
    sent_at     DATETIME(6)   NULL,
    settled_at  DATETIME(6)   NULL,
    outcome     VARCHAR(1000) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    UNIQUE KEY mails_token (token_hash),
    KEY mails_due (state, due_at, id),
    KEY mails_member (member_id, created_at),
    KEY mails_settled (settled_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Nobody: the row that a look-up yields where it finds no member, so that a
-- miss reads as much as a hit.
SET @reseed_sql_mode = @@SESSION.sql_mode;
SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
INSERT INTO members (id, username, email, firstname, surname, status, language, password_hash, created_at)
SELECT 0, 'nobody', 'nobody@invalid', 'No', 'Body', 'disabled', 'en', REPEAT('-', 97), '2000-01-01 00:00:00'
FROM (SELECT 1 AS one) AS one
WHERE NOT EXISTS (SELECT m.id FROM members AS m WHERE m.id = 0);
SET SESSION sql_mode = @reseed_sql_mode;
