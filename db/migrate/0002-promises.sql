-- 1 → 2: retries, overdue work and refunds by bank transfer. The same as in schema.sql, which explains it.

CREATE TABLE relay_pause (
	consumer  TEXT PRIMARY KEY,
	paused_at INTEGER NOT NULL,
	paused_by INTEGER NOT NULL,
	reason    TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 200)
) STRICT, WITHOUT ROWID;
CREATE VIEW v_relay_pause AS SELECT consumer, paused_at, paused_by, reason FROM relay_pause;

-- booking
ALTER TABLE booking ADD COLUMN ask_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN ask_next_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN last_error TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200);
CREATE INDEX booking_paid ON booking (paid_at) WHERE state = 'PAID';
CREATE INDEX booking_to_come ON booking (ends_at) WHERE state = 'CONFIRMED';
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
	UNION ALL                                        -- the charge of an expired booking is void: at most the whole amount
	SELECT 'refund', code, customer_id, ended_at, refund_tries, refund_next_at,
	       CASE state WHEN 'EXPIRED' THEN amount ELSE refund_due END, currency, last_error
	  FROM booking WHERE refund_state = 'PENDING' AND state <> 'CANCEL_REQUESTED';

-- payment
ALTER TABLE charge ADD COLUMN tried_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN last_error TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200);
ALTER TABLE refund ADD COLUMN tried_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE refund ADD COLUMN last_error TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200);
ALTER TABLE refund ADD COLUMN paid_by TEXT NOT NULL DEFAULT 'card' CHECK (paid_by IN ('card', 'bank'));
DROP VIEW v_charge;
CREATE VIEW v_charge AS
	SELECT c.charge_id, c.key, c.subject_id, c.user_id, c.amount, c.currency, c.state, c.brand, c.last4, c.reason, c.refunded_amount,
	       c.approved_at,
	       (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = c.charge_id) AS owed_amount,    -- refunded, or in progress
	       (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = c.charge_id AND r.state = 'DONE' AND r.paid_by = 'bank') AS bank_amount
	  FROM charge c;
CREATE VIEW v_stuck_charge AS
	SELECT 'charge' AS kind, c.charge_id, c.subject_id, c.user_id AS customer_id, c.requested_at AS since, c.tries, c.next_at, c.amount,
	       c.currency, c.last_error
	  FROM charge c WHERE (c.state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR c.void_wanted = 1) AND c.state IN ('REQUESTED', 'UNKNOWN')
	UNION ALL                                        -- FAILED, and looked up once more after five minutes (payment.h, LAST_LOOK_S)
	SELECT 'late_look', c.charge_id, c.subject_id, c.user_id, c.settled_at + 300, c.tries, c.next_at, c.amount, c.currency, c.last_error
	  FROM charge c WHERE (c.state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR c.void_wanted = 1) AND c.state = 'FAILED'
	UNION ALL
	SELECT 'payback', r.charge_id, c.subject_id, c.user_id, r.requested_at, r.tries, r.next_at, r.amount, c.currency, r.last_error
	  FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.state = 'REQUESTED';

-- The ledger gets an account for what is paid by bank transfer. A CHECK cannot be changed: the table is created again and its rows are copied.
DROP TRIGGER posting_balances;
DROP TRIGGER ledger_line_before_posting;
DROP TRIGGER ledger_line_is_frozen;
DROP TRIGGER ledger_line_never_goes;
ALTER TABLE ledger_line RENAME TO ledger_line_1;
CREATE TABLE ledger_line (
	posting_id INTEGER NOT NULL REFERENCES posting (posting_id) DEFERRABLE INITIALLY DEFERRED,
	account    TEXT NOT NULL CHECK (account IN ('card_clearing', 'rental_income', 'vat_payable', 'refunds_payable', 'bank')),
	amount     INTEGER NOT NULL CHECK (amount <> 0), -- positive: debit; negative: credit
	PRIMARY KEY (posting_id, account)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_line (posting_id, account, amount) SELECT posting_id, account, amount FROM ledger_line_1;
DROP TABLE ledger_line_1;
CREATE TRIGGER posting_balances BEFORE INSERT ON posting WHEN
	(SELECT COUNT(*) FROM ledger_line l WHERE l.posting_id = NEW.posting_id) < 2
	OR (SELECT SUM(l.amount) FROM ledger_line l WHERE l.posting_id = NEW.posting_id) <> 0
BEGIN SELECT RAISE(ABORT, 'posting_does_not_balance'); END;
CREATE TRIGGER ledger_line_before_posting BEFORE INSERT ON ledger_line WHEN EXISTS (
	SELECT 1 FROM posting p WHERE p.posting_id = NEW.posting_id)
BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE TRIGGER ledger_line_is_frozen BEFORE UPDATE ON ledger_line BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;
CREATE TRIGGER ledger_line_never_goes BEFORE DELETE ON ledger_line BEGIN SELECT RAISE(ABORT, 'posting_is_closed'); END;

-- ops
CREATE INDEX event_of_audit ON event (event_id)
	WHERE type >= 'ops.' AND type < 'ops/' OR type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved');
CREATE VIEW v_audit AS SELECT event_id, type, subject_id, actor_id, occurred_at, payload FROM event
	WHERE type >= 'ops.' AND type < 'ops/' OR type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved');
