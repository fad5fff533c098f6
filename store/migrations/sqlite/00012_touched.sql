-- +goose Up
-- A number that every refused sign-in changes in the row that its look-up read,
-- which for an unknown name is another member's.
ALTER TABLE members ADD COLUMN touched INTEGER NOT NULL DEFAULT 16777216;
