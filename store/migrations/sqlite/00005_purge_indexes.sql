-- +goose Up
-- So that a purge finds the old rows without looking at all others.
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX access_tokens_expires ON access_tokens (expires_at);
CREATE INDEX site_days_day ON site_days (day);
