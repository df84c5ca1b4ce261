-- 5 → 6: terms that are accepted with a booking, acts that can be undone, several charge tries of a booking. The same as in schema.sql,
-- which explains it. Each part is of one context and in the order in which it was added.

-- delivery: the jobs a courier has in front of them, without those of the past
CREATE INDEX delivery_to_drive ON delivery (courier_id, window_from) WHERE state IN ('SCHEDULED', 'SHIPPED');

-- equipment
DROP INDEX equipment_order_uncollected;
CREATE INDEX equipment_order_uncollected ON equipment_order (ends_at) WHERE length(booking_code) = 0 AND state IN ('ORDERED', 'APPROVED');
