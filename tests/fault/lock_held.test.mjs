/*
 * lock_held.test.mjs - a process hangs while it holds the writers' lock: writing requests are answered 503 with Retry-After within the
 * lock's time limit, later ones at once, reading works, and everything is as before when the lock is released. If the holder is killed,
 * the next writer gets the lock at once. Needs a build with FAULTS=1 (cli/run/hold.c).
 */
import { spawn } from 'node:child_process';
import { assert, at_end, finish, test, until } from '../story/check.mjs';
import { Stack, at, build } from '../story/stack.mjs';
import { figure, is_long, load, percentile, span } from './fault.mjs';
import { Market } from './market.mjs';

const WAIT_S = 5;               /* DB_LOCK_WAIT_MS */
const stack = await Stack.start({ name: 'fault-lock-held', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 20, n_people: 4 });
const anonymous = stack.program();
stack.allow(/the writers' lock was held for too long/, /"level":"error","program":"relay/);
let booked = 0;

/* Starts a process that holds the lock; resolves when it has it. */
async function holder(seconds) {
	const one = spawn(`${build}/motorpool`, ['hold', `${seconds}`, '--var', stack.var], { env: stack.env, stdio: ['ignore', 'pipe', 'inherit'] });
	at_end(async () => one.kill('SIGKILL'));
	let said = '';
	one.stdout.on('data', text => { said += text; });
	one.ended = new Promise(done => one.on('exit', done));
	await until('the lock is held', () => said.includes('held'), { limit_ms: 15000 });
	return one;
}
const order = i => market.who(i).post('/bookings', { ...market.order(i), card_id: market.who(i).card_id });
const read = i => [anonymous.get(`/cars?from=${at(3)}&to=${at(4)}`), market.who(i).get('/my/bookings'), anonymous.get(`/cars/${market.cars[i % market.cars.length]}`)][i % 3];

await test('before: bookings succeed and pages are shown', async () => {
	for (; booked < 4; booked++) await market.book(booked);
	assert.equal((await read(0)).status, 200);
});
await test('the writers\' lock held: 503 with Retry-After within its time limit, later ones at once; reading works', async () => {
	const seconds = span(9, 30), one = await holder(span(600, seconds)), first = booked, began = performance.now();
	const reads = load({ per_s: 15, for_s: seconds - 1, run: read });
	const writes = await load({ per_s: 2, for_s: seconds - 1, run: i => order(first + i) });
	const late = writes.filter(w => w.began_ms > (WAIT_S + 1) * 1000);
	assert.ok(late.length, 'some requests came later');
	booked += writes.length;
	for (const w of writes) {
		assert.equal(w.value?.status, 503, w.error?.message ?? w.value.text);
		assert.equal(w.value.json?.error?.code, 'later', w.value.text);
		assert.match(w.value.headers['retry-after'] ?? '', /^\d+$/);
	}
	const answers = (await reads).map(r => r.value?.status ?? r.error.message), ok = answers.filter(a => a === 200).length;
	figure({ experiment: 'writers\' lock held', name: 'longest wait for a 503', value: Math.max(...writes.map(w => w.ms)) / 1000, unit: 's', limit: WAIT_S + 1 });
	figure({ experiment: 'writers\' lock held', name: 'p99 of 503s once the holder is known to hang', value: percentile(late.map(w => w.ms), 99), unit: 'ms', limit: 500 });
	figure({ experiment: 'writers\' lock held', name: 'pages shown meanwhile', value: 100 * ok / answers.length, unit: '%', least: 100 });
	assert.deepEqual([...new Set(answers)], [200]);
	assert.equal(one.exitCode, null, 'all of this while the lock was held');
	if (is_long) assert.ok(performance.now() - began < seconds * 1000);
	else one.kill('SIGTERM');       /* it releases the lock */
	assert.equal(await one.ended, 0);
}, { limit_s: 90 });
await test('released: the next booking succeeds, and the refused ones left nothing behind', async () => {
	const began = performance.now();
	await until('a booking succeeds', async () => (await order(booked++)).status === 201, { limit_ms: 20000, every_ms: 200 });
	figure({ experiment: 'writers\' lock held', name: 'bookings again after', value: (performance.now() - began) / 1000, unit: 's', limit: 2 });
	await until('all bookings are CONFIRMED or EXPIRED', async () => await stack.count('booking', "state NOT IN ('CONFIRMED', 'EXPIRED')") === 0, { limit_ms: 30000, every_ms: 200 });
	assert.equal(await stack.count('booking', "state = 'CONFIRMED'"), 5, 'those answered 201, and no other');
});
await test('killed while holding the lock: the next booking is not delayed', async () => {
	const times = [];
	for (let k = 0; k < span(3, 20); k++) {
		const one = await holder(60);
		one.kill('SIGKILL');
		await one.ended;
		const began = performance.now();
		await market.book(booked++);
		times.push(performance.now() - began);
	}
	figure({ experiment: 'writers\' lock held', name: 'slowest booking after its holder was killed', value: Math.max(...times), unit: 'ms', limit: 1000 });
}, { limit_s: 90 });
await test('every invariant holds', async () => {
	await stack.check();
});
await finish();
