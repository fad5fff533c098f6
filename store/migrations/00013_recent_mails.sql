-- sqlite --
-- +goose Up
-- What was dropped counts against no limit: the orders of a member's last hour
-- are found without passing the many that a flood leaves.
ALTER TABLE mails ADD COLUMN dropped INTEGER GENERATED ALWAYS AS (state = 'dropped') VIRTUAL;
CREATE INDEX mails_recent ON mails (member_id, dropped, created_at);
DROP INDEX mails_member;

-- mysql --
-- +goose Up
-- What was dropped counts against no limit: the orders of a member's last hour
-- are found without passing the many that a flood leaves.
SET @reseed_alter = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE mails ADD COLUMN dropped TINYINT GENERATED ALWAYS AS (state = ''dropped'') VIRTUAL', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'mails' AND column_name = 'dropped');
PREPARE reseed_alter FROM @reseed_alter;
EXECUTE reseed_alter;

SET @reseed_index = (SELECT IF(COUNT(*) = 0, 'CREATE INDEX mails_recent ON mails (member_id, dropped, created_at)', 'DO 0')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'mails' AND index_name = 'mails_recent');
PREPARE reseed_index FROM @reseed_index;
EXECUTE reseed_index;

SET @reseed_unindex = (SELECT IF(COUNT(*) = 0, 'DO 0', 'DROP INDEX mails_member ON mails')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'mails' AND index_name = 'mails_member');
PREPARE reseed_unindex FROM @reseed_unindex;
EXECUTE reseed_unindex;
DEALLOCATE PREPARE reseed_alter;
DEALLOCATE PREPARE reseed_index;
DEALLOCATE PREPARE reseed_unindex;
