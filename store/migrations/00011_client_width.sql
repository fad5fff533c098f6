-- sqlite --
-- +goose Up
-- Where no failure is any client's, as many characters as a client has: rows
-- don't get longer by the first failure.
UPDATE members SET fail_client = '----------------' WHERE fail_client = '';

-- mysql --
-- +goose Up
-- Where no failure is any client's, as many characters as a client has: rows
-- don't get longer by the first failure.
UPDATE members SET fail_client = '----------------' WHERE fail_client = '';
