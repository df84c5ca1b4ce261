-- 3 → 4: the table user becomes person (user is a reserved word in SQL); models, cars and addresses have a Korean text.
-- The same as in schema.sql, which explains it. Views are dropped and created again, so that their text is the same as in a new database.

DROP VIEW v_api_token;
DROP VIEW v_session;
DROP VIEW v_role_holder;
DROP VIEW v_user;
ALTER TABLE user RENAME TO person;
CREATE VIEW v_user AS
	SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled,
	       (SELECT COALESCE(SUM(CASE r.role WHEN 'customer' THEN 1 WHEN 'employee' THEN 2 WHEN 'manager' THEN 4
	                                        WHEN 'courier' THEN 8 WHEN 'examiner' THEN 16 WHEN 'admin' THEN 32 ELSE 0 END), 0)
	          FROM user_role r WHERE r.user_id = u.user_id) AS roles
	  FROM person u;
CREATE VIEW v_role_holder AS
	SELECT r.role, u.user_id, u.name FROM user_role r JOIN person u ON u.user_id = r.user_id WHERE u.disabled = 0;
CREATE VIEW v_session AS
	SELECT s.token_hash, s.user_id, s.expires_at, v.email, v.name, v.lang, v.roles
	  FROM session s JOIN v_user v ON v.user_id = s.user_id WHERE v.disabled = 0;
CREATE VIEW v_api_token AS
	SELECT t.token_hash, t.user_id, v.email, v.name, v.lang, v.roles
	  FROM api_token t JOIN v_user v ON v.user_id = t.user_id WHERE v.disabled = 0 AND t.revoked_at = 0;

-- Korean names: '' means that the name serves both languages. Bookings and jobs made before keep the one name they have.
ALTER TABLE branch ADD COLUMN address_ko TEXT NOT NULL DEFAULT '' CHECK (length(address_ko) <= 200);
ALTER TABLE car_model ADD COLUMN name_ko TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80);
ALTER TABLE car ADD COLUMN name_ko TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80);
ALTER TABLE booking ADD COLUMN car_name_ko TEXT NOT NULL DEFAULT '';
ALTER TABLE booking_car ADD COLUMN car_name_ko TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN car_name_ko TEXT NOT NULL DEFAULT '';
DROP VIEW v_branch;
CREATE VIEW v_branch AS SELECT branch_id, name, name_ko, region, address, address_ko, phone, is_open FROM branch;
DROP VIEW v_car;
CREATE VIEW v_car AS
	SELECT c.car_id, c.plate, c.model_id, c.name, c.name_ko, c.body, c.seats, c.fuel, c.gearbox, c.daily_price, c.hourly_price,
	       c.branch_id, b.name AS branch_name, b.name_ko AS branch_name_ko, b.region, b.address AS branch_address,
	       b.address_ko AS branch_address_ko, b.phone AS branch_phone, c.service, c.photo, c.rev
	  FROM car c JOIN branch b ON b.branch_id = c.branch_id;
DROP VIEW v_car_model;
CREATE VIEW v_car_model AS SELECT model_id, name, name_ko, body, seats, fuel, gearbox, daily_price, hourly_price, state FROM car_model;
DROP VIEW v_booking;
CREATE VIEW v_booking AS
	SELECT booking_id, code, customer_id, car_id, car_name, car_name_ko, plate, branch_id, state, starts_at, ends_at, amount, vat_amount,
	       currency, charge_id, refund_state, refund_due, refunded_amount, held_at, paid_at, ended_at, n_cars, cancel_asked_at
	  FROM booking;
DROP VIEW v_booking_car;
CREATE VIEW v_booking_car AS SELECT booking_id, car_no, car_id, car_name, car_name_ko, plate FROM booking_car;
DROP VIEW v_booking_delivery;
CREATE VIEW v_booking_delivery AS
	SELECT b.code, b.customer_id, b.state AS booking_state, b.car_name, b.car_name_ko, b.plate, b.n_cars, b.starts_at, b.ends_at,
	       d.zone, d.address, d.place, d.window_from, d.window_to, d.collects
	  FROM booking_delivery d JOIN booking b ON b.booking_id = d.booking_id;

-- Events hold ids; the person who received the keys is read here.
DROP VIEW v_delivery;
CREATE VIEW v_delivery AS
	SELECT delivery_id, booking_code, direction, state, customer_id, zone, window_from, window_to, courier_id, shipped_at,
	       delivered_at, received_by
	  FROM delivery;
