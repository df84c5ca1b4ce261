-- 2 → 3: delivery, equipment, review and message; bookings of several cars and with extras. The same as in schema.sql, which explains it.

-- account
CREATE INDEX user_role_by_role ON user_role (role);
CREATE VIEW v_role_holder AS
	SELECT r.role, u.user_id, u.name FROM user_role r JOIN user u ON u.user_id = r.user_id WHERE u.disabled = 0;

-- booking
ALTER TABLE booking ADD COLUMN model_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN n_cars INTEGER NOT NULL DEFAULT 1 CHECK (n_cars BETWEEN 1 AND 5);
ALTER TABLE booking ADD COLUMN cancel_asked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN cancel_asked_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN cancel_next_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN cancel_tries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX booking_cancels ON booking (cancel_next_at) WHERE cancel_asked_at > 0;
ALTER TABLE booking_line ADD COLUMN label TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 80);
ALTER TABLE booking_line ADD COLUMN label_ko TEXT NOT NULL DEFAULT '' CHECK (length(label_ko) <= 80);
CREATE TABLE booking_car (
	booking_id INTEGER NOT NULL REFERENCES booking (booking_id),
	car_no     INTEGER NOT NULL CHECK (car_no BETWEEN 2 AND 5),
	car_id     INTEGER NOT NULL,
	car_name   TEXT NOT NULL,
	plate      TEXT NOT NULL,
	PRIMARY KEY (booking_id, car_no),
	UNIQUE (booking_id, car_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_car_by_car ON booking_car (car_id, booking_id);
CREATE TRIGGER booking_car_is_frozen BEFORE UPDATE ON booking_car BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
CREATE TRIGGER booking_car_never_goes BEFORE DELETE ON booking_car BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;
CREATE TABLE booking_extra (
	booking_id   INTEGER NOT NULL REFERENCES booking (booking_id),
	line_no      INTEGER NOT NULL,
	kind         TEXT NOT NULL CHECK (kind IN ('delivery', 'collection', 'equipment')),
	ref_id       INTEGER NOT NULL DEFAULT 0,
	quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
	amount       INTEGER NOT NULL CHECK (amount >= 0),
	state        TEXT NOT NULL DEFAULT 'BOOKED' CHECK (state IN ('BOOKED', 'ENDED')),
	end_reason   TEXT NOT NULL DEFAULT '' CHECK (length(end_reason) <= 300),
	ended_at     INTEGER NOT NULL DEFAULT 0,
	refund_state TEXT NOT NULL DEFAULT 'NONE' CHECK (refund_state IN ('NONE', 'PENDING', 'DONE')),
	refund_due   INTEGER NOT NULL DEFAULT 0 CHECK (refund_due BETWEEN 0 AND amount),
	refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND refund_due),
	refund_tries INTEGER NOT NULL DEFAULT 0,
	refund_next_at INTEGER NOT NULL DEFAULT 0,
	last_error   TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200),
	PRIMARY KEY (booking_id, line_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_extra_by_ref ON booking_extra (ref_id, booking_id) WHERE kind = 'equipment' AND state = 'BOOKED';
CREATE INDEX booking_extra_refunds ON booking_extra (refund_next_at) WHERE refund_state = 'PENDING';
CREATE TRIGGER booking_extra_never_goes BEFORE DELETE ON booking_extra BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;
CREATE TABLE booking_delivery (
	booking_id  INTEGER PRIMARY KEY REFERENCES booking (booking_id),
	zone        TEXT NOT NULL CHECK (length(zone) BETWEEN 1 AND 40),
	address     TEXT NOT NULL CHECK (length(address) BETWEEN 1 AND 200),
	place       TEXT NOT NULL DEFAULT '' CHECK (length(place) <= 200),
	window_from INTEGER NOT NULL,
	window_to   INTEGER NOT NULL CHECK (window_from <= window_to),
	collects    INTEGER NOT NULL DEFAULT 0 CHECK (collects IN (0, 1))
) STRICT;
DROP INDEX slot_by_booking;
CREATE UNIQUE INDEX slot_by_booking ON slot (booking_id, car_id) WHERE booking_id <> 0;
DROP VIEW v_booking;
CREATE VIEW v_booking AS
	SELECT booking_id, code, customer_id, car_id, car_name, plate, branch_id, state, starts_at, ends_at, amount, vat_amount, currency,
	       charge_id, refund_state, refund_due, refunded_amount, held_at, paid_at, ended_at, n_cars, cancel_asked_at
	  FROM booking;
CREATE VIEW v_booking_car AS SELECT booking_id, car_no, car_id, car_name, plate FROM booking_car;
CREATE VIEW v_booking_extra AS
	SELECT b.code, b.customer_id, b.state AS booking_state, b.starts_at, b.ends_at, x.line_no, x.kind, x.ref_id, x.quantity, x.amount,
	       x.state, x.refund_state, x.refunded_amount, l.unit_amount, l.label, l.label_ko
	  FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id
	  JOIN booking_line l ON l.booking_id = x.booking_id AND l.line_no = x.line_no;
CREATE VIEW v_booking_delivery AS
	SELECT b.code, b.customer_id, b.state AS booking_state, b.car_name, b.plate, b.n_cars, b.starts_at, b.ends_at,
	       d.zone, d.address, d.place, d.window_from, d.window_to, d.collects
	  FROM booking_delivery d JOIN booking b ON b.booking_id = d.booking_id;
DROP VIEW v_stuck_booking;
CREATE VIEW v_stuck_booking AS
	SELECT 'hold' AS kind, code AS subject_id, customer_id, hold_until AS since, 0 AS tries, hold_until AS next_at, amount, currency, last_error
	  FROM booking WHERE state = 'HELD' AND asked_at = 0
	UNION ALL
	SELECT 'asked', code, customer_id, asked_at, ask_tries, ask_next_at, amount, currency, last_error
	  FROM booking WHERE state = 'HELD' AND asked_at > 0
	UNION ALL
	SELECT 'unconfirmed', b.code, b.customer_id, b.paid_at,
	       (SELECT COALESCE(MAX(r.tries), 0) FROM event_retry r WHERE r.consumer IN ('booking', 'fleet') AND r.subject_id = b.code),
	       (SELECT COALESCE(MIN(r.next_at), 0) FROM event_retry r WHERE r.consumer IN ('booking', 'fleet') AND r.subject_id = b.code AND r.dead = 0),
	       b.amount, b.currency,
	       (SELECT COALESCE(MAX(r.error), '') FROM event_retry r WHERE r.consumer IN ('booking', 'fleet') AND r.subject_id = b.code)
	  FROM booking b WHERE b.state = 'PAID'
	UNION ALL
	SELECT 'cancel', code, customer_id, ended_at, refund_tries, refund_next_at, refund_due, currency, last_error
	  FROM booking WHERE refund_state = 'PENDING' AND state = 'CANCEL_REQUESTED'
	UNION ALL
	SELECT 'refund', code, customer_id, ended_at, refund_tries, refund_next_at,
	       CASE state WHEN 'EXPIRED' THEN amount ELSE refund_due END, currency, last_error
	  FROM booking WHERE refund_state = 'PENDING' AND state <> 'CANCEL_REQUESTED'
	UNION ALL
	SELECT 'wish', code, customer_id, cancel_asked_at, cancel_tries, cancel_next_at, amount, currency, ''
	  FROM booking WHERE cancel_asked_at > 0
	UNION ALL
	SELECT 'extra', b.code, b.customer_id, x.ended_at, x.refund_tries, x.refund_next_at, x.refund_due, b.currency, x.last_error
	  FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id WHERE x.refund_state = 'PENDING';

-- payment: several refunds of one charge, one after the other
DROP TRIGGER charge_walks;
CREATE TRIGGER charge_walks BEFORE UPDATE OF state ON charge WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'REQUESTED'        AND NEW.state IN ('APPROVED', 'FAILED', 'UNKNOWN'))
	OR (OLD.state = 'UNKNOWN'          AND NEW.state IN ('APPROVED', 'FAILED'))
	OR (OLD.state = 'APPROVED'         AND NEW.state = 'CANCEL_REQUESTED')
	OR (OLD.state = 'CANCEL_REQUESTED' AND NEW.state = 'CANCELLED')
	OR (OLD.state = 'CANCELLED'        AND NEW.state = 'CANCEL_REQUESTED'))
BEGIN SELECT RAISE(ABORT, 'charge_state'); END;

-- fleet: a booking may have several cars
ALTER TABLE reservation RENAME TO reservation_2;
DROP INDEX reservation_by_car;
DROP INDEX reservation_running;
CREATE TABLE reservation (
	booking_code TEXT NOT NULL,
	car_id       INTEGER NOT NULL REFERENCES car (car_id),
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL CHECK (starts_at < ends_at),
	state        TEXT NOT NULL CHECK (state IN ('RESERVED', 'OUT', 'ENDED', 'RELEASED')),
	changed_at   INTEGER NOT NULL,
	PRIMARY KEY (booking_code, car_id)
) STRICT, WITHOUT ROWID;
INSERT INTO reservation (booking_code, car_id, starts_at, ends_at, state, changed_at)
	SELECT booking_code, car_id, starts_at, ends_at, state, changed_at FROM reservation_2;
DROP TABLE reservation_2;
CREATE INDEX reservation_by_car ON reservation (car_id, ends_at);
CREATE INDEX reservation_running ON reservation (car_id, ends_at) WHERE state IN ('RESERVED', 'OUT');

-- delivery, equipment, review, message
CREATE TABLE delivery (
	delivery_id  INTEGER PRIMARY KEY,
	booking_code TEXT NOT NULL CHECK (length(booking_code) BETWEEN 6 AND 20),
	direction    TEXT NOT NULL CHECK (direction IN ('delivery', 'collection')),
	state        TEXT NOT NULL CHECK (state IN ('REQUESTED', 'SCHEDULED', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
	customer_id  INTEGER NOT NULL,
	car_name     TEXT NOT NULL DEFAULT '',
	plates       TEXT NOT NULL DEFAULT '' CHECK (length(plates) <= 200),
	zone         TEXT NOT NULL DEFAULT '' CHECK (length(zone) <= 40),
	address      TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 200),
	place        TEXT NOT NULL DEFAULT '' CHECK (length(place) <= 200),
	window_from  INTEGER NOT NULL,
	window_to    INTEGER NOT NULL CHECK (window_from <= window_to),
	courier_id   INTEGER NOT NULL DEFAULT 0,
	requested_at INTEGER NOT NULL,
	scheduled_at INTEGER NOT NULL DEFAULT 0,
	shipped_at   INTEGER NOT NULL DEFAULT 0,
	delivered_at INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,
	ended_by     TEXT NOT NULL DEFAULT '' CHECK (ended_by IN ('', 'customer', 'dispatcher', 'booking')),
	end_reason   TEXT NOT NULL DEFAULT '' CHECK (length(end_reason) <= 200),
	odometer_km  INTEGER NOT NULL DEFAULT 0 CHECK (odometer_km BETWEEN 0 AND 2000000),
	fuel_percent INTEGER NOT NULL DEFAULT 0 CHECK (fuel_percent BETWEEN 0 AND 100),
	received_by  TEXT NOT NULL DEFAULT '' CHECK (length(received_by) <= 80),
	photo        TEXT NOT NULL DEFAULT '' CHECK (length(photo) <= 80),
	note         TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 300),
	CHECK (state NOT IN ('SCHEDULED', 'SHIPPED', 'DELIVERED') OR courier_id <> 0),
	CHECK (state <> 'DELIVERED' OR length(received_by) > 0),
	CHECK (state <> 'CANCELLED' OR ended_by <> '')
) STRICT;
CREATE UNIQUE INDEX delivery_once ON delivery (booking_code, direction) WHERE state <> 'CANCELLED';
CREATE INDEX delivery_by_booking ON delivery (booking_code);
CREATE INDEX delivery_open ON delivery (window_from, delivery_id) WHERE state IN ('REQUESTED', 'SCHEDULED', 'SHIPPED');
CREATE INDEX delivery_by_window ON delivery (window_from, delivery_id);
CREATE INDEX delivery_by_courier ON delivery (courier_id, window_from, delivery_id) WHERE courier_id <> 0;
CREATE TRIGGER delivery_walks BEFORE UPDATE OF state ON delivery WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'REQUESTED' AND NEW.state IN ('SCHEDULED', 'CANCELLED'))
	OR (OLD.state = 'SCHEDULED' AND NEW.state IN ('REQUESTED', 'SHIPPED', 'CANCELLED'))
	OR (OLD.state = 'SHIPPED'   AND NEW.state IN ('SCHEDULED', 'DELIVERED')))
BEGIN SELECT RAISE(ABORT, 'delivery_state'); END;
CREATE TRIGGER delivery_is_frozen BEFORE UPDATE OF booking_code, direction, customer_id ON delivery BEGIN SELECT RAISE(ABORT, 'delivery_is_frozen'); END;
CREATE TRIGGER delivery_never_goes BEFORE DELETE ON delivery BEGIN SELECT RAISE(ABORT, 'delivery_never_goes'); END;
CREATE VIEW v_delivery AS
	SELECT delivery_id, booking_code, direction, state, customer_id, zone, window_from, window_to, courier_id, shipped_at, delivered_at
	  FROM delivery;
CREATE TABLE item (
	item_id     INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
	name_ko     TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80),
	category    TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 40),
	daily_price INTEGER NOT NULL CHECK (daily_price BETWEEN 0 AND 100000000),
	low_stock   INTEGER NOT NULL DEFAULT 0 CHECK (low_stock BETWEEN 0 AND 1000000),
	is_low      INTEGER NOT NULL DEFAULT 0 CHECK (is_low IN (0, 1)),
	is_offered  INTEGER NOT NULL DEFAULT 1 CHECK (is_offered IN (0, 1)),
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE equipment_order (
	order_id     INTEGER PRIMARY KEY,
	code         TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 6 AND 30),
	booking_code TEXT NOT NULL DEFAULT '' CHECK (length(booking_code) <= 20),
	line_no      INTEGER NOT NULL DEFAULT 0,
	customer_id  INTEGER NOT NULL,
	item_id      INTEGER NOT NULL REFERENCES item (item_id),
	item_name    TEXT NOT NULL,
	item_name_ko TEXT NOT NULL DEFAULT '',
	quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL CHECK (starts_at < ends_at),
	daily_price  INTEGER NOT NULL CHECK (daily_price >= 0),
	amount       INTEGER NOT NULL CHECK (amount >= 0),
	currency     TEXT NOT NULL CHECK (length(currency) = 3),
	state        TEXT NOT NULL CHECK (state IN ('ORDERED', 'APPROVED', 'HANDED_OUT', 'RETURNED', 'REJECTED', 'CANCELLED')),
	taken        INTEGER NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND quantity),
	lost         INTEGER NOT NULL DEFAULT 0 CHECK (lost BETWEEN 0 AND quantity),
	end_reason   TEXT NOT NULL DEFAULT '' CHECK (length(end_reason) <= 300),
	ordered_at   INTEGER NOT NULL,
	asked_at     INTEGER NOT NULL DEFAULT 0,
	approved_at  INTEGER NOT NULL DEFAULT 0,
	handed_out_at INTEGER NOT NULL DEFAULT 0,
	returned_at  INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,
	request_key  TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200),
	request_hash TEXT NOT NULL DEFAULT '',
	CHECK (taken = 0 OR state IN ('APPROVED', 'HANDED_OUT')),
	CHECK (state <> 'HANDED_OUT' OR taken = quantity),
	CHECK (state <> 'REJECTED' OR length(end_reason) > 0)
) STRICT;
CREATE UNIQUE INDEX equipment_order_of_booking ON equipment_order (booking_code, line_no) WHERE booking_code <> '';
CREATE INDEX equipment_order_by_customer ON equipment_order (customer_id, order_id);
CREATE INDEX equipment_order_live ON equipment_order (item_id, ends_at) WHERE state IN ('ORDERED', 'APPROVED', 'HANDED_OUT');
CREATE INDEX equipment_order_by_start ON equipment_order (starts_at, order_id);
CREATE INDEX equipment_order_by_item ON equipment_order (item_id, order_id);
CREATE INDEX equipment_order_uncollected ON equipment_order (ends_at) WHERE booking_code = '' AND state IN ('ORDERED', 'APPROVED');
CREATE INDEX equipment_order_asked ON equipment_order (asked_at) WHERE asked_at > 0;
CREATE UNIQUE INDEX equipment_order_request ON equipment_order (customer_id, request_key) WHERE request_key <> '';
CREATE TRIGGER equipment_order_walks BEFORE UPDATE OF state ON equipment_order WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'ORDERED'    AND NEW.state IN ('APPROVED', 'REJECTED', 'CANCELLED'))
	OR (OLD.state = 'APPROVED'   AND NEW.state IN ('HANDED_OUT', 'CANCELLED'))
	OR (OLD.state = 'HANDED_OUT' AND NEW.state = 'RETURNED'))
BEGIN SELECT RAISE(ABORT, 'equipment_order_state'); END;
CREATE TRIGGER equipment_order_is_frozen BEFORE UPDATE OF code, booking_code, line_no, customer_id, item_id, quantity, starts_at, ends_at,
	daily_price, amount, currency ON equipment_order BEGIN SELECT RAISE(ABORT, 'equipment_order_is_frozen'); END;
CREATE TRIGGER equipment_order_never_goes BEFORE DELETE ON equipment_order BEGIN SELECT RAISE(ABORT, 'equipment_order_never_goes'); END;
CREATE TABLE stock_entry (
	entry_id   INTEGER PRIMARY KEY,
	item_id    INTEGER NOT NULL REFERENCES item (item_id),
	kind       TEXT NOT NULL CHECK (kind IN ('receive', 'order', 'return', 'loss', 'adjust')),
	quantity   INTEGER NOT NULL CHECK (quantity <> 0),
	balance    INTEGER NOT NULL CHECK (balance >= 0),
	order_id   INTEGER REFERENCES equipment_order (order_id),
	note       TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
	actor_id   INTEGER NOT NULL DEFAULT 0,
	entered_at INTEGER NOT NULL,
	request_key TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200),
	CHECK (kind NOT IN ('receive', 'return') OR quantity > 0),
	CHECK (kind NOT IN ('order', 'loss') OR quantity < 0)
) STRICT;
CREATE INDEX stock_entry_by_item ON stock_entry (item_id, entry_id);
CREATE INDEX stock_entry_by_order ON stock_entry (order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX stock_entry_once ON stock_entry (item_id, request_key) WHERE request_key <> '';
CREATE TRIGGER stock_entry_balances BEFORE INSERT ON stock_entry WHEN NEW.balance <> NEW.quantity + COALESCE(
	(SELECT s.balance FROM stock_entry s WHERE s.item_id = NEW.item_id ORDER BY s.entry_id DESC LIMIT 1), 0)
BEGIN SELECT RAISE(ABORT, 'stock_does_not_balance'); END;
CREATE TRIGGER stock_entry_is_frozen BEFORE UPDATE ON stock_entry BEGIN SELECT RAISE(ABORT, 'stock_is_append_only'); END;
CREATE TRIGGER stock_entry_never_goes BEFORE DELETE ON stock_entry BEGIN SELECT RAISE(ABORT, 'stock_is_append_only'); END;
CREATE VIEW v_item AS
	SELECT i.item_id, i.name, i.name_ko, i.category, i.daily_price, i.is_offered,
	       COALESCE((SELECT s.balance FROM stock_entry s WHERE s.item_id = i.item_id ORDER BY s.entry_id DESC LIMIT 1), 0) AS stock
	  FROM item i;
CREATE VIEW v_equipment_order AS
	SELECT order_id, code, booking_code, line_no, customer_id, item_id, quantity, taken, starts_at, ends_at, state, end_reason
	  FROM equipment_order;
CREATE TABLE review_case (
	case_id      INTEGER PRIMARY KEY,
	key          TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),
	kind         TEXT NOT NULL CHECK (kind IN ('', 'equipment', 'application', 'claim')),   -- '': cancelled before it was opened
	subject_id   TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80),
	applicant_id INTEGER NOT NULL,
	title        TEXT NOT NULL DEFAULT '' CHECK (length(title) <= 200),
	title_ko     TEXT NOT NULL DEFAULT '' CHECK (length(title_ko) <= 200),
	category     TEXT NOT NULL DEFAULT '' CHECK (length(category) <= 40),
	quantity     INTEGER NOT NULL DEFAULT 0 CHECK (quantity >= 0),
	amount       INTEGER NOT NULL DEFAULT 0 CHECK (amount >= 0),
	currency     TEXT NOT NULL DEFAULT '' CHECK (length(currency) IN (0, 3)),
	state        TEXT NOT NULL CHECK (state IN ('ASSIGNED', 'APPROVED', 'REJECTED', 'CANCELLED')),
	reviewer_id  INTEGER NOT NULL DEFAULT 0,
	rule         TEXT NOT NULL DEFAULT '' CHECK (length(rule) <= 40),
	reason       TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 300),
	opened_at    INTEGER NOT NULL,
	decided_at   INTEGER NOT NULL DEFAULT 0,
	CHECK (state <> 'REJECTED' OR length(reason) > 0),
	CHECK (reviewer_id = 0 OR reviewer_id <> applicant_id),
	CHECK (kind <> '' OR state = 'CANCELLED')
) STRICT;
CREATE INDEX review_case_decided ON review_case (decided_at, case_id) WHERE state <> 'ASSIGNED' AND kind <> '';
CREATE INDEX review_case_waiting ON review_case (opened_at, case_id) WHERE state = 'ASSIGNED';
CREATE INDEX review_case_by_subject ON review_case (subject_id);
CREATE TRIGGER review_case_walks BEFORE UPDATE OF state ON review_case WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'ASSIGNED' AND NEW.state IN ('APPROVED', 'REJECTED', 'CANCELLED'))
	OR (OLD.state = 'APPROVED' AND NEW.state = 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'review_state'); END;
CREATE TRIGGER review_case_is_frozen BEFORE UPDATE OF key, kind, subject_id, applicant_id, quantity, amount ON review_case
BEGIN SELECT RAISE(ABORT, 'review_is_frozen'); END;
CREATE TRIGGER review_case_never_goes BEFORE DELETE ON review_case BEGIN SELECT RAISE(ABORT, 'review_never_goes'); END;
CREATE VIEW v_review_case AS
	SELECT case_id, key, kind, subject_id, applicant_id, state, reviewer_id, rule, reason, opened_at, decided_at FROM review_case;
CREATE TABLE message (
	message_id   INTEGER PRIMARY KEY,
	event_id     INTEGER NOT NULL,
	recipient_id INTEGER NOT NULL,
	kind         TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
	subject_id   TEXT NOT NULL,
	lang         TEXT NOT NULL CHECK (lang IN ('ko', 'en')),
	title        TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
	body         TEXT NOT NULL CHECK (length(body) <= 10000),
	link         TEXT NOT NULL DEFAULT '' CHECK (length(link) <= 200),
	in_inbox     INTEGER NOT NULL CHECK (in_inbox IN (0, 1)),
	read_at      INTEGER NOT NULL DEFAULT 0,
	email        TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254),
	state        TEXT NOT NULL CHECK (state IN ('QUEUED', 'RETRYING', 'SENT', 'DEAD')),
	tries        INTEGER NOT NULL DEFAULT 0,
	next_at      INTEGER NOT NULL DEFAULT 0,
	created_at   INTEGER NOT NULL,
	settled_at   INTEGER NOT NULL DEFAULT 0,
	n_resends    INTEGER NOT NULL DEFAULT 0,
	UNIQUE (event_id, recipient_id, kind)
) STRICT;
CREATE INDEX message_by_recipient ON message (recipient_id, message_id) WHERE in_inbox = 1;
CREATE INDEX message_unread ON message (recipient_id) WHERE in_inbox = 1 AND read_at = 0;
CREATE INDEX message_waiting ON message (next_at) WHERE state IN ('QUEUED', 'RETRYING');
CREATE INDEX message_dead ON message (message_id) WHERE state = 'DEAD';
CREATE INDEX message_about ON message (subject_id, kind);
CREATE TRIGGER message_never_goes BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'message_never_goes'); END;
CREATE TABLE message_try (
	message_id INTEGER NOT NULL REFERENCES message (message_id),
	try_no     INTEGER NOT NULL,
	tried_at   INTEGER NOT NULL,
	outcome    TEXT NOT NULL CHECK (outcome IN ('SENDING', 'SENT', 'LATER', 'REFUSED', 'NO_ANSWER')),
	reply      TEXT NOT NULL DEFAULT '' CHECK (length(reply) <= 300),
	PRIMARY KEY (message_id, try_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_try_open ON message_try (message_id) WHERE outcome = 'SENDING';
CREATE TABLE message_preference (
	user_id  INTEGER NOT NULL,
	topic    TEXT NOT NULL CHECK (length(topic) BETWEEN 1 AND 40),
	inbox    INTEGER NOT NULL CHECK (inbox IN (0, 1)),
	email    INTEGER NOT NULL CHECK (email IN (0, 1)),
	PRIMARY KEY (user_id, topic)
) STRICT, WITHOUT ROWID;
CREATE VIEW v_unread AS SELECT recipient_id FROM message WHERE in_inbox = 1 AND read_at = 0;
CREATE VIEW v_message AS
	SELECT message_id, event_id, recipient_id, kind, subject_id, title, email, state, tries, next_at, created_at, settled_at FROM message;

DROP VIEW v_audit;
DROP INDEX event_of_audit;
CREATE INDEX event_of_audit ON event (event_id)
	WHERE type >= 'ops.' AND type < 'ops/' OR type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved',
	'message.resent');
CREATE VIEW v_audit AS SELECT event_id, type, subject_id, actor_id, occurred_at, payload FROM event
	WHERE type >= 'ops.' AND type < 'ops/' OR type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved',
	'message.resent');
-- no messages are written about old events
INSERT INTO position (consumer, event_id, moved_at) SELECT 'message', COALESCE(MAX(event_id), 0), COALESCE(MAX(recorded_at), 0) FROM event;
