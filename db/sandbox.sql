-- The sandbox's data: what a card provider would store. $VAR/sandbox.db, used by no other program; no real money.
-- Names as in Toss Payments' API, in snake_case. Amounts are whole units of the smallest coin, times unix seconds, UTC.

PRAGMA user_version = 1;

-- One-time keys from the hosted card page: valid once, for ten minutes, for the customer who entered the card.
CREATE TABLE auth (
	auth_key     TEXT PRIMARY KEY,
	customer_key TEXT NOT NULL,
	card         INTEGER NOT NULL,                   -- which test card (cards.c)
	expires_at   INTEGER NOT NULL,
	used_at      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE billing (                               -- a saved card
	billing_key  TEXT PRIMARY KEY,
	customer_key TEXT NOT NULL,
	card         INTEGER NOT NULL,
	created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE payment (
	payment_id   INTEGER PRIMARY KEY,
	payment_key  TEXT NOT NULL UNIQUE,
	order_id     TEXT NOT NULL CHECK (length(order_id) BETWEEN 6 AND 64),  -- the merchant's id of the payment
	order_name   TEXT NOT NULL,
	customer_key TEXT NOT NULL,
	card         INTEGER NOT NULL,
	amount       INTEGER NOT NULL CHECK (amount > 0),
	balance      INTEGER NOT NULL CHECK (balance BETWEEN 0 AND amount),    -- not refunded yet
	currency     TEXT NOT NULL,
	status       TEXT NOT NULL CHECK (status IN ('IN_PROGRESS', 'DONE', 'PARTIAL_CANCELED', 'CANCELED', 'ABORTED', 'EXPIRED')),
	failure      TEXT NOT NULL DEFAULT '',           -- ABORTED: the code it was declined with
	requested_at INTEGER NOT NULL,
	approved_at  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX payment_by_order ON payment (order_id, payment_id);
-- an order is paid once
CREATE UNIQUE INDEX payment_taken ON payment (order_id) WHERE status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED');

CREATE TABLE cancel (
	cancel_id    INTEGER PRIMARY KEY,
	payment_id   INTEGER NOT NULL REFERENCES payment (payment_id),
	amount       INTEGER NOT NULL CHECK (amount > 0),
	reason       TEXT NOT NULL,
	transaction_key TEXT NOT NULL UNIQUE,
	canceled_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX cancel_by_payment ON cancel (payment_id);

-- The first answer under each Idempotency-Key, repeated for 15 days.
CREATE TABLE answer (
	idempotency_key TEXT PRIMARY KEY,
	request_hash TEXT NOT NULL,                      -- of path and body: another request under the same key is refused
	status       INTEGER NOT NULL,
	body         TEXT NOT NULL,
	ready_ms     INTEGER NOT NULL,                   -- a slow answer is "still processing" until then (the machine's uptime in ms)
	created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_by_age ON answer (created_at);

CREATE TABLE fault (                                 -- what is broken on purpose (docs/sandbox.md)
	name  TEXT PRIMARY KEY CHECK (name IN ('slow_ms', 'slow_ms_max', 'down', 'hang_ms', 'lost_answers', 'webhooks', 'duplicate_webhooks')),
	value INTEGER NOT NULL CHECK (value BETWEEN 0 AND 60000)
) STRICT, WITHOUT ROWID;
