-- sqlite --
-- +goose Up
-- The decoy's keys sort behind all others, so that a look-up by the next key
-- always finds a row.
UPDATE members SET username_key = replace(printf('%100s', ''), ' ', char(1114111)),
    email_key = replace(printf('%100s', ''), ' ', char(1114111)) WHERE id = 0;

-- mysql --
-- +goose Up
-- The decoy's keys sort behind all others, so that a look-up by the next key
-- always finds a row.
UPDATE members SET username_key = REPEAT(X'FF', 400), email_key = REPEAT(X'FF', 400) WHERE id = 0;
