-- The schema as version 1 had it, for the test of db/migrate: never changed again.
CREATE TABLE event (
	event_id     INTEGER PRIMARY KEY,                -- position in the log; grows with commit order (one writer at a time)
	type         TEXT NOT NULL CHECK (length(type) BETWEEN 3 AND 60),   -- booking.paid
	subject_id   TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80), -- correlation key: a booking's code, car:12, user:7
	causation_id INTEGER NOT NULL DEFAULT 0,         -- the event that led to this one; 0: a person or the clock
	actor_id     INTEGER NOT NULL DEFAULT 0,         -- user_id; 0: the system
	occurred_at  INTEGER NOT NULL,                   -- when it happened in the business
	recorded_at  INTEGER NOT NULL,                   -- when this row was written
	payload      TEXT NOT NULL,                      -- JSON, docs/events.md
	prev_hash    TEXT NOT NULL,                      -- hash of the subject's event before; '' for its first
	hash         TEXT NOT NULL,                      -- BLAKE2b-256 over prev_hash and the columns above, hex
	UNIQUE (subject_id, prev_hash)                   -- the chain cannot fork
) STRICT;
CREATE INDEX event_by_subject ON event (subject_id, event_id);
CREATE TRIGGER event_never_changes BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event_is_append_only'); END;
CREATE TRIGGER event_never_goes BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event_is_append_only'); END;
CREATE TABLE position (
	consumer  TEXT PRIMARY KEY,                      -- booking, payment, fleet …
	event_id  INTEGER NOT NULL,                      -- everything up to here is handled, or waits in event_retry
	moved_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE event_retry (
	consumer   TEXT NOT NULL,
	event_id   INTEGER NOT NULL,
	subject_id TEXT NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,           -- 0: only held back
	next_at    INTEGER NOT NULL,                     -- due when the clock passes it (or is absurdly far before it)
	error      TEXT NOT NULL DEFAULT '',             -- what the last try said
	dead       INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)), -- tried for the last time; a person decides
	PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_retry_by_subject ON event_retry (consumer, subject_id, event_id);
CREATE VIEW v_event AS SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash, hash FROM event;
CREATE VIEW v_position AS SELECT consumer, event_id, moved_at FROM position;
CREATE VIEW v_event_retry AS SELECT consumer, event_id, subject_id, tries, next_at, error, dead FROM event_retry;
CREATE TABLE user (
	user_id       INTEGER PRIMARY KEY,
	email         TEXT NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
	name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	phone         TEXT NOT NULL DEFAULT '' CHECK (length(phone) <= 30),
	lang          TEXT NOT NULL DEFAULT 'ko' CHECK (lang IN ('ko', 'en')),
	password_hash TEXT NOT NULL,                     -- argon2id
	disabled      INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE user_role (
	user_id INTEGER NOT NULL REFERENCES user (user_id),
	role    TEXT NOT NULL CHECK (role IN ('customer', 'employee', 'manager', 'courier', 'examiner', 'admin')),
	PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;
CREATE TABLE licence (                               -- a driving licence
	user_id    INTEGER PRIMARY KEY REFERENCES user (user_id),
	number     TEXT NOT NULL CHECK (length(number) BETWEEN 1 AND 30),
	expires_on TEXT NOT NULL CHECK (length(expires_on) = 10),   -- YYYY-MM-DD
	born_on    TEXT NOT NULL CHECK (length(born_on) = 10)
) STRICT;
CREATE TABLE session (
	token_hash TEXT PRIMARY KEY,                     -- BLAKE2b of the cookie's opaque token: the table alone opens nothing
	user_id    INTEGER NOT NULL REFERENCES user (user_id),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL                      -- the absolute end; the idle end is a signed cookie (lib/web/web.c)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_end ON session (expires_at);
CREATE TABLE api_token (
	token_id   INTEGER PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	user_id    INTEGER NOT NULL REFERENCES user (user_id),
	name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	created_at INTEGER NOT NULL,
	revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX api_token_by_user ON api_token (user_id, token_id);
CREATE TABLE sign_in_throttle (                      -- failures per account and per address; says nothing about who exists
	who        TEXT PRIMARY KEY,                     -- hash of 'email:…' or 'address:…'
	n_failed   INTEGER NOT NULL CHECK (n_failed >= 0),
	closed_until INTEGER NOT NULL DEFAULT 0,         -- no try is looked at before
	failed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_throttle_by_age ON sign_in_throttle (failed_at);
CREATE VIEW v_user AS
	SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled,
	       (SELECT COALESCE(SUM(CASE r.role WHEN 'customer' THEN 1 WHEN 'employee' THEN 2 WHEN 'manager' THEN 4
	                                        WHEN 'courier' THEN 8 WHEN 'examiner' THEN 16 WHEN 'admin' THEN 32 ELSE 0 END), 0)
	          FROM user_role r WHERE r.user_id = u.user_id) AS roles          -- enum role in lib/web/web.h
	  FROM user u;
CREATE VIEW v_session AS
	SELECT s.token_hash, s.user_id, s.expires_at, v.email, v.name, v.lang, v.roles
	  FROM session s JOIN v_user v ON v.user_id = s.user_id WHERE v.disabled = 0;
CREATE VIEW v_api_token AS
	SELECT t.token_hash, t.user_id, v.email, v.name, v.lang, v.roles
	  FROM api_token t JOIN v_user v ON v.user_id = t.user_id WHERE v.disabled = 0 AND t.revoked_at = 0;
CREATE TABLE branch (
	branch_id  INTEGER PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
	name_ko    TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80),   -- '': the name serves both languages
	region     TEXT NOT NULL DEFAULT '' CHECK (length(region) <= 40),    -- Seoul, Jeju
	address    TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 200),
	phone      TEXT NOT NULL DEFAULT '' CHECK (length(phone) <= 30),
	is_open    INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1))      -- closed branches take no new cars
) STRICT;
CREATE TABLE car_model (                             -- 상품: what new cars of it start with
	model_id     INTEGER PRIMARY KEY,
	name         TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
	body         TEXT NOT NULL CHECK (body IN ('mini', 'hatch', 'sedan', 'wagon', 'suv', 'van', 'pickup', 'ev')),
	seats        INTEGER NOT NULL CHECK (seats BETWEEN 1 AND 15),
	fuel         TEXT NOT NULL CHECK (fuel IN ('petrol', 'diesel', 'hybrid', 'lpg', 'electric')),
	gearbox      TEXT NOT NULL CHECK (gearbox IN ('automatic', 'manual')),
	daily_price  INTEGER NOT NULL CHECK (daily_price BETWEEN 1 AND 100000000),
	hourly_price INTEGER NOT NULL CHECK (hourly_price BETWEEN 1 AND 100000000),
	state        TEXT NOT NULL DEFAULT 'ON_SALE' CHECK (state IN ('ON_SALE', 'OFF_SALE'))
) STRICT;
CREATE TABLE car (
	car_id       INTEGER PRIMARY KEY,
	plate        TEXT NOT NULL UNIQUE CHECK (length(plate) BETWEEN 1 AND 20),
	model_id     INTEGER REFERENCES car_model (model_id),
	name         TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	body         TEXT NOT NULL CHECK (body IN ('mini', 'hatch', 'sedan', 'wagon', 'suv', 'van', 'pickup', 'ev')),
	seats        INTEGER NOT NULL CHECK (seats BETWEEN 1 AND 15),
	fuel         TEXT NOT NULL CHECK (fuel IN ('petrol', 'diesel', 'hybrid', 'lpg', 'electric')),
	gearbox      TEXT NOT NULL CHECK (gearbox IN ('automatic', 'manual')),
	daily_price  INTEGER NOT NULL CHECK (daily_price BETWEEN 1 AND 100000000),
	hourly_price INTEGER NOT NULL CHECK (hourly_price BETWEEN 1 AND 100000000),
	branch_id    INTEGER NOT NULL REFERENCES branch (branch_id),
	service      TEXT NOT NULL DEFAULT 'IN_SERVICE' CHECK (service IN ('IN_SERVICE', 'OUT_OF_SERVICE', 'RETIRED')),
	photo        TEXT NOT NULL DEFAULT '' CHECK (length(photo) <= 80),   -- file in $VAR/photos; '': the drawn body
	created_at   INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,
	rev          INTEGER NOT NULL                    -- grows with every change of any car: searches fetch only what moved
) STRICT;
CREATE INDEX car_by_rev ON car (rev);
CREATE INDEX car_by_branch ON car (branch_id);
CREATE INDEX car_by_model ON car (model_id);
CREATE TRIGGER car_stays_retired BEFORE UPDATE OF service ON car WHEN OLD.service = 'RETIRED' AND NEW.service <> 'RETIRED'
BEGIN SELECT RAISE(ABORT, 'car_is_retired'); END;
CREATE TABLE reservation (
	booking_code TEXT PRIMARY KEY,
	car_id       INTEGER NOT NULL REFERENCES car (car_id),
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL CHECK (starts_at < ends_at),
	state        TEXT NOT NULL CHECK (state IN ('RESERVED', 'OUT', 'ENDED', 'RELEASED')),  -- ENDED: returned; RELEASED: cancelled
	changed_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_by_car ON reservation (car_id, ends_at);
CREATE INDEX reservation_running ON reservation (car_id, ends_at) WHERE state IN ('RESERVED', 'OUT');
CREATE VIEW v_branch AS SELECT branch_id, name, name_ko, region, address, phone, is_open FROM branch;
CREATE VIEW v_car AS
	SELECT c.car_id, c.plate, c.model_id, c.name, c.body, c.seats, c.fuel, c.gearbox, c.daily_price, c.hourly_price,
	       c.branch_id, b.name AS branch_name, b.name_ko AS branch_name_ko, b.region, b.address AS branch_address, b.phone AS branch_phone,
	       c.service, c.photo, c.rev
	  FROM car c JOIN branch b ON b.branch_id = c.branch_id;
CREATE VIEW v_car_rev AS SELECT rev FROM car;
CREATE VIEW v_car_model AS SELECT model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price, state FROM car_model;
CREATE TABLE booking (
	booking_id   INTEGER PRIMARY KEY,
	code         TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 6 AND 20), -- MP-7K3F9QXA: what people say, and the charge's idempotency key
	customer_id  INTEGER NOT NULL,
	car_id       INTEGER NOT NULL,
	car_name     TEXT NOT NULL,                      -- frozen, with plate, body and branch: what was promised
	plate        TEXT NOT NULL,
	body         TEXT NOT NULL,
	branch_id    INTEGER NOT NULL,
	branch_name  TEXT NOT NULL,
	branch_name_ko TEXT NOT NULL DEFAULT '',
	state        TEXT NOT NULL CHECK (state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT', 'RETURNED', 'COMPLETED',
	                                            'CANCEL_REQUESTED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NO_SHOW')),
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL CHECK (starts_at < ends_at),
	amount       INTEGER NOT NULL CHECK (amount > 0),               -- the sum of its lines, VAT included
	vat_amount   INTEGER NOT NULL CHECK (vat_amount BETWEEN 0 AND amount),
	currency     TEXT NOT NULL CHECK (length(currency) = 3),
	card_id      INTEGER NOT NULL DEFAULT 0,         -- saved card; 0: paid on the provider's own page
	charge_id    INTEGER,                            -- payment's approved charge
	held_at      INTEGER NOT NULL,
	hold_until   INTEGER NOT NULL,                   -- an unpaid hold frees the car then
	asked_at     INTEGER NOT NULL DEFAULT 0,         -- when payment was asked to charge; 0: not yet
	paid_at      INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,         -- cancelled, expired, rejected, returned, no-show
	end_reason   TEXT NOT NULL DEFAULT '' CHECK (length(end_reason) <= 200),  -- declined, later, hold_over, customer, car_refused …
	refund_state TEXT NOT NULL DEFAULT 'NONE' CHECK (refund_state IN ('NONE', 'PENDING', 'DONE')),
	refund_due   INTEGER NOT NULL DEFAULT 0 CHECK (refund_due BETWEEN 0 AND amount),
	refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
	refund_tries INTEGER NOT NULL DEFAULT 0,
	refund_next_at INTEGER NOT NULL DEFAULT 0,       -- when the sweep asks payment again
	request_key  TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200), -- the client's Idempotency-Key or the form's key
	request_hash TEXT NOT NULL DEFAULT '',           -- of what was asked: the same key with another body is refused
	-- nothing past HELD without an approved charge
	CHECK (state IN ('HELD', 'EXPIRED') OR charge_id IS NOT NULL)
) STRICT;
CREATE INDEX booking_by_customer ON booking (customer_id, booking_id);
CREATE INDEX booking_by_car ON booking (car_id, starts_at);
CREATE INDEX booking_by_start ON booking (starts_at, booking_id);
CREATE INDEX booking_held ON booking (hold_until) WHERE state = 'HELD';
CREATE INDEX booking_out ON booking (ends_at) WHERE state = 'OUT';
CREATE INDEX booking_refunds ON booking (refund_next_at) WHERE refund_state = 'PENDING';
CREATE INDEX booking_open ON booking (customer_id) WHERE state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT', 'CANCEL_REQUESTED');
CREATE UNIQUE INDEX booking_request ON booking (customer_id, request_key) WHERE request_key <> '' AND state <> 'EXPIRED';
CREATE TRIGGER booking_walks BEFORE UPDATE OF state ON booking WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'HELD'             AND NEW.state IN ('PAID', 'EXPIRED'))
	OR (OLD.state = 'PAID'             AND NEW.state IN ('CONFIRMED', 'REJECTED', 'CANCEL_REQUESTED'))
	OR (OLD.state = 'CONFIRMED'        AND NEW.state IN ('OUT', 'NO_SHOW', 'CANCEL_REQUESTED'))
	OR (OLD.state = 'CANCEL_REQUESTED' AND NEW.state = 'CANCELLED')
	OR (OLD.state = 'OUT'              AND NEW.state = 'RETURNED')
	OR (OLD.state = 'RETURNED'         AND NEW.state = 'COMPLETED'))
BEGIN SELECT RAISE(ABORT, 'booking_state'); END;
CREATE TRIGGER booking_is_frozen BEFORE UPDATE OF code, customer_id, car_id, starts_at, ends_at, amount, vat_amount, currency ON booking
BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
CREATE TRIGGER booking_never_goes BEFORE DELETE ON booking BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;
CREATE TABLE booking_line (                          -- how the price is made up, frozen and replayable
	booking_id INTEGER NOT NULL REFERENCES booking (booking_id),
	line_no    INTEGER NOT NULL,
	rule       TEXT NOT NULL,                        -- daily, hourly, hourly_cap (lib/price rules in booking/price.c)
	version    INTEGER NOT NULL,
	unit       TEXT NOT NULL,                        -- day, hour
	quantity   INTEGER NOT NULL,
	unit_amount INTEGER NOT NULL,
	amount     INTEGER NOT NULL,                     -- quantity × unit_amount, or the cap
	PRIMARY KEY (booking_id, line_no)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER booking_line_is_frozen BEFORE UPDATE ON booking_line BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
CREATE TABLE slot (
	slot_id    INTEGER PRIMARY KEY,
	car_id     INTEGER NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('HOLD', 'BOOKED', 'BLOCK', 'RELEASED')),
	starts_at  INTEGER NOT NULL,
	ends_at    INTEGER NOT NULL,                     -- the rental's end
	busy_until INTEGER NOT NULL,                     -- … plus the turnaround buffer: free for the next from here
	booking_id INTEGER NOT NULL DEFAULT 0,           -- 0: a manager's block
	note       TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
	rev        INTEGER NOT NULL,                     -- grows with every change: searches in memory fetch only what moved
	CHECK (starts_at < ends_at AND ends_at <= busy_until)
) STRICT;
CREATE INDEX slot_by_car ON slot (car_id, busy_until, starts_at) WHERE kind <> 'RELEASED';
CREATE UNIQUE INDEX slot_by_booking ON slot (booking_id) WHERE booking_id <> 0;
CREATE INDEX slot_by_rev ON slot (rev);
CREATE TRIGGER slot_is_free_on_insert BEFORE INSERT ON slot WHEN NEW.kind <> 'RELEASED' AND EXISTS (
	SELECT 1 FROM slot s WHERE s.car_id = NEW.car_id AND s.kind <> 'RELEASED'
	   AND s.busy_until > NEW.starts_at AND s.starts_at < NEW.busy_until)
BEGIN SELECT RAISE(ABORT, 'slot_taken'); END;
CREATE TRIGGER slot_is_free_on_update BEFORE UPDATE OF car_id, kind, starts_at, ends_at, busy_until ON slot
WHEN NEW.kind <> 'RELEASED' AND EXISTS (
	SELECT 1 FROM slot s WHERE s.car_id = NEW.car_id AND s.kind <> 'RELEASED' AND s.slot_id <> NEW.slot_id
	   AND s.busy_until > NEW.starts_at AND s.starts_at < NEW.busy_until)
BEGIN SELECT RAISE(ABORT, 'slot_taken'); END;
CREATE VIEW v_booking AS
	SELECT booking_id, code, customer_id, car_id, car_name, plate, branch_id, state, starts_at, ends_at, amount, vat_amount, currency,
	       charge_id, refund_state, refund_due, refunded_amount, held_at, paid_at, ended_at
	  FROM booking;
CREATE VIEW v_slot AS SELECT slot_id, car_id, kind, starts_at, ends_at, busy_until, booking_id FROM slot;
CREATE TABLE payer (                                 -- how the provider knows a customer: never by our id
	user_id      INTEGER PRIMARY KEY,
	customer_key TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE card (                                  -- a saved card: the provider's token, never a card number
	card_id     INTEGER PRIMARY KEY,
	user_id     INTEGER NOT NULL,
	billing_key TEXT NOT NULL UNIQUE,
	brand       TEXT NOT NULL,
	last4       TEXT NOT NULL CHECK (length(last4) = 4),
	created_at  INTEGER NOT NULL,
	removed_at  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX card_by_user ON card (user_id, card_id) WHERE removed_at = 0;
CREATE TABLE charge (
	charge_id   INTEGER PRIMARY KEY,
	key         TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),  -- the caller's idempotency key: the booking's code
	subject_id  TEXT NOT NULL,                       -- what is paid for: the booking's code
	user_id     INTEGER NOT NULL,
	card_id     INTEGER NOT NULL DEFAULT 0,          -- 0: paid on the provider's page
	amount      INTEGER NOT NULL CHECK (amount > 0 OR (amount = 0 AND state = 'FAILED')),  -- 0: a key sealed before it was ever charged
	vat_amount  INTEGER NOT NULL DEFAULT 0 CHECK (vat_amount BETWEEN 0 AND amount),
	currency    TEXT NOT NULL CHECK (length(currency) = 3),
	state       TEXT NOT NULL CHECK (state IN ('REQUESTED', 'APPROVED', 'CANCEL_REQUESTED', 'CANCELLED', 'FAILED', 'UNKNOWN')),
	void_wanted INTEGER NOT NULL DEFAULT 0 CHECK (void_wanted IN (0, 1)), -- whatever the provider says in the end, the money goes back
	payment_key TEXT NOT NULL DEFAULT '',            -- the provider's name for it
	brand       TEXT NOT NULL DEFAULT '',
	last4       TEXT NOT NULL DEFAULT '',
	reason      TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 300),      -- declined, void, … with the provider's code
	refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
	requested_at INTEGER NOT NULL,
	approved_at INTEGER NOT NULL DEFAULT 0,
	settled_at  INTEGER NOT NULL DEFAULT 0,          -- last change of state
	tries       INTEGER NOT NULL DEFAULT 0,          -- look-ups while UNKNOWN or REQUESTED
	next_at     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX charge_by_subject ON charge (subject_id);
CREATE INDEX charge_by_user ON charge (user_id, charge_id);
CREATE INDEX charge_unsettled ON charge (next_at) WHERE state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR void_wanted = 1;
CREATE TRIGGER charge_walks BEFORE UPDATE OF state ON charge WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'REQUESTED'        AND NEW.state IN ('APPROVED', 'FAILED', 'UNKNOWN'))
	OR (OLD.state = 'UNKNOWN'          AND NEW.state IN ('APPROVED', 'FAILED'))
	OR (OLD.state = 'APPROVED'         AND NEW.state = 'CANCEL_REQUESTED')
	OR (OLD.state = 'CANCEL_REQUESTED' AND NEW.state = 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'charge_state'); END;
CREATE TRIGGER charge_is_frozen BEFORE UPDATE OF key, subject_id, user_id, amount, vat_amount, currency ON charge
BEGIN SELECT RAISE(ABORT, 'charge_is_frozen'); END;
CREATE TRIGGER charge_never_goes BEFORE DELETE ON charge BEGIN SELECT RAISE(ABORT, 'charge_never_goes'); END;
CREATE TABLE refund (
	refund_id    INTEGER PRIMARY KEY,
	key          TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
	charge_id    INTEGER NOT NULL REFERENCES charge (charge_id),
	amount       INTEGER NOT NULL CHECK (amount > 0),
	state        TEXT NOT NULL CHECK (state IN ('REQUESTED', 'DONE')),
	reason       TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
	requested_at INTEGER NOT NULL,
	done_at      INTEGER NOT NULL DEFAULT 0,
	tries        INTEGER NOT NULL DEFAULT 0,
	next_at      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX refund_by_charge ON refund (charge_id);
CREATE INDEX refund_waiting ON refund (next_at) WHERE state = 'REQUESTED';
CREATE TRIGGER refund_within_charge BEFORE INSERT ON refund WHEN
	NEW.amount + (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = NEW.charge_id)
	> (SELECT c.amount FROM charge c WHERE c.charge_id = NEW.charge_id AND c.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER refund_needs_capture BEFORE INSERT ON refund WHEN NOT EXISTS (
	SELECT 1 FROM charge c WHERE c.charge_id = NEW.charge_id AND c.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER refund_is_frozen BEFORE UPDATE OF key, charge_id, amount ON refund BEGIN SELECT RAISE(ABORT, 'refund_is_frozen'); END;
CREATE TRIGGER refund_never_goes BEFORE DELETE ON refund BEGIN SELECT RAISE(ABORT, 'refund_never_goes'); END;
CREATE TABLE ledger_line (
	posting_id INTEGER NOT NULL REFERENCES posting (posting_id) DEFERRABLE INITIALLY DEFERRED,
	account    TEXT NOT NULL CHECK (account IN ('card_clearing', 'rental_income', 'vat_payable', 'refunds_payable')),
	amount     INTEGER NOT NULL CHECK (amount <> 0), -- debit above zero, credit below
	PRIMARY KEY (posting_id, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE posting (
	posting_id INTEGER PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('capture', 'refund_owed', 'refund_paid')),
	charge_id  INTEGER NOT NULL REFERENCES charge (charge_id),
	refund_id  INTEGER REFERENCES refund (refund_id),
	currency   TEXT NOT NULL,
	posted_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX posting_by_charge ON posting (charge_id);
CREATE UNIQUE INDEX posting_once_per_charge ON posting (charge_id) WHERE kind = 'capture';
CREATE UNIQUE INDEX posting_once_per_refund ON posting (refund_id, kind) WHERE refund_id IS NOT NULL;
CREATE TRIGGER posting_balances BEFORE INSERT ON posting WHEN
	(SELECT COUNT(*) FROM ledger_line l WHERE l.posting_id = NEW.posting_id) < 2
	OR (SELECT SUM(l.amount) FROM ledger_line l WHERE l.posting_id = NEW.posting_id) <> 0
BEGIN SELECT RAISE(ABORT, 'posting_does_not_balance'); END;
CREATE TRIGGER ledger_line_before_posting BEFORE INSERT ON ledger_line WHEN EXISTS (
	SELECT 1 FROM posting p WHERE p.posting_id = NEW.posting_id)
BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE TRIGGER ledger_line_is_frozen BEFORE UPDATE ON ledger_line BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE TRIGGER ledger_line_never_goes BEFORE DELETE ON ledger_line BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE TRIGGER posting_is_frozen BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE TRIGGER posting_never_goes BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE VIEW v_card AS SELECT card_id, user_id, brand, last4, created_at FROM card WHERE removed_at = 0;
CREATE VIEW v_charge AS SELECT charge_id, key, subject_id, user_id, amount, currency, state, brand, last4, reason, refunded_amount, approved_at FROM charge;
PRAGMA user_version = 1;
