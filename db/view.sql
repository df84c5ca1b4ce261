-- The read models behind My page and the fleet status page, in a file of their own, $VAR/view.db.
-- Version 2: further cars, delivery, equipment and messages of a booking, and equipment ordered without a car.
-- Version 3: the cars' names in Korean; a delivery's courier by id.
-- Version 4: which try to pay for a booking its payment is.
-- Version 5: until when a no-show or a return can be undone.
--
-- Made from the event log only: after deleting the file a replay of the log makes the same rows again (`motorpool replay`;
-- `motorpool check` compares). So every key comes from an event, no column holds the time of the replay, and a row depends on the
-- events of one subject only, since the log does not keep the order between subjects.
-- Owner: mypage; no other program reads it. Amounts and times as in schema.sql.

PRAGMA user_version = 5;

-- --------------------------------------------------------------------------------------- how far mypage is (lib/event/consumer.c)
-- The same columns as in schema.sql, so that the same SQL works on both files. These two tables record progress and are not
-- compared with a replay.

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
	car_name        TEXT NOT NULL,                   -- frozen at booking, as are plate, body and branch
	car_name_ko     TEXT NOT NULL,
	plate           TEXT NOT NULL,
	body            TEXT NOT NULL,
	n_cars          INTEGER NOT NULL DEFAULT 1,      -- the others are in my_booking_car
	branch_id       INTEGER NOT NULL,
	branch_name     TEXT NOT NULL,
	branch_name_ko  TEXT NOT NULL,
	state           TEXT NOT NULL,                   -- as in schema.sql's booking
	tab             TEXT NOT NULL CHECK (tab IN ('upcoming', 'past', 'cancelled', 'none')),  -- where the list shows it
	reservation     TEXT NOT NULL DEFAULT '',        -- fleet's answer: '', RESERVED, REFUSED, OUT, ENDED, RELEASED
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
	ended_at        INTEGER NOT NULL DEFAULT 0,      -- expired, cancellation requested, rejected, not picked up
	refunded_at     INTEGER NOT NULL DEFAULT 0,
	try_no          INTEGER NOT NULL DEFAULT 1,      -- which try to pay payment_state, brand … are about: the last one
	undo_until      INTEGER NOT NULL DEFAULT 0,      -- not picked up, or returned: it can be undone until then; 0: final
	updated_at      INTEGER NOT NULL,                -- time of the last event that changed it
	event_id        INTEGER NOT NULL                 -- … and its id
) STRICT, WITHOUT ROWID;
CREATE INDEX my_booking_by_customer ON my_booking (customer_id, starts_at, code);
CREATE INDEX my_booking_by_tab ON my_booking (customer_id, tab, starts_at, code);
-- for the current or next booking of a car; past bookings are not in it
CREATE INDEX my_booking_open ON my_booking (car_id, starts_at) WHERE state IN ('PAID', 'CONFIRMED', 'OUT');

CREATE TABLE my_booking_car (                        -- the second and further cars of a booking
	code        TEXT NOT NULL,
	car_no      INTEGER NOT NULL,                    -- 2 …
	car_id      INTEGER NOT NULL,
	car_name    TEXT NOT NULL,
	car_name_ko TEXT NOT NULL,
	plate       TEXT NOT NULL,
	is_open     INTEGER NOT NULL DEFAULT 1,          -- 0: the booking no longer needs it
	PRIMARY KEY (code, car_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX my_booking_car_open ON my_booking_car (car_id) WHERE is_open = 1;

CREATE TABLE my_booking_line (                       -- the parts of its price
	code        TEXT NOT NULL,
	line_no     INTEGER NOT NULL,
	rule        TEXT NOT NULL,
	version     INTEGER NOT NULL,
	unit        TEXT NOT NULL,
	quantity    INTEGER NOT NULL,
	unit_amount INTEGER NOT NULL,
	amount      INTEGER NOT NULL,
	label       TEXT NOT NULL DEFAULT '',            -- an item's name, a zone
	label_ko    TEXT NOT NULL DEFAULT '',
	ended_at    INTEGER NOT NULL DEFAULT 0,          -- a cancelled extra: since when, why, and its refund
	end_reason  TEXT NOT NULL DEFAULT '',
	refund_due  INTEGER NOT NULL DEFAULT 0,
	refunded_amount INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (code, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE my_delivery (                           -- deliveries and collections
	delivery_id  INTEGER PRIMARY KEY,
	code         TEXT NOT NULL,                      -- the booking's
	customer_id  INTEGER NOT NULL,
	direction    TEXT NOT NULL,                      -- delivery, collection
	state        TEXT NOT NULL,                      -- as in schema.sql's delivery
	zone         TEXT NOT NULL,
	window_from  INTEGER NOT NULL,
	window_to    INTEGER NOT NULL,
	courier_id   INTEGER NOT NULL,                   -- 0: none; the name is read from v_user
	reason       TEXT NOT NULL DEFAULT '',           -- why it was cancelled, and by whom
	ended_by     TEXT NOT NULL DEFAULT '',
	odometer_km  INTEGER NOT NULL DEFAULT 0,         -- when the keys changed hands; by whom: v_delivery
	fuel_percent INTEGER NOT NULL DEFAULT 0,
	requested_at INTEGER NOT NULL DEFAULT 0,
	scheduled_at INTEGER NOT NULL DEFAULT 0,
	shipped_at   INTEGER NOT NULL DEFAULT 0,
	delivered_at INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,
	updated_at   INTEGER NOT NULL,
	event_id     INTEGER NOT NULL
) STRICT;
CREATE INDEX my_delivery_by_booking ON my_delivery (code, delivery_id);

CREATE TABLE my_order (                              -- equipment orders, with a booking or without a car
	order_code   TEXT PRIMARY KEY,
	booking_code TEXT NOT NULL,                      -- '': without a car
	line_no      INTEGER NOT NULL,
	customer_id  INTEGER NOT NULL,
	item_id      INTEGER NOT NULL,
	item_name    TEXT NOT NULL,
	item_name_ko TEXT NOT NULL,
	category     TEXT NOT NULL,
	quantity     INTEGER NOT NULL,
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL,
	amount       INTEGER NOT NULL,
	currency     TEXT NOT NULL,
	state        TEXT NOT NULL,                      -- as in schema.sql's equipment_order
	reason       TEXT NOT NULL DEFAULT '',           -- why it was rejected or cancelled, and by whom
	ended_by     TEXT NOT NULL DEFAULT '',
	lost         INTEGER NOT NULL DEFAULT 0,
	ordered_at   INTEGER NOT NULL,
	approved_at  INTEGER NOT NULL DEFAULT 0,
	handed_out_at INTEGER NOT NULL DEFAULT 0,
	returned_at  INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,
	updated_at   INTEGER NOT NULL,
	event_id     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX my_order_by_booking ON my_order (booking_code, line_no) WHERE booking_code <> '';
CREATE INDEX my_order_alone ON my_order (customer_id, starts_at, order_code) WHERE length(booking_code) = 0;

CREATE TABLE my_message (                            -- messages about a booking or an order
	message_id   INTEGER PRIMARY KEY,
	recipient_id INTEGER NOT NULL,
	kind         TEXT NOT NULL,                      -- booking_confirmed, delivery_shipped …
	about        TEXT NOT NULL,                      -- the booking's or the order's code
	channel      TEXT NOT NULL,                      -- email, folder, inbox
	state        TEXT NOT NULL CHECK (state IN ('SENT', 'DEAD')),
	tries        INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,
	event_id     INTEGER NOT NULL
) STRICT;
CREATE INDEX my_message_by_about ON my_message (about, message_id);

CREATE TABLE my_event (                              -- the history shown of a booking, and of an order without one
	code        TEXT NOT NULL,
	event_id    INTEGER NOT NULL,
	type        TEXT NOT NULL,                       -- booking.paid, car.reserved …
	occurred_at INTEGER NOT NULL,
	amount      INTEGER NOT NULL DEFAULT 0,          -- charged, refunded or to be refunded
	reason      TEXT NOT NULL DEFAULT '',
	label       TEXT NOT NULL DEFAULT '',            -- what the event is about: an item
	label_ko    TEXT NOT NULL DEFAULT '',
	courier_id  INTEGER NOT NULL DEFAULT 0,          -- … or a courier, whose name is read from v_user
	PRIMARY KEY (code, event_id)
) STRICT, WITHOUT ROWID;

-- -------------------------------------------------------------------------------------------------------- fleet status

CREATE TABLE view_car (
	car_id         INTEGER PRIMARY KEY,
	plate          TEXT NOT NULL,
	name           TEXT NOT NULL,
	name_ko        TEXT NOT NULL,
	body           TEXT NOT NULL,
	branch_id      INTEGER NOT NULL,
	branch_name    TEXT NOT NULL,
	branch_name_ko TEXT NOT NULL,
	service        TEXT NOT NULL,                    -- IN_SERVICE, OUT_OF_SERVICE, RETIRED
	updated_at     INTEGER NOT NULL,
	event_id       INTEGER NOT NULL
) STRICT;
CREATE INDEX view_car_by_plate ON view_car (plate);
