/*
 * takeover.test.mjs - a worker is killed (kill -9) while a booking is charged: the same request again takes over at once, and the card is
 * charged once. The relay is down all the time, so that no sweep can have finished it.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { figure } from './fault.mjs';

const SLOW_MS = 1500;
const stack = await Stack.start({ name: 'fault-takeover' });
stack.allow(/"program":"lighttpd".*"status":50\d/, /"level":"error".*"what":"(call|provider|parent)"/, /"what":"call","to":"\w+".*"status":50\d/);
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');
const bad_card = await stack.card(anna, 'tok_declined');
const register = async () => (await manager.post('/fleet/cars', new_car())).json.car_id;
const cars = [];
for (let i = 0; i < 8; i++) cars.push(await register());
await stack.down('relay');

/* "HOST BOOT PID STARTED" in a row's asked_by */
const asker = async (table, where) => {
	const [[stamp] = []] = await stack.sql(`SELECT asked_by FROM ${table} WHERE ${where} AND asked_by <> ''`);
	return stamp && +stamp.split(' ')[2];
};
const asked_by = async (table, where) => until(`a process asks (${table})`, () => asker(table, where), { every_ms: 5 });

/* send: the request, which is repeated until it is answered. kill: kills its worker, or several. Answers what the repeat got. */
async function taken_over(what, send, kill) {
	await stack.fault({ slow_ms: SLOW_MS });
	const lost = send().catch(() => ({ status: 0 }));
	await kill();
	const killed = performance.now();
	assert.notEqual((await lost).status, 201, 'the killed worker cannot have answered');
	await stack.fault({ slow_ms: 0 });
	let answer, n = 0;
	await until('the same request is answered', async () => {
		n++;
		answer = await send().catch(() => ({ status: 0 }));
		return answer.status !== 0 && answer.status < 500 && answer.json?.error?.code !== 'in_progress';
	}, { every_ms: 50 });
	figure({ experiment: 'FX-13', name: `the same request after the kill of ${what} (the provider takes ${SLOW_MS} ms)`, value: performance.now() - killed, unit: `ms, ${n} requests` });
	return answer;
}
const once = async code => {
	assert.deepEqual(await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`), [['PAID']]);
	assert.equal((await stack.sql(`SELECT 1 FROM payment WHERE (order_id = '${code}' OR order_id LIKE '${code}-%') AND approved_at > 0`, 'sandbox')).length, 1, 'charged once');
	assert.equal(await stack.count('charge', `subject_id = '${code}' AND state = 'APPROVED'`), 1);
};

await test('booking\'s worker is killed while payment charges: the same key gets 201', async () => {
	const car_id = cars.pop(), key = { 'Idempotency-Key': 'k1' };
	const answer = await taken_over('booking\'s worker', () => anna.post('/bookings', { car_id, starts_at: at(3), ends_at: at(4), card_id: anna.card_id }, key), async () => {
		const pid = await asked_by('booking', `car_id = ${car_id}`);
		await asked_by('charge', `state = 'REQUESTED'`);
		stack.kill(pid);
	});
	assert.equal(answer.status, 201, answer.text);
	await once(answer.json.code);
});
await test('the workers of booking and payment are killed while the provider is asked: the same key gets 201', async () => {
	const car_id = cars.pop(), key = { 'Idempotency-Key': 'k2' };
	const answer = await taken_over('both workers', () => anna.post('/bookings', { car_id, starts_at: at(3), ends_at: at(4), card_id: anna.card_id }, key), async () => {
		const pid = await asked_by('booking', `car_id = ${car_id}`), other = await asked_by('charge', `state = 'REQUESTED'`);
		stack.kill(pid);
		stack.kill(other);
	});
	assert.equal(answer.status, 201, answer.text);
	await once(answer.json.code);
});
await test('a later try, taken over: the same try is charged once', async () => {
	const car_id = cars.pop();
	const declined = await anna.post('/bookings', { car_id, starts_at: at(3), ends_at: at(4), card_id: bad_card, keep_hold: true });
	assert.equal(declined.status, 402, declined.text);
	const { code } = declined.json.error.details;
	const answer = await taken_over('a later try', () => anna.post(`/bookings/${code}/pay`, { card_id: anna.card_id, try_no: 2 }), async () => {
		const pid = await asked_by('booking', `car_id = ${car_id}`);
		await asked_by('charge', `state = 'REQUESTED'`);
		stack.kill(pid);
	});
	assert.equal(answer.status, 200, answer.text);
	await once(code);
});
await test('a form is taken over as well: its booking is paid', async () => {
	const car_id = cars.pop(), browser = stack.browser();
	await browser.sign_in(anna.email, anna.password);
	await browser.get(`/bookings/new?${new URLSearchParams({ car_id, starts_at: at(3), ends_at: at(4) })}`);
	const fields = { csrf: browser.csrf, form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version, car_id, starts_at: at(3), ends_at: at(4), card_id: anna.card_id };
	const answer = await taken_over('a form', () => browser.post('/bookings', fields), async () => {
		const pid = await asked_by('booking', `car_id = ${car_id}`);
		await asked_by('charge', `state = 'REQUESTED'`);
		stack.kill(pid);
	});
	assert.equal(answer.status, 303, answer.text);
	await until('it is paid', async () => {
		await browser.post('/bookings', fields);
		return (await stack.sql(`SELECT state FROM booking WHERE car_id = ${car_id}`))[0][0] === 'PAID';
	});
	await once((await stack.sql(`SELECT code FROM booking WHERE car_id = ${car_id}`))[0][0]);
});
await test('while the first request lives, the same key is in_progress', async () => {
	const car_id = cars.pop(), key = { 'Idempotency-Key': 'k5' };
	await stack.fault({ slow_ms: SLOW_MS });
	const send = () => anna.post('/bookings', { car_id, starts_at: at(3), ends_at: at(4), card_id: anna.card_id }, key);
	const first = send();
	await asked_by('booking', `car_id = ${car_id}`);
	const second = await send();
	assert.ok(second.status === 201 || second.json.error.code === 'in_progress', second.text);
	assert.equal((await first).status, 201);
	await stack.fault({ slow_ms: 0 });
	await once((await first).json.code);
});
await test('with the relay again, every invariant holds', async () => {
	await stack.up();
	await stack.check();
});
await finish();
