/*
 * models.test.mjs - any car of a model, several at once, over HTTP: the number available falls with orders and rises with cancellations;
 * of twenty simultaneous orders for two of five cars exactly two succeed; and fleet confirms or refuses all cars of a booking together.
 */
import { assert, finish, sleep, test, until } from './check.mjs';
import { Stack, at, new_car } from './stack.mjs';

const stack = await Stack.start({ name: 'story-models', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '40' } });
const manager = await stack.person('Manager', 'manager');
const anna = await stack.payer('Anna'), others = [await stack.payer('Ben'), await stack.payer('Cho'), await stack.payer('Dan'), await stack.payer('Eun')];
const anonymous = stack.program();
const from = at(3), to = at(4);

const { json: { model_id } } = await manager.post('/fleet/models', { ...new_car(), plate: undefined, name: 'Ray', daily_price: 50000, hourly_price: 5000 });
const cars = [];
for (let i = 0; i < 5; i++) cars.push((await manager.post('/fleet/cars', new_car({ name: 'Ray', model_id }))).json);
const order = (who, qty, more = {}) => ({ model_id, qty, starts_at: from, ends_at: to, card_id: who.card_id, ...more });
const n_free = async (a = from, b = to) => (await anonymous.get(`/models/${model_id}?starts_at=${a}&ends_at=${b}`)).json.model.n_free;
const state_of = async code => (await manager.get(`/bookings/${code}`)).json.state;
const reaches = (code, state) => until(`${code} is ${state}`, async () => await state_of(code) === state, { every_ms: 20 });
const book = async (who, qty, more) => {
	const answer = await who.post('/bookings', order(who, qty, more));
	assert.equal(answer.status, 201, answer.text);
	return answer.json;
};

await test('the models on sale are listed with the number available', async () => {
	const { status, json } = await anonymous.get(`/models?starts_at=${from}&ends_at=${to}`);
	assert.equal(status, 200);
	const [ray] = json.models;
	assert.equal(json.n_total, 1);
	assert.deepEqual([ray.model_id, ray.n_cars, ray.n_free, ray.n_at_once, ray.total_amount], [model_id, 5, 5, 5, 50000]);
	assert.equal(ray.branches.length, 1);
});

const ordered = [];
await test('two cars of a model are booked in one booking: 201, both cars named, twice the price', async () => {
	const b = await book(anna, 2);
	ordered.push(b.code);
	assert.equal(b.n_cars, 2);
	assert.equal(b.cars.length, 2);
	assert.equal(new Set(b.cars.map(c => c.plate)).size, 2);
	assert.equal(b.amount, 100000);
	assert.equal(b.lines[0].quantity, 2);
	assert.equal(await stack.money_kept(b.code), 100000);
	assert.equal(await n_free(), 3);
	await reaches(b.code, 'CONFIRMED');
	assert.equal(await stack.count('reservation', `booking_code = '${b.code}' AND state = 'RESERVED'`), 2);
});
await test('… and cancelling frees both and refunds all the money', async () => {
	const { status, json } = await anna.post(`/bookings/${ordered.pop()}/cancel`);
	assert.equal(status, 200);
	assert.equal(json.refunded_amount, 100000);
	assert.equal(await n_free(), 5);
	await until('fleet has released both', async () => await stack.count('reservation', "state = 'RELEASED'") === 2);
});

await test('twenty parallel orders of two, five cars: exactly two succeed, the others get out_of_stock and pay nothing', async () => {
	const seen = [await n_free()];
	const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => { const who = [anna, ...others][i % 5]; return who.post('/bookings', order(who, 2)); }));
	const good = answers.filter(a => a.status === 201), bad = answers.filter(a => a.status !== 201);
	assert.equal(good.length, 2, answers.map(a => `${a.status} ${a.json?.error?.code ?? ''}`).join(', '));
	assert.deepEqual([...new Set(bad.map(a => `${a.status} ${a.json.error.code}`))], ['409 out_of_stock']);
	assert.equal(new Set(good.flatMap(a => a.json.cars.map(c => c.car_id))).size, 4, 'no car twice');
	assert.equal(await n_free(), 1);
	assert.equal(await stack.count('slot', "kind <> 'RELEASED'"), 4);
	ordered.push(...good.map(a => a.json.code));
	for (const { json } of good) await reaches(json.code, 'CONFIRMED');
	assert.equal(await stack.count('charge', "state IN ('APPROVED', 'CANCEL_REQUESTED')"), 2);
	console.log(`#   free before and after: ${seen[0]}, ${await n_free()}`);
});
await test('the number available rises by two with each cancellation: 1, 3, 5; and falls with orders: 5, 3, 1', async () => {
	const seen = [await n_free()];
	for (const code of ordered) {
		const owner = (await manager.get(`/bookings?q=${code}`)).json.bookings[0];
		assert.equal(owner.n_cars, 2);
		assert.equal((await manager.post(`/bookings/${code}/cancel`)).status, 200);
		seen.push(await n_free());
	}
	assert.deepEqual(seen, [1, 3, 5]);
	const again = [await book(anna, 2), null];
	seen.push(await n_free());
	again[1] = await book(others[0], 2);
	seen.push(await n_free());
	assert.deepEqual(seen, [1, 3, 5, 3, 1]);
	for (const b of again) await manager.post(`/bookings/${b.code}/cancel`);
	assert.equal(await n_free(), 5);
});
await test('the same order with the same key is the same booking, whatever is available by then', async () => {
	const key = { 'Idempotency-Key': 'three-rays' };
	const [one, two] = [await anna.post('/bookings', order(anna, 3), key), await anna.post('/bookings', order(anna, 3), key)];
	assert.equal(one.status, 201, one.text);
	assert.equal(two.json.code, one.json.code);
	assert.deepEqual(two.json.cars, one.json.cars);
	assert.equal(await n_free(), 2);
	await anna.post(`/bookings/${one.json.code}/cancel`);
});

await test('single cars and models share one calendar', async () => {
	const { json: single } = await anna.post('/bookings', { car_id: cars[0].car_id, starts_at: from, ends_at: to, card_id: anna.card_id });
	assert.equal(await n_free(), 4);
	assert.equal((await anna.post('/bookings', order(anna, 5))).json.error.code, 'out_of_stock');
	const rest = await book(others[1], 4);
	assert.ok(!rest.cars.some(c => c.car_id === cars[0].car_id));
	assert.equal((await anna.post('/bookings', { car_id: rest.cars[3].car_id, starts_at: from, ends_at: to, card_id: anna.card_id })).json.error.code, 'taken');
	for (const code of [single.code, rest.code]) await manager.post(`/bookings/${code}/cancel`);
});

await test('one of two cars goes out of service between paid and reserved: the booking is rejected, all the money is refunded, both are free', async () => {
	const paused = await stack.command('pause', 'fleet', 'a car breaks down');
	assert.equal(paused.status, 0, paused.err);
	const b = await book(anna, 2, { starts_at: at(20), ends_at: at(21) });
	assert.equal((await manager.post(`/fleet/cars/${b.cars[1].car_id}/service`, { service: 'OUT_OF_SERVICE', confirm: true })).status, 200);
	assert.equal((await stack.command('resume', 'fleet')).status, 0);
	await reaches(b.code, 'REJECTED');
	await until('all of it is refunded', async () => (await anna.get(`/bookings/${b.code}`)).json.refunded_amount === b.amount);
	assert.equal(await stack.money_kept(b.code), 0);
	assert.equal(await stack.count('reservation', `booking_code = '${b.code}'`), 0);
	assert.equal(await n_free(at(20), at(21)), 4);
	await manager.post(`/fleet/cars/${b.cars[1].car_id}/service`, { service: 'IN_SERVICE' });
});

await test('both cars are handed out and returned together, and the fleet shows the status of each', async () => {
	const now = new Date(Date.now() + 9 * 3600e3), start = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`;
	const b = await book(anna, 2, { starts_at: start, ends_at: at(1) });
	const show = status => until(`both are ${status}`, async () =>
		(await Promise.all(b.cars.map(c => manager.get(`/fleet/cars/${c.car_id}`)))).every(a => a.json.status === status));
	const free_now = async () => (await manager.get(`/fleet/models/${model_id}`)).json.n_free;
	await reaches(b.code, 'CONFIRMED');
	await show('RENTED');
	assert.equal(await free_now(), 3);
	assert.equal((await manager.post(`/bookings/${b.code}/hand-out`)).status, 200);
	assert.equal((await manager.post(`/bookings/${b.code}/take-back`)).status, 200);
	await show('AVAILABLE');
	assert.equal(await free_now(), 5);
	assert.equal(await state_of(b.code), 'COMPLETED');
});

await test('a model off sale is not offered and cannot be booked', async () => {
	await manager.post(`/fleet/models/${model_id}/state`, { state: 'OFF_SALE' });
	assert.equal((await anonymous.get(`/models/${model_id}`)).status, 404);
	assert.equal((await anonymous.get('/models')).json.n_total, 0);
	const { status, json } = await anna.post('/bookings', order(anna, 1));
	assert.equal(status, 422);
	assert.ok(json.error.fields.model_id);
});
await test('after all this every invariant holds', async () => {
	await sleep(500);
	await stack.check();
});
await finish();
