/*
 * parent.test.mjs - the prefork parent: killed under load, told twice at once to start a new generation, replaced by another parent; and the
 * number of its workers, which grows and shrinks with the load.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { assert, at_end, finish, sleep, test, until } from '../story/check.mjs';
import { ask } from '../story/client.mjs';
import { Stack, build } from '../story/stack.mjs';
import { closed_load, figure, load, percentile, span } from './fault.mjs';
import { is_alive } from './market.mjs';

const stack = await Stack.start({ name: 'fault-parent' });
const page = headers => ask(stack.base, 'GET', '/', { headers: { Accept: 'text/html', ...headers } });
const parent_now = () => +fs.readFileSync(`${stack.var}/run/booking.pid`, 'utf8').split('\n')[0];
const said = () => fs.readFileSync(`${stack.var}/log/booking.log`, 'utf8');
const generations = () => [...said().matchAll(/generation (\d+) serves, from/g)].map(found => +found[1]);
const serving = () => stack.workers('booking').length;

async function nobody_notices(per_s, run) {
	let over = false;
	const [done] = await Promise.all([load({ per_s, for_s: 600, run: () => page(), until: () => over }), sleep(300).then(run).finally(() => { over = true; })]);
	assert.deepEqual(done.filter(d => d.error || d.value.status !== 200).map(d => d.error?.message ?? d.value.status), []);
	return done;
}

const ROUNDS = span(5, 20);
await test(`the parent is killed ${ROUNDS} times at 200 requests a second: its workers continue, and leave when the next parent is ready`, async () => {
	const left = new Set();
	const done = await nobody_notices(200, async () => {
		for (let i = 0; i < ROUNDS; i++) {
			const pid = parent_now();
			for (const worker of stack.workers('booking')) left.add(worker);
			stack.kill(pid);
			await until('another parent has taken over', () => parent_now() !== pid && serving() >= 3, { limit_ms: 20000 });
			await sleep(300);
		}
	});
	figure({ experiment: 'FX-13', name: `failed of ${done.length} requests with ${ROUNDS} parents killed`, value: 0, limit: 0 });
	figure({ experiment: 'FX-13', name: 'p99 while parents are killed', value: percentile(done.map(d => d.ms), 99), unit: 'ms' });
	await until('all workers of killed parents are gone', () => ![...left].filter(pid => !stack.workers('booking').includes(pid)).some(is_alive), { limit_ms: 5000 });
}, { limit_s: span(60, 240) });

await test('told twice at once to start a new generation: two follow, one after the other', async () => {
	const before = generations().length;
	await nobody_notices(100, async () => {
		stack.kill(parent_now(), 'SIGHUP');
		await sleep(5);
		stack.kill(parent_now(), 'SIGHUP');
		await until('both have taken over', () => generations().length === before + 2, { limit_ms: 15000 });
	});
	const [first, second] = generations().slice(-2);
	assert.equal(second, first + 1);
});

await test('a worker dies while a new generation starts: the number of workers is complete in the end', async () => {
	const before = generations().length, [victim] = stack.workers('booking');
	stack.kill(parent_now(), 'SIGHUP');
	stack.kill(victim);
	await until('it has taken over', () => generations().length === before + 1, { limit_ms: 15000 });
	await until('all workers are there', () => stack.workers('booking').every(is_alive) && !stack.workers('booking').includes(victim), { limit_ms: 5000 });
	assert.equal((await page()).status, 200);
});

await test('a second parent takes over the sockets, and the first one leaves: no request fails', async () => {
	const env = { ...stack.env };
	for (const [, name, value] of fs.readFileSync(`${stack.var}/run/env`, 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)) env[name] = value;
	const log = fs.openSync(`${stack.var}/log/booking.log`, 'a'), before = generations().length, first = parent_now();
	let second;
	await nobody_notices(200, async () => {
		stack.kill(stack.process.pid, 'SIGSTOP');               /* `run` would start a third */
		second = spawn(`${build}/bin/booking`, ['--serve', stack.var], { env, stdio: ['ignore', log, log] });
		at_end(async () => second.kill('SIGKILL'));
		await until('it has taken over', () => generations().length === before + 1, { limit_ms: 15000 });
		stack.kill(first, 'SIGTERM');
		await until('the first one is gone', () => !is_alive(first), { limit_ms: 10000 });
		await sleep(500);
	});
	assert.equal(parent_now(), second.pid);
	/* and back to a child of `run` */
	await nobody_notices(100, async () => {
		stack.kill(stack.process.pid, 'SIGCONT');
		await until("run's own has taken over", () => generations().length === before + 2, { limit_ms: 15000 });
		second.kill('SIGTERM');
		await until('the other is gone', () => !is_alive(second.pid), { limit_ms: 10000 });
	});
}, { limit_s: 60 });

await test('the number of workers grows within a second when all are busy, and shrinks again afterwards', async () => {
	await sleep(500);
	const before = serving(), began = performance.now();
	let grown = false;
	const slow = closed_load({ n: 24, for_s: 5, go_on: () => !grown, run: () => page({ 'X-Fault': 'slow' }) });
	await until('more have been started', () => serving() > before + 3, { limit_ms: 4000, every_ms: 20 }).finally(() => { grown = true; });
	figure({ experiment: 'overload', name: 'more workers are there after', value: performance.now() - began, unit: 'ms', limit: 1000 });
	const done = await slow;
	assert.ok(done.every(d => d.value?.status === 200));
	/* those of the tests before, which are leaving, may still be there */
	const most = await until('no more than the limit', () => serving() <= 21 && serving());
	await until('some have been stopped', () => serving() < most, { limit_ms: 12000, every_ms: 100 });
	console.log(`#   ${before} processes, then ${most}, then ${serving()}`);
}, { limit_s: 40 });

await test('the check can fail: a parent killed together with its workers loses requests', async () => {
	let failed = 0;
	stack.allow(/"program":"lighttpd"/);
	await load({ per_s: 200, for_s: 2, run: async i => {
		if (i === 100) stack.kill(-parent_now());
		const answer = await page().catch(() => ({ status: 0 }));
		failed += answer.status !== 200;
	} });
	console.log(`#   ${failed} failed`);
	assert.ok(failed > 0);
	await until('it is there again', async () => (await page()).status === 200, { limit_ms: 10000, every_ms: 100 });
});
await finish();
