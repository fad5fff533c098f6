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
