-- +goose Up
-- Failed sign-ins in a row through all locks, whose the latest are, and whom a
-- lock is for: '' everybody.
ALTER TABLE members ADD COLUMN bad_signins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN fail_client TEXT NOT NULL DEFAULT '' CHECK (length(fail_client) <= 32);
ALTER TABLE members ADD COLUMN lock_client TEXT NOT NULL DEFAULT '' CHECK (length(lock_client) <= 32);
