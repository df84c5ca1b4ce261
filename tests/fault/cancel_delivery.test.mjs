/*
 * cancel_delivery.test.mjs - FX-17 with a delivery: cancelling a booking first cancels its delivery, then refunds the money. Delivery is
 * stopped, hangs, or the courier is on the way; payment fails after delivery has agreed: the pages show the true state, nothing stays
 * half done, and the refund is made once.
 */
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { figure, seeded, span } from './fault.mjs';

const random = seeded();
const stack = await Stack.start({ name: 'fault-cancel-delivery', env: { MOTORPOOL_STUCK_AFTER_S: '5', MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
stack.allow(/"program":"lighttpd".*"what":"access","method":"POST","status":500/);      /* a request in progress when its program was killed */
const manager = await stack.person('Manager', 'manager');
const courier = await stack.person('Courier', 'courier');
const courier_id = +(await stack.sql("SELECT user_id FROM person WHERE email = 'courier@example.com'"))[0][0];
const anna = await stack.payer('Anna');
const cars = [];
for (let i = 0; i < span(6, 30); i++) cars.push((await manager.post('/fleet/cars', new_car())).json.car_id);

const soon = hours => new Date(Math.floor(Date.now() / 1800e3) * 1800e3 + hours * 3600e3).toISOString();
let n = 0;
const state = async code => (await anna.get(`/bookings/${code}`)).json;
const job = async code => (await stack.sql(`SELECT delivery_id, state FROM delivery WHERE booking_code = '${code}' AND direction = 'delivery'`))[0] ?? [];
async function booked(when) {
	const i = n++, day = 3 + 2 * Math.floor(i / cars.length);
	const answer = await until('it can be booked', async () => {
		const a = await anna.post('/bookings', { car_id: cars[i % cars.length], starts_at: at(day), ends_at: at(day + 1), ...when, card_id: anna.card_id,
			delivery: { address: '12 Sejong-daero', zone: 'center' } });
		if (a.status !== 201 && a.status !== 503) throw new Error(`${a.status} ${a.text}`);
		return a.status === 201 && a;
	}, { limit_ms: 30000, every_ms: 300 });
	await until('its delivery job is there', async () => (await job(answer.json.code))[1] === 'REQUESTED', { limit_ms: 20000, every_ms: 50 });
	return answer.json;
}
const assign = async code => {
	const [id] = await job(code), answer = await manager.post(`/deliveries/${id}/assign`, { courier_id });
	assert.equal(answer.status, 200, answer.text);
	return id;
};
const given_back = async code => (await stack.sql(`SELECT COUNT(*), COALESCE(SUM(c.amount), 0) FROM cancel c JOIN payment p ON p.payment_id = c.payment_id WHERE p.order_id = '${code}'`, 'sandbox'))[0].map(Number);
const ends = async (code, amount) => {
	await until(`${code} is cancelled`, async () => (await state(code)).state === 'CANCELLED', { limit_ms: 130000, every_ms: 200 });
	assert.equal((await job(code))[1], 'CANCELLED');
	assert.deepEqual(await given_back(code), [1, amount], 'all the money is refunded, once');
	assert.equal((await stack.sql(`SELECT COUNT(*) FROM slot WHERE kind <> 'RELEASED' AND booking_id = (SELECT booking_id FROM booking WHERE code = '${code}')`))[0][0], '0', 'the car is free');
};
const untouched = async (code, is) => {
	assert.equal((await state(code)).state, 'CONFIRMED');
	assert.equal((await job(code))[1], is);
	assert.deepEqual(await given_back(code), [0, 0]);
};

await test('a booking with delivery is cancelled: the delivery first, then a full refund including the fee', async () => {
	const { code, amount, lines } = await booked();
	assert.ok(lines.some(l => l.rule === 'delivery'), 'the fee is a line');
	await assign(code);
	assert.equal((await anna.post(`/bookings/${code}/cancel`)).status, 200);
	await ends(code, amount);
	const types = (await stack.sql(`SELECT type FROM event WHERE subject_id = '${code}' ORDER BY event_id`)).map(r => r[0]);
	assert.ok(types.indexOf('delivery.cancelled') < types.indexOf('payment.cancelled'), types.join(' '));
	assert.ok(types.indexOf('delivery.cancelled') < types.indexOf('booking.cancel_requested'), types.join(' '));
});

await test('delivery is stopped: cancelling is refused "in a moment" with nothing changed, and works when it is back', async () => {
	const { code, amount } = await booked();
	await stack.down('delivery');
	try {
		for (let i = 0; i < 3; i++) {
			const answer = await anna.post(`/bookings/${code}/cancel`);
			assert.equal(answer.status, 503, answer.text);
			assert.equal(answer.json.error.code, 'later');
			assert.ok(+answer.headers['retry-after'] > 0, 'it says when to try again');
		}
		await untouched(code, 'REQUESTED');
		await sleep(span(2500, 20000));         /* no sweep continues it */
		await untouched(code, 'REQUESTED');
	} finally {
		await stack.up();
	}
	await until('it can be cancelled', async () => [200, 202].includes((await anna.post(`/bookings/${code}/cancel`)).status), { limit_ms: 30000, every_ms: 500 });
	await ends(code, amount);
});

await test('a delivery on its way cannot be cancelled, and the answer says what to do instead', async () => {
	const { code } = await booked({ starts_at: soon(0.5), ends_at: soon(12) }), id = await assign(code);
	assert.equal((await courier.post(`/deliveries/${id}/ship`)).status, 200);
	const answer = await anna.post(`/bookings/${code}/cancel`);
	assert.equal(answer.status, 409, answer.text);
	assert.equal(answer.json.error.code, 'delivery_shipped');
	await untouched(code, 'SHIPPED');
	const delivered = await courier.post(`/deliveries/${id}/deliver`, { odometer_km: 12000, fuel_percent: 80, received_by: 'Anna' });
	assert.equal(delivered.status, 200, delivered.text);
	await until('the booking is OUT', async () => (await state(code)).state === 'OUT', { limit_ms: 20000, every_ms: 50 });
});

await test('payment fails after the delivery was cancelled: shown as "refund pending", retried until it is done, once', async () => {
	const { code, amount } = await booked();
	await stack.down('payment');
	try {
		const answer = await anna.post(`/bookings/${code}/cancel`);
		assert.equal(answer.status, 202, answer.text);
		assert.equal(answer.json.state, 'CANCEL_REQUESTED');
		assert.equal((await job(code))[1], 'CANCELLED');
		assert.deepEqual(await given_back(code), [0, 0]);
		await until('my page says that the refund is pending', async () => (await anna.get(`/my/bookings/${code}`)).json?.state === 'CANCEL_REQUESTED', { limit_ms: 10000, every_ms: 200 });
		await until('it is listed under "needs attention"', async () => (await manager.get('/bookings/stuck')).json.stuck?.some(s => s.subject_id === code && s.kind === 'cancel'), { limit_ms: 15000, every_ms: 300 });
	} finally {
		await stack.up();
	}
	const began = Date.now();
	await ends(code, amount);
	figure({ experiment: 'FX-17', name: 'payment failed after delivery was cancelled: ended after its return within', value: (Date.now() - began) / 1000, unit: 's', limit: 130 });
}, { limit_s: 200 });

await test('delivery hangs during the call: the request to cancel is kept and shown, and is completed or withdrawn', async () => {
	const { code, amount } = await booked();
	const held = stack.workers('delivery');
	for (const pid of held) stack.kill(pid, 'SIGSTOP');
	let answer;
	try {
		answer = await anna.post(`/bookings/${code}/cancel`);
		assert.ok([202, 503].includes(answer.status), `${answer.status} ${answer.text}`);
		assert.deepEqual(await given_back(code), [0, 0], 'no refund before delivery has agreed');
	} finally {
		for (const pid of held) stack.kill(pid, 'SIGCONT');
	}
	if (answer.status === 202) await ends(code, amount);
	else assert.equal((await state(code)).state, 'CONFIRMED');
}, { limit_s: 200 });

await test('couriers leave while customers cancel, and delivery is killed: each booking is either cancelled or on its way, never both', async () => {
	const codes = [], answers = {};
	for (let i = 0; i < span(6, 40); i++) {
		const { code, amount } = await booked();
		codes.push([code, amount, await assign(code)]);
	}
	await Promise.all(codes.map(async ([code, , id]) => {
		await sleep(random.below(300));
		const [cancelled, shipped] = await Promise.all([
			sleep(random.below(60)).then(() => anna.post(`/bookings/${code}/cancel`)).catch(() => ({ status: 0 })),
			sleep(random.below(60)).then(() => courier.post(`/deliveries/${id}/ship`)).catch(() => ({ status: 0 })),
			random() < 0.3 ? sleep(random.below(60)).then(() => stack.workers('delivery').forEach(pid => random() < 0.5 && stack.kill(pid))) : 0,
		]);
		const said = `cancel ${cancelled.status}, ship ${shipped.status}`;
		answers[said] = (answers[said] ?? 0) + 1;
	}));
	console.log(`#   ${JSON.stringify(answers)}`);
	const ended = async code => { const b = (await state(code)).state, d = (await job(code))[1]; return b === 'CANCELLED' && d === 'CANCELLED' || b === 'CONFIRMED' && d !== 'CANCELLED'; };
	for (const [code] of codes)
		await until(`${code} is cancelled or on its way`, () => ended(code), { limit_ms: 130000, every_ms: 300 });
	for (const [code, amount] of codes) {
		const is_cancelled = (await state(code)).state === 'CANCELLED';
		assert.deepEqual(await given_back(code), is_cancelled ? [1, amount] : [0, 0], code);
	}
	figure({ experiment: 'FX-17', name: 'bookings both cancelled and on their way, of couriers and customers at once', value: (await stack.sql("SELECT COUNT(*) FROM booking b JOIN delivery d ON d.booking_code = b.code WHERE b.state = 'CANCELLED' AND d.state IN ('SHIPPED', 'DELIVERED')"))[0][0] | 0, unit: '', limit: 0 });
}, { limit_s: 300 });

await test('after all this every invariant holds', async () => {
	await stack.check();
});
await finish();
