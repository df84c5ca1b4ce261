/*
 * extra_refund.test.mjs - FX-17 with a partial refund: the dispatcher cancels a delivery while the card company makes no refunds. The booking
 * continues; the refund of the fee is pending, is listed under "needs attention", and is made once when the card company is back; the rest
 * is refunded when the booking is cancelled too.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { figure } from './fault.mjs';

const END_S = 130;      /* as in refund_pending.test.mjs */
const stack = await Stack.start({ name: 'fault-extra-refund', env: { MOTORPOOL_STUCK_AFTER_S: '5', MOTORPOOL_UNDO_WINDOW_S: '0' } });
stack.allow(/"program":"sandbox".*"path":"\/sandbox\/v1\/.*"status":5\d\d/, /"what":"call","to":"provider".*"status":5\d\d/);
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');
const { car_id } = (await manager.post('/fleet/cars', new_car())).json;
const { status, text, json: { code, amount, lines } } = await anna.post('/bookings', {
	car_id, starts_at: at(9), ends_at: at(10), card_id: anna.card_id, delivery: { address: 'Teheran-ro 1', zone: 'city' } });
assert.equal(status, 201, text);
const fee = lines.find(line => line.rule === 'delivery').amount;
const now = async () => (await anna.get(`/bookings/${code}`)).json;
const on_desk = async kind => (await manager.get('/bookings/stuck')).json.stuck.find(s => s.subject_id === code && s.kind === kind);
const job = async () => (await manager.get(`/deliveries?q=${code}`)).json.deliveries[0];

await test('the dispatcher cancels the delivery while the card company is down: the refund is pending and listed, and the booking continues', async () => {
	const { delivery_id } = await until('its job is there', job, { limit_ms: 20000 });
	await stack.fault({ down: 1 });
	const answer = await manager.post(`/deliveries/${delivery_id}/cancel`, { reason: 'No courier today.' });
	assert.equal(answer.status, 200, answer.text);
	const row = await until('it is listed under "needs attention"', () => on_desk('extra'), { limit_ms: 20000, every_ms: 300 });
	assert.equal(row.amount, fee);
	const { state, extras: [brought] } = await now();
	assert.deepEqual([state, brought.state, brought.refund_state, brought.end_reason], ['CONFIRMED', 'ENDED', 'PENDING', 'No courier today.']);
	assert.equal(await stack.count('refund', "state = 'DONE'"), 0);
});
await test('the card company is back: the fee is refunded by itself, once, and the booking continues', async () => {
	const began = Date.now();
	await stack.fault({ down: 0 });
	await until('it is refunded', async () => (await now()).extras[0].refund_state === 'DONE', { limit_ms: END_S * 1000, every_ms: 250 });
	figure({ experiment: 'FX-17', name: 'a delivery taken back: its fee was back within', value: (Date.now() - began) / 1000, unit: 's', limit: END_S });
	assert.equal(await stack.money_kept(code), amount - fee);
	assert.deepEqual([(await now()).state, await on_desk('extra')], ['CONFIRMED', undefined]);
	await assert.rejects(until('this test finds a fee that was kept', async () => (await stack.money_kept(code)) === amount, { limit_ms: 300 }));
});
await test('the booking is cancelled too: the rest is refunded, and delivery is not asked about the cancelled job', async () => {
	const answer = await anna.post(`/bookings/${code}/cancel`);
	assert.ok([200, 202].includes(answer.status), answer.text);
	await until('it is cancelled', async () => (await now()).state === 'CANCELLED', { limit_ms: END_S * 1000, every_ms: 250 });
	assert.equal((await now()).refunded_amount, amount - fee);
	assert.equal(await stack.money_kept(code), 0);
	assert.equal(await stack.count('refund'), 2);
});
await test('every invariant holds', () => stack.check());
await finish(stack);
