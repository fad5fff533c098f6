-- sqlite --
-- +goose Up
-- So that a purge finds the old rows without looking at all others.
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX access_tokens_expires ON access_tokens (expires_at);
CREATE INDEX site_days_day ON site_days (day);

-- mysql --
-- +goose Up
-- So that a purge finds the old rows without looking at, and locking, all
-- others. Every statement can be run again: MySQL commits each index by itself,
-- and unlike MariaDB has no CREATE INDEX IF NOT EXISTS.
SET @reseed_index = (SELECT IF(COUNT(*) = 0, 'CREATE INDEX sessions_expires ON sessions (expires_at)', 'DO 0')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'sessions' AND index_name = 'sessions_expires');
PREPARE reseed_index FROM @reseed_index;
EXECUTE reseed_index;

SET @reseed_index = (SELECT IF(COUNT(*) = 0, 'CREATE INDEX access_tokens_expires ON access_tokens (expires_at)', 'DO 0')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'access_tokens' AND index_name = 'access_tokens_expires');
PREPARE reseed_index FROM @reseed_index;
EXECUTE reseed_index;

SET @reseed_index = (SELECT IF(COUNT(*) = 0, 'CREATE INDEX site_days_day ON site_days (day)', 'DO 0')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = 'site_days' AND index_name = 'site_days_day');
PREPARE reseed_index FROM @reseed_index;
EXECUTE reseed_index;
DEALLOCATE PREPARE reseed_index;
