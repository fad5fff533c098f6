-- sqlite --
-- +goose Up
-- Events are purged and listed by their ids, which begin with their time; no
-- statement reads these.
DROP INDEX events_at;
DROP INDEX events_kind;

-- mysql --
-- +goose Up
-- Events are purged and listed by their ids, which begin with their time; no
-- statement reads these.
SET @reseed_unindex = (SELECT IF(COUNT(*) = 0, 'DO 0', 'DROP INDEX events_at ON events')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'events_at');
PREPARE reseed_unindex FROM @reseed_unindex;
EXECUTE reseed_unindex;

SET @reseed_unindex = (SELECT IF(COUNT(*) = 0, 'DO 0', 'DROP INDEX events_kind ON events')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'events_kind');
PREPARE reseed_unindex FROM @reseed_unindex;
EXECUTE reseed_unindex;
DEALLOCATE PREPARE reseed_unindex;
