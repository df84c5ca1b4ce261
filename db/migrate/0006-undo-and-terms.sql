-- 5 → 6: terms that are accepted with a booking, acts that can be undone, several charge tries of a booking. The same as in schema.sql,
-- which explains it. Each part is of one context and in the order in which it was added.

-- delivery: the jobs a courier has in front of them, without those of the past
CREATE INDEX delivery_to_drive ON delivery (courier_id, window_from) WHERE state IN ('SCHEDULED', 'SHIPPED');

-- equipment
DROP INDEX equipment_order_uncollected;
CREATE INDEX equipment_order_uncollected ON equipment_order (ends_at) WHERE length(booking_code) = 0 AND state IN ('ORDERED', 'APPROVED');

-- booking: several tries to pay for one hold, each a charge of its own; and which process waits for payment.
ALTER TABLE booking ADD COLUMN try_no INTEGER NOT NULL DEFAULT 1 CHECK (try_no BETWEEN 1 AND 99);
ALTER TABLE booking ADD COLUMN keeps_hold INTEGER NOT NULL DEFAULT 0 CHECK (keeps_hold IN (0, 1));
ALTER TABLE booking ADD COLUMN asked_by TEXT NOT NULL DEFAULT '' CHECK (length(asked_by) <= 200);
CREATE TRIGGER booking_next_try BEFORE UPDATE OF try_no ON booking WHEN NEW.try_no <> OLD.try_no AND NOT (
	NEW.try_no = OLD.try_no + 1 AND OLD.state = 'HELD' AND NEW.state = 'HELD' AND OLD.asked_at > 0 AND NEW.asked_at = 0)
BEGIN SELECT RAISE(ABORT, 'booking_try'); END;
CREATE TABLE booking_try (
	booking_id  INTEGER NOT NULL REFERENCES booking (booking_id),
	try_no      INTEGER NOT NULL CHECK (try_no BETWEEN 1 AND 99),
	card_id     INTEGER NOT NULL DEFAULT 0,
	request_key TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200),
	declined_at INTEGER NOT NULL DEFAULT 0,
	reason      TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
	PRIMARY KEY (booking_id, try_no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX booking_try_request ON booking_try (booking_id, request_key) WHERE request_key <> '';
CREATE TRIGGER booking_try_never_goes BEFORE DELETE ON booking_try BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;

-- payment: which try a charge is, which process asks the provider, and the card that is saved once it has paid. Of all charges for one
-- subject one is approved at most.
ALTER TABLE charge ADD COLUMN try_no INTEGER NOT NULL DEFAULT 1 CHECK (try_no BETWEEN 1 AND 99);
ALTER TABLE charge ADD COLUMN asked_by TEXT NOT NULL DEFAULT '' CHECK (length(asked_by) <= 200);
ALTER TABLE charge ADD COLUMN card_token TEXT NOT NULL DEFAULT '' CHECK (length(card_token) <= 300);
CREATE INDEX charge_card_to_save ON charge (charge_id) WHERE card_token <> '';
CREATE UNIQUE INDEX charge_approved ON charge (subject_id) WHERE state = 'APPROVED' AND void_wanted = 0;
DROP TRIGGER charge_is_frozen;
CREATE TRIGGER charge_is_frozen BEFORE UPDATE OF key, subject_id, user_id, amount, vat_amount, currency, try_no ON charge
BEGIN SELECT RAISE(ABORT, 'charge_is_frozen'); END;

-- equipment: which process waits for review.
ALTER TABLE equipment_order ADD COLUMN asked_by TEXT NOT NULL DEFAULT '' CHECK (length(asked_by) <= 200);
