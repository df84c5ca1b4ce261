/*
 * delivery_off.test.mjs - FX-4: delivery is off, its consumer paused and its program killed, while people book with delivery and cancel.
 * No booking is refused; when it is back each delivery is REQUESTED within seconds and can be shipped. Cancelling a booking with delivery
 * is answered "later", with nothing changed; afterwards it works, or the courier has left. A booking whose event delivery has not handled
 * yet is cancelled too, and never delivered.
 */
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { figure, load, seeded, span } from './fault.mjs';
import { Market, is_alive } from './market.mjs';

const stack = await Stack.start({ name: 'fault-delivery-off', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 8, n_people: 2 });
const driver = await stack.person('Driver', 'courier'), courier_id = (await driver.get('/account')).json.user_id;
const delivery = { zone: 'center', address: 'Seoul, 110 Sejong-daero' };
const states = async table => Object.fromEntries((await stack.sql(`SELECT state, COUNT(*) FROM ${table} GROUP BY state`)).map(([state, n]) => [state, +n]));
const state_of = async code => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0];
const codes = [];

/* The i-th booking of the market, with delivery. */
async function book(i, other = {}) {
	const who = market.who(i), answer = await who.post('/bookings', { ...market.order(i), ...other, card_id: who.card_id, delivery }, { 'Idempotency-Key': `brought-${i}` });
	if (answer.status !== 201) throw new Error(`booking ${i}: ${answer.status} ${answer.text}`);
	codes[i] = answer.json.code;
	return answer.json;
}
const cancel = i => market.who(i).post(`/bookings/${codes[i]}/cancel`);
const job_of = async i => (await market.manager.get(`/deliveries?q=${codes[i]}`)).json.deliveries[0];

/* Not restarted: `run`, the supervisor, is stopped. */
async function off() {
	const all = [stack.services().delivery, ...stack.workers('delivery')];
	await stack.must('pause', 'delivery', 'an experiment');
	stack.kill(stack.process.pid, 'SIGSTOP');
	stack.held = true;
	for (const pid of all) stack.kill(pid, 'SIGKILL');
	await until('it is dead', () => !all.some(is_alive), { limit_ms: 10000 });
}
async function back() {
	await stack.must('resume', 'delivery');
	await stack.up();
}
async function all_requested(what, n, limit_ms = 30000) {
	const began = performance.now();
	await until('every one is REQUESTED', async () => (await states('delivery')).REQUESTED === n, { limit_ms });
	figure({ experiment: 'FX-4', name: `every delivery REQUESTED after ${what}`, value: (performance.now() - began) / 1000, unit: 's', limit: 5 });
}

const N = span(12, 60);
stack.allow(/Connection refused|delivery\.internal\.sock/);

await test('a booking with delivery has its price line, and its job appears by itself', async () => {
	const booked = await book(0);
	assert.ok(booked.lines.some(line => line.rule === 'delivery' && line.amount > 0), JSON.stringify(booked.lines));
	await all_requested('its booking', 1);
	assert.equal((await job_of(0)).address, delivery.address);
});
await test('delivery paused and its program killed: every booking with delivery succeeds and is CONFIRMED', async () => {
	await off();
	assert.equal((await market.manager.get('/deliveries')).status, 503, 'its pages are gone');
	const done = await load({ per_s: 4, for_s: N / 4, run: i => book(1 + i) }), failed = done.filter(one => one.error);
	figure({ experiment: 'FX-4', name: 'bookings with delivery that succeed while it is off', value: 100 * (done.length - failed.length) / done.length, unit: '%', least: 100 });
	assert.deepEqual(failed.slice(0, 3).map(one => one.error.message), []);
	assert.equal(done.length, N);
	await until('all are CONFIRMED', async () => (await states('booking')).CONFIRMED === N + 1, { limit_ms: 15000 });
	assert.deepEqual(await states('delivery'), { REQUESTED: 1 }, 'delivery is really off');
});
await test('cancelling meanwhile is answered "later", and changes nothing', async () => {
	const all = async () => [await stack.sql('SELECT code, state, cancel_asked_at, refund_state, refund_due, end_reason, ended_at FROM booking ORDER BY booking_id'),
		await stack.sql('SELECT * FROM slot ORDER BY slot_id'), await stack.count('event'), await stack.count('refund')];
	let n_events;
	await until('the others have reacted to all events', async () => n_events === (n_events = await stack.count('event')), { every_ms: 1000 });
	const before = await all();
	for (const i of [0, 1]) {       /* one with a job, one whose event it has not handled */
		const answer = await cancel(i);
		assert.equal(answer.status, 503, answer.text);
		assert.equal(answer.json.error.code, 'later');
		assert.ok(Number(answer.headers['retry-after']) > 0);
	}
	assert.deepEqual(await all(), before);
});
await test('a booking without delivery can be cancelled', async () => {
	const who = market.who(0), order = { ...market.order(0), starts_at: at(80), ends_at: at(81), card_id: who.card_id };
	const { json: { code } } = await who.post('/bookings', order);
	assert.equal((await who.post(`/bookings/${code}/cancel`)).json.state, 'CANCELLED');
});
await test('the check of this experiment can fail: it finds deliveries that are not requested', async () => {
	await assert.rejects(all_requested('nothing', N + 1, 300), /in vain/);
});
await test('its program is back and its consumer is not: a booking whose event is not handled yet is cancelled, and never delivered', async () => {
	await stack.up();
	const answer = await until('the breaker lets it through', async () => { const answer = await cancel(1); return answer.status !== 503 && answer; }, { limit_ms: 30000, every_ms: 300 });
	assert.equal(answer.json.state, 'CANCELLED', answer.text);
	assert.deepEqual(await states('delivery'), { REQUESTED: 1, CANCELLED: 1 });
});
await test('resumed: every other one is REQUESTED within 5 s, once, and can be shipped', async () => {
	await stack.must('resume', 'delivery');
	await all_requested('its consumer is resumed', N);
	assert.deepEqual(await states('delivery'), { REQUESTED: N, CANCELLED: 1 });
	assert.equal(await stack.count('delivery', `booking_code = '${codes[1]}'`), 1);
	assert.equal(await stack.count('event', "type = 'delivery.requested'"), N);
	const job = await job_of(2);
	assert.equal((await market.manager.post(`/deliveries/${job.delivery_id}/assign`, { courier_id })).json.state, 'SCHEDULED');
	assert.equal((await driver.post(`/deliveries/${job.delivery_id}/ship`)).json.state, 'SHIPPED');
});
await test('cancelling works again: the job goes first, then the money', async () => {
	const answer = await cancel(0);
	assert.equal(answer.json.state, 'CANCELLED', answer.text);
	assert.equal((await job_of(0)).state, 'CANCELLED');
	assert.equal(await stack.money_kept(codes[0]), 0);
	const said = (await stack.sql(`SELECT type FROM event WHERE subject_id = '${codes[0]}' AND type IN ('delivery.cancelled', 'booking.cancel_requested') ORDER BY event_id`)).flat();
	assert.deepEqual(said, ['delivery.cancelled', 'booking.cancel_requested']);
});
await test('a delivery that has left is not cancelled, and the page says what to do instead', async () => {
	const answer = await cancel(2);
	assert.equal(answer.status, 409, answer.text);
	assert.match(answer.json.error.code, /shipped/);
	assert.equal(await state_of(codes[2]), 'CONFIRMED');
	assert.equal((await job_of(2)).state, 'SHIPPED');
});
await test('a courier leaves and the customer cancels at the same moment: one of them succeeds, and the other is told', async () => {
	const race = span(6, 16), first = codes.length, random = seeded();
	const won = { shipped: 0, cancelled: 0 };
	for (let i = first; i < first + race; i++) {
		const { json: { car_id } } = await market.manager.post('/fleet/cars', new_car()); /* one that no courier has yet */
		await book(i, { car_id });
		const job = await until('its job', () => job_of(i));
		await market.manager.post(`/deliveries/${job.delivery_id}/assign`, { courier_id });
		const later = async ms => { await sleep(ms); return driver.post(`/deliveries/${job.delivery_id}/ship`); };      /* cancelling takes one call more */
		const [left, gone] = await Promise.all([later(random() * 5), cancel(i)]);
		const end = [await state_of(codes[i]), (await job_of(i)).state].join(' ');
		if (end === 'CONFIRMED SHIPPED') assert.deepEqual([left.status, gone.status], [200, 409], gone.text);
		else assert.deepEqual([end, left.status, gone.status], ['CANCELLED CANCELLED', 409, 200], left.text);
		won[end.includes('SHIPPED') ? 'shipped' : 'cancelled']++;
	}
	console.log(`# ${JSON.stringify(won)}`);
}, { limit_s: 60 });
await test('off while the courier is on the road: the handover is recorded as soon as it is back, and the booking follows', async () => {
	const { json: { car_id } } = await market.manager.post('/fleet/cars', new_car());
	const now = new Date(Date.now() + 9 * 3600e3), starts_at = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`, who = market.who(0);
	const { json: { code } } = await who.post('/bookings', { car_id, starts_at, ends_at: at(2), card_id: who.card_id, delivery: { ...delivery, collect: true } });
	codes.push(code);
	const job = await until('its job', () => job_of(codes.length - 1));
	await market.manager.post(`/deliveries/${job.delivery_id}/assign`, { courier_id });
	await driver.post(`/deliveries/${job.delivery_id}/ship`);
	await off();
	const record = { odometer_km: 12345, fuel_percent: 80, received_by: 'Payer' };
	assert.equal((await driver.post(`/deliveries/${job.delivery_id}/deliver`, record)).status, 503);
	await back();
	assert.equal((await driver.post(`/deliveries/${job.delivery_id}/deliver`, record)).json.state, 'DELIVERED');
	await until('the booking is OUT', async () => await state_of(code) === 'OUT');
	assert.equal(await stack.count('delivery', `booking_code = '${code}' AND direction = 'collection' AND state = 'REQUESTED'`), 1);
}, { limit_s: 60 });
await test('every invariant holds', () => stack.check());
await finish();
