-- motorpool's data: every table, what each column means, and the invariants that the database enforces.
--
-- One file, $VAR/motorpool.db. Each table has one owner (the program named above it); only the owner writes it, others read
-- the published views v_* at the end of its section. Amounts are whole units of the smallest coin (KRW: won). Times are unix
-- seconds, UTC; intervals are half-open: [starts_at, ends_at). Codes are stored as the API spells them.
-- An older database is brought to this schema by db/migrate/NNNN-*.sql; PRAGMA user_version is its version.

PRAGMA user_version = 6;

-- ------------------------------------------------------------------------------------------------ events (lib/event/event.c)
-- The append-only log, which is also the outbox: an event is written in the transaction of the change it reports.

CREATE TABLE event (
	event_id     INTEGER PRIMARY KEY,                -- position in the log; grows with commit order (one writer at a time)
	type         TEXT NOT NULL CHECK (length(type) BETWEEN 3 AND 60),   -- booking.paid
	subject_id   TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80), -- correlation key: a booking's code, car:12, user:7
	causation_id INTEGER NOT NULL DEFAULT 0,         -- the event that led to this one; 0: caused by a person or by time
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

-- How far each consuming context is. Its reaction to an event and this row are committed together.
CREATE TABLE position (
	consumer  TEXT PRIMARY KEY,                      -- booking, payment, fleet …
	event_id  INTEGER NOT NULL,                      -- everything up to this one is handled, or is in event_retry
	moved_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events whose reaction failed, and later ones of the same subject held back behind them.
CREATE TABLE event_retry (
	consumer   TEXT NOT NULL,
	event_id   INTEGER NOT NULL,
	subject_id TEXT NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,           -- 0: only held back
	next_at    INTEGER NOT NULL,                     -- due from this time on (or when the clock is far before it)
	error      TEXT NOT NULL DEFAULT '',             -- error of the last try
	dead       INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)), -- a dead letter: not tried again unless a person decides so
	PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_retry_by_subject ON event_retry (consumer, subject_id, event_id);

-- Paused consumers (owned by ops): they handle no event and do no sweep until they are resumed.
CREATE TABLE relay_pause (
	consumer  TEXT PRIMARY KEY,                      -- booking, payment, fleet …
	paused_at INTEGER NOT NULL,
	paused_by INTEGER NOT NULL,                      -- user_id; 0: the motorpool command
	reason    TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 200)
) STRICT, WITHOUT ROWID;

-- The audit trail: what a person switched or settled by hand. Few rows of a long log, so the index costs other events nothing.
CREATE INDEX event_of_audit ON event (event_id)
	WHERE type >= 'ops.' AND type < 'ops/' OR type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved',
	'message.resent');
CREATE VIEW v_audit AS SELECT event_id, type, subject_id, actor_id, occurred_at, payload FROM event
	WHERE type >= 'ops.' AND type < 'ops/' OR type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved',
	'message.resent');

-- Published: the log and the position of each consumer.
CREATE VIEW v_event AS SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash, hash FROM event;
CREATE VIEW v_position AS SELECT consumer, event_id, moved_at FROM position;
CREATE VIEW v_event_retry AS SELECT consumer, event_id, subject_id, tries, next_at, error, dead FROM event_retry;
CREATE VIEW v_relay_pause AS SELECT consumer, paused_at, paused_by, reason FROM relay_pause;

-- ------------------------------------------------------------------------------------------------------- account 계정

CREATE TABLE person (
	user_id       INTEGER PRIMARY KEY,
	email         TEXT NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
	name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	phone         TEXT NOT NULL DEFAULT '' CHECK (length(phone) <= 30),
	lang          TEXT NOT NULL DEFAULT 'ko' CHECK (lang IN ('ko', 'en')),
	password_hash TEXT NOT NULL,                     -- argon2id
	disabled      INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL,
	email_confirmed_at INTEGER NOT NULL DEFAULT 0 CHECK (email_confirmed_at >= 0)    -- the address was proved by a link, or vouched for by staff
) STRICT;

CREATE TABLE user_role (
	user_id INTEGER NOT NULL REFERENCES person (user_id),
	role    TEXT NOT NULL CHECK (role IN ('customer', 'employee', 'manager', 'courier', 'examiner', 'admin')),
	PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_role_by_role ON user_role (role);

CREATE TABLE licence (                               -- a driving licence
	user_id    INTEGER PRIMARY KEY REFERENCES person (user_id),
	number     TEXT NOT NULL CHECK (length(number) BETWEEN 1 AND 30),
	expires_on TEXT NOT NULL CHECK (length(expires_on) = 10),   -- YYYY-MM-DD
	born_on    TEXT NOT NULL CHECK (length(born_on) = 10)
) STRICT;

CREATE TABLE session (
	token_hash TEXT PRIMARY KEY,                     -- BLAKE2b of the cookie's opaque token: the table alone gives no access
	user_id    INTEGER NOT NULL REFERENCES person (user_id),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL                      -- the absolute end; the idle end is a signed cookie (lib/web/web.c)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_end ON session (expires_at);

CREATE TABLE api_token (
	token_id   INTEGER PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	user_id    INTEGER NOT NULL REFERENCES person (user_id),
	name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	created_at INTEGER NOT NULL,
	revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX api_token_by_user ON api_token (user_id, token_id);

CREATE TABLE sign_in_throttle (                      -- failures per account and per address; does not reveal which accounts exist
	who        TEXT PRIMARY KEY,                     -- hash of 'email:…' or 'address:…'
	n_failed   INTEGER NOT NULL CHECK (n_failed >= 0),
	closed_until INTEGER NOT NULL DEFAULT 0,         -- no attempt is accepted before
	failed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_throttle_by_age ON sign_in_throttle (failed_at);

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

CREATE VIEW v_user AS
	SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled,
	       (SELECT COALESCE(SUM(CASE r.role WHEN 'customer' THEN 1 WHEN 'employee' THEN 2 WHEN 'manager' THEN 4
	                                        WHEN 'courier' THEN 8 WHEN 'examiner' THEN 16 WHEN 'admin' THEN 32 ELSE 0 END), 0)
	          FROM user_role r WHERE r.user_id = u.user_id) AS roles          -- enum role in lib/web/web.h
	  FROM person u;
CREATE VIEW v_role_holder AS                        -- for choosing a person: the couriers, the managers …
	SELECT r.role, u.user_id, u.name FROM user_role r JOIN person u ON u.user_id = r.user_id WHERE u.disabled = 0;
CREATE VIEW v_session AS
	SELECT s.token_hash, s.user_id, s.expires_at, v.email, v.name, v.lang, v.roles
	  FROM session s JOIN v_user v ON v.user_id = s.user_id WHERE v.disabled = 0;
CREATE VIEW v_api_token AS
	SELECT t.token_hash, t.user_id, v.email, v.name, v.lang, v.roles
	  FROM api_token t JOIN v_user v ON v.user_id = t.user_id WHERE v.disabled = 0 AND t.revoked_at = 0;
CREATE VIEW v_mail_link AS                          -- for the program that sends the mail
	SELECT link_id, purpose, seed, user_id, email, lang, expires_at FROM mail_link;

-- ----------------------------------------------------------------------------------------------------- fleet 차량관리

CREATE TABLE branch (
	branch_id  INTEGER PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
	name_ko    TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80),   -- '': the name is used in both languages
	region     TEXT NOT NULL DEFAULT '' CHECK (length(region) <= 40),    -- Seoul, Jeju
	address    TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 200),
	address_ko TEXT NOT NULL DEFAULT '' CHECK (length(address_ko) <= 200),
	phone      TEXT NOT NULL DEFAULT '' CHECK (length(phone) <= 30),
	is_open    INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1))      -- closed branches take no new cars
) STRICT;

CREATE TABLE car_model (                             -- 상품: the defaults for new cars of the model
	model_id     INTEGER PRIMARY KEY,
	name         TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
	name_ko      TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80),
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
	name_ko      TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80),
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
	rev          INTEGER NOT NULL,                   -- grows with every change of any car: searches fetch only what changed
	retire_at    INTEGER NOT NULL DEFAULT 0 CHECK (retire_at = 0 OR service = 'OUT_OF_SERVICE'),  -- RETIRED from then on, unless it is undone
	retire_by    INTEGER NOT NULL DEFAULT 0,         -- … user_id
	service_before TEXT NOT NULL DEFAULT '' CHECK (service_before IN ('', 'IN_SERVICE', 'OUT_OF_SERVICE'))    -- … what undoing gives back
		CHECK ((service_before = '') = (retire_at = 0)),
	service_at   INTEGER NOT NULL DEFAULT 0          -- since when it has this service at this branch
) STRICT;
CREATE INDEX car_by_rev ON car (rev);
CREATE INDEX car_to_retire ON car (retire_at) WHERE retire_at > 0;
CREATE INDEX car_not_in_service ON car (car_id) WHERE service <> 'IN_SERVICE';
CREATE INDEX car_by_branch ON car (branch_id);
CREATE INDEX car_by_model ON car (model_id);

CREATE TRIGGER car_stays_retired BEFORE UPDATE OF service ON car WHEN OLD.service = 'RETIRED' AND NEW.service <> 'RETIRED'
BEGIN SELECT RAISE(ABORT, 'car_is_retired'); END;
-- A car that a customer or a courier has is not retired.
CREATE TRIGGER car_is_here_when_retired BEFORE UPDATE OF service, retire_at ON car
WHEN OLD.service <> 'RETIRED' AND OLD.retire_at = 0 AND (NEW.service = 'RETIRED' OR NEW.retire_at > 0)
	AND EXISTS (SELECT 1 FROM v_custody k WHERE k.car_id = NEW.car_id AND k.to_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'car_is_in_use'); END;

-- What fleet knows of bookings, to show a car's status. It decides nothing: booking owns the calendar.
-- A car's status now: its service unless IN_SERVICE; else RENTED while a reservation runs (or the car is OUT); else AVAILABLE.
CREATE TABLE reservation (
	booking_code TEXT NOT NULL,
	car_id       INTEGER NOT NULL REFERENCES car (car_id),
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL CHECK (starts_at < ends_at),
	state        TEXT NOT NULL CHECK (state IN ('RESERVED', 'OUT', 'ENDED', 'RELEASED')),  -- ENDED: returned; RELEASED: cancelled
	changed_at   INTEGER NOT NULL,
	PRIMARY KEY (booking_code, car_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_by_car ON reservation (car_id, ends_at);
CREATE INDEX reservation_running ON reservation (car_id, ends_at) WHERE state IN ('RESERVED', 'OUT');

CREATE VIEW v_branch AS SELECT branch_id, name, name_ko, region, address, address_ko, phone, is_open FROM branch;
CREATE VIEW v_car AS
	SELECT c.car_id, c.plate, c.model_id, c.name, c.name_ko, c.body, c.seats, c.fuel, c.gearbox, c.daily_price, c.hourly_price,
	       c.branch_id, b.name AS branch_name, b.name_ko AS branch_name_ko, b.region, b.address AS branch_address,
	       b.address_ko AS branch_address_ko, b.phone AS branch_phone, c.service, c.photo, c.rev, c.retire_at, c.service_at
	  FROM car c JOIN branch b ON b.branch_id = c.branch_id;
-- lets searches in memory see whether any car was changed or deleted
CREATE VIEW v_car_rev AS SELECT rev FROM car;
CREATE VIEW v_car_model AS SELECT model_id, name, name_ko, body, seats, fuel, gearbox, daily_price, hourly_price, state FROM car_model;

-- --------------------------------------------------------------------------------------------------- booking 예약·접수

-- The firm's documents and their versions. An admin publishes them at /terms/edit; what was published never changes. In force is the
-- highest version whose valid_from has come.
CREATE TABLE terms (
	kind TEXT PRIMARY KEY CHECK (kind IN ('terms', 'privacy', 'company'))  -- 이용약관, 개인정보 처리방침, 사업자 정보: /terms, /privacy, /company
) STRICT, WITHOUT ROWID;

CREATE TABLE terms_version (
	kind         TEXT NOT NULL REFERENCES terms (kind),
	version      INTEGER NOT NULL CHECK (version >= 1),
	text         TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 40000),       -- in English; how it is laid out: cgi-bin/booking/terms_text.c
	text_ko      TEXT NOT NULL CHECK (length(text_ko) BETWEEN 1 AND 40000),
	published_at INTEGER NOT NULL,                   -- 0: came with the product
	valid_from   INTEGER NOT NULL CHECK (valid_from >= published_at),
	published_by INTEGER NOT NULL,                   -- user_id; 0: came with the product
	PRIMARY KEY (kind, version)
) STRICT;
CREATE TRIGGER terms_version_is_next BEFORE INSERT ON terms_version WHEN NEW.version <> 1 + (
	SELECT COALESCE(MAX(t.version), 0) FROM terms_version t WHERE t.kind = NEW.kind)
BEGIN SELECT RAISE(ABORT, 'terms_version_is_not_next'); END;
CREATE TRIGGER terms_version_is_frozen BEFORE UPDATE ON terms_version BEGIN SELECT RAISE(ABORT, 'terms_version_is_frozen'); END;
CREATE TRIGGER terms_version_never_goes BEFORE DELETE ON terms_version BEGIN SELECT RAISE(ABORT, 'terms_version_never_goes'); END;
CREATE TRIGGER terms_are_frozen BEFORE UPDATE ON terms BEGIN SELECT RAISE(ABORT, 'terms_are_frozen'); END;
CREATE TRIGGER terms_never_go BEFORE DELETE ON terms BEGIN SELECT RAISE(ABORT, 'terms_never_go'); END;
-- Version 1 of each came with the product. What a setting decides has no number in it: settings change, and the rule that was shown
-- at booking is frozen with each booking. The texts are INSERTs here and in db/migrate/0006, and not files that a program loads, so that
-- a database has terms in force however it was made.
INSERT INTO terms (kind) VALUES ('terms'), ('privacy'), ('company');
INSERT INTO terms_version (kind, version, published_at, valid_from, published_by, text, text_ko) VALUES ('terms', 1, 0, 0, 0,
'# 1. What these terms cover

These terms apply to every booking of a car, a delivery or equipment that you make with us. Who we are and how to reach us is on the page "Company information". The version that you accepted is recorded with your booking and remains readable there; a later version does not change your booking.

# 2. Booking and price

- The total is shown before you pay, VAT included. We charge this amount and no other. If it has changed in the meantime, we show you the new one first.
- While you pay, we hold the car for you for the time shown. If the payment does not go through, nothing is booked and any amount charged is refunded.
- Once you have paid, the branch confirms your booking. If it cannot, the booking ends and everything is refunded.

# 3. Cancelling

- You can cancel online, on the page of your booking, before the rental starts. Once a courier has left with the car, a booking with delivery can no longer be cancelled.
- What cancelling costs, and until when it is free, is shown before you pay, in your confirmation and on your receipt. This rule is recorded with your booking; later changes do not apply to it.
- If we cancel or cannot provide the car, everything is refunded, whatever the time.
- Refunds go to the card that paid. If that is not possible, we transfer the money.

# 4. Picking up the car

- Please bring your driving licence. Without a valid licence we cannot hand over the car.
- Only you may drive the car, unless the branch has agreed to another driver.
- If you will be late, please call the branch. When you have not come within a grace period after the start, we may record the car as not picked up. The booking then ends and the car is offered to others. We keep no more than a cancellation just before the start would have cost.
- If the car was not ready for you, the booking does not count as not picked up.

# 5. Using the car

- Please use the car with care and follow the traffic rules. Fines and tolls from the time of your rental are yours to pay.
- Do not sublet the car, take it abroad, or use it for racing or for carrying passengers or goods for money.
- In an accident, secure the place, call the police if anyone is hurt, and call the branch at once.

# 6. Returning the car

- Please return the car at the agreed time and place, with its keys and the equipment you rented.
- If you will be late, call the branch at once: another customer may have booked the car after you. The branch settles the extra time with you at the prices of the car when you return it.
- If you return early, please ask the branch about the unused time.
- Nothing further is charged to your card without your consent.

# 7. Delivery and equipment

- A courier brings the car to the agreed address, and collects it if you booked that. Please be there in the agreed time window with your driving licence.
- If a delivery, a collection or equipment that you booked cannot be provided, its price is refunded and the rest of the booking continues.
- Equipment must be returned complete. What is lost or broken is replaced at its value, which the branch shows you.

# 8. Insurance and damage

- The car has the motor insurance that the law requires. What it covers, and what you pay in case of damage, the branch explains before you drive off.
- We do not sell further insurance or damage waivers on this site at present.
- The state of the car is recorded at the hand-over and at the return. You pay for damage that you caused and that this insurance does not cover. We show you the reason, the evidence and the amount first, and you can object.

# 9. Complaints

Please talk to the branch first, or write to us. In Korea the consumer hotline 1372 gives advice and mediates. These terms follow the law of the Republic of Korea; rights that the law gives consumers always come first.',
'# 1. 적용 범위

이 약관은 고객님이 저희와 맺는 모든 차량, 배송, 장비 예약에 적용됩니다. 사업자와 연락처는 "사업자 정보" 페이지에 있습니다. 예약할 때 동의하신 약관의 버전은 예약에 기록되며 언제든지 다시 보실 수 있습니다. 이후에 약관이 바뀌어도 이미 하신 예약에는 적용되지 않습니다.

# 2. 예약과 요금

- 부가세를 포함한 총액을 결제 전에 보여 드리고, 그 금액만 결제합니다. 그 사이에 금액이 바뀌면 새 금액을 먼저 알려 드립니다.
- 결제하시는 동안 화면에 표시된 시간만큼 차량을 잡아 둡니다. 결제가 되지 않으면 예약되지 않으며, 결제된 금액이 있으면 환불합니다.
- 결제 후 지점에서 예약을 확정합니다. 확정할 수 없으면 예약은 종료되고 전액 환불됩니다.

# 3. 취소

- 대여 시작 전에는 예약 페이지에서 온라인으로 취소하실 수 있습니다. 배송 예약은 배송기사가 차량을 가지고 출발한 뒤에는 취소할 수 없습니다.
- 취소 수수료와 무료 취소 기한은 결제 전 화면, 예약 확정 메일, 영수증에 표시됩니다. 이 기준은 예약에 기록되며, 이후에 기준이 바뀌어도 적용되지 않습니다.
- 저희 사정으로 취소하거나 차량을 제공하지 못하면 시점과 관계없이 전액 환불합니다.
- 환불은 결제하신 카드로 해 드립니다. 카드로 환불할 수 없으면 계좌로 보내 드립니다.

# 4. 차량 인수

- 운전면허증을 지참해 주세요. 유효한 면허증이 없으면 차량을 인도할 수 없습니다.
- 지점이 동의한 다른 운전자가 없으면 고객님만 운전하실 수 있습니다.
- 늦으실 때는 지점에 전화해 주세요. 시작 시각 이후 유예 시간이 지나도 오지 않으시면 미인수로 처리할 수 있습니다. 이 경우 예약은 종료되고 차량은 다른 고객에게 제공됩니다. 시작 직전에 취소했을 때의 수수료보다 많이 받지 않습니다.
- 차량이 준비되지 않았던 경우에는 미인수로 처리하지 않습니다.

# 5. 차량 이용

- 차량을 조심해서 이용하고 교통 법규를 지켜 주세요. 대여 기간의 과태료, 범칙금, 통행료는 고객님이 부담하십니다.
- 차량을 다른 사람에게 다시 빌려주거나, 해외로 가져가거나, 경주 또는 유상 운송에 사용할 수 없습니다.
- 사고가 나면 현장을 안전하게 하고, 다친 사람이 있으면 경찰에 신고한 뒤 바로 지점에 연락해 주세요.

# 6. 차량 반납

- 약속한 시간과 장소에 차 키와 빌리신 장비를 함께 반납해 주세요.
- 늦으실 때는 바로 지점에 전화해 주세요. 다음 고객이 예약했을 수 있습니다. 추가 시간의 요금은 반납하실 때 해당 차량의 요금에 따라 지점에서 정산합니다.
- 일찍 반납하시는 경우 사용하지 않은 시간에 대해서는 지점에 문의해 주세요.
- 고객님의 동의 없이 카드에서 추가로 결제하지 않습니다.

# 7. 배송과 장비

- 배송기사가 약속한 주소로 차량을 가져다 드리고, 회수를 예약하셨으면 회수합니다. 약속한 시간대에 운전면허증을 가지고 계셔 주세요.
- 예약하신 배송, 회수, 장비를 제공할 수 없으면 그 요금을 환불하고 나머지 예약은 유지됩니다.
- 장비는 모두 반납해 주세요. 잃어버리거나 파손된 장비는 지점이 제시하는 가액으로 배상하셔야 합니다.

# 8. 보험과 손해

- 차량은 법에서 정한 자동차보험에 가입되어 있습니다. 보장 범위와 손해가 났을 때 고객님이 부담하실 금액은 출발 전에 지점에서 설명해 드립니다.
- 현재 이 사이트에서는 추가 보험이나 차량손해면책제도(자차)를 판매하지 않습니다.
- 인수와 반납 때 차량 상태를 기록합니다. 고객님의 책임으로 생긴 손해 중 위 보험으로 처리되지 않는 금액은 고객님이 부담하십니다. 사유, 증거, 금액을 먼저 알려 드리며 이의를 제기하실 수 있습니다.

# 9. 불만과 분쟁

먼저 지점에 말씀해 주시거나 저희에게 연락해 주세요. 1372 소비자상담센터에서 상담과 조정을 받으실 수 있습니다. 이 약관은 대한민국 법을 따르며, 법이 소비자에게 보장하는 권리가 항상 우선합니다.');
INSERT INTO terms_version (kind, version, published_at, valid_from, published_by, text, text_ko) VALUES ('privacy', 1, 0, 0, 0,
'# 1. What we store, and why

- Your account: name, email address, phone number and language, to sign you in and to reach you. Of your password we store only a hash, from which it cannot be read.
- Your driving licence, if you enter it: number, expiry date and date of birth, because only people with a licence may drive.
- Your bookings: car, times, price, and for deliveries the address. At a hand-over the mileage, the fuel, notes and photos of the car are recorded, and who received it.
- Your payments: amount, status, the brand of the card and its last four digits. You enter the card number on the page of the payment provider; we never receive it.
- The messages that we sent you, and a log of what happened to your bookings and payments, to answer questions and to find errors.
- Our request logs contain no network addresses. Failed sign-ins are counted under a hash of the address, to slow down guessing of passwords.

# 2. Who receives it

- The payment provider and your card company, for payments and refunds.
- Our branches and couriers: what they need to hand over the car to you.
- Authorities, where the law obliges us.

We sell no data and use none for advertising.

# 3. How long we keep it

We keep your data as long as you have an account. Korean law requires us to keep records of contracts and payments for five years and of complaints for three years; after that they are deleted on request.

# 4. Cookies

We only set cookies that the site needs: for your sign-in, to protect forms, and for your language. There is no analysis and no tracking.

# 5. Your rights

- You can read and correct your data on your profile, and end your sessions there.
- You can ask us for a copy of your data, for its correction or for its deletion. How to reach us is on the page "Company information".
- In Korea you can also turn to the privacy report centre, phone 118.

# 6. How we protect it

Members of staff see what their role needs. Who changed a booking, a payment or a role is recorded. Links in our emails for passwords work once and for a short time.',
'# 1. 수집하는 정보와 목적

- 계정: 이름, 이메일 주소, 전화번호, 언어. 로그인과 연락에 사용합니다. 비밀번호는 원래 값을 알 수 없는 해시로만 저장합니다.
- 운전면허증(입력하신 경우): 면허 번호, 만료일, 생년월일. 면허가 있는 분만 운전하실 수 있기 때문입니다.
- 예약: 차량, 시간, 요금, 배송의 경우 주소. 차량을 인도할 때 주행거리, 연료, 메모, 차량 사진과 수령인을 기록합니다.
- 결제: 금액, 상태, 카드 브랜드와 번호 마지막 네 자리. 카드 번호는 결제대행사 페이지에서 입력하시며 저희는 받지 않습니다.
- 보내 드린 메시지, 그리고 예약과 결제의 처리 이력. 문의에 답하고 오류를 찾는 데 사용합니다.
- 요청 기록에는 네트워크 주소를 남기지 않습니다. 로그인 실패 횟수는 비밀번호 추측을 막기 위해 주소의 해시로만 셉니다.

# 2. 제공받는 곳

- 결제대행사와 카드사: 결제와 환불.
- 지점과 배송기사: 차량을 인도하는 데 필요한 정보.
- 법에 따라 제공 의무가 있는 기관.

정보를 판매하거나 광고에 이용하지 않습니다.

# 3. 보관 기간

계정이 있는 동안 보관합니다. 법에 따라 계약과 결제 기록은 5년, 불만 처리 기록은 3년 동안 보관하며, 그 뒤에는 요청하시면 삭제합니다.

# 4. 쿠키

로그인, 양식 보호, 언어 설정에 꼭 필요한 쿠키만 사용합니다. 분석이나 추적은 하지 않습니다.

# 5. 고객님의 권리

- 프로필에서 정보를 확인하고 고치실 수 있으며, 로그인된 기기를 로그아웃하실 수 있습니다.
- 정보의 사본, 정정, 삭제를 요청하실 수 있습니다. 연락처는 "사업자 정보" 페이지에 있습니다.
- 개인정보침해 신고센터(전화 118)에 도움을 요청하실 수 있습니다.

# 6. 보호 조치

직원은 맡은 역할에 필요한 정보만 볼 수 있습니다. 예약, 결제, 역할을 누가 바꾸었는지 기록합니다. 비밀번호 관련 메일의 링크는 짧은 시간 동안 한 번만 사용할 수 있습니다.');
INSERT INTO terms_version (kind, version, published_at, valid_from, published_by, text, text_ko) VALUES ('company', 1, 0, 0, 0,
'# Operator

The operator of this site has not entered its details yet.

- Business name: not entered
- Representative: not entered
- Business registration number: not entered
- Mail-order sales registration number: not entered
- Car rental business registration number: not entered
- Address: not entered
- Phone: not entered
- Email: not entered
- Person responsible for privacy: not entered',
'# 사업자

아직 사업자 정보가 등록되지 않았습니다.

- 상호: 미등록
- 대표자: 미등록
- 사업자등록번호: 미등록
- 통신판매업 신고번호: 미등록
- 자동차대여사업 등록번호: 미등록
- 주소: 미등록
- 전화: 미등록
- 이메일: 미등록
- 개인정보 보호책임자: 미등록');

CREATE TABLE booking (
	booking_id   INTEGER PRIMARY KEY,
	code         TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 6 AND 20), -- MP-7K3F9QXA: shown to people, and the idempotency key of its first charge
	customer_id  INTEGER NOT NULL,
	car_id       INTEGER NOT NULL,
	car_name     TEXT NOT NULL,                      -- frozen at booking, as are plate, body and branch
	car_name_ko  TEXT NOT NULL DEFAULT '',
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
	hold_until   INTEGER NOT NULL,                   -- when an unpaid hold expires
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
	request_hash TEXT NOT NULL DEFAULT '',           -- hash of the request: the same key with another body is refused
	ask_tries    INTEGER NOT NULL DEFAULT 0,         -- how often the sweep has asked payment for an answer that was lost
	ask_next_at  INTEGER NOT NULL DEFAULT 0,         -- … and when it asks again
	last_error   TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200),  -- why the last attempt did not settle it: payment_down, no_answer …
	model_id     INTEGER NOT NULL DEFAULT 0,         -- any car of this model was booked; 0: this car
	n_cars       INTEGER NOT NULL DEFAULT 1 CHECK (n_cars BETWEEN 1 AND 5),   -- the others are in booking_car
	cancel_asked_at INTEGER NOT NULL DEFAULT 0,      -- when a cancellation was requested and delivery asked; 0: none, or settled
	cancel_asked_by INTEGER NOT NULL DEFAULT 0,      -- … user_id
	cancel_next_at INTEGER NOT NULL DEFAULT 0,       -- when the sweep asks delivery again
	cancel_tries INTEGER NOT NULL DEFAULT 0,
	-- what cancelling costs, as it was shown before paying (domain/cancel_terms.h)
	cancel_full_before_s INTEGER NOT NULL DEFAULT 86400 CHECK (cancel_full_before_s >= 0),    -- all is refunded until this long before the start
	cancel_grace_s INTEGER NOT NULL DEFAULT 1800 CHECK (cancel_grace_s >= 0),                 -- … or until this long after booking
	cancel_late_percent INTEGER NOT NULL DEFAULT 90 CHECK (cancel_late_percent BETWEEN 0 AND 100),    -- later, until the start, this share
	terms_version INTEGER NOT NULL DEFAULT 0 CHECK (terms_version >= 0),     -- of the terms that were accepted; 0: from before there were any
	try_no       INTEGER NOT NULL DEFAULT 1 CHECK (try_no BETWEEN 1 AND 99), -- which try to pay is next, under way or approved; the others were declined
	keeps_hold   INTEGER NOT NULL DEFAULT 0 CHECK (keeps_hold IN (0, 1)),    -- a declined card leaves the hold, and another one can be tried
	asked_by     TEXT NOT NULL DEFAULT '' CHECK (length(asked_by) <= 200),   -- the process that waits for payment (lib/base/proc.h, proc_stamp)
	-- until when staff can undo that it was not picked up or was returned: what this leads to waits until then. 0: final, or nothing to undo
	undo_until   INTEGER NOT NULL DEFAULT 0 CHECK (undo_until = 0 OR (undo_until > 0 AND state IN ('NO_SHOW', 'RETURNED'))),
	-- whose cancellation it is, asked for or done: the customer's (their rule applies) or the firm's (all is refunded); '': none
	cancel_by TEXT NOT NULL DEFAULT '' CHECK (cancel_by IN ('', 'customer', 'firm')),
	cancel_reason TEXT NOT NULL DEFAULT '' CHECK (length(cancel_reason) <= 40) CHECK ((cancel_by = 'firm') = (cancel_reason <> '')),   -- firm: car_late, car_broken …
	cancel_note TEXT NOT NULL DEFAULT '' CHECK (length(cancel_note) <= 500) CHECK (cancel_by = 'firm' OR cancel_note = ''),  -- … in own words
	-- what we pay the customer beyond the refund because we could not keep the booking: PENDING until payment has the payout
	compensation_due INTEGER NOT NULL DEFAULT 0 CHECK (compensation_due >= 0),
	compensation_state TEXT NOT NULL DEFAULT 'NONE' CHECK (compensation_state IN ('NONE', 'PENDING', 'DONE'))
		CHECK ((compensation_state = 'NONE') = (compensation_due = 0)),
	compensation_tries INTEGER NOT NULL DEFAULT 0,
	compensation_next_at INTEGER NOT NULL DEFAULT 0, -- when the sweep asks payment again
	-- nothing past HELD without an approved charge
	CHECK (state IN ('HELD', 'EXPIRED') OR charge_id IS NOT NULL)
) STRICT;
CREATE INDEX booking_by_customer ON booking (customer_id, booking_id);
CREATE INDEX booking_by_car ON booking (car_id, starts_at);
CREATE INDEX booking_by_start ON booking (starts_at, booking_id);
CREATE INDEX booking_held ON booking (hold_until) WHERE state = 'HELD';
CREATE INDEX booking_out ON booking (ends_at) WHERE state = 'OUT';
CREATE INDEX booking_paid ON booking (paid_at) WHERE state = 'PAID';
CREATE INDEX booking_to_come ON booking (starts_at) WHERE state = 'CONFIRMED';
CREATE INDEX booking_cancels ON booking (cancel_next_at) WHERE cancel_asked_at > 0;
CREATE INDEX booking_refunds ON booking (refund_next_at) WHERE refund_state = 'PENDING';
CREATE INDEX booking_undo ON booking (undo_until) WHERE undo_until > 0;
CREATE INDEX booking_compensations ON booking (compensation_next_at) WHERE compensation_state = 'PENDING';
CREATE INDEX booking_open ON booking (customer_id) WHERE state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT', 'CANCEL_REQUESTED');
-- one booking per key of a customer; an attempt that ended without a booking releases its key
CREATE UNIQUE INDEX booking_request ON booking (customer_id, request_key) WHERE request_key <> '' AND state <> 'EXPIRED';

-- The transitions between the states of a booking (docs/domain.md 3); any other is a defect of the program.
CREATE TRIGGER booking_walks BEFORE UPDATE OF state ON booking WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'HELD'             AND NEW.state IN ('PAID', 'EXPIRED'))
	OR (OLD.state = 'PAID'             AND NEW.state IN ('CONFIRMED', 'REJECTED', 'CANCEL_REQUESTED'))
	OR (OLD.state = 'CONFIRMED'        AND NEW.state IN ('OUT', 'NO_SHOW', 'CANCEL_REQUESTED'))
	OR (OLD.state = 'CANCEL_REQUESTED' AND NEW.state = 'CANCELLED')
	OR (OLD.state = 'OUT'              AND NEW.state = 'RETURNED')
	OR (OLD.state = 'RETURNED'         AND NEW.state = 'COMPLETED')
	OR (OLD.state = 'NO_SHOW'          AND NEW.state = 'CONFIRMED' AND OLD.undo_until > 0)
	OR (OLD.state = 'RETURNED'         AND NEW.state = 'OUT'       AND OLD.undo_until > 0))
BEGIN SELECT RAISE(ABORT, 'booking_state'); END;
-- While a no-show can be undone, nothing is refunded for it.
CREATE TRIGGER booking_refund_waits BEFORE UPDATE OF state, refund_state, refund_due, undo_until ON booking
WHEN NEW.state = 'NO_SHOW' AND NEW.undo_until > 0 AND (NEW.refund_state <> 'NONE' OR NEW.refund_due > 0)
BEGIN SELECT RAISE(ABORT, 'booking_undo'); END;
-- The price, what was booked, what cancelling costs and the accepted terms are frozen.
CREATE TRIGGER booking_is_frozen BEFORE UPDATE OF code, customer_id, car_id, starts_at, ends_at, amount, vat_amount, currency,
	cancel_full_before_s, cancel_grace_s, cancel_late_percent, terms_version ON booking
BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
-- Accepted are terms that were in force, or had been.
CREATE TRIGGER booking_accepts_terms BEFORE INSERT ON booking WHEN NEW.terms_version <> 0 AND NOT EXISTS (
	SELECT 1 FROM terms_version t WHERE t.kind = 'terms' AND t.version = NEW.terms_version AND t.valid_from <= NEW.held_at)
BEGIN SELECT RAISE(ABORT, 'booking_terms_unknown'); END;
CREATE TRIGGER booking_never_goes BEFORE DELETE ON booking BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;
-- Payment is asked to charge under CODE, CODE-2, CODE-3 …: the next try begins only after the last one was declined, while it is HELD.
CREATE TRIGGER booking_next_try BEFORE UPDATE OF try_no ON booking WHEN NEW.try_no <> OLD.try_no AND NOT (
	NEW.try_no = OLD.try_no + 1 AND OLD.state = 'HELD' AND NEW.state = 'HELD' AND OLD.asked_at > 0 AND NEW.asked_at = 0)
BEGIN SELECT RAISE(ABORT, 'booking_try'); END;

-- The tries to pay for a booking: those that were declined, and one that is under way if it came with a key of its own.
CREATE TABLE booking_try (
	booking_id  INTEGER NOT NULL REFERENCES booking (booking_id),
	try_no      INTEGER NOT NULL CHECK (try_no BETWEEN 1 AND 99),
	card_id     INTEGER NOT NULL DEFAULT 0,          -- 0: a new card, on the provider's own page
	request_key TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200), -- the client's Idempotency-Key
	declined_at INTEGER NOT NULL DEFAULT 0,          -- 0: not declined
	reason      TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 200),      -- payment's code: declined, insufficient_funds …
	PRIMARY KEY (booking_id, try_no)
) STRICT, WITHOUT ROWID;
-- the same request again is the same try
CREATE UNIQUE INDEX booking_try_request ON booking_try (booking_id, request_key) WHERE request_key <> '';
CREATE TRIGGER booking_try_never_goes BEFORE DELETE ON booking_try BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;

CREATE TABLE booking_line (                          -- the parts of the price, frozen
	booking_id INTEGER NOT NULL REFERENCES booking (booking_id),
	line_no    INTEGER NOT NULL,
	rule       TEXT NOT NULL,                        -- daily, hourly, hourly_cap, delivery, collection, equipment (booking/price.c, extra.c)
	version    INTEGER NOT NULL,
	unit       TEXT NOT NULL,                        -- day, hour, trip, piece_day
	quantity   INTEGER NOT NULL,
	unit_amount INTEGER NOT NULL,
	amount     INTEGER NOT NULL,                     -- quantity × unit_amount, or the cap
	label      TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 80),      -- an item's name or a zone, where the rule alone is not enough
	label_ko   TEXT NOT NULL DEFAULT '' CHECK (length(label_ko) <= 80),
	PRIMARY KEY (booking_id, line_no)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER booking_line_is_frozen BEFORE UPDATE ON booking_line BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;

-- The second and further cars of a booking; the first is in the booking itself.
CREATE TABLE booking_car (
	booking_id INTEGER NOT NULL REFERENCES booking (booking_id),
	car_no     INTEGER NOT NULL CHECK (car_no BETWEEN 2 AND 5),
	car_id     INTEGER NOT NULL,
	car_name   TEXT NOT NULL,                        -- frozen, like the first car's
	car_name_ko TEXT NOT NULL DEFAULT '',
	plate      TEXT NOT NULL,
	PRIMARY KEY (booking_id, car_no),
	UNIQUE (booking_id, car_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_car_by_car ON booking_car (car_id, booking_id);
CREATE TRIGGER booking_car_is_frozen BEFORE UPDATE ON booking_car BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
CREATE TRIGGER booking_car_never_goes BEFORE DELETE ON booking_car BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;

-- Extras: booked with the car and provided by other programs. Each is one of the booking's price lines; if it is cancelled, its
-- price is refunded while the booking continues.
CREATE TABLE booking_extra (
	booking_id   INTEGER NOT NULL REFERENCES booking (booking_id),
	line_no      INTEGER NOT NULL,                   -- its price line
	kind         TEXT NOT NULL CHECK (kind IN ('delivery', 'collection', 'equipment')),
	ref_id       INTEGER NOT NULL DEFAULT 0,         -- equipment: item_id
	quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
	amount       INTEGER NOT NULL CHECK (amount >= 0),                     -- the line's
	state        TEXT NOT NULL DEFAULT 'BOOKED' CHECK (state IN ('BOOKED', 'ENDED')),  -- ENDED: cancelled
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

-- Parts of the price that managers gave back while the booking stayed as it was.
CREATE TABLE part_refund (
	booking_id   INTEGER NOT NULL REFERENCES booking (booking_id),
	refund_no    INTEGER NOT NULL CHECK (refund_no >= 1),
	amount       INTEGER NOT NULL CHECK (amount > 0),
	reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 40),    -- car_fault, late_start …
	note         TEXT NOT NULL CHECK (length(note) BETWEEN 1 AND 500),     -- to the customer, in own words
	asked_at     INTEGER NOT NULL,
	asked_by     INTEGER NOT NULL,                   -- user_id of the manager
	refund_state TEXT NOT NULL DEFAULT 'PENDING' CHECK (refund_state IN ('PENDING', 'DONE')),
	refund_tries INTEGER NOT NULL DEFAULT 0,
	refund_next_at INTEGER NOT NULL DEFAULT 0,       -- when the sweep asks payment again
	last_error   TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200),
	request_key  TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200), -- the form's key: a second click is the same refund
	PRIMARY KEY (booking_id, refund_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX part_refund_waiting ON part_refund (refund_next_at) WHERE refund_state = 'PENDING';
CREATE UNIQUE INDEX part_refund_once ON part_refund (booking_id, request_key) WHERE request_key <> '';
CREATE TRIGGER part_refund_begins BEFORE INSERT ON part_refund WHEN NEW.refund_state <> 'PENDING' OR NOT EXISTS (
	SELECT 1 FROM booking b WHERE b.booking_id = NEW.booking_id
	   AND b.state IN ('CONFIRMED', 'OUT', 'RETURNED', 'COMPLETED', 'NO_SHOW', 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'part_refund_state'); END;
CREATE TRIGGER part_refund_is_frozen BEFORE UPDATE OF booking_id, refund_no, amount, reason, note, asked_at, asked_by ON part_refund
BEGIN SELECT RAISE(ABORT, 'part_refund_is_frozen'); END;
CREATE TRIGGER part_refund_is_done BEFORE UPDATE ON part_refund WHEN OLD.refund_state = 'DONE' BEGIN SELECT RAISE(ABORT, 'part_refund_is_frozen'); END;
CREATE TRIGGER part_refund_never_goes BEFORE DELETE ON part_refund BEGIN SELECT RAISE(ABORT, 'booking_never_goes'); END;

-- What is refunded of a booking, of its extras and in parts is together at most its price.
CREATE TRIGGER part_refund_within_amount BEFORE INSERT ON part_refund WHEN NEW.amount
	+ (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = NEW.booking_id)
	+ (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x WHERE x.booking_id = NEW.booking_id)
	+ (SELECT b.refund_due FROM booking b WHERE b.booking_id = NEW.booking_id) > (SELECT b.amount FROM booking b WHERE b.booking_id = NEW.booking_id)
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER booking_refund_within_amount BEFORE UPDATE OF refund_due ON booking WHEN NEW.refund_due
	+ (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = NEW.booking_id)
	+ (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x WHERE x.booking_id = NEW.booking_id) > NEW.amount
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER extra_refund_within_amount BEFORE UPDATE OF refund_due ON booking_extra WHEN NEW.refund_due
	+ (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = NEW.booking_id)
	+ (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x WHERE x.booking_id = NEW.booking_id AND x.line_no <> NEW.line_no)
	+ (SELECT b.refund_due FROM booking b WHERE b.booking_id = NEW.booking_id) > (SELECT b.amount FROM booking b WHERE b.booking_id = NEW.booking_id)
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
-- A booking that the firm cancels is refunded in full; only then, or when the car was refused, is there a compensation, which is fixed.
CREATE TRIGGER booking_of_firm_keeps_nothing BEFORE UPDATE OF state ON booking WHEN NEW.state = 'CANCEL_REQUESTED' AND NEW.cancel_by = 'firm'
	AND NEW.refund_due + (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = NEW.booking_id)
	+ (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x WHERE x.booking_id = NEW.booking_id) <> NEW.amount
BEGIN SELECT RAISE(ABORT, 'firm_keeps_nothing'); END;
CREATE TRIGGER booking_compensates BEFORE UPDATE OF compensation_due ON booking WHEN NEW.compensation_due <> OLD.compensation_due
	AND (OLD.compensation_due <> 0 OR NOT (NEW.state = 'REJECTED' OR NEW.state = 'CANCEL_REQUESTED' AND NEW.cancel_by = 'firm'))
BEGIN SELECT RAISE(ABORT, 'compensation_is_frozen'); END;
CREATE TRIGGER booking_cancelled_by BEFORE UPDATE OF cancel_by, cancel_reason, cancel_note ON booking
	WHEN OLD.state IN ('CANCEL_REQUESTED', 'CANCELLED')
BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;

-- Where the car is delivered, and collected.
CREATE TABLE booking_delivery (
	booking_id  INTEGER PRIMARY KEY REFERENCES booking (booking_id),
	zone        TEXT NOT NULL CHECK (length(zone) BETWEEN 1 AND 40),       -- settings.delivery_zones
	address     TEXT NOT NULL CHECK (length(address) BETWEEN 1 AND 200),
	place       TEXT NOT NULL DEFAULT '' CHECK (length(place) <= 200),     -- where exactly: the gate, the lobby, a bay
	window_from INTEGER NOT NULL,                    -- delivery time: at the booking's start or later
	window_to   INTEGER NOT NULL CHECK (window_from <= window_to),
	collects    INTEGER NOT NULL DEFAULT 0 CHECK (collects IN (0, 1))      -- it is also collected there at the end
) STRICT;

-- Custody: which car is with whom from when to when, really; the calendar below is the plan. One row for each car of a booking while its
-- customer has it (customer), and for each way of a courier with it (staff). Half-open: [from_at, to_at).
CREATE TABLE custody (
	custody_id INTEGER PRIMARY KEY,
	key        TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),  -- a step that is asked for twice is one custody
	car_id     INTEGER NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
	booking_id INTEGER REFERENCES booking (booking_id),                    -- NULL: staff has moved the car without a booking
	user_id    INTEGER NOT NULL,                     -- who has it: the customer, the courier
	from_at    INTEGER NOT NULL,
	to_at      INTEGER,                              -- NULL while it lasts
	-- returned: at the branch; handed_on: to the next custody, in the same step; taken_over: another booking has the car though it was
	-- not recorded as returned
	ended_by   TEXT NOT NULL DEFAULT '' CHECK (ended_by IN ('', 'returned', 'handed_on', 'taken_over')),
	CHECK (to_at IS NULL OR from_at <= to_at),
	CHECK ((to_at IS NULL) = (ended_by = '')),
	CHECK (kind = 'staff' OR booking_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX custody_open ON custody (car_id) WHERE to_at IS NULL;
CREATE INDEX custody_by_car ON custody (car_id, from_at);
CREATE INDEX custody_by_booking ON custody (booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX custody_taken_over ON custody (booking_id) WHERE ended_by = 'taken_over';

-- No two custodies of one car overlap.
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
-- A booking becomes OUT with a custody of each of its cars, and RETURNED without.
CREATE TRIGGER booking_out_has_custody BEFORE UPDATE OF state ON booking WHEN OLD.state <> 'OUT' AND NEW.state = 'OUT' AND NEW.n_cars <> (
	SELECT COUNT(*) FROM custody c WHERE c.booking_id = NEW.booking_id AND c.kind = 'customer' AND c.to_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'booking_without_custody'); END;
CREATE TRIGGER booking_back_has_none BEFORE UPDATE OF state ON booking WHEN OLD.state = 'OUT' AND NEW.state <> 'OUT' AND EXISTS (
	SELECT 1 FROM custody c WHERE c.booking_id = NEW.booking_id AND c.kind = 'customer' AND c.to_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'booking_with_custody'); END;

-- The calendar: which booking has which car when. Only this table decides.
CREATE TABLE slot (
	slot_id    INTEGER PRIMARY KEY,
	car_id     INTEGER NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('HOLD', 'BOOKED', 'BLOCK', 'RELEASED')),
	starts_at  INTEGER NOT NULL,
	ends_at    INTEGER NOT NULL,                     -- the rental's end
	busy_until INTEGER NOT NULL,                     -- … plus the turnaround buffer: available again from here
	booking_id INTEGER NOT NULL DEFAULT 0,           -- 0: a manager's block
	note       TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
	rev        INTEGER NOT NULL,                     -- grows with every change: searches in memory fetch only what changed
	CHECK (starts_at < ends_at AND ends_at <= busy_until)
) STRICT;
-- the end comes first, so that a query for a car's future does not read its past
CREATE INDEX slot_by_car ON slot (car_id, busy_until, starts_at) WHERE kind <> 'RELEASED';
CREATE UNIQUE INDEX slot_by_booking ON slot (booking_id, car_id) WHERE booking_id <> 0;
CREATE INDEX slot_by_rev ON slot (rev);

-- No two unreleased slots of one car overlap, buffer included.
CREATE TRIGGER slot_is_free_on_insert BEFORE INSERT ON slot WHEN NEW.kind <> 'RELEASED' AND EXISTS (
	SELECT 1 FROM slot s WHERE s.car_id = NEW.car_id AND s.kind <> 'RELEASED'
	   AND s.busy_until > NEW.starts_at AND s.starts_at < NEW.busy_until)
BEGIN SELECT RAISE(ABORT, 'slot_taken'); END;
CREATE TRIGGER slot_is_free_on_update BEFORE UPDATE OF car_id, kind, starts_at, ends_at, busy_until ON slot
WHEN NEW.kind <> 'RELEASED' AND EXISTS (
	SELECT 1 FROM slot s WHERE s.car_id = NEW.car_id AND s.kind <> 'RELEASED' AND s.slot_id <> NEW.slot_id
	   AND s.busy_until > NEW.starts_at AND s.starts_at < NEW.busy_until)
BEGIN SELECT RAISE(ABORT, 'slot_taken'); END;
-- While its booking's end can be undone, a slot is neither released nor shortened.
CREATE TRIGGER slot_waits_for_undo BEFORE UPDATE OF kind, ends_at ON slot WHEN (NEW.kind = 'RELEASED' OR NEW.ends_at < OLD.ends_at)
	AND EXISTS (SELECT 1 FROM booking b WHERE b.booking_id = NEW.booking_id AND b.undo_until > 0)
BEGIN SELECT RAISE(ABORT, 'slot_waits'); END;

CREATE VIEW v_booking AS
	SELECT booking_id, code, customer_id, car_id, car_name, car_name_ko, plate, branch_id, state, starts_at, ends_at, amount, vat_amount,
	       currency, charge_id, refund_state, refund_due, refunded_amount, held_at, paid_at, ended_at, n_cars, cancel_asked_at,
	       cancel_full_before_s, cancel_grace_s, cancel_late_percent, terms_version, undo_until, cancel_by, cancel_reason, cancel_note,
	       compensation_due, compensation_state
	  FROM booking;
-- All the cars of a booking, each as it is now.
CREATE VIEW v_booked_car AS
	SELECT b.booking_id, c.car_id, c.plate, c.service, c.service_at, c.branch_id FROM booking b JOIN car c ON c.car_id = b.car_id
	UNION ALL
	SELECT m.booking_id, c.car_id, c.plate, c.service, c.service_at, c.branch_id FROM booking_car m JOIN car c ON c.car_id = m.car_id;
-- Others have one of its cars, or had it until its end.
CREATE VIEW v_booking_without_car AS
	SELECT s.booking_id, c.car_id FROM slot s JOIN booking b ON b.booking_id = s.booking_id JOIN custody c ON c.car_id = s.car_id
	 WHERE s.booking_id <> 0 AND COALESCE(c.booking_id, 0) <> s.booking_id
	   AND c.from_at < b.ends_at AND (c.to_at IS NULL OR c.to_at >= b.ends_at);
-- What we have given back of each booking, without what was refunded in the provider's own dashboard (v_charge).
CREATE VIEW v_booking_given AS
	SELECT b.code, b.charge_id, b.amount, b.vat_amount, b.refunded_amount
	       + (SELECT COALESCE(SUM(x.refunded_amount), 0) FROM booking_extra x WHERE x.booking_id = b.booking_id)
	       + (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = b.booking_id AND p.refund_state = 'DONE') AS given_amount
	  FROM booking b;
CREATE VIEW v_part_refund AS
	SELECT b.code, p.refund_no, p.amount, p.reason, p.note, p.refund_state, p.asked_at
	  FROM part_refund p JOIN booking b ON b.booking_id = p.booking_id;
CREATE VIEW v_booking_car AS SELECT booking_id, car_no, car_id, car_name, car_name_ko, plate FROM booking_car;
CREATE VIEW v_booking_extra AS
	SELECT b.code, b.customer_id, b.state AS booking_state, b.starts_at, b.ends_at, x.line_no, x.kind, x.ref_id, x.quantity, x.amount,
	       x.state, x.refund_state, x.refunded_amount, l.unit_amount, l.label, l.label_ko
	  FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id
	  JOIN booking_line l ON l.booking_id = x.booking_id AND l.line_no = x.line_no;
CREATE VIEW v_booking_delivery AS
	SELECT b.code, b.customer_id, b.state AS booking_state, b.car_name, b.car_name_ko, b.plate, b.n_cars, b.starts_at, b.ends_at,
	       d.zone, d.address, d.place, d.window_from, d.window_to, d.collects
	  FROM booking_delivery d JOIN booking b ON b.booking_id = d.booking_id;
-- What is in progress and may be overdue (domain/stuck.h); the reader decides after how long.
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
	  FROM booking WHERE refund_state = 'PENDING' AND state <> 'CANCEL_REQUESTED'
	UNION ALL
	SELECT 'wish', code, customer_id, cancel_asked_at, cancel_tries, cancel_next_at, amount, currency, ''
	  FROM booking WHERE cancel_asked_at > 0
	UNION ALL
	SELECT 'extra', b.code, b.customer_id, x.ended_at, x.refund_tries, x.refund_next_at, x.refund_due, b.currency, x.last_error
	  FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id WHERE x.refund_state = 'PENDING'
	UNION ALL                                        -- another booking has its car, and it was not recorded as returned
	SELECT 'custody', b.code, b.customer_id,
	       (SELECT MAX(c.to_at) FROM custody c WHERE c.booking_id = b.booking_id AND c.ended_by = 'taken_over'), 0, 0, b.amount, b.currency, ''
	  FROM booking b WHERE b.state = 'OUT'
	   AND EXISTS (SELECT 1 FROM custody c WHERE c.booking_id = b.booking_id AND c.ended_by = 'taken_over')
	UNION ALL                                        -- one of its cars is not in service, or is at another branch than the booking says
	SELECT 'car_gone', b.code, b.customer_id,
	       (SELECT MAX(CASE WHEN c.service_at > b.paid_at THEN c.service_at ELSE b.paid_at END) FROM v_booked_car c
	         WHERE c.booking_id = b.booking_id AND (c.service <> 'IN_SERVICE' OR c.branch_id <> b.branch_id)), 0, 0, b.amount, b.currency,
	       CASE WHEN EXISTS (SELECT 1 FROM v_booked_car c WHERE c.booking_id = b.booking_id AND c.service = 'RETIRED') THEN 'retired'
	            WHEN EXISTS (SELECT 1 FROM v_booked_car c WHERE c.booking_id = b.booking_id AND c.service <> 'IN_SERVICE') THEN 'out_of_service'
	            ELSE 'moved' END
	  FROM booking b WHERE b.state = 'CONFIRMED'
	   AND EXISTS (SELECT 1 FROM v_booked_car c WHERE c.booking_id = b.booking_id AND (c.service <> 'IN_SERVICE' OR c.branch_id <> b.branch_id))
	UNION ALL
	SELECT 'part', b.code, b.customer_id, p.asked_at, p.refund_tries, p.refund_next_at, p.amount, b.currency, p.last_error
	  FROM part_refund p JOIN booking b ON b.booking_id = p.booking_id WHERE p.refund_state = 'PENDING'
	UNION ALL
	SELECT 'compensation', code, customer_id, ended_at, compensation_tries, compensation_next_at, compensation_due, currency, ''
	  FROM booking WHERE compensation_state = 'PENDING'
	UNION ALL                                        -- its time has begun, and others still have one of its cars or had it until its end
	SELECT 'no_car', b.code, b.customer_id, b.starts_at, 0, 0, b.amount, b.currency, ''
	  FROM booking b WHERE b.state = 'CONFIRMED' AND b.cancel_asked_at = 0
	   AND EXISTS (SELECT 1 FROM v_booking_without_car a WHERE a.booking_id = b.booking_id);
CREATE VIEW v_custody AS
	SELECT c.custody_id, c.car_id, c.kind, COALESCE(b.code, '') AS booking_code, c.user_id, c.from_at, c.to_at, c.ended_by,
	       COALESCE(b.ends_at, 0) AS due_at
	  FROM custody c LEFT JOIN booking b ON b.booking_id = c.booking_id;
CREATE VIEW v_slot AS SELECT slot_id, car_id, kind, starts_at, ends_at, busy_until, booking_id FROM slot;

-- ------------------------------------------------------------------------------------------------- payment 결제·지급

CREATE TABLE payer (                                 -- the key by which the provider knows a customer: never our id
	user_id      INTEGER PRIMARY KEY,
	customer_key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE card (                                  -- a saved card: the provider's token, never the card number
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
	key         TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),  -- the caller's idempotency key: CODE, CODE-2, CODE-3 … one for each try
	subject_id  TEXT NOT NULL,                       -- what is paid for: the booking's code
	user_id     INTEGER NOT NULL,
	card_id     INTEGER NOT NULL DEFAULT 0,          -- 0: paid on the provider's page
	amount      INTEGER NOT NULL CHECK (amount > 0 OR (amount = 0 AND state = 'FAILED')),  -- 0: a key that was closed before it was charged
	vat_amount  INTEGER NOT NULL DEFAULT 0 CHECK (vat_amount BETWEEN 0 AND amount),
	currency    TEXT NOT NULL CHECK (length(currency) = 3),
	state       TEXT NOT NULL CHECK (state IN ('REQUESTED', 'APPROVED', 'CANCEL_REQUESTED', 'CANCELLED', 'FAILED', 'UNKNOWN')),
	void_wanted INTEGER NOT NULL DEFAULT 0 CHECK (void_wanted IN (0, 1)), -- to be refunded whatever the provider's final answer is
	payment_key TEXT NOT NULL DEFAULT '',            -- the provider's key of the payment
	brand       TEXT NOT NULL DEFAULT '',
	last4       TEXT NOT NULL DEFAULT '',
	reason      TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 300),      -- declined, void, … with the provider's code
	refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
	requested_at INTEGER NOT NULL,
	approved_at INTEGER NOT NULL DEFAULT 0,
	settled_at  INTEGER NOT NULL DEFAULT 0,          -- last change of state
	tries       INTEGER NOT NULL DEFAULT 0,          -- look-ups while UNKNOWN or REQUESTED
	next_at     INTEGER NOT NULL DEFAULT 0,
	tried_at    INTEGER NOT NULL DEFAULT 0,          -- the last look-up
	last_error  TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200),   -- why the last look-up did not settle it: no_answer, provider_down …
	compare_at  INTEGER NOT NULL DEFAULT 0,          -- when the provider's cancellations are compared with its refunds; 0: not due
	try_no      INTEGER NOT NULL DEFAULT 1 CHECK (try_no BETWEEN 1 AND 99),  -- which try to charge for its subject: an earlier one is voided
	asked_by    TEXT NOT NULL DEFAULT '' CHECK (length(asked_by) <= 200),    -- the process that asks the provider (lib/base/proc.h, proc_stamp)
	card_token  TEXT NOT NULL DEFAULT '' CHECK (length(card_token) <= 300)   -- the card is to be saved once it has paid, by this one-time key; '': no
) STRICT;
CREATE INDEX charge_by_subject ON charge (subject_id);
CREATE INDEX charge_by_user ON charge (user_id, charge_id);
CREATE INDEX charge_unsettled ON charge (next_at) WHERE state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR void_wanted = 1;
CREATE INDEX charge_to_compare ON charge (compare_at) WHERE compare_at > 0;
CREATE INDEX charge_card_to_save ON charge (charge_id) WHERE card_token <> '';
-- of all tries to charge for a subject one is approved at most; void_wanted: this one is refunded in the same transaction
CREATE UNIQUE INDEX charge_approved ON charge (subject_id) WHERE state = 'APPROVED' AND void_wanted = 0;

-- CANCELLED: what was due is refunded; another part may follow.
CREATE TRIGGER charge_walks BEFORE UPDATE OF state ON charge WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'REQUESTED'        AND NEW.state IN ('APPROVED', 'FAILED', 'UNKNOWN'))
	OR (OLD.state = 'UNKNOWN'          AND NEW.state IN ('APPROVED', 'FAILED'))
	OR (OLD.state = 'APPROVED'         AND NEW.state = 'CANCEL_REQUESTED')
	OR (OLD.state = 'CANCEL_REQUESTED' AND NEW.state = 'CANCELLED')
	OR (OLD.state = 'CANCELLED'        AND NEW.state = 'CANCEL_REQUESTED'))
BEGIN SELECT RAISE(ABORT, 'charge_state'); END;
CREATE TRIGGER charge_is_frozen BEFORE UPDATE OF key, subject_id, user_id, amount, vat_amount, currency, try_no ON charge
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
	next_at      INTEGER NOT NULL DEFAULT 0,
	tried_at     INTEGER NOT NULL DEFAULT 0,         -- when the provider was last asked to refund it
	last_error   TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200),
	paid_by      TEXT NOT NULL DEFAULT 'card' CHECK (paid_by IN ('card', 'bank')), -- bank: a manager paid it by transfer, the provider did not
	withheld     INTEGER NOT NULL DEFAULT 0 CHECK (withheld BETWEEN 0 AND amount), -- part of amount that is not refunded: it had been refunded outside
	-- refunded in the provider's own dashboard; key: outside-TRANSACTION
	is_outside   INTEGER NOT NULL DEFAULT 0 CHECK (is_outside IN (0, 1)) CHECK (is_outside = 0 OR (state = 'DONE' AND withheld = 0 AND paid_by = 'card')),
	seen_at      INTEGER NOT NULL DEFAULT 0          -- is_outside: when a manager closed it in the list of what needs attention
) STRICT;
CREATE INDEX refund_by_charge ON refund (charge_id);
CREATE INDEX refund_waiting ON refund (next_at) WHERE state = 'REQUESTED';
CREATE INDEX refund_not_seen ON refund (charge_id) WHERE is_outside = 1 AND seen_at = 0;

-- Σ refunds ≤ what was captured.
CREATE TRIGGER refund_within_charge BEFORE INSERT ON refund WHEN
	NEW.amount - NEW.withheld + (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r WHERE r.charge_id = NEW.charge_id)
	> (SELECT c.amount FROM charge c WHERE c.charge_id = NEW.charge_id AND c.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER refund_needs_capture BEFORE INSERT ON refund WHEN NOT EXISTS (
	SELECT 1 FROM charge c WHERE c.charge_id = NEW.charge_id AND c.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED'))
BEGIN SELECT RAISE(ABORT, 'refund_too_much'); END;
CREATE TRIGGER refund_is_frozen BEFORE UPDATE OF key, charge_id, amount, is_outside ON refund BEGIN SELECT RAISE(ABORT, 'refund_is_frozen'); END;
CREATE TRIGGER refund_withheld_grows BEFORE UPDATE OF withheld ON refund WHEN NEW.withheld < OLD.withheld OR OLD.state <> 'REQUESTED'
BEGIN SELECT RAISE(ABORT, 'refund_is_frozen'); END;
CREATE TRIGGER refund_never_goes BEFORE DELETE ON refund BEGIN SELECT RAISE(ABORT, 'refund_never_goes'); END;

-- Accounts and the kinds of postings and payouts are rows, so that a new one is an INSERT of a migration.
CREATE TABLE ledger_account (
	account TEXT PRIMARY KEY,
	type    TEXT NOT NULL CHECK (type IN ('asset', 'liability', 'income', 'expense'))   -- debit: asset, expense; credit: liability, income
) STRICT, WITHOUT ROWID;

-- Money that we owe a person and that is not a refund of a charge: compensation. ASSIGNED → COMPLETED (a manager has transferred it) or
-- FAILED (it will not be paid under this key).
CREATE TABLE payout_kind (
	kind    TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES ledger_account (account)   -- what it is debited to when it is due
) STRICT, WITHOUT ROWID;
CREATE TABLE payout (
	payout_id    INTEGER PRIMARY KEY,
	key          TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),     -- the caller's idempotency key
	payee_id     INTEGER NOT NULL,                   -- user_id
	subject_id   TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80),     -- what it is paid for: the booking's code
	kind         TEXT NOT NULL REFERENCES payout_kind (kind),
	amount       INTEGER NOT NULL CHECK (amount > 0),
	currency     TEXT NOT NULL CHECK (length(currency) = 3),
	way          TEXT NOT NULL CHECK (way IN ('card', 'bank')),
	charge_id    INTEGER REFERENCES charge (charge_id),   -- way card: the charge whose card it goes to
	state        TEXT NOT NULL CHECK (state IN ('ASSIGNED', 'COMPLETED', 'FAILED')),
	note         TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),          -- the transfer's reference, or why it failed
	requested_at INTEGER NOT NULL,
	done_at      INTEGER NOT NULL DEFAULT 0,
	done_by      INTEGER NOT NULL DEFAULT 0,         -- user_id; 0: the system
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

-- The ledger. A posting's lines are written first and must sum to zero, or the posting is refused; afterwards neither can change.
CREATE TABLE posting_kind (
	kind  TEXT PRIMARY KEY,
	about TEXT NOT NULL CHECK (about IN ('charge', 'refund', 'payout', 'subject'))      -- the row it is about; subject: none of these
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger_line (
	posting_id INTEGER NOT NULL REFERENCES posting (posting_id) DEFERRABLE INITIALLY DEFERRED,
	account    TEXT NOT NULL REFERENCES ledger_account (account),
	amount     INTEGER NOT NULL CHECK (amount <> 0), -- positive: debit; negative: credit
	PRIMARY KEY (posting_id, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE posting (
	posting_id INTEGER PRIMARY KEY,
	kind       TEXT NOT NULL REFERENCES posting_kind (kind),
	subject_id TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80),   -- what the money is for: the booking's code
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
-- The programs rely on these rows (cgi-bin/payment/ledger.c, payout.c).
INSERT INTO ledger_account (account, type) VALUES
	('card_clearing', 'asset'), ('bank', 'asset'), ('rental_income', 'income'), ('vat_payable', 'liability'), ('refunds_payable', 'liability'),
	('payouts_payable', 'liability'), ('compensation', 'expense');
INSERT INTO posting_kind (kind, about) VALUES ('capture', 'charge'), ('refund_owed', 'refund'), ('refund_paid', 'refund'),
	('refund_withheld', 'refund'), ('payout_due', 'payout'), ('payout_paid', 'payout'), ('payout_reversed', 'payout');
INSERT INTO payout_kind (kind, account) VALUES ('compensation', 'compensation');
CREATE TRIGGER ledger_account_is_frozen BEFORE UPDATE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER ledger_account_never_goes BEFORE DELETE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER posting_kind_is_frozen BEFORE UPDATE ON posting_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER posting_kind_never_goes BEFORE DELETE ON posting_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER payout_kind_is_frozen BEFORE UPDATE ON payout_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;
CREATE TRIGGER payout_kind_never_goes BEFORE DELETE ON payout_kind BEGIN SELECT RAISE(ABORT, 'ledger_is_frozen'); END;

CREATE VIEW v_card AS SELECT card_id, user_id, brand, last4, created_at FROM card WHERE removed_at = 0;
CREATE VIEW v_charge AS
	SELECT c.charge_id, c.key, c.subject_id, c.user_id, c.amount, c.currency, c.state, c.brand, c.last4, c.reason, c.refunded_amount,
	       c.approved_at,
	       (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r WHERE r.charge_id = c.charge_id) AS owed_amount,    -- refunded, or in progress
	       (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = c.charge_id AND r.state = 'DONE' AND r.paid_by = 'bank') AS bank_amount,
	       (SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.charge_id = c.charge_id AND r.is_outside = 1) AS outside_amount
	  FROM charge c;
CREATE VIEW v_payout AS
	SELECT payout_id, key, payee_id, subject_id, kind, amount, currency, way, state, note, requested_at, done_at FROM payout;
CREATE VIEW v_stuck_charge AS
	SELECT 'charge' AS kind, c.charge_id, c.subject_id, c.user_id AS customer_id, c.requested_at AS since, c.tries, c.next_at, c.amount,
	       c.currency, c.last_error
	  FROM charge c WHERE (c.state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR c.void_wanted = 1) AND c.state IN ('REQUESTED', 'UNKNOWN')
	UNION ALL                                        -- FAILED, and looked up once more after five minutes (payment.h, LAST_LOOK_S)
	SELECT 'late_look', c.charge_id, c.subject_id, c.user_id, c.settled_at + 300, c.tries, c.next_at, c.amount, c.currency, c.last_error
	  FROM charge c WHERE (c.state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR c.void_wanted = 1) AND c.state = 'FAILED'
	UNION ALL
	SELECT 'payback', r.charge_id, c.subject_id, c.user_id, r.requested_at, r.tries, r.next_at, r.amount - r.withheld, c.currency, r.last_error
	  FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.state = 'REQUESTED'
	UNION ALL                                        -- refunded at the provider, not by us; until a manager has seen it
	SELECT 'outside', r.charge_id, c.subject_id, c.user_id, r.requested_at, 0, 0, r.amount, c.currency, ''
	  FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.is_outside = 1 AND r.seen_at = 0;

-- ----------------------------------------------------------------------------------------------------- delivery 배송

-- A job: the cars of one booking are delivered to the customer, or collected there at the end.
CREATE TABLE delivery (
	delivery_id  INTEGER PRIMARY KEY,
	booking_code TEXT NOT NULL CHECK (length(booking_code) BETWEEN 6 AND 20),
	direction    TEXT NOT NULL CHECK (direction IN ('delivery', 'collection')),
	state        TEXT NOT NULL CHECK (state IN ('REQUESTED', 'SCHEDULED', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
	customer_id  INTEGER NOT NULL,
	car_name     TEXT NOT NULL DEFAULT '',           -- the car's name, for the courier
	car_name_ko  TEXT NOT NULL DEFAULT '',
	plates       TEXT NOT NULL DEFAULT '' CHECK (length(plates) <= 200),
	zone         TEXT NOT NULL DEFAULT '' CHECK (length(zone) <= 40),      -- settings.delivery_zones
	address      TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 200),
	place        TEXT NOT NULL DEFAULT '' CHECK (length(place) <= 200),    -- where exactly: the gate, the lobby, a bay
	window_from  INTEGER NOT NULL,                   -- the delivery time: between these two
	window_to    INTEGER NOT NULL CHECK (window_from <= window_to),
	courier_id   INTEGER NOT NULL DEFAULT 0,         -- the courier's user_id; 0: none yet
	requested_at INTEGER NOT NULL,                   -- 0: cancelled before delivery received the request
	scheduled_at INTEGER NOT NULL DEFAULT 0,
	shipped_at   INTEGER NOT NULL DEFAULT 0,         -- on its way
	delivered_at INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,         -- cancelled
	ended_by     TEXT NOT NULL DEFAULT '' CHECK (ended_by IN ('', 'customer', 'dispatcher', 'booking')),  -- booking: the booking ended in another way
	end_reason   TEXT NOT NULL DEFAULT '' CHECK (length(end_reason) <= 200),   -- the dispatcher's reason, or the booking's state
	-- the hand-over record, made by the courier with the customer
	odometer_km  INTEGER NOT NULL DEFAULT 0 CHECK (odometer_km BETWEEN 0 AND 2000000),
	fuel_percent INTEGER NOT NULL DEFAULT 0 CHECK (fuel_percent BETWEEN 0 AND 100),
	received_by  TEXT NOT NULL DEFAULT '' CHECK (length(received_by) <= 80),
	photo        TEXT NOT NULL DEFAULT '' CHECK (length(photo) <= 80),     -- file in $VAR/handover; '': none was taken
	note         TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 300),
	-- a step with the car that booking must agree to (docs/calls.md)
	trip_no      INTEGER NOT NULL DEFAULT 0,         -- how often a courier has begun a way with the car: part of the request's key
	asked_step   TEXT NOT NULL DEFAULT '' CHECK (asked_step IN ('', 'leave', 'hand_over', 'collect', 'back')), -- '': none is waiting
	asked_by     INTEGER NOT NULL DEFAULT 0,         -- user_id
	asked_at     INTEGER NOT NULL DEFAULT 0,
	ask_next_at  INTEGER NOT NULL DEFAULT 0,         -- when the sweep asks booking again
	ask_tries    INTEGER NOT NULL DEFAULT 0,
	back_at      INTEGER NOT NULL DEFAULT 0,         -- collection: when the collected car was back at the branch
	-- given up by the dispatcher: CANCELLED from then on, unless it is undone before
	cancel_at    INTEGER NOT NULL DEFAULT 0 CHECK (cancel_at = 0 OR state IN ('REQUESTED', 'SCHEDULED')),
	cancel_by    INTEGER NOT NULL DEFAULT 0,         -- … user_id
	cancel_reason TEXT NOT NULL DEFAULT '' CHECK (length(cancel_reason) <= 200) CHECK (cancel_at = 0 OR asked_step = ''),
	CHECK (state NOT IN ('SCHEDULED', 'SHIPPED', 'DELIVERED') OR courier_id <> 0),
	CHECK (state <> 'DELIVERED' OR length(received_by) > 0),
	CHECK (state <> 'CANCELLED' OR ended_by <> '')
) STRICT;
-- one job per booking and direction; a cancelled one can be replaced
CREATE UNIQUE INDEX delivery_once ON delivery (booking_code, direction) WHERE state <> 'CANCELLED';
CREATE INDEX delivery_by_booking ON delivery (booking_code);
CREATE INDEX delivery_asks ON delivery (ask_next_at) WHERE asked_step <> '';
CREATE INDEX delivery_to_cancel ON delivery (cancel_at) WHERE cancel_at > 0;
CREATE INDEX delivery_open ON delivery (window_from, delivery_id) WHERE state IN ('REQUESTED', 'SCHEDULED', 'SHIPPED');
CREATE INDEX delivery_by_window ON delivery (window_from, delivery_id);
CREATE INDEX delivery_by_courier ON delivery (courier_id, window_from, delivery_id) WHERE courier_id <> 0;
CREATE INDEX delivery_to_drive ON delivery (courier_id, window_from) WHERE state IN ('SCHEDULED', 'SHIPPED');

CREATE TRIGGER delivery_walks BEFORE UPDATE OF state ON delivery WHEN OLD.state <> NEW.state AND NOT (
	   (OLD.state = 'REQUESTED' AND NEW.state IN ('SCHEDULED', 'CANCELLED'))
	OR (OLD.state = 'SCHEDULED' AND NEW.state IN ('REQUESTED', 'SHIPPED', 'CANCELLED'))
	OR (OLD.state = 'SHIPPED'   AND NEW.state IN ('SCHEDULED', 'DELIVERED')))
BEGIN SELECT RAISE(ABORT, 'delivery_state'); END;
CREATE TRIGGER delivery_is_frozen BEFORE UPDATE OF booking_code, direction, customer_id ON delivery BEGIN SELECT RAISE(ABORT, 'delivery_is_frozen'); END;
CREATE TRIGGER delivery_never_goes BEFORE DELETE ON delivery BEGIN SELECT RAISE(ABORT, 'delivery_never_goes'); END;

CREATE VIEW v_delivery AS
	SELECT delivery_id, booking_code, direction, state, customer_id, zone, window_from, window_to, courier_id, shipped_at,
	       delivered_at, received_by, asked_step
	  FROM delivery;

-- ---------------------------------------------------------------------------------------------------- equipment 장비

CREATE TABLE item (                                  -- equipment for rent: one kind, of which there are several units
	item_id     INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
	name_ko     TEXT NOT NULL DEFAULT '' CHECK (length(name_ko) <= 80),    -- '': the name is used in both languages
	category    TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 40),   -- settings.equipment_categories
	daily_price INTEGER NOT NULL CHECK (daily_price BETWEEN 0 AND 100000000),  -- per unit and started day
	low_stock   INTEGER NOT NULL DEFAULT 0 CHECK (low_stock BETWEEN 0 AND 1000000), -- stock.low is sent at this stock and below; 0: never
	is_low      INTEGER NOT NULL DEFAULT 0 CHECK (is_low IN (0, 1)),       -- stock.low was sent and the stock has not been above since
	is_offered  INTEGER NOT NULL DEFAULT 1 CHECK (is_offered IN (0, 1)),   -- 0: takes no new orders
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT;

-- An order of units of an item for an interval, with a booking or without a car.
CREATE TABLE equipment_order (
	order_id     INTEGER PRIMARY KEY,
	code         TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 6 AND 30),   -- EQ-7K3F9QXA; with a booking: its code and the price line, MP-7K3F9QXA-3
	booking_code TEXT NOT NULL DEFAULT '' CHECK (length(booking_code) <= 20),  -- '': without a car
	line_no      INTEGER NOT NULL DEFAULT 0,         -- the booking's price line
	customer_id  INTEGER NOT NULL,                   -- the user who ordered
	item_id      INTEGER NOT NULL REFERENCES item (item_id),
	item_name    TEXT NOT NULL,                      -- frozen, as is the price
	item_name_ko TEXT NOT NULL DEFAULT '',
	quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
	starts_at    INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL CHECK (starts_at < ends_at),
	daily_price  INTEGER NOT NULL CHECK (daily_price >= 0),
	amount       INTEGER NOT NULL CHECK (amount >= 0),
	currency     TEXT NOT NULL CHECK (length(currency) = 3),
	state        TEXT NOT NULL CHECK (state IN ('ORDERED', 'APPROVED', 'HANDED_OUT', 'RETURNED', 'REJECTED', 'CANCELLED')),
	taken        INTEGER NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND quantity),  -- units taken out of the stock for it
	lost         INTEGER NOT NULL DEFAULT 0 CHECK (lost BETWEEN 0 AND quantity),   -- units that were not returned
	end_reason   TEXT NOT NULL DEFAULT '' CHECK (length(end_reason) <= 300),
	ordered_at   INTEGER NOT NULL,
	asked_at     INTEGER NOT NULL DEFAULT 0,               -- sync: when review was asked, until its answer is stored; 0: otherwise
	approved_at  INTEGER NOT NULL DEFAULT 0,
	handed_out_at INTEGER NOT NULL DEFAULT 0,
	returned_at  INTEGER NOT NULL DEFAULT 0,
	ended_at     INTEGER NOT NULL DEFAULT 0,         -- rejected, cancelled
	request_key  TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200), -- the client's Idempotency-Key or the form's key; '' again after a refusal
	request_hash TEXT NOT NULL DEFAULT '',
	asked_by     TEXT NOT NULL DEFAULT '' CHECK (length(asked_by) <= 200),   -- the process that waits for review (lib/base/proc.h, proc_stamp)
	-- units are out of the stock only while the order is approved or handed out
	CHECK (taken = 0 OR state IN ('APPROVED', 'HANDED_OUT')),
	CHECK (state <> 'HANDED_OUT' OR taken = quantity),
	CHECK (state <> 'REJECTED' OR length(end_reason) > 0)
) STRICT;
CREATE UNIQUE INDEX equipment_order_of_booking ON equipment_order (booking_code, line_no) WHERE booking_code <> '';
CREATE INDEX equipment_order_by_customer ON equipment_order (customer_id, order_id);
CREATE INDEX equipment_order_live ON equipment_order (item_id, ends_at) WHERE state IN ('ORDERED', 'APPROVED', 'HANDED_OUT');
CREATE INDEX equipment_order_by_start ON equipment_order (starts_at, order_id);
CREATE INDEX equipment_order_by_item ON equipment_order (item_id, order_id);
-- Not booking_code = '': SQLite would prepare each search by booking_code again, to see whether the parameter is ''.
CREATE INDEX equipment_order_uncollected ON equipment_order (ends_at) WHERE length(booking_code) = 0 AND state IN ('ORDERED', 'APPROVED');
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

-- The stock ledger: an item's stock is the sum of its entries, which is its last balance, and never negative.
CREATE TABLE stock_entry (
	entry_id   INTEGER PRIMARY KEY,
	item_id    INTEGER NOT NULL REFERENCES item (item_id),
	kind       TEXT NOT NULL CHECK (kind IN ('receive', 'order', 'return', 'loss', 'adjust')),
	quantity   INTEGER NOT NULL CHECK (quantity <> 0), -- units added (positive) or removed (negative)
	balance    INTEGER NOT NULL CHECK (balance >= 0),  -- the stock after it
	order_id   INTEGER REFERENCES equipment_order (order_id),
	note       TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
	actor_id   INTEGER NOT NULL DEFAULT 0,           -- user_id; 0: the system
	entered_at INTEGER NOT NULL,
	request_key TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200), -- the form's key: a second click is the same entry
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

-- --------------------------------------------------------------------------------------------------- review 승인·심사

CREATE TABLE review_case (
	case_id      INTEGER PRIMARY KEY,
	key          TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),   -- given by the opener: the equipment order's code
	kind         TEXT NOT NULL CHECK (kind IN ('', 'equipment', 'application', 'claim')),   -- '': cancelled before it was opened
	subject_id   TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 80),   -- the subject of its events
	applicant_id INTEGER NOT NULL,
	title        TEXT NOT NULL DEFAULT '' CHECK (length(title) <= 200),       -- what is requested
	title_ko     TEXT NOT NULL DEFAULT '' CHECK (length(title_ko) <= 200),
	category     TEXT NOT NULL DEFAULT '' CHECK (length(category) <= 40),
	quantity     INTEGER NOT NULL DEFAULT 0 CHECK (quantity >= 0),
	amount       INTEGER NOT NULL DEFAULT 0 CHECK (amount >= 0),
	currency     TEXT NOT NULL DEFAULT '' CHECK (length(currency) IN (0, 3)),
	state        TEXT NOT NULL CHECK (state IN ('ASSIGNED', 'APPROVED', 'REJECTED', 'CANCELLED')),
	reviewer_id  INTEGER NOT NULL DEFAULT 0,         -- who decided; 0: undecided, or the rule
	rule         TEXT NOT NULL DEFAULT '' CHECK (length(rule) <= 40),         -- auto: within the thresholds; '': a person decides
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

-- --------------------------------------------------------------------------------------------------- message 메시지

CREATE TABLE message (
	message_id   INTEGER PRIMARY KEY,
	event_id     INTEGER NOT NULL,                   -- the event it reports; for a reminder: the event that started the booking's step
	recipient_id INTEGER NOT NULL,                   -- user_id
	kind         TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),      -- booking_confirmed, remind_pickup: templates/message/KIND
	subject_id   TEXT NOT NULL,                      -- the code of a booking or an order
	lang         TEXT NOT NULL CHECK (lang IN ('ko', 'en')),
	title        TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
	body         TEXT NOT NULL CHECK (length(body) <= 10000),              -- plain text, as it is sent
	link         TEXT NOT NULL DEFAULT '' CHECK (length(link) <= 200),     -- our page about it
	in_inbox     INTEGER NOT NULL CHECK (in_inbox IN (0, 1)),
	read_at      INTEGER NOT NULL DEFAULT 0,
	email        TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254),    -- recipient address; '': not sent by mail
	state        TEXT NOT NULL CHECK (state IN ('QUEUED', 'RETRYING', 'SENT', 'DEAD')),   -- state of the mail; SENT at once without one
	tries        INTEGER NOT NULL DEFAULT 0,
	next_at      INTEGER NOT NULL DEFAULT 0,
	created_at   INTEGER NOT NULL,
	settled_at   INTEGER NOT NULL DEFAULT 0,         -- sent, or dead
	n_resends    INTEGER NOT NULL DEFAULT 0,         -- how often a manager sent it again, each time as a new mail
	UNIQUE (event_id, recipient_id, kind)            -- sent once
) STRICT;
CREATE INDEX message_by_recipient ON message (recipient_id, message_id) WHERE in_inbox = 1;
CREATE INDEX message_unread ON message (recipient_id) WHERE in_inbox = 1 AND read_at = 0;
CREATE INDEX message_waiting ON message (next_at) WHERE state IN ('QUEUED', 'RETRYING');
CREATE INDEX message_dead ON message (message_id) WHERE state = 'DEAD';
CREATE INDEX message_about ON message (subject_id, kind);
CREATE TRIGGER message_never_goes BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'message_never_goes'); END;

CREATE TABLE message_try (                           -- each attempt to mail it
	message_id INTEGER NOT NULL REFERENCES message (message_id),
	try_no     INTEGER NOT NULL,
	tried_at   INTEGER NOT NULL,
	outcome    TEXT NOT NULL CHECK (outcome IN ('SENDING', 'SENT', 'LATER', 'REFUSED', 'NO_ANSWER')),
	reply      TEXT NOT NULL DEFAULT '' CHECK (length(reply) <= 300),      -- the mail server's answer
	PRIMARY KEY (message_id, try_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_try_open ON message_try (message_id) WHERE outcome = 'SENDING';      -- a process died during the attempt

CREATE TABLE message_preference (                    -- how a user wants to be notified; no row: inbox and mail
	user_id  INTEGER NOT NULL,
	topic    TEXT NOT NULL CHECK (length(topic) BETWEEN 1 AND 40),         -- booking, delivery, equipment, refund, reminder
	inbox    INTEGER NOT NULL CHECK (inbox IN (0, 1)),
	email    INTEGER NOT NULL CHECK (email IN (0, 1)),
	PRIMARY KEY (user_id, topic)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_unread AS SELECT recipient_id FROM message WHERE in_inbox = 1 AND read_at = 0;
CREATE VIEW v_message AS
	SELECT message_id, event_id, recipient_id, kind, subject_id, title, email, state, tries, next_at, created_at, settled_at FROM message;
