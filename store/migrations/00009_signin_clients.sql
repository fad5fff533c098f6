-- sqlite --
-- +goose Up
-- Failed sign-ins in a row through all locks, whose the latest are, and whom a
-- lock is for: '' everybody.
ALTER TABLE members ADD COLUMN bad_signins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN fail_client TEXT NOT NULL DEFAULT '' CHECK (length(fail_client) <= 32);
ALTER TABLE members ADD COLUMN lock_client TEXT NOT NULL DEFAULT '' CHECK (length(lock_client) <= 32);

-- mysql --
-- +goose Up
-- Failed sign-ins in a row through all locks, whose the latest are, and whom a
-- lock is for: '' everybody.
SET @reseed_alter = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE members
    ADD COLUMN bad_signins INT NOT NULL DEFAULT 0,
    ADD COLUMN fail_client VARBINARY(32) NOT NULL DEFAULT '''',
    ADD COLUMN lock_client VARBINARY(32) NOT NULL DEFAULT ''''', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'members' AND column_name = 'lock_client');
PREPARE reseed_alter FROM @reseed_alter;
EXECUTE reseed_alter;
