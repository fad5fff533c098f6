-- sqlite --
-- +goose Up
-- Orders for nobody count against no limit from the start, so that sorting one
-- writes to no more indexes than sorting a member's. The column of before stays
-- for servers of before; it takes no room.
ALTER TABLE mails ADD COLUMN uncounted INTEGER GENERATED ALWAYS AS (state = 'dropped' OR addressed = 0) VIRTUAL;
CREATE INDEX mails_counted ON mails (member_id, uncounted, created_at);
DROP INDEX mails_recent;

-- mysql --
-- +goose Up
-- Orders for nobody count against no limit from the start, so that sorting one
-- writes to no more indexes than sorting a member's. The column of before stays
-- for servers of before; it takes no room.
SET @reseed_alter = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE mails ADD COLUMN uncounted TINYINT GENERATED ALWAYS AS (state = ''dropped'' OR addressed = 0) VIRTUAL', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'mails' AND column_name = 'uncounted');
PREPARE reseed_alter FROM @reseed_alter;
EXECUTE reseed_alter;

SET @reseed_index = (SELECT IF(COUNT(*) = 0, 'CREATE INDEX mails_counted ON mails (member_id, uncounted, created_at)', 'DO 0')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'mails' AND index_name = 'mails_counted');
PREPARE reseed_index FROM @reseed_index;
EXECUTE reseed_index;

SET @reseed_unindex = (SELECT IF(COUNT(*) = 0, 'DO 0', 'DROP INDEX mails_recent ON mails')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'mails' AND index_name = 'mails_recent');
PREPARE reseed_unindex FROM @reseed_unindex;
EXECUTE reseed_unindex;
DEALLOCATE PREPARE reseed_alter;
DEALLOCATE PREPARE reseed_index;
DEALLOCATE PREPARE reseed_unindex;
