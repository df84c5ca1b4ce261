-- The read models: what my page and the managers' car screen show, in a file of its own, $VAR/view.db.
--
-- Made from the event log and from nothing else: delete the file, replay the log, and the same rows stand here again
-- (`motorpool replay`; `motorpool check` compares). So every key comes from an event, no column holds the time of the replay, and
-- a row depends on the events of one subject only: the log keeps their order, not that of different subjects.
-- Owner: mypage. Nobody else reads it. Amounts and times as in schema.sql.

PRAGMA user_version = 1;

-- --------------------------------------------------------------------------------------- how far mypage is (lib/consumer.c)
-- The same columns as in schema.sql, so that the same SQL serves both files. These two are about the work, not about the
-- business: a replay need not repeat them.

CREATE TABLE position (
	consumer  TEXT PRIMARY KEY,
	event_id  INTEGER NOT NULL,
	moved_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event_retry (
	consumer   TEXT NOT NULL,
	event_id   INTEGER NOT NULL,
	subject_id TEXT NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,
	next_at    INTEGER NOT NULL,
	error      TEXT NOT NULL DEFAULT '',
	dead       INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
	PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_retry_by_subject ON event_retry (consumer, subject_id, event_id);

-- ------------------------------------------------------------------------------------------------------------ my bookings

CREATE TABLE my_booking (
	code            TEXT PRIMARY KEY,
	customer_id     INTEGER NOT NULL,
	car_id          INTEGER NOT NULL,
	car_name        TEXT NOT NULL,                   -- with plate, body and branch as they were promised
	plate           TEXT NOT NULL,
	body            TEXT NOT NULL,
	branch_id       INTEGER NOT NULL,
	branch_name     TEXT NOT NULL,
	branch_name_ko  TEXT NOT NULL,
	state           TEXT NOT NULL,                   -- as in schema.sql's booking
	shelf           TEXT NOT NULL CHECK (shelf IN ('upcoming', 'past', 'cancelled', 'none')),  -- the tab it stands under
	reservation     TEXT NOT NULL DEFAULT '',        -- what fleet said of the car: '', RESERVED, REFUSED, OUT, ENDED, RELEASED
	starts_at       INTEGER NOT NULL,
	ends_at         INTEGER NOT NULL,
	amount          INTEGER NOT NULL,
	vat_amount      INTEGER NOT NULL,
	currency        TEXT NOT NULL,
	hold_until      INTEGER NOT NULL,
	payment_state   TEXT NOT NULL DEFAULT 'NONE',    -- NONE, APPROVED, FAILED, CANCEL_REQUESTED (a refund is due), CANCELLED (refunded)
	brand           TEXT NOT NULL DEFAULT '',
	last4           TEXT NOT NULL DEFAULT '',
	refund_due      INTEGER NOT NULL DEFAULT 0,
	refunded_amount INTEGER NOT NULL DEFAULT 0,
	end_reason      TEXT NOT NULL DEFAULT '',        -- declined, hold_over, customer, car_refused …
	held_at         INTEGER NOT NULL,                -- when each step was reached; 0: not yet
	charged_at      INTEGER NOT NULL DEFAULT 0,
	paid_at         INTEGER NOT NULL DEFAULT 0,
	confirmed_at    INTEGER NOT NULL DEFAULT 0,
	out_at          INTEGER NOT NULL DEFAULT 0,
	returned_at     INTEGER NOT NULL DEFAULT 0,
	completed_at    INTEGER NOT NULL DEFAULT 0,
	ended_at        INTEGER NOT NULL DEFAULT 0,      -- expired, asked to cancel, rejected, not picked up
	refunded_at     INTEGER NOT NULL DEFAULT 0,
	updated_at      INTEGER NOT NULL,                -- when the last event that touched it happened
	event_id        INTEGER NOT NULL                 -- … and which it was
) STRICT, WITHOUT ROWID;
CREATE INDEX my_booking_by_customer ON my_booking (customer_id, starts_at, code);
CREATE INDEX my_booking_by_shelf ON my_booking (customer_id, shelf, starts_at, code);
-- which booking has a car now or next: the few that are still to come, not the years behind them
CREATE INDEX my_booking_open ON my_booking (car_id, starts_at) WHERE state IN ('PAID', 'CONFIRMED', 'OUT');

CREATE TABLE my_booking_line (                       -- how its price is made up
	code        TEXT NOT NULL,
	line_no     INTEGER NOT NULL,
	rule        TEXT NOT NULL,
	version     INTEGER NOT NULL,
	unit        TEXT NOT NULL,
	quantity    INTEGER NOT NULL,
	unit_amount INTEGER NOT NULL,
	amount      INTEGER NOT NULL,
	PRIMARY KEY (code, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE my_event (                              -- a booking's history, as far as it is worth telling
	code        TEXT NOT NULL,
	event_id    INTEGER NOT NULL,
	type        TEXT NOT NULL,                       -- booking.paid, car.reserved …
	occurred_at INTEGER NOT NULL,
	amount      INTEGER NOT NULL DEFAULT 0,          -- charged, refunded or to be refunded
	reason      TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (code, event_id)
) STRICT, WITHOUT ROWID;

-- -------------------------------------------------------------------------------------------------------- the car screen

CREATE TABLE view_car (
	car_id         INTEGER PRIMARY KEY,
	plate          TEXT NOT NULL,
	name           TEXT NOT NULL,
	body           TEXT NOT NULL,
	branch_id      INTEGER NOT NULL,
	branch_name    TEXT NOT NULL,
	branch_name_ko TEXT NOT NULL,
	service        TEXT NOT NULL,                    -- IN_SERVICE, OUT_OF_SERVICE, RETIRED
	updated_at     INTEGER NOT NULL,
	event_id       INTEGER NOT NULL
) STRICT;
CREATE INDEX view_car_by_plate ON view_car (plate);
