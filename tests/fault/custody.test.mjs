/*
 * custody.test.mjs - two clerks, a courier and customers want the same car at the same moment, while booking's and delivery's workers are
 * killed, and booking is down or hangs: at any moment one person at most has a car, refusals name who, and what was begun ends by itself.
 * Needs a build with FAULTS=1: the clock is moved to the hour at which a late car is booked next (lib/base/clock.c).
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, at_end, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, new_car } from '../story/stack.mjs';
import { figure, seeded, span } from './fault.mjs';

const random = seeded();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'motorpool-custody-')), file = path.join(folder, 'shift');
at_end(async () => fs.rmSync(folder, { recursive: true }));
const set_clock = seconds => { fs.writeFileSync(`${file}.new`, `${seconds}\n`); fs.renameSync(`${file}.new`, file); };
set_clock(0);
const stack = await Stack.start({ name: 'fault-custody', env: { MOTORPOOL_CLOCK: file, MOTORPOOL_JAIL: 'no', MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000', MOTORPOOL_SHORT_PAUSES: '1', MOTORPOOL_UNDO_WINDOW_S: '2' } });
stack.allow(/"program":"lighttpd".*"what":"access","method":"POST","status":50\d/, /"level":"error".*"what":"(call|lock|parent)"/, /Connection refused|booking\.internal\.sock/, /"what":"call","to":"booking".*"status":50\d/);
const clerks = [await stack.person('Clerk', 'manager'), await stack.person('Second', 'manager')];
const courier = await stack.person('Courier', 'courier'), courier_id = (await courier.get('/account')).json.user_id;
const anna = await stack.payer('Anna'), ben = await stack.payer('Ben');
const soon = hours => new Date(Math.floor(Date.now() / 1800e3) * 1800e3 + hours * 3600e3).toISOString();
const to_hour = hours => set_clock(Math.floor((Date.parse(soon(hours)) - Date.now()) / 1000));
const state_of = async code => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0];
const job_of = async code => (await stack.sql(`SELECT delivery_id, state, asked_step FROM delivery WHERE booking_code = '${code}' AND direction = 'delivery'`))[0] ?? [];
const record = { odometer_km: 12000, fuel_percent: 80, received_by: 'Ben' };

async function book(who, car_id, from, until_hour, more = {}) {
	const answer = await who.post('/bookings', { car_id, starts_at: soon(from), ends_at: soon(until_hour), card_id: who.card_id, ...more });
	assert.equal(answer.status, 201, answer.text);
	await until('it is CONFIRMED', async () => await state_of(answer.json.code) === 'CONFIRMED', { limit_ms: 30000, every_ms: 50 });
	return answer.json.code;
}
/* A car with a customer, which the next customer has from an hour after its end: delivered, if by_courier. */
async function late_and_next(by_courier) {
	const { car_id } = (await clerks[0].post('/fleet/cars', new_car())).json;
	const late = await book(anna, car_id, 1, 2);
	const next = await book(ben, car_id, 3, 20, by_courier ? { delivery: { address: '12 Sejong-daero', zone: 'center' } } : {});
	let id = 0;
	if (by_courier) {
		await until('its job is there', async () => (await job_of(next))[1] === 'REQUESTED', { limit_ms: 20000, every_ms: 50 });
		[id] = await job_of(next);
		assert.equal((await clerks[0].post(`/deliveries/${id}/assign`, { courier_id })).status, 200);
	}
	return { car_id, late, next, id };
}
/* No two custodies of a car overlap, and an OUT booking has one: recomputed from the tables. */
const wrong = async () => [
	...await stack.sql('SELECT car_id, COUNT(*) FROM custody WHERE to_at IS NULL GROUP BY car_id HAVING COUNT(*) > 1'),
	...await stack.sql('SELECT a.key, b.key FROM custody a JOIN custody b ON b.car_id = a.car_id AND b.custody_id > a.custody_id WHERE a.from_at < COALESCE(b.to_at, 9e15) AND b.from_at < COALESCE(a.to_at, 9e15)'),
	...await stack.sql("SELECT car_id, COUNT(*) FROM booking WHERE state = 'OUT' GROUP BY car_id HAVING COUNT(*) > 1"),
];

const N = span(4, 200);
let cars;
await test('cars are booked one after the other, and the first customers have them', async () => {
	cars = [];
	for (let i = 0; i < N + 1; i++) cars.push(await late_and_next(i !== N));
	to_hour(1);
	for (const car of cars)
		await until('it is handed out', async () => (await clerks[0].post(`/bookings/${car.late}/hand-out`)).status === 200, { limit_ms: 15000, every_ms: 200 });
	to_hour(3);
	await until('the programs have the new time', async () => (await clerks[0].post(`/bookings/${cars[N].next}/hand-out`)).json.error.code === 'car_in_use', { limit_ms: 15000, every_ms: 200 });
});
await test('two clerks: the second customer does not get the car; the answer says who has it', async () => {
	const { late, next } = cars[N], answers = await Promise.all(clerks.map(clerk => clerk.post(`/bookings/${next}/hand-out`)));
	for (const answer of answers) {
		assert.equal(answer.status, 409, answer.text);
		assert.equal(answer.json.error.code, 'car_in_use');
		assert.equal(answer.json.error.details.booking_code, late);
	}
	assert.equal(await state_of(next), 'CONFIRMED');
	assert.equal((await clerks[1].post(`/bookings/${late}/take-back`)).status, 200);
	const both = await Promise.all(clerks.map(clerk => clerk.post(`/bookings/${next}/hand-out`)));
	assert.deepEqual(both.map(a => a.status).sort(), [200, 409], 'one wins');
	assert.deepEqual(await wrong(), []);
});
await test('booking is down: the courier is answered "later", nothing changes, and afterwards the courier can leave', async () => {
	const { late, id } = cars[0];
	await stack.down('booking');
	try {
		const answer = await courier.post(`/deliveries/${id}/ship`);
		assert.equal(answer.status, 503, answer.text);
		assert.deepEqual(await job_of(cars[0].next), [id, 'SCHEDULED', '']);
	} finally {
		await stack.up();
	}
	assert.equal((await until('it is refused for its own reason', async () => { const a = await courier.post(`/deliveries/${id}/ship`); return a.status !== 503 && a; }, { limit_ms: 60000, every_ms: 300 })).json.error.code, 'car_in_use');
	assert.equal((await clerks[0].post(`/bookings/${late}/take-back`)).status, 200);
	assert.equal((await courier.post(`/deliveries/${id}/ship`)).status, 200);
});
await test('booking hangs during the hand-over: the record is kept, and the hand-over ends by itself, once', async () => {
	const { next, id } = cars[0], held = stack.workers('booking');
	for (const pid of held) stack.kill(pid, 'SIGSTOP');
	let answer;
	try {
		answer = await courier.post(`/deliveries/${id}/deliver`, record);
		assert.ok([202, 503].includes(answer.status), `${answer.status} ${answer.text}`);
	} finally {
		for (const pid of held) stack.kill(pid, 'SIGCONT');
	}
	if (answer.status === 503)
		await until('it can be handed over', async () => [200, 202].includes((await courier.post(`/deliveries/${id}/deliver`, record)).status), { limit_ms: 60000, every_ms: 300 });
	await until('it is handed over', async () => (await job_of(next))[1] === 'DELIVERED', { limit_ms: 130000, every_ms: 100 });
	assert.equal(await state_of(next), 'OUT');
	assert.equal(await stack.count('event', `type = 'booking.handed_out' AND subject_id = '${next}'`), 1);
	assert.equal(await stack.count('event', `type = 'delivery.delivered' AND subject_id = '${next}'`), 1);
}, { limit_s: 300 });
await test('clerks, a courier and customers on one car at once, and kills: one at most has it at any moment', async () => {
	let looks = 0, bad = [], is_over = false;
	const look = (async () => { while (!is_over) { bad.push(...await wrong()); looks++; await sleep(20); } })();
	for (const { late, next, id } of cars.slice(1, N)) {
		const any = (ms, act) => sleep(random.below(ms)).then(act).catch(() => ({ status: 0 }));
		await Promise.all([
			any(150, () => clerks[0].post(`/bookings/${late}/take-back`)),
			any(250, () => clerks[1].post(`/bookings/${late}/take-back/undo`)),
			any(150, () => clerks[0].post(`/bookings/${next}/hand-out`)),
			any(200, () => clerks[1].post(`/bookings/${next}/hand-out`)),
			any(150, () => courier.post(`/deliveries/${id}/ship`)),
			any(250, () => courier.post(`/deliveries/${id}/deliver`, record)),
			random() < 0.3 ? any(200, () => ben.post(`/bookings/${next}/cancel`)) : 0,
			any(150, () => [...stack.workers('booking'), ...stack.workers('delivery')].forEach(pid => random() < 0.2 && stack.kill(pid))),
		]);
	}
	is_over = true;
	await look;
	assert.deepEqual(bad, []);
	figure({ experiment: 'custody', name: 'moments at which two had one car', value: bad.length, unit: '', limit: 0 });
	console.log(`#   ${looks} looks`);
	await until('no step waits any more', async () => await stack.count('delivery', "asked_step <> ''") === 0, { limit_ms: 130000, every_ms: 300 });
}, { limit_s: 900 });
await test('a return is undone at the moment at which it becomes final, and while the next customer gets the car, and workers are killed: one of them happens', async () => {
	const outcomes = {};
	for (let i = 0; i < N; i++) {
		set_clock(0);
		const { late, next } = await late_and_next(false), any = (ms, act) => sleep(ms).then(act).catch(() => ({ status: 0 }));
		to_hour(1);
		await until('it is handed out', async () => (await clerks[0].post(`/bookings/${late}/hand-out`)).status === 200, { limit_ms: 15000, every_ms: 200 });
		to_hour(3);
		await until('it is returned', async () => (await clerks[0].post(`/bookings/${late}/take-back`)).status === 200, { limit_ms: 15000, every_ms: 200 });
		await Promise.all([
			any(400 + random.below(1700), () => clerks[0].post(`/bookings/${late}/take-back/undo`)),
			i % 2 ? any(400 + random.below(1700), () => clerks[1].post(`/bookings/${next}/hand-out`)) : 0,
			any(400 + random.below(1700), () => [...stack.workers('booking')].forEach(pid => random() < 0.3 && stack.kill(pid))),
		]);
		await until('it is decided', async () => ['OUT', 'COMPLETED'].includes(await state_of(late)), { limit_ms: 30000, every_ms: 100 });
		const [done, undone, open] = (await stack.sql(`SELECT (SELECT COUNT(*) FROM event WHERE subject_id = '${late}' AND type = 'booking.completed'),
			(SELECT COUNT(*) FROM event WHERE subject_id = '${late}' AND type = 'booking.return_undone'),
			(SELECT COUNT(*) FROM custody c JOIN booking b ON b.booking_id = c.booking_id WHERE b.code = '${late}' AND c.to_at IS NULL)`))[0].map(Number);
		assert.equal(done + undone, 1, `${late}: completed ${done}, undone ${undone}`);
		assert.equal(open, undone, 'the customer has the car, or does not');
		assert.ok(!(undone && await state_of(next) === 'OUT'), 'one of the two customers has it');
		outcomes[undone ? 'undone' : 'final'] = (outcomes[undone ? 'undone' : 'final'] ?? 0) + 1;
		assert.deepEqual(await wrong(), []);
	}
	console.log(`#   ${JSON.stringify(outcomes)}`);
}, { limit_s: 900 });
await test('after all this every invariant holds', async () => {
	await stack.check();
});
await finish();
