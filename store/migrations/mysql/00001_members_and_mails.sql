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
