/*
 * firm.test.mjs - what the firm cannot keep, through the whole stack: a booking cancelled by the firm, a refused car, a car that does not come back,
 * and parts of a price that managers give back. Money goes back once, the compensation is paid out once, whatever is killed between.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, finish, test, until } from './check.mjs';
import { Stack, new_car } from './stack.mjs';

const HOUR = 3600, clock = path.join(os.tmpdir(), `motorpool-clock-${process.pid}`);
/* The programs' clock (lib/base/clock.c), so many seconds ahead. */
const set_clock = seconds => { fs.writeFileSync(`${clock}.new`, `${seconds}\n`); fs.renameSync(`${clock}.new`, clock); };
set_clock(0);
const stack = await Stack.start({ name: 'story-firm', env: { MOTORPOOL_REFUND_GRACE_S: '0', MOTORPOOL_CLOCK: clock, MOTORPOOL_JAIL: 'no' /* it would forbid reading that file */ } });
stack.allow(/"what":"reconcile"/, /"what":"provider","text":"4.. (NOT_CANCELABLE_AMOUNT|ALREADY_CANCELED_PAYMENT) at refund"/);
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna'), ben = await stack.payer('Ben');

const new_car_id = async () => (await manager.post('/fleet/cars', new_car())).json.car_id;
const booking = async code => (await manager.get(`/bookings/${code}`)).json;
const is = (code, state) => until(`${code} is ${state}`, async () => (await booking(code)).state === state, { limit_ms: 30000 });
/* The first half hour that begins in so many seconds, or later; not in the next minute. */
const from_now = seconds => new Date((Math.ceil((Date.now() / 1000 + 60 + seconds) / 1800) * 1800 + 9 * HOUR) * 1000).toISOString().slice(0, 16);
async function booked(who, car_id, from, until_s, state = 'CONFIRMED') {
	const order = { car_id, starts_at: from_now(from), ends_at: from_now(until_s), card_id: who.card_id };
	/* while payment's breaker is open nothing can be booked */
	const { json } = await until('it can be booked', async () => { const a = await who.post('/bookings', order); return a.status === 201 && a; }, { limit_ms: 90000, every_ms: 500 });
	await is(json.code, state);
	return json;
}
const payouts = async code => (await manager.get('/payments/payouts')).json.payouts.filter(p => p.subject_id === code);
const mail = (who, ...parts) => until(`a mail to ${who.email} with ${parts}`, () => stack.mails_to(who.email).find(text => parts.every(part => text.includes(part))), { limit_ms: 30000 });
/* All is given back: at the provider, in the ledger, on the receipt. */
async function nothing_is_kept(code) {
	const b = await booking(code);
	assert.equal(await stack.money_kept(code), 0);
	assert.deepEqual([b.refunded_amount, b.kept_amount, b.kept_vat_amount], [b.amount, 0, 0]);
	const income = await stack.sql(`SELECT COALESCE(SUM(l.amount), 0) FROM posting p JOIN ledger_line l ON l.posting_id = p.posting_id
		WHERE p.subject_id = '${code}' AND l.account IN ('rental_income', 'vat_payable')`);
	assert.deepEqual(income, [['0']]);
}
async function compensated_once(code, amount) {
	await until('the payout is assigned', async () => (await payouts(code)).length === 1, { limit_ms: 90000 });
	assert.deepEqual((await payouts(code)).map(p => [p.key, p.amount, p.kind, p.way, p.state]), [[`${code}-compensation`, amount, 'compensation', 'bank', 'ASSIGNED']]);
	await until('booking knows it', async () => (await booking(code)).compensation_state === 'DONE', { limit_ms: 90000 });
}

await test('5 hours before the start a manager cancels on the company\'s side while payment is killed: the customer is told at once, money follows once', async () => {
	const { code, amount } = await booked(anna, await new_car_id(), 5 * HOUR, 29 * HOUR);
	await stack.down('payment');
	const answer = await manager.post(`/bookings/${code}/cancel`, { by: 'firm', reason: 'car_broken', note: '변속기가 고장 났습니다. 대신 다른 차를 준비해 두었습니다.' });
	assert.equal(answer.status, 202, answer.text);
	assert.equal(answer.json.refund_due, amount, 'not 90 %');
	assert.equal(answer.json.compensation_due, Math.floor(amount / 10));
	const text = await mail(anna, code, '저희 사정으로');
	for (const part of ['차량 파손 또는 고장', '변속기가 고장 났습니다. 대신 다른 차를 준비해 두었습니다.', '전액 환불', `${amount.toLocaleString('en')}원`, `${Math.floor(amount / 10).toLocaleString('en')}원`])
		assert.ok(text.includes(part), `${part}: ${text}`);
	assert.equal(await stack.count('payout'), 0);
	await stack.up();
	await is(code, 'CANCELLED');
	await compensated_once(code, Math.floor(amount / 10));
	await nothing_is_kept(code);
	assert.equal((await manager.post(`/bookings/${code}/cancel`, { by: 'firm', reason: 'car_broken', note: 'x' })).status, 409);
	const [payout] = await payouts(code);
	assert.equal((await manager.post(`/payments/payouts/${payout.payout_id}/complete`, { reference: 'KB 1' })).status, 200);
	await mail(anna, 'KB 1');
	await stack.check();
});
await test('a car that is refused right after booking is compensated, once', async () => {
	const car_id = await new_car_id();
	await stack.must('pause', 'fleet', 'the car breaks down meanwhile');
	const { code, amount } = await booked(ben, car_id, 48 * HOUR, 72 * HOUR, 'PAID');
	assert.equal((await manager.post(`/fleet/cars/${car_id}/service`, { service: 'OUT_OF_SERVICE', confirm: true })).status, 200);
	await stack.must('resume', 'fleet');
	await is(code, 'REJECTED');
	await compensated_once(code, Math.floor(amount / 10));
	await until('it is refunded', async () => (await booking(code)).refund_state === 'DONE');
	await nothing_is_kept(code);
	await mail(ben, code, '보상금');
	await stack.check();
});
await test('a part is given back while the car is out, and after its return: never more than was paid, and mail and receipt agree', async () => {
	const { code, amount, vat_amount } = await booked(anna, await new_car_id(), 0, 24 * HOUR);
	assert.equal((await manager.post(`/bookings/${code}/hand-out`)).status, 200);
	const part = Math.floor(amount * 0.6), give = () => manager.post(`/bookings/${code}/refund`, { amount: part, reason: 'car_fault', note: '에어컨이 고장 났습니다.' });
	const answers = (await Promise.all([give(), give(), give()])).map(a => a.status).sort();
	assert.deepEqual(answers.slice(1), [409, 409]);
	assert.ok(answers[0] === 200 || answers[0] === 202);
	await until('it is refunded', async () => (await booking(code)).refunds[0].refund_state === 'DONE');
	let b = await booking(code);
	assert.equal(b.state, 'OUT');
	assert.equal(b.kept_amount, amount - part);
	assert.equal(b.kept_vat_amount, vat_amount - Math.floor((part * vat_amount * 2 + amount) / (amount * 2)));
	assert.equal(await stack.money_kept(code), amount - part);
	const vat = await stack.sql(`SELECT -SUM(l.amount) FROM posting p JOIN ledger_line l ON l.posting_id = p.posting_id WHERE p.subject_id = '${code}' AND l.account = 'vat_payable'`);
	assert.deepEqual(vat, [[`${b.kept_vat_amount}`]], 'the ledger has the VAT of the receipt');
	const text = await mail(anna, '에어컨이 고장 났습니다.');
	assert.ok(text.includes(`${b.kept_amount.toLocaleString('en')}원 (부가세 ${b.kept_vat_amount.toLocaleString('en')}원`), text);
	assert.equal((await manager.post(`/bookings/${code}/take-back`)).status, 200);
	await stack.down('payment');
	assert.equal((await manager.post(`/bookings/${code}/refund`, { amount: amount - part, reason: 'goodwill', note: '죄송합니다.' })).status, 202);
	await stack.up();
	await until('the rest is refunded', async () => (await booking(code)).kept_amount === 0, { limit_ms: 90000 });
	b = await booking(code);
	assert.deepEqual([b.kept_vat_amount, await stack.money_kept(code)], [0, 0]);
	assert.equal((await manager.post(`/bookings/${code}/refund`, { amount: 1, reason: 'other', note: 'x' })).status, 409);
	await stack.check();
});
await test('a refund in the dashboard of the provider counts: a manager can give back only the rest', async () => {
	const { code, amount } = await booked(anna, await new_car_id(), 0, 24 * HOUR);
	assert.equal((await manager.post(`/bookings/${code}/hand-out`)).status, 200);
	const { json: { paymentKey } } = await stack.sandbox('GET', `/v1/payments/orders/${code}`);
	await stack.sandbox('POST', `/v1/payments/${paymentKey}/cancel`, { cancelReason: 'by hand', cancelAmount: 10000 });
	/* It is not in our books yet: the provider refuses, which we find out and end with the rest. */
	assert.ok([200, 202].includes((await manager.post(`/bookings/${code}/refund`, { amount, reason: 'goodwill', note: 'x' })).status));
	await until('it has ended', async () => (await booking(code)).refunds[0].refund_state === 'DONE', { limit_ms: 90000 });
	assert.equal((await booking(code)).kept_amount, 0);
	assert.equal(await stack.money_kept(code), 0);
	assert.deepEqual((await stack.sql(`SELECT SUM(r.amount - r.withheld) FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE c.subject_id = '${code}'`)), [[`${amount}`]]);
	await stack.check();
});
await test('a car that does not come back: the waiting customer is listed, and at the end of the booking it is cancelled by the firm and compensated', async () => {
	const car_id = await new_car_id();
	const late = await booked(anna, car_id, 0, 2 * HOUR), next = await booked(ben, car_id, 4 * HOUR, 8 * HOUR);
	assert.equal((await manager.post(`/bookings/${late.code}/hand-out`)).status, 200);
	set_clock(6 * HOUR);
	const row = await until('it is listed', async () => (await manager.get('/bookings/stuck?kind=no_car')).json.stuck?.find(s => s.subject_id === next.code));
	assert.equal(row.cancel_url, `/bookings/${next.code}/cancel`);
	assert.equal((await booking(next.code)).state, 'CONFIRMED');
	set_clock(10 * HOUR);
	await is(next.code, 'CANCELLED');
	const b = await booking(next.code);
	assert.deepEqual([b.cancel_by, b.cancel_reason], ['firm', 'car_late']);
	await compensated_once(next.code, Math.floor(next.amount / 10));
	await nothing_is_kept(next.code);
	await mail(ben, next.code, '앞선 대여의 차량이 제때 반납되지 않음');
	assert.equal((await manager.post(`/bookings/${late.code}/take-back`)).status, 200);
	await stack.check();
});
fs.rmSync(clock, { force: true });
await finish();
