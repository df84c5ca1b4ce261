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
