/*
 * overload.test.mjs - requests at four times the capacity: those that are served wait only briefly, the others are refused at once without
 * any effect, and afterwards everything is as before. A page of known cost (20 ms, lib/web/fault.c) defines the capacity.
 */
import http from 'node:http';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { closed_load, figure, is_long, load, percentile, span } from './fault.mjs';

const MOST = 4;         /* workers: a capacity that the client of this test can exceed on any machine */
/* booking has twice as many; a slow machine gets a higher limit for the queue */
const env = { MOTORPOOL_N_WORKERS_MIN: '2', MOTORPOOL_N_WORKERS_MAX: `${MOST / 2}`, MOTORPOOL_QUEUE_LIMIT_MS: span('1500', '500') };
const stack = await Stack.start({ name: 'fault-overload', env });
const agent = new http.Agent({ keepAlive: true, maxSockets: 600 });

const slow = (method = 'GET', path = '/cars', headers = {}, body) => new Promise((done, failed) => {
	const began = performance.now();
	const request = http.request({ host: '127.0.0.1', port: stack.port, method, path, agent, headers: { 'X-Fault': 'slow', ...headers } }, response => {
		let text = '';
		response.on('data', part => { text += part; });
		response.on('end', () => done({ status: response.statusCode, headers: response.headers, text, ms: performance.now() - began }));
	});
	request.on('error', failed);
	request.end(body);
});
const sorted = done => ({
	served: done.filter(d => d.value?.status === 200), refused: done.filter(d => d.value?.status === 503),
	other: done.filter(d => d.value?.status !== 200 && d.value?.status !== 503),
});

let per_s = 0;
await test('as many requests as workers at once: all are served; that is the capacity', async () => {
	await closed_load({ n: MOST * 2, for_s: 2, run: () => slow() });        /* the number of workers grows */
	const done = await closed_load({ n: MOST * 2, for_s: span(2, 10), run: () => slow() });
	const { served, refused, other } = sorted(done);
	assert.deepEqual([refused.length, other.length], [0, 0]);
	per_s = served.length / span(2, 10);
	figure({ experiment: 'overload', name: 'capacity', value: per_s, unit: 'requests/s' });
	assert.ok(per_s > span(0, 20), `${per_s}`);
}, { limit_s: 30 });

await test('four times the capacity: served requests wait briefly, the others are refused at once, and each has an answer', async () => {
	const done = await load({ per_s: per_s * 4, for_s: span(8, 60), most: 580, run: () => slow() });
	const { served, refused, other } = sorted(done);
	assert.deepEqual(other.map(d => d.error?.message ?? d.value.status), []);
	assert.ok(refused.length > span(0, served.length), `${served.length} served, ${refused.length} refused`);
	for (const { value } of refused.slice(0, 20)) {
		assert.match(value.headers['retry-after'] ?? 'none', /^[2-5]$/);
		assert.match(value.headers['content-type'], /^text\/html/);
		assert.match(value.text, /re very busy right now/);
	}
	figure({ experiment: 'overload', name: 'served of the capacity', value: 100 * served.length / (per_s * span(8, 60)), unit: '%', least: 70 });
	figure({ experiment: 'overload', name: 'p99 of those served', value: percentile(served.map(d => d.ms), 99), unit: 'ms', limit: 1000 });
	figure({ experiment: 'overload', name: 'p99 of the 503s', value: percentile(refused.map(d => d.ms), 99), unit: 'ms', limit: 50 });
	figure({ experiment: 'overload', name: 'median of the 503s', value: percentile(refused.map(d => d.ms), 50), unit: 'ms', limit: 50 });
}, { limit_s: 100 });

await test('a moment later all requests are served again', async () => {
	await sleep(1500);
	const again = async () => sorted(await closed_load({ n: MOST, for_s: 2, run: () => slow() }));
	if (!is_long) await until('no request is refused', async () => (await again()).refused.length === 0);
	const { served, refused, other } = await again();
	assert.deepEqual([refused.length, other.length], [0, 0]);
	assert.ok(served.length > span(0, 20));
});

await test('a refused booking is not made, and the answer is in the language and format of the request', async () => {
	const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');
	const { json: { car_id } } = await manager.post('/fleet/cars', new_car());
	const order = JSON.stringify({ car_id, starts_at: at(3), ends_at: at(4), card_id: anna.card_id });
	const headers = { Authorization: `Bearer ${anna.token}`, Accept: 'application/json', 'Content-Type': 'application/json', 'Idempotency-Key': 'o-1', 'Content-Length': `${Buffer.byteLength(order)}` };
	let go_on = true;
	const rush = load({ per_s: per_s * 6, for_s: span(600, 12), most: 500, until: () => !go_on, run: () => slow() });
	await sleep(1500);
	let refused;
	for (let i = 0; i < 20 && !refused; i++) {
		const answer = await slow('POST', '/bookings', headers, order);
		if (answer.status === 503) refused = answer;
	}
	const korean = await until('one is refused in Korean', async () => {
		const answer = await slow('GET', '/cars', { 'Accept-Language': 'ko' });
		return answer.status === 503 && answer;
	}, { limit_ms: 8000, every_ms: 20 });
	go_on = false;
	await rush;
	assert.match(korean.text, /지금 이용자가 매우 많습니다/);
	assert.match(korean.text, /lang="ko"/);
	const made = await stack.count('booking', `car_id = ${car_id}`);
	if (refused) {
		assert.equal(JSON.parse(refused.text).error.code, 'later');
		assert.equal(made <= 1, true);
	}
	await sleep(1500);
	const answer = await anna.post('/bookings', JSON.parse(order), { 'Idempotency-Key': 'o-1' });
	assert.ok([200, 201].includes(answer.status), answer.text);
	assert.equal(await stack.count('booking', `car_id = ${car_id}`), 1);
}, { limit_s: 60 });

await test('the check can fail: without refusals, requests at four times the capacity wait for seconds', async () => {
	const { port } = stack;
	const other = await Stack.start({ name: 'fault-overload-naive', env: { ...env, MOTORPOOL_QUEUE_LIMIT_MS: '0' } });
	stack.port = other.port;
	const { served, refused } = sorted(await load({ per_s: per_s * 4, for_s: 3, most: 580, run: () => slow() }));
	stack.port = port;
	const p99 = percentile(served.map(d => d.ms), 99);
	console.log(`#   without refusals: p99 ${Math.round(p99)} ms`);
	assert.equal(refused.length, 0);
	assert.ok(p99 > 1000, `${p99} ms`);
	await other.stop();
}, { limit_s: 60 });
agent.destroy();
await finish();
