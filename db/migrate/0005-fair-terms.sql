-- 4 → 5: what was shown is what happens. The same as in schema.sql, which explains it. Each part is of one context and in the order in
-- which it was added.

-- payment: payouts; accounts and kinds of postings become rows, and a posting needs no charge. A CHECK cannot be changed: the two tables are
-- created again and their rows are copied.
DROP TRIGGER posting_balances;
DROP TRIGGER ledger_line_before_posting;
DROP TRIGGER ledger_line_is_frozen;
DROP TRIGGER ledger_line_never_goes;
DROP TRIGGER posting_is_frozen;
DROP TRIGGER posting_never_goes;
DROP INDEX posting_by_charge;
DROP INDEX posting_once_per_charge;
DROP INDEX posting_once_per_refund;
ALTER TABLE ledger_line RENAME TO ledger_line_4;
ALTER TABLE posting RENAME TO posting_4;
CREATE TABLE ledger_account (
	account TEXT PRIMARY KEY,
	type    TEXT NOT NULL CHECK (type IN ('asset', 'liability', 'income', 'expense'))
) STRICT, WITHOUT ROWID;
CREATE TABLE payout_kind (
	kind    TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES ledger_account (account)
) STRICT, WITHOUT ROWID;
CREATE TABLE payout (
	payout_id    INTEGER PRIMARY KEY,
	key          TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),
	payee_id     INTEGER NOT NULL,
	subject_id   TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80),
	kind         TEXT NOT NULL REFERENCES payout_kind (kind),
	amount       INTEGER NOT NULL CHECK (amount > 0),
	currency     TEXT NOT NULL CHECK (length(currency) = 3),
	way          TEXT NOT NULL CHECK (way IN ('card', 'bank')),
	charge_id    INTEGER REFERENCES charge (charge_id),
	state        TEXT NOT NULL CHECK (state IN ('ASSIGNED', 'COMPLETED', 'FAILED')),
	note         TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
	requested_at INTEGER NOT NULL,
	done_at      INTEGER NOT NULL DEFAULT 0,
	done_by      INTEGER NOT NULL DEFAULT 0,
	CHECK ((way = 'card') = (charge_id IS NOT NULL)),
	CHECK ((state = 'ASSIGNED') = (done_at = 0)),
	CHECK (state = 'ASSIGNED' OR length(note) > 0)
) STRICT;
CREATE INDEX payout_by_subject ON payout (subject_id);
CREATE INDEX payout_by_payee ON payout (payee_id, payout_id);
CREATE INDEX payout_by_state ON payout (state, payout_id);
CREATE INDEX payout_by_charge ON payout (charge_id) WHERE charge_id IS NOT NULL;
CREATE TRIGGER payout_begins BEFORE INSERT ON payout WHEN NEW.state <> 'ASSIGNED' BEGIN SELECT RAISE(ABORT, 'payout_state'); END;
CREATE TRIGGER payout_is_closed BEFORE UPDATE ON payout WHEN OLD.state <> 'ASSIGNED' BEGIN SELECT RAISE(ABORT, 'payout_state'); END;
CREATE TRIGGER payout_is_frozen BEFORE UPDATE OF key, payee_id, subject_id, kind, amount, currency, way, charge_id, requested_at ON payout
BEGIN SELECT RAISE(ABORT, 'payout_is_frozen'); END;
CREATE TRIGGER payout_never_goes BEFORE DELETE ON payout BEGIN SELECT RAISE(ABORT, 'payout_never_goes'); END;
CREATE TABLE posting_kind (
	kind  TEXT PRIMARY KEY,
	about TEXT NOT NULL CHECK (about IN ('charge', 'refund', 'payout', 'subject'))
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger_line (
	posting_id INTEGER NOT NULL REFERENCES posting (posting_id) DEFERRABLE INITIALLY DEFERRED,
	account    TEXT NOT NULL REFERENCES ledger_account (account),
	amount     INTEGER NOT NULL CHECK (amount <> 0),
	PRIMARY KEY (posting_id, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE posting (
	posting_id INTEGER PRIMARY KEY,
	kind       TEXT NOT NULL REFERENCES posting_kind (kind),
	subject_id TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80),
	charge_id  INTEGER REFERENCES charge (charge_id),
	refund_id  INTEGER REFERENCES refund (refund_id),
	payout_id  INTEGER REFERENCES payout (payout_id),
	currency   TEXT NOT NULL CHECK (length(currency) = 3),
	posted_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX posting_by_charge ON posting (charge_id);
CREATE INDEX posting_by_subject ON posting (subject_id);
CREATE UNIQUE INDEX posting_once_per_charge ON posting (charge_id) WHERE kind = 'capture';
CREATE INDEX posting_by_refund ON posting (refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX posting_once_per_refund ON posting (refund_id, kind) WHERE refund_id IS NOT NULL AND kind <> 'refund_withheld';
CREATE UNIQUE INDEX posting_once_per_payout ON posting (payout_id, kind) WHERE payout_id IS NOT NULL;
INSERT INTO ledger_account (account, type) VALUES
	('card_clearing', 'asset'), ('bank', 'asset'), ('rental_income', 'income'), ('vat_payable', 'liability'), ('refunds_payable', 'liability'),
	('payouts_payable', 'liability'), ('compensation', 'expense');
INSERT INTO posting_kind (kind, about) VALUES ('capture', 'charge'), ('refund_owed', 'refund'), ('refund_paid', 'refund'),
	('refund_withheld', 'refund'), ('payout_due', 'payout'), ('payout_paid', 'payout'), ('payout_reversed', 'payout');
INSERT INTO payout_kind (kind, account) VALUES ('compensation', 'compensation');
INSERT INTO ledger_line (posting_id, account, amount) SELECT posting_id, account, amount FROM ledger_line_4;
INSERT INTO posting (posting_id, kind, subject_id, charge_id, refund_id, currency, posted_at)
	SELECT p.posting_id, p.kind, c.subject_id, p.charge_id, p.refund_id, p.currency, p.posted_at
	  FROM posting_4 p JOIN charge c ON c.charge_id = p.charge_id;
DROP TABLE ledger_line_4;
DROP TABLE posting_4;
CREATE TRIGGER posting_is_about BEFORE INSERT ON posting WHEN NOT EXISTS (SELECT 1 FROM posting_kind k WHERE k.kind = NEW.kind
	AND (k.about IN ('charge', 'refund')) = (NEW.charge_id IS NOT NULL) AND (k.about = 'refund') = (NEW.refund_id IS NOT NULL)
	AND (k.about = 'payout') = (NEW.payout_id IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'posting_is_about_another_row'); END;
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
CREATE TRIGGER ledger_account_is_frozen BEFORE UPDATE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER ledger_account_never_goes BEFORE DELETE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER posting_kind_is_frozen BEFORE UPDATE ON posting_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER posting_kind_never_goes BEFORE DELETE ON posting_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER payout_kind_is_frozen BEFORE UPDATE ON payout_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER payout_kind_never_goes BEFORE DELETE ON payout_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE VIEW v_payout AS
	SELECT payout_id, key, payee_id, subject_id, kind, amount, currency, way, state, note, requested_at, done_at FROM payout;

-- booking: a no-show counts from the start
DROP INDEX booking_to_come;
CREATE INDEX booking_to_come ON booking (starts_at) WHERE state = 'CONFIRMED';

-- booking: what cancelling costs is frozen with each booking. Existing ones get the rule in force at this installation (temp.setting: `motorpool
-- migrate` puts the settings there), but at least the 90 % of the standard terms.
ALTER TABLE booking ADD COLUMN cancel_full_before_s INTEGER NOT NULL DEFAULT 86400 CHECK (cancel_full_before_s >= 0);
ALTER TABLE booking ADD COLUMN cancel_grace_s INTEGER NOT NULL DEFAULT 1800 CHECK (cancel_grace_s >= 0);
ALTER TABLE booking ADD COLUMN cancel_late_percent INTEGER NOT NULL DEFAULT 90 CHECK (cancel_late_percent BETWEEN 0 AND 100);
UPDATE booking SET cancel_full_before_s = (SELECT s.value FROM temp.setting s WHERE s.name = 'refund_full_before_s'),
	cancel_grace_s = (SELECT s.value FROM temp.setting s WHERE s.name = 'refund_grace_s'),
	cancel_late_percent = (SELECT CASE WHEN s.value < 90 THEN 90 ELSE s.value END FROM temp.setting s WHERE s.name = 'refund_late_percent');
DROP TRIGGER booking_is_frozen;
CREATE TRIGGER booking_is_frozen BEFORE UPDATE OF code, customer_id, car_id, starts_at, ends_at, amount, vat_amount, currency,
	cancel_full_before_s, cancel_grace_s, cancel_late_percent ON booking
BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
DROP VIEW v_booking;
CREATE VIEW v_booking AS
	SELECT booking_id, code, customer_id, car_id, car_name, car_name_ko, plate, branch_id, state, starts_at, ends_at, amount, vat_amount,
	       currency, charge_id, refund_state, refund_due, refunded_amount, held_at, paid_at, ended_at, n_cars, cancel_asked_at,
	       cancel_full_before_s, cancel_grace_s, cancel_late_percent
	  FROM booking;

-- account: a sign-up is confirmed by a link in a mail, and a forgotten password is reset with one. Accounts from before count as confirmed.
ALTER TABLE person ADD COLUMN email_confirmed_at INTEGER NOT NULL DEFAULT 0 CHECK (email_confirmed_at >= 0);
UPDATE person SET email_confirmed_at = created_at;
CREATE TABLE mail_link (                             -- a link sent by mail: works once, for half an hour (domain/mail_links.h)
	link_id       INTEGER PRIMARY KEY,
	purpose       TEXT NOT NULL CHECK (purpose IN ('sign_up', 'known', 'reset')),
	                                                 -- sign_up: makes the account. The others set a new password; known: asked for by a
	                                                 -- sign-up with the address of an account
	seed          TEXT NOT NULL UNIQUE,              -- with the secret key it gives the token; the table alone gives no access
	token_hash    TEXT NOT NULL UNIQUE,              -- BLAKE2b of the token
	user_id       INTEGER REFERENCES person (user_id),          -- whose it is; NULL: sign-up not confirmed, or no such account: no mail
	email         TEXT NOT NULL DEFAULT '' CHECK (email = lower(email) AND length(email) <= 254),   -- this and the next: of a sign-up
	name          TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 80),                              -- that is not confirmed yet
	phone         TEXT NOT NULL DEFAULT '' CHECK (length(phone) <= 30),
	password_hash TEXT NOT NULL DEFAULT '',          -- argon2id
	lang          TEXT NOT NULL CHECK (lang IN ('ko', 'en')),   -- of the page on which it was asked for
	next          TEXT NOT NULL DEFAULT '/' CHECK (length(next) BETWEEN 1 AND 4000),                -- the page to go on to
	created_at    INTEGER NOT NULL,
	expires_at    INTEGER NOT NULL,
	used_at       INTEGER NOT NULL DEFAULT 0,        -- used, or made void by the use of another one
	used_by       TEXT NOT NULL DEFAULT '',          -- hash of the key of the form that used it: its second click gets the same answer
	CHECK (expires_at > created_at AND used_at < expires_at),
	CHECK (purpose = 'sign_up' OR email = '' AND name = '' AND phone = '' AND password_hash = ''),
	CHECK (used_at = 0 OR email = '' AND name = '' AND phone = '' AND password_hash = ''),
	CHECK (purpose <> 'sign_up' OR used_at = 0 AND user_id IS NULL AND email <> '' OR used_at <> 0 AND user_id IS NOT NULL)
) STRICT;
CREATE INDEX mail_link_by_end ON mail_link (expires_at);
CREATE INDEX mail_link_by_user ON mail_link (user_id);
CREATE INDEX mail_link_by_email ON mail_link (email) WHERE email <> '';
CREATE TRIGGER mail_link_works_once BEFORE UPDATE OF used_at ON mail_link WHEN OLD.used_at <> 0
	BEGIN SELECT RAISE(ABORT, 'mail_link_works_once'); END;
CREATE VIEW v_mail_link AS                          -- for the program that sends the mail
	SELECT link_id, purpose, seed, user_id, email, lang, expires_at FROM mail_link;

-- booking: custody. From the events: a booking's cars were with its customer from booking.handed_out until booking.returned; an OUT one
-- still has them. Where two of a car overlap, the earlier custody ends when the later one begins, as 'taken_over'; if its booking is still
-- OUT, that is listed among what needs attention. Without an event of the hand-over there is a custody only while the
-- booking is OUT, from its start.
CREATE TABLE custody (
	custody_id INTEGER PRIMARY KEY,
	key        TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),
	car_id     INTEGER NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
	booking_id INTEGER REFERENCES booking (booking_id),
	user_id    INTEGER NOT NULL,
	from_at    INTEGER NOT NULL,
	to_at      INTEGER,
	ended_by   TEXT NOT NULL DEFAULT '' CHECK (ended_by IN ('', 'returned', 'handed_on', 'taken_over')),
	CHECK (to_at IS NULL OR from_at <= to_at),
	CHECK ((to_at IS NULL) = (ended_by = '')),
	CHECK (kind = 'staff' OR booking_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX custody_open ON custody (car_id) WHERE to_at IS NULL;
CREATE INDEX custody_by_car ON custody (car_id, from_at);
CREATE INDEX custody_by_booking ON custody (booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX custody_taken_over ON custody (booking_id) WHERE ended_by = 'taken_over';

INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at, to_at, ended_by)
	SELECT t.code || ':1:' || t.car_id, t.car_id, 'customer', t.booking_id, t.customer_id, t.from_at,
	       CASE WHEN t.next_from < COALESCE(t.to_at, t.next_from + 1) THEN t.next_from ELSE t.to_at END,
	       CASE WHEN t.next_from < COALESCE(t.to_at, t.next_from + 1) THEN 'taken_over' WHEN t.to_at IS NOT NULL THEN 'returned' ELSE '' END
	  FROM (SELECT h.*, LEAD(h.from_at) OVER (PARTITION BY h.car_id ORDER BY h.from_at, h.booking_id) AS next_from
	          FROM (SELECT o.booking_id, o.code, o.customer_id, o.car_id, o.from_at,
	                       CASE WHEN o.state = 'OUT' THEN NULL WHEN o.back_at < o.from_at THEN o.from_at ELSE o.back_at END AS to_at
	                  FROM (SELECT b.booking_id, b.code, b.customer_id, c.car_id, b.state,
	                               COALESCE((SELECT MIN(e.occurred_at) FROM event e WHERE e.subject_id = b.code
	                                          AND e.type = 'booking.handed_out'), CASE b.state WHEN 'OUT' THEN b.starts_at END) AS from_at,
	                               COALESCE((SELECT MIN(e.occurred_at) FROM event e WHERE e.subject_id = b.code
	                                          AND e.type = 'booking.returned'), b.ended_at) AS back_at
	                          FROM booking b JOIN (SELECT booking_id, car_id FROM booking
	                               UNION ALL SELECT booking_id, car_id FROM booking_car) c ON c.booking_id = b.booking_id
	                         WHERE b.state IN ('OUT', 'RETURNED', 'COMPLETED')) o
	                 WHERE o.from_at IS NOT NULL) h) t;

CREATE TRIGGER custody_is_free_on_insert BEFORE INSERT ON custody WHEN EXISTS (
	SELECT 1 FROM custody c WHERE c.car_id = NEW.car_id AND (c.to_at IS NULL OR c.to_at > NEW.from_at)
	   AND (NEW.to_at IS NULL OR c.from_at < NEW.to_at))
BEGIN SELECT RAISE(ABORT, 'custody_overlaps'); END;
CREATE TRIGGER custody_is_free_on_update BEFORE UPDATE OF to_at ON custody WHEN EXISTS (
	SELECT 1 FROM custody c WHERE c.car_id = NEW.car_id AND c.custody_id <> NEW.custody_id AND (c.to_at IS NULL OR c.to_at > NEW.from_at)
	   AND (NEW.to_at IS NULL OR c.from_at < NEW.to_at))
BEGIN SELECT RAISE(ABORT, 'custody_overlaps'); END;
CREATE TRIGGER custody_is_frozen BEFORE UPDATE OF key, car_id, kind, booking_id, user_id, from_at ON custody
BEGIN SELECT RAISE(ABORT, 'custody_is_frozen'); END;
CREATE TRIGGER custody_never_goes BEFORE DELETE ON custody BEGIN SELECT RAISE(ABORT, 'custody_never_goes'); END;
CREATE TRIGGER booking_out_has_custody BEFORE UPDATE OF state ON booking WHEN OLD.state <> 'OUT' AND NEW.state = 'OUT' AND NEW.n_cars <> (
	SELECT COUNT(*) FROM custody c WHERE c.booking_id = NEW.booking_id AND c.kind = 'customer' AND c.to_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'booking_without_custody'); END;
CREATE TRIGGER booking_back_has_none BEFORE UPDATE OF state ON booking WHEN OLD.state = 'OUT' AND NEW.state <> 'OUT' AND EXISTS (
	SELECT 1 FROM custody c WHERE c.booking_id = NEW.booking_id AND c.kind = 'customer' AND c.to_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'booking_with_custody'); END;

CREATE VIEW v_custody AS
	SELECT c.custody_id, c.car_id, c.kind, COALESCE(b.code, '') AS booking_code, c.user_id, c.from_at, c.to_at, c.ended_by,
	       COALESCE(b.ends_at, 0) AS due_at
	  FROM custody c LEFT JOIN booking b ON b.booking_id = c.booking_id;

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
	  FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id WHERE x.refund_state = 'PENDING'
	UNION ALL
	SELECT 'custody', b.code, b.customer_id,
	       (SELECT MAX(c.to_at) FROM custody c WHERE c.booking_id = b.booking_id AND c.ended_by = 'taken_over'), 0, 0, b.amount, b.currency, ''
	  FROM booking b WHERE b.state = 'OUT'
	   AND EXISTS (SELECT 1 FROM custody c WHERE c.booking_id = b.booking_id AND c.ended_by = 'taken_over');

-- delivery: steps with the car for which booking is asked first. Jobs from before have none waiting.
ALTER TABLE delivery ADD COLUMN trip_no INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN asked_step TEXT NOT NULL DEFAULT '' CHECK (asked_step IN ('', 'leave', 'hand_over', 'collect', 'back'));
ALTER TABLE delivery ADD COLUMN asked_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN ask_next_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN ask_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN back_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_asks ON delivery (ask_next_at) WHERE asked_step <> '';
DROP VIEW v_delivery;
CREATE VIEW v_delivery AS
	SELECT delivery_id, booking_code, direction, state, customer_id, zone, window_from, window_to, courier_id, shipped_at,
	       delivered_at, received_by, asked_step
	  FROM delivery;

-- payment: refunds made in the provider's own dashboard
ALTER TABLE charge ADD COLUMN compare_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX charge_to_compare ON charge (compare_at) WHERE compare_at > 0;
DROP VIEW v_charge;
DROP VIEW v_stuck_charge;
DROP TRIGGER refund_within_charge;
DROP TRIGGER refund_is_frozen;
ALTER TABLE refund ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0 CHECK (withheld BETWEEN 0 AND amount);
ALTER TABLE refund ADD COLUMN is_outside INTEGER NOT NULL DEFAULT 0 CHECK (is_outside IN (0, 1))
	CHECK (is_outside = 0 OR (state = 'DONE' AND withheld = 0 AND paid_by = 'card'));
ALTER TABLE refund ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX refund_not_seen ON refund (charge_id) WHERE is_outside = 1 AND seen_at = 0;
CREATE TRIGGER refund_within_charge BEFORE INSERT ON refund WHEN
	NEW.amount - NEW.withheld + (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r WHERE r.charge_id = NEW.charge_id)
	> (SELECT c.amount FROM charge c WHERE c.charge_id = NEW.charge_id AND c.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER refund_is_frozen BEFORE UPDATE OF key, charge_id, amount, is_outside ON refund BEGIN SELECT RAISE(ABORT, 'refund_is_frozen'); END;
CREATE TRIGGER refund_withheld_grows BEFORE UPDATE OF withheld ON refund WHEN NEW.withheld < OLD.withheld OR OLD.state <> 'REQUESTED'
BEGIN SELECT RAISE(ABORT, 'refund_is_frozen'); END;
CREATE VIEW v_charge AS
	SELECT c.charge_id, c.key, c.subject_id, c.user_id, c.amount, c.currency, c.state, c.brand, c.last4, c.reason, c.refunded_amount,
	       c.approved_at,
	       (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r WHERE r.charge_id = c.charge_id) AS owed_amount,
	       (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = c.charge_id AND r.state = 'DONE' AND r.paid_by = 'bank') AS bank_amount,
	       (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = c.charge_id AND r.is_outside = 1) AS outside_amount
	  FROM charge c;
CREATE VIEW v_stuck_charge AS
	SELECT 'charge' AS kind, c.charge_id, c.subject_id, c.user_id AS customer_id, c.requested_at AS since, c.tries, c.next_at, c.amount,
	       c.currency, c.last_error
	  FROM charge c WHERE (c.state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR c.void_wanted = 1) AND c.state IN ('REQUESTED', 'UNKNOWN')
	UNION ALL
	SELECT 'late_look', c.charge_id, c.subject_id, c.user_id, c.settled_at + 300, c.tries, c.next_at, c.amount, c.currency, c.last_error
	  FROM charge c WHERE (c.state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR c.void_wanted = 1) AND c.state = 'FAILED'
	UNION ALL
	SELECT 'payback', r.charge_id, c.subject_id, c.user_id, r.requested_at, r.tries, r.next_at, r.amount - r.withheld, c.currency, r.last_error
	  FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.state = 'REQUESTED'
	UNION ALL
	SELECT 'outside', r.charge_id, c.subject_id, c.user_id, r.requested_at, 0, 0, r.amount, c.currency, ''
	  FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.is_outside = 1 AND r.seen_at = 0;
