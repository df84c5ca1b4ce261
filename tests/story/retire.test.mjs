/*
 * retire.test.mjs - cars that leave service while they are booked, through the whole stack: bookings and retirings at the same moment, an
 * undo against the sweep, a car that is not handed over, a booking moved to another branch, and a delivery that is given up and kept.
 */
import { assert, finish, sleep, test, until } from './check.mjs';
import { Stack, at, new_car } from './stack.mjs';

const WINDOW_S = 4;
const stack = await Stack.start({ name: 'story-retire', env: { MOTORPOOL_UNDO_WINDOW_S: `${WINDOW_S}`, MOTORPOOL_STUCK_AFTER_S: '5', MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna'), courier = await stack.person('Courier', 'courier');
const courier_id = (await courier.get('/account')).json.user_id;
const add = async (more = {}) => (await manager.post('/fleet/cars', new_car(more))).json.car_id;
const car = async id => (await manager.get(`/fleet/cars/${id}`)).json;
const state = async code => (await anna.get(`/bookings/${code}`)).json.state;
const reaches = (code, wanted) => until(`${code} is ${wanted}`, async () => await state(code) === wanted);
const order = (car_id, starts_at, ends_at, more = {}) => anna.post('/bookings', { car_id, starts_at, ends_at, card_id: anna.card_id, ...more });
async function booked(car_id, starts_at = at(30), ends_at = at(31), more = {}) {
	const { json, text } = await order(car_id, starts_at, ends_at, more);
	assert.ok(json?.code, text);
	await reaches(json.code, 'CONFIRMED');
	return json.code;
}
const n_retired = car_id => stack.count('event', `subject_id = 'car:${car_id}' AND type = 'car.retired'`);
/* The half hour that has begun: the car can be handed over now. */
const soon = new Date(Math.floor(Date.now() / 1800e3) * 1800e3 + 9 * 3600e3).toISOString().slice(0, 16);

await test('a car is booked and retired at the same moment, 20 times: the manager was asked, or the booking is refused and refunded', async () => {
	const seen = new Set();
	for (let i = 0; i < 20; i++) {
		const car_id = await add();
		const [order_answer, retire_answer] = await Promise.all([
			sleep(i % 5 * 8).then(() => order(car_id, at(40), at(41))), sleep(i % 3 * 12).then(() => manager.post(`/fleet/cars/${car_id}/retire`)),
		]);
		const code = order_answer.json?.code;
		assert.ok([200, 409].includes(retire_answer.status), retire_answer.text);
		if (retire_answer.status === 409) {
			assert.equal(retire_answer.json.error.code, 'bookings_concerned');
			assert.deepEqual(retire_answer.json.error.details.bookings.map(b => b.code), [code]);
			await reaches(code, 'CONFIRMED');
			assert.equal((await car(car_id)).service, 'IN_SERVICE');
		} else if (order_answer.status === 201) {
			await reaches(code, 'REJECTED');
			await until('it is refunded', async () => await stack.money_kept(code) === 0);
		} else
			assert.ok([404, 409, 422].includes(order_answer.status), order_answer.text);
		seen.add(`${retire_answer.status} ${order_answer.status}`);
	}
	console.log(`# ${[...seen].sort().join(', ')}`);
});
await test('undone in the moment in which the window ends: each of 12 cars is either kept or retired, and reported once', async () => {
	const cars = await Promise.all(Array.from({ length: 12 }, () => add()));
	const began = Date.now();
	for (const car_id of cars) assert.equal((await manager.post(`/fleet/cars/${car_id}/retire`)).status, 200);
	await sleep(began + WINDOW_S * 1000 - 600 - Date.now());
	const undone = await Promise.all(cars.map((car_id, i) => sleep(i * 120).then(() => manager.post(`/fleet/cars/${car_id}/retire/undo`))));
	for (const [i, answer] of undone.entries()) {
		if (answer.status === 200) {
			assert.equal((await car(cars[i])).service, 'IN_SERVICE');
			assert.equal(await n_retired(cars[i]), 0);
			continue;
		}
		assert.equal(answer.json.error.code, 'too_late');
		await until('it is retired', async () => (await car(cars[i])).service === 'RETIRED');
		assert.equal(await n_retired(cars[i]), 1);
	}
});

await test('a car put out of service for its booking: asked, on the desk, not handed over, and the customer is told nothing when it is back in time', async () => {
	const car_id = await add(), code = await booked(car_id, soon, at(2));
	const asked = await manager.post(`/fleet/cars/${car_id}/service`, { service: 'OUT_OF_SERVICE' });
	assert.equal(asked.status, 409);
	assert.equal((await manager.post(`/fleet/cars/${car_id}/service`, { service: 'OUT_OF_SERVICE', seen: asked.json.error.details.seen })).status, 200);
	assert.equal((await manager.post(`/bookings/${code}/hand-out`)).json.error.code, 'car_out_of_service');
	const row = await until('it needs attention', async () => (await manager.get('/bookings/stuck?kind=car_gone')).json.stuck.find(r => r.subject_id === code));
	assert.equal(row.last_error, 'out_of_service');
	const n_mails = stack.mails_to(anna.email).length;
	assert.equal((await manager.post(`/fleet/cars/${car_id}/service`, { service: 'IN_SERVICE' })).status, 200);
	assert.equal((await manager.get('/bookings/stuck?kind=car_gone')).json.stuck.find(r => r.subject_id === code), undefined);
	assert.equal(stack.mails_to(anna.email).length, n_mails);
	assert.equal((await manager.post(`/bookings/${code}/hand-out`)).json.state, 'OUT');
	assert.equal((await manager.post(`/fleet/cars/${car_id}/retire`, { confirm: true })).json.error.code, 'car_in_use');
});
await test('a car that was moved: its booking is handed over at the new branch, and the customer is told once, in mail and on their page', async () => {
	const branch = (await manager.post('/fleet/branches', { name: 'Mapo', name_ko: '마포점', address: 'Mapo-daero 1', phone: '02-777-1234' })).json;
	const car_id = await add(), code = await booked(car_id);
	const now = await car(car_id);
	assert.equal((await manager.put(`/fleet/cars/${car_id}`, { ...now, branch_id: branch.branch_id })).json.error.code, 'bookings_concerned');
	assert.equal((await manager.put(`/fleet/cars/${car_id}`, { ...now, branch_id: branch.branch_id, confirm: true })).status, 200);
	const row = await until('it needs attention', async () => (await manager.get('/bookings/stuck?kind=car_gone')).json.stuck.find(r => r.subject_id === code));
	assert.equal(row.last_error, 'moved');
	for (let i = 0; i < 2; i++) assert.equal((await manager.post(`/bookings/${code}/move`, { branch_id: branch.branch_id })).status, 200);
	const told = () => stack.mails_to(anna.email).filter(text => text.includes(code) && /Mapo|마포점/.test(text));
	await until('the customer has the mail', () => told().length > 0);
	assert.equal(told().length, 1);
	assert.match(told()[0], /02-777-1234/);
	await until('the page of the booking names it', async () => /Mapo|마포점/.test((await anna.get(`/my/bookings/${code}`)).json.branch_name));
	assert.equal((await manager.get('/bookings/stuck?kind=car_gone')).json.stuck.find(r => r.subject_id === code), undefined);
});

const job_of = code => until(`${code} has a job`, async () => (await manager.get(`/deliveries?q=${code}`)).json.deliveries.find(d => d.direction === 'delivery'));
const delivery = { zone: 'center', address: '1 Test-ro, Seoul', place: '' };
await test('a delivery that is given up is refunded only when the window has ended; undone before, it goes on', async () => {
	const [given_up, kept] = [await booked(await add(), at(20), at(21), { delivery }), await booked(await add(), at(20), at(21), { delivery })];
	const paid = await stack.money_kept(given_up);
	for (const code of [given_up, kept]) {
		const { delivery_id } = await job_of(code);
		assert.equal((await manager.post(`/deliveries/${delivery_id}/assign`, { courier_id })).status, 200);
		assert.equal((await manager.post(`/deliveries/${delivery_id}/cancel`, { reason: 'The road is closed' })).json.state, 'SCHEDULED');
		assert.equal((await courier.post(`/deliveries/${delivery_id}/ship`)).json.error.code, 'given_up');
		assert.equal(await stack.money_kept(code), paid);
	}
	assert.equal((await manager.post(`/deliveries/${(await job_of(kept)).delivery_id}/cancel/undo`)).json.cancel_at, null);
	await until('the fee is refunded', async () => await stack.money_kept(given_up) === paid - 15000);
	assert.equal((await manager.post(`/deliveries/${(await manager.get(`/deliveries?q=${given_up}`)).json.deliveries[0].delivery_id}/cancel/undo`)).json.error.code, 'too_late');
	assert.equal(await stack.money_kept(kept), paid);
	assert.equal((await courier.post(`/deliveries/${(await job_of(kept)).delivery_id}/ship`)).json.state, 'SHIPPED');
});
await test('a courier does not leave with a car that is not in service', async () => {
	const car_id = await add(), code = await booked(car_id, at(22), at(23), { delivery }), { delivery_id } = await job_of(code);
	assert.equal((await manager.post(`/deliveries/${delivery_id}/assign`, { courier_id })).status, 200);
	assert.equal((await manager.post(`/fleet/cars/${car_id}/service`, { service: 'OUT_OF_SERVICE', confirm: true })).status, 200);
	const answer = await courier.post(`/deliveries/${delivery_id}/ship`);
	assert.equal(answer.status, 409);
	assert.equal(answer.json.error.code, 'car_out_of_service');
	assert.equal((await manager.post(`/fleet/cars/${car_id}/service`, { service: 'IN_SERVICE' })).status, 200);
	assert.equal((await courier.post(`/deliveries/${delivery_id}/ship`)).json.state, 'SHIPPED');
});
await test('in the end every invariant holds', async () => { await stack.check(); });

await finish();
