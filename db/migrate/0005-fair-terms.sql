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
CREATE UNIQUE INDEX posting_once_per_refund ON posting (refund_id, kind) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX posting_once_per_payout ON posting (payout_id, kind) WHERE payout_id IS NOT NULL;
INSERT INTO ledger_account (account, type) VALUES
	('card_clearing', 'asset'), ('bank', 'asset'), ('rental_income', 'income'), ('vat_payable', 'liability'), ('refunds_payable', 'liability'),
	('payouts_payable', 'liability'), ('compensation', 'expense');
INSERT INTO posting_kind (kind, about) VALUES ('capture', 'charge'), ('refund_owed', 'refund'), ('refund_paid', 'refund'),
	('payout_due', 'payout'), ('payout_paid', 'payout'), ('payout_reversed', 'payout');
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

-- account: a sign-up is confirmed by a link in a mail, and a forgotten password is set anew with one. Accounts from before count as confirmed.
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
