-- +goose Up
-- The decoy's keys sort behind all others, so that a look-up by the next key
-- always finds a row.
UPDATE members SET username_key = replace(printf('%100s', ''), ' ', char(1114111)),
    email_key = replace(printf('%100s', ''), ' ', char(1114111)) WHERE id = 0;
