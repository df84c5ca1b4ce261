/*
 * outside.test.mjs - refunds made in the card provider's own dashboard, through the whole stack: noticed by webhook or by
 * `motorpool reconcile`, shown to managers, and counted in whatever is refunded afterwards.
 */
import { assert, finish, test, until } from './check.mjs';
import { Stack, at, new_car } from './stack.mjs';

const stack = await Stack.start({ name: 'story-outside' });
stack.allow(/"what":"reconcile"/, /"what":"provider","text":"4.. (NOT_CANCELABLE_AMOUNT|ALREADY_CANCELED_PAYMENT) at refund"/);
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');

async function booked() {
	const { json: { car_id } } = await manager.post('/fleet/cars', new_car());
	const { json, text } = await anna.post('/bookings', { car_id, starts_at: at(30), ends_at: at(31), card_id: anna.card_id });
	assert.ok(json?.code, text);
	await until(`${json.code} is CONFIRMED`, async () => (await anna.get(`/bookings/${json.code}`)).json.state === 'CONFIRMED');
	return json;
}
/* What the dashboard does, without its page. */
async function refund_in_dashboard(code, cancelAmount) {
	const { json: { paymentKey } } = await stack.sandbox('GET', `/v1/payments/orders/${code}`);
	assert.equal((await stack.sandbox('POST', `/v1/payments/${paymentKey}/cancel`, { cancelReason: 'by hand', cancelAmount })).status, 200);
}
const charge_of = async code => {
	const { json: { charges } } = await manager.get(`/payments?code=${code}`);
	return (await manager.get(`/payments/${charges[0].charge_id}`)).json;
};
const refunded = async code => (await charge_of(code)).charge.refunded_amount;

await test('a webhook about a refund in the dashboard: it is booked, a manager sees it, and the booking goes on', async () => {
	const { code } = await booked();
	await stack.fault({ webhooks: 2 });
	await refund_in_dashboard(code, 5000);
	await until('it is booked', async () => await refunded(code) === 5000);
	await stack.fault({ webhooks: 0 });
	const { refunds, charge } = await charge_of(code);
	assert.deepEqual(refunds.map(r => [r.amount, r.is_outside, r.state]), [[5000, true, 'DONE']]);
	assert.equal((await anna.get(`/bookings/${code}`)).json.state, 'CONFIRMED');
	assert.equal((await manager.get(`/payments/${charge.charge_id}/resolve`)).json.kind, 'outside');
	await stack.check();
});
await test('without a webhook, reconcile books it, once; a later cancellation is limited to what is left', async () => {
	const { code, amount } = await booked();
	await refund_in_dashboard(code, 7000);
	assert.equal(await refunded(code), 0);
	assert.match(await stack.must('reconcile'), / 1 refunds outside booked/);
	assert.match(await stack.must('reconcile'), / 0 refunds outside booked/);
	assert.equal(await refunded(code), 7000);
	assert.equal((await anna.post(`/bookings/${code}/cancel`)).status, 200);
	await until('it is cancelled', async () => (await anna.get(`/bookings/${code}`)).json.state === 'CANCELLED');
	assert.equal(await refunded(code), amount);
	assert.equal(await stack.money_kept(code), 0);
	await stack.check();
});
await test('all refunded in the dashboard, unnoticed by us: the customer cancels, the provider refuses, and all ends well', async () => {
	const { code, amount } = await booked();
	await refund_in_dashboard(code, amount);
	await anna.post(`/bookings/${code}/cancel`);
	await until('it is cancelled', async () => (await anna.get(`/bookings/${code}`)).json.state === 'CANCELLED');
	assert.equal(await refunded(code), amount);
	await stack.check();
});
await finish();
