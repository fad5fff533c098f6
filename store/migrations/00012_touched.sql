-- sqlite --
-- +goose Up
-- A number that every refused sign-in changes in the row that its look-up read,
-- which for an unknown name is another member's.
ALTER TABLE members ADD COLUMN touched INTEGER NOT NULL DEFAULT 16777216;

-- mysql --
-- +goose Up
-- A number that every refused sign-in changes in the row that its look-up read,
-- which for an unknown name is another member's.
SET @reseed_alter = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE members ADD COLUMN touched INT NOT NULL DEFAULT 16777216', 'DO 0')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'members' AND column_name = 'touched');
PREPARE reseed_alter FROM @reseed_alter;
EXECUTE reseed_alter;
