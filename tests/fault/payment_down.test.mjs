/*
 * payment_down.test.mjs - FX-1: payment is killed and kept down, or stopped so that it hangs, while people book and look around.
 * Bookings are refused with an explanation, nothing is booked, held or charged, everything else keeps its speed, and bookings succeed by
 * themselves when payment is back. And the check finds the double charges of a caller without idempotency keys.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { at } from '../story/stack.mjs';
import { settled, wrong_in } from './books.mjs';
import { span } from './fault.mjs';
import { Rush } from './rush.mjs';

const rush = await Rush.open('fault-payment-down', 'FX-1'), { stack, market } = rush;
const browser = stack.browser(), anna = await stack.payer('Anna');
const left = async () => (await stack.sql("SELECT COUNT(*) FROM slot WHERE kind = 'HOLD'"))[0][0];
const payment = () => stack.services().payment;
let quiet, down, again;

await test('without faults every booking succeeds, and both books agree', async () => {
	quiet = await rush.run('in good health', span(4, 30));
	await rush.is_well(quiet);
	rush.latencies(quiet);
	await browser.sign_in(anna.email, anna.password);
}, { limit_s: 90 });
await test('payment down: every booking is refused, soon without a call; nothing is booked, held or charged', async () => {
	const before = await stack.count('booking'), taken = await stack.sql('SELECT COUNT(*) FROM payment', 'sandbox');
	down = await rush.run('payment is down', span(4, 30), { breaks: () => stack.down('payment') });
	assert.equal(down.said, `${down.orders.length} × 503`);
	assert.equal(await left(), '0');
	assert.deepEqual(await stack.sql('SELECT COUNT(*) FROM payment', 'sandbox'), taken);
	assert.equal(await stack.count('booking', "state IN ('HELD', 'PAID')  AND booking_id > " + before), 0);
	const n_probes = Math.ceil((down.ended_ms - down.began_ms) / 5000);
	assert.ok(await stack.count('booking') - before <= span(11 + n_probes, 12), 'while it is open nothing is written');
}, { limit_s: 90 });
for (const [language, refused, again] of [['en', 'Nothing was booked and your card was not charged.', /Please try again in \d+ seconds\./], ['ko', '예약되지 않았고 카드에서 결제된 금액도 없습니다.', /\d+초 후에 다시 시도해 주세요\./]])
	await test(`the page says that nothing was charged and when to try again, and keeps the form (${language})`, async () => {
		await browser.get('/');
		assert.equal((await browser.post('/account/language', { lang: language })).status, 303);
		const order = { car_id: market.cars[0], starts_at: at(350), ends_at: at(352) };
		const form = await browser.get(`/bookings/new?${new URLSearchParams(order)}`);
		assert.equal(form.status, 200, form.text);
		await browser.post('/bookings', { ...order, card_id: anna.card_id, form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });       /* if a probe is due */
		const answer = await browser.post('/bookings', { ...order, card_id: anna.card_id, form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });
		assert.equal(answer.status, 503);
		assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
		assert.ok(answer.text.includes(refused), answer.text);
		assert.match(answer.text, again);
		for (const kept of [`name="car_id" value="${order.car_id}"`, `name="starts_at" value="${order.starts_at}"`, `name="ends_at" value="${order.ends_at}"`])
			assert.ok(answer.text.includes(kept), kept);
		assert.match(answer.text, new RegExp(`name="card_id" value="${anna.card_id}"[^>]* checked`));
	});
await test('started again: bookings succeed by themselves', async () => {
	await rush.recover(down, () => stack.up());
	again = await rush.again();
	rush.latencies(down, quiet, again);
}, { limit_s: 220 });
await test('payment hangs: few calls reach it, the others are refused at once, other pages are not affected', async () => {
	const group = -payment();
	const hung = await rush.run('payment hangs', span(4, 30), { breaks: () => stack.kill(group, 'SIGSTOP') });
	rush.latencies(hung, quiet, again);
	rush.reached(hung, 'payment');
	await rush.recover(hung, () => stack.kill(group, 'SIGCONT'));
}, { limit_s: 220 });
await test('no double charge, no lost booking, nothing half done, every invariant holds', () => rush.even(), { limit_s: 300 });
await stack.stop();

/* --- the check can fail ------------------------------------------------------------------------------------------------------ */

const naive = await Rush.open('fault-payment-naive', 'FX-1', { MOTORPOOL_FRESH_KEYS: '1' });
await test('the check of the books finds double charges: booking retries with a new key', async () => {
	await naive.stack.fault({ slow_ms: 700 });
	for (let i = 0; i < 3; i++) await naive.order(i);
	await naive.stack.fault({ slow_ms: 0 });
	await until('money is kept without a booking', async () => (await wrong_in(naive.stack, naive.acknowledged)).some(said => /was charged 2 times/.test(said)), { limit_ms: 20000, every_ms: 200 });
	await assert.rejects(settled(naive.stack, naive.acknowledged, 500), /was charged 2 times/);
}, { limit_s: 60 });
await finish();
