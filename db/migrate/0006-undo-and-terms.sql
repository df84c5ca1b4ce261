-- 5 → 6: terms that are accepted with a booking, acts that can be undone, several charge tries of a booking. The same as in schema.sql,
-- which explains it. Each part is of one context and in the order in which it was added.

-- delivery: the jobs a courier has in front of them, without those of the past
CREATE INDEX delivery_to_drive ON delivery (courier_id, window_from) WHERE state IN ('SCHEDULED', 'SHIPPED');

-- equipment
DROP INDEX equipment_order_uncollected;
CREATE INDEX equipment_order_uncollected ON equipment_order (ends_at) WHERE length(booking_code) = 0 AND state IN ('ORDERED', 'APPROVED');

-- booking: the firm's terms, and the version that was accepted with each booking; 0 for bookings from before.
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
ALTER TABLE booking ADD COLUMN terms_version INTEGER NOT NULL DEFAULT 0 CHECK (terms_version >= 0);
DROP TRIGGER booking_is_frozen;
CREATE TRIGGER booking_is_frozen BEFORE UPDATE OF code, customer_id, car_id, starts_at, ends_at, amount, vat_amount, currency,
	cancel_full_before_s, cancel_grace_s, cancel_late_percent, terms_version ON booking
BEGIN SELECT RAISE(ABORT, 'booking_is_frozen'); END;
CREATE TRIGGER booking_accepts_terms BEFORE INSERT ON booking WHEN NEW.terms_version <> 0 AND NOT EXISTS (
	SELECT 1 FROM terms_version t WHERE t.kind = 'terms' AND t.version = NEW.terms_version AND t.valid_from <= NEW.held_at)
BEGIN SELECT RAISE(ABORT, 'booking_terms_unknown'); END;

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

-- fleet: retiring a car can be undone for a while; since when a car has its service and its branch
ALTER TABLE car ADD COLUMN retire_at INTEGER NOT NULL DEFAULT 0 CHECK (retire_at = 0 OR service = 'OUT_OF_SERVICE');
ALTER TABLE car ADD COLUMN retire_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE car ADD COLUMN service_before TEXT NOT NULL DEFAULT '' CHECK (service_before IN ('', 'IN_SERVICE', 'OUT_OF_SERVICE'))
	CHECK ((service_before = '') = (retire_at = 0));
ALTER TABLE car ADD COLUMN service_at INTEGER NOT NULL DEFAULT 0;
UPDATE car SET service_at = updated_at;
CREATE INDEX car_to_retire ON car (retire_at) WHERE retire_at > 0;
CREATE INDEX car_not_in_service ON car (car_id) WHERE service <> 'IN_SERVICE';
CREATE TRIGGER car_is_here_when_retired BEFORE UPDATE OF service, retire_at ON car
WHEN OLD.service <> 'RETIRED' AND OLD.retire_at = 0 AND (NEW.service = 'RETIRED' OR NEW.retire_at > 0)
	AND EXISTS (SELECT 1 FROM v_custody k WHERE k.car_id = NEW.car_id AND k.to_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'car_is_in_use'); END;
DROP VIEW v_car;
CREATE VIEW v_car AS
	SELECT c.car_id, c.plate, c.model_id, c.name, c.name_ko, c.body, c.seats, c.fuel, c.gearbox, c.daily_price, c.hourly_price,
	       c.branch_id, b.name AS branch_name, b.name_ko AS branch_name_ko, b.region, b.address AS branch_address,
	       b.address_ko AS branch_address_ko, b.phone AS branch_phone, c.service, c.photo, c.rev, c.retire_at, c.service_at
	  FROM car c JOIN branch b ON b.branch_id = c.branch_id;

-- booking: confirmed bookings whose car is not in service, or at another branch than the booking says
CREATE VIEW v_booked_car AS
	SELECT b.booking_id, c.car_id, c.plate, c.service, c.service_at, c.branch_id FROM booking b JOIN car c ON c.car_id = b.car_id
	UNION ALL
	SELECT m.booking_id, c.car_id, c.plate, c.service, c.service_at, c.branch_id FROM booking_car m JOIN car c ON c.car_id = m.car_id;

-- delivery: giving up a job can be undone for a while
ALTER TABLE delivery ADD COLUMN cancel_at INTEGER NOT NULL DEFAULT 0 CHECK (cancel_at = 0 OR state IN ('REQUESTED', 'SCHEDULED'));
ALTER TABLE delivery ADD COLUMN cancel_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN cancel_reason TEXT NOT NULL DEFAULT '' CHECK (length(cancel_reason) <= 200)
	CHECK (cancel_at = 0 OR asked_step = '');
CREATE INDEX delivery_to_cancel ON delivery (cancel_at) WHERE cancel_at > 0;

-- booking: no-show and return can be undone for a while. Those of before are final; one that was RETURNED and not COMPLETED is completed
-- by the next sweep.
ALTER TABLE booking ADD COLUMN undo_until INTEGER NOT NULL DEFAULT 0
	CHECK (undo_until = 0 OR (undo_until > 0 AND state IN ('NO_SHOW', 'RETURNED')));
CREATE INDEX booking_undo ON booking (undo_until) WHERE undo_until > 0;
UPDATE booking SET undo_until = 1 WHERE state = 'RETURNED';
DROP TRIGGER booking_walks;
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
CREATE TRIGGER booking_refund_waits BEFORE UPDATE OF state, refund_state, refund_due, undo_until ON booking
WHEN NEW.state = 'NO_SHOW' AND NEW.undo_until > 0 AND (NEW.refund_state <> 'NONE' OR NEW.refund_due > 0)
BEGIN SELECT RAISE(ABORT, 'booking_undo'); END;
CREATE TRIGGER slot_waits_for_undo BEFORE UPDATE OF kind, ends_at ON slot WHEN (NEW.kind = 'RELEASED' OR NEW.ends_at < OLD.ends_at)
	AND EXISTS (SELECT 1 FROM booking b WHERE b.booking_id = NEW.booking_id AND b.undo_until > 0)
BEGIN SELECT RAISE(ABORT, 'slot_waits'); END;

-- booking: cancelled by the firm, with compensation; parts that managers refund. A booking that was cancelled before counts as cancelled by or
-- for its customer, whose rule was applied.
ALTER TABLE booking ADD COLUMN cancel_by TEXT NOT NULL DEFAULT '' CHECK (cancel_by IN ('', 'customer', 'firm'));
ALTER TABLE booking ADD COLUMN cancel_reason TEXT NOT NULL DEFAULT '' CHECK (length(cancel_reason) <= 40) CHECK ((cancel_by = 'firm') = (cancel_reason <> ''));
ALTER TABLE booking ADD COLUMN cancel_note TEXT NOT NULL DEFAULT '' CHECK (length(cancel_note) <= 500) CHECK (cancel_by = 'firm' OR cancel_note = '');
ALTER TABLE booking ADD COLUMN compensation_due INTEGER NOT NULL DEFAULT 0 CHECK (compensation_due >= 0);
ALTER TABLE booking ADD COLUMN compensation_state TEXT NOT NULL DEFAULT 'NONE' CHECK (compensation_state IN ('NONE', 'PENDING', 'DONE')) CHECK ((compensation_state = 'NONE') = (compensation_due = 0));
ALTER TABLE booking ADD COLUMN compensation_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE booking ADD COLUMN compensation_next_at INTEGER NOT NULL DEFAULT 0;
UPDATE booking SET cancel_by = 'customer' WHERE state IN ('CANCEL_REQUESTED', 'CANCELLED') OR cancel_asked_at > 0;
CREATE INDEX booking_compensations ON booking (compensation_next_at) WHERE compensation_state = 'PENDING';
CREATE TABLE part_refund (
	booking_id   INTEGER NOT NULL REFERENCES booking (booking_id),
	refund_no    INTEGER NOT NULL CHECK (refund_no >= 1),
	amount       INTEGER NOT NULL CHECK (amount > 0),
	reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 40),
	note         TEXT NOT NULL CHECK (length(note) BETWEEN 1 AND 500),
	asked_at     INTEGER NOT NULL,
	asked_by     INTEGER NOT NULL,
	refund_state TEXT NOT NULL DEFAULT 'PENDING' CHECK (refund_state IN ('PENDING', 'DONE')),
	refund_tries INTEGER NOT NULL DEFAULT 0,
	refund_next_at INTEGER NOT NULL DEFAULT 0,
	last_error   TEXT NOT NULL DEFAULT '' CHECK (length(last_error) <= 200),
	request_key  TEXT NOT NULL DEFAULT '' CHECK (length(request_key) <= 200),
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
DROP VIEW v_booking;
CREATE VIEW v_booking AS
	SELECT booking_id, code, customer_id, car_id, car_name, car_name_ko, plate, branch_id, state, starts_at, ends_at, amount, vat_amount,
	       currency, charge_id, refund_state, refund_due, refunded_amount, held_at, paid_at, ended_at, n_cars, cancel_asked_at,
	       cancel_full_before_s, cancel_grace_s, cancel_late_percent, terms_version, undo_until, cancel_by, cancel_reason, cancel_note,
	       compensation_due, compensation_state
	  FROM booking;
CREATE VIEW v_booking_without_car AS
	SELECT s.booking_id, c.car_id FROM slot s JOIN booking b ON b.booking_id = s.booking_id JOIN custody c ON c.car_id = s.car_id
	 WHERE s.booking_id <> 0 AND COALESCE(c.booking_id, 0) <> s.booking_id
	   AND c.from_at < b.ends_at AND (c.to_at IS NULL OR c.to_at >= b.ends_at);
CREATE VIEW v_booking_given AS
	SELECT b.code, b.charge_id, b.amount, b.vat_amount, b.refunded_amount
	       + (SELECT COALESCE(SUM(x.refunded_amount), 0) FROM booking_extra x WHERE x.booking_id = b.booking_id)
	       + (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = b.booking_id AND p.refund_state = 'DONE') AS given_amount
	  FROM booking b;
CREATE VIEW v_part_refund AS
	SELECT b.code, p.refund_no, p.amount, p.reason, p.note, p.refund_state, p.asked_at
	  FROM part_refund p JOIN booking b ON b.booking_id = p.booking_id;
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
	   AND EXISTS (SELECT 1 FROM custody c WHERE c.booking_id = b.booking_id AND c.ended_by = 'taken_over')
	UNION ALL
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
	UNION ALL
	SELECT 'no_car', b.code, b.customer_id, b.starts_at, 0, 0, b.amount, b.currency, ''
	  FROM booking b WHERE b.state = 'CONFIRMED' AND b.cancel_asked_at = 0
	   AND EXISTS (SELECT 1 FROM v_booking_without_car a WHERE a.booking_id = b.booking_id);
