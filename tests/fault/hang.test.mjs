/*
 * hang.test.mjs - FX-14: a worker that hangs, loops, takes too much memory or has served its number of requests is replaced, and other
 * requests are not affected. The faults are requested by a header in builds with FAULTS=1 (lib/web/fault.c).
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, build } from '../story/stack.mjs';
import { ask } from '../story/client.mjs';
import { figure, load, percentile, span } from './fault.mjs';

const LIMIT_S = 2;
const sanitized = /libasan/.test(execFileSync('ldd', [`${build}/bin/booking`], { encoding: 'utf8' }));
/* with the address sanitizer a worker is larger than its data */
const env = { MOTORPOOL_REQUEST_LIMIT_S: `${LIMIT_S}`, MOTORPOOL_WORKER_REQUESTS: '400', MOTORPOOL_WORKER_MEMORY_MB: sanitized ? '170' : '80' };
const stack = await Stack.start({ name: 'fault-hang', env });
stack.allow(/has been busy for \d+ ms and is killed/, /"program":"lighttpd".*"status":500/);

const page = fault => ask(stack.base, 'GET', '/cars', { headers: { Accept: 'text/html', ...fault && { 'X-Fault': fault } } });
const said = () => fs.readFileSync(`${stack.var}/log/booking.log`, 'utf8');
const n_said = pattern => [...said().matchAll(pattern)].length;

/* Sends other requests at a steady rate while run() is running; returns their times. */
async function others_are_served(per_s, for_s, run, or_told = false) {
	let result;
	const [done] = await Promise.all([
		load({ per_s, for_s, most: span(8, 400), run: () => page() }),
		sleep(500).then(run).then(r => { result = r; }),
	]);
	const is_fine = a => a.status === 200 || (or_told && a.status === 503 && /re very busy right now/.test(a.text));
	const failed = done.filter(d => d.error || !is_fine(d.value));
	assert.deepEqual(failed.map(d => d.error?.message ?? d.value.status), [], 'another request was not served');
	assert.ok(done.length > per_s * for_s * 0.9, `${done.length} asked`);
	return { ms: done.map(d => d.ms), n_told: done.filter(d => d.value.status === 503).length, result };
}

/* Breaks one worker; returns the time until it is gone and the number of workers is complete again. */
async function breaks(fault) {
	const before = n_said(/is killed/g), began = performance.now(), asked = page(fault);
	const pid = await until('it is noticed', () => n_said(/is killed/g) > before && [...said().matchAll(/worker (\d+) has been busy/g)].at(-1)[1],
		{ limit_ms: (LIMIT_S + 4) * 1000 });
	await until('it is replaced', () => !stack.workers('booking').includes(+pid) && stack.workers('booking').length >= 3, { limit_ms: 4000 });
	const replaced_ms = performance.now() - began, answer = await asked;
	assert.ok([500, 502, 503].includes(answer.status), `${answer.status}`);
	assert.match(answer.headers['retry-after'] ?? 'none', /^\d+$/, 'the page says when to try again');
	assert.match(answer.text, /<!doctype html>/i);
	return replaced_ms;
}

await test('a worker that has served its number of requests is replaced between two requests: none is lost', async () => {
	const before = n_said(/has served enough/g), n_replaced = () => n_said(/has served enough/g) - before;
	for (let i = 0; i === 0 || (i < 20 && n_replaced() < span(1, 4)); i++) await others_are_served(200, span(6, 20), async () => 0);
	assert.ok(n_replaced() >= span(1, 4), `${n_replaced()} replaced`);
	console.log(`#   ${n_replaced()} replaced`);
}, { limit_s: 60 });
await page();
for (const [fault, words] of [['hang', 'a worker that hangs'], ['spin', 'a worker that computes for ever']])
	await test(`${words} is killed and replaced within its limit and a second, and others are served`, async () => {
		const { ms, result } = await others_are_served(40, LIMIT_S + span(2, 6), () => breaks(fault));
		figure({ experiment: 'FX-14', name: `${fault}: replaced after`, value: result, unit: 'ms', limit: (LIMIT_S + 1) * 1000 });
		figure({ experiment: 'FX-14', name: `${fault}: others' p99`, value: percentile(ms, 99), unit: 'ms', limit: 500 });
	});
await test('as many hang as there are workers: more are started, and other requests are served or refused at once', async () => {
	const { ms, n_told } = await others_are_served(40, LIMIT_S + 3, async () => {
		const answers = await Promise.all(Array.from({ length: 4 }, () => page('hang')));
		assert.ok(answers.every(a => a.status >= 500), answers.map(a => a.status).join());
	}, true);
	console.log(`#   ${n_told} of ${ms.length} were refused`);
	assert.ok(n_told < ms.length / 2);
	figure({ experiment: 'FX-14', name: "all hang: others' slowest", value: Math.max(...ms), unit: 'ms', limit: 1500 });
});
await test('a worker that has taken too much memory is replaced after its answer, and no request fails', async () => {
	const before = n_said(/has too much memory/g);
	const { result } = await others_are_served(40, 4, () => page('fat'));
	assert.equal(result.status, 200);
	await until('it is replaced', () => n_said(/has too much memory/g) > before, { limit_ms: 5000 });
});
if (!sanitized)
	await test('a worker that allocates without end dies at its limit; its client gets an error, others are served', async () => {
		const { result } = await others_are_served(40, 4, () => page('eat'));
		assert.equal(result.status, 500);
		for (const pid of stack.workers('booking')) {
			const pages = fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
			assert.ok(pages / 256 < 80, `worker ${pid} has ${pages / 256} MiB`);
		}
	});
await test('the check can fail: with a limit of a minute a hung worker is not replaced', async () => {
	const other = await Stack.start({ name: 'fault-hang-other', env: { ...env, MOTORPOOL_REQUEST_LIMIT_S: '60' } });
	const asked = ask(other.base, 'GET', '/cars', { headers: { 'X-Fault': 'hang' } }).catch(() => 0);
	await sleep((LIMIT_S + 1) * 1000);
	assert.equal(/is killed/.test(fs.readFileSync(`${other.var}/log/booking.log`, 'utf8')), false);
	other.workers('booking').forEach(pid => other.kill(pid));
	await asked;
	other.allow(/"program":"lighttpd".*"status":500/);
	await other.stop();
}, { limit_s: 60 });
await finish();
