/*
 * disk_full.test.mjs - the disk of the state folder is full for a while: writing requests are answered 503 with Retry-After, reading
 * works, nothing acknowledged is lost, and when there is room again everything continues by itself. The folder is a small tmpfs filled
 * to the last byte. Mounting it needs root; without root the experiment is skipped with a message.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, at_end, finish, test, until } from '../story/check.mjs';
import { Stack, at } from '../story/stack.mjs';
import { figure, load, span } from './fault.mjs';
import { Market } from './market.mjs';

const disk = fs.mkdtempSync(path.join(os.tmpdir(), 'motorpool-disk-'));
try {
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk], { stdio: 'pipe' });
} catch (e) {
	fs.rmdirSync(disk);
	console.log(`# SKIPPED - full disk: tmpfs cannot be mounted here: ${String(e.stderr ?? e.message).trim()}`);
	await test('a small disk could not be mounted, and the reason is reported', async () => assert.match(String(e.stderr ?? e.message), /\w/));
	await finish();
}
at_end(async () => { execFileSync('umount', ['-l', disk]); fs.rmdirSync(disk); });
process.env.TMPDIR = disk;
const stack = await Stack.start({ name: 'fault-disk-full', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 24, n_people: 4 });
const anonymous = stack.program();
stack.allow(/.\{"at":"/ /* the disk was full in the middle of the line before */, /disk is full|disk I\/O error|No space left/, /"level":"error","program":"relay/, /"program":"(payment|sandbox)".*"path":"\/(internal|sandbox)\/.*"status":500/);
const told = new Map();
let next = 0;

const ballast = path.join(disk, 'ballast');
/* To the last byte: large pieces, then small ones. */
function fill() {
	const fd = fs.openSync(ballast, 'a');
	for (const size of [1 << 20, 4096, 1])
		for (;;) {
			try { if (fs.writeSync(fd, Buffer.alloc(size)) < size) break; } catch (e) { if (e.code !== 'ENOSPC') throw e; break; }
		}
	fs.closeSync(fd);
}
async function order(i) {
	const who = market.who(i), answer = await who.post('/bookings', { ...market.order(i), card_id: who.card_id });
	if (answer.status === 201) told.set(answer.json.code, answer.json.amount);
	return answer;
}
const read = i => [anonymous.get(`/cars?from=${at(3)}&to=${at(4)}`), market.who(i).get('/my/bookings'), anonymous.get(`/cars/${market.cars[i % market.cars.length]}`)][i % 3];

await test('before: bookings succeed', async () => {
	for (; next < 6; next++) assert.equal((await order(next)).status, 201);
});
await test('the disk is full: bookings are answered 503 with Retry-After, and reading works', async () => {
	const seconds = span(6, 30), first = next, seen = {};
	fill();
	const refill = setInterval(fill, 250);  /* takes what others free */
	const reads = load({ per_s: 12, for_s: seconds, run: read });
	const writes = await load({ per_s: 12, for_s: seconds, run: i => order(first + i) });
	const answers = (await reads).map(r => r.value?.status ?? r.error.message);
	clearInterval(refill);
	next += writes.length;
	for (const w of writes) {
		const status = w.value?.status ?? w.error.message;
		seen[status] = (seen[status] ?? 0) + 1;
		if (status === 503) assert.match(w.value.headers['retry-after'] ?? 'none', /^\d+$/, w.value.text);
	}
	console.log(`# while it was full: ${JSON.stringify(seen)}; pages: ${[...new Set(answers)]}`);
	assert.ok(seen[503] > 0, 'no booking was refused: the disk was not full');
	assert.deepEqual(Object.keys(seen).filter(s => s !== '201' && s !== '503'), []);
	figure({ experiment: 'disk full', name: 'pages shown meanwhile', value: 100 * answers.filter(a => a === 200).length / answers.length, unit: '%', least: 100 });
	assert.deepEqual([...new Set(answers)], [200]);
}, { limit_s: 90 });
await test('room again: bookings succeed by themselves', async () => {
	const began = performance.now();
	fs.rmSync(ballast);
	await until('a booking succeeds', async () => (await order(next++)).status === 201, { limit_ms: 60000, every_ms: 200 });
	figure({ experiment: 'disk full', name: 'bookings again after', value: (performance.now() - began) / 1000, unit: 's', limit: 10 });
	for (let i = 0; i < 5; i++) assert.equal((await order(next++)).status, 201);
}, { limit_s: 90 });
/* What differs from the answers, or has not ended yet. */
async function wrong() {
	const found = [], rows = new Map((await stack.sql('SELECT code, state, amount FROM booking')).map(([code, state, amount]) => [code, { state, amount: +amount }]));
	for (const code of told.keys()) if (rows.get(code)?.state !== 'CONFIRMED') found.push(`${code} was told; it is ${rows.get(code)?.state}`);
	for (const [code, { state, amount }] of rows) {
		if (!['CONFIRMED', 'EXPIRED'].includes(state)) found.push(`${code} is ${state}`);
		else if (await stack.money_kept(code) !== (state === 'CONFIRMED' ? amount : 0)) found.push(`${code} is ${state}, and the money is not as it must be`);
	}
	return found;
}
await test('every acknowledged booking is there and CONFIRMED, every other has ended, and the money is right', async () => {
	const began = performance.now();
	await until('all is settled', async () => (await wrong()).length === 0, { limit_ms: 100000, every_ms: 1000 })
		.catch(async e => { throw new Error(`${e.message}: ${(await wrong()).slice(0, 8).join('; ')}`); });
	figure({ experiment: 'disk full', name: 'everything settled after', value: (performance.now() - began) / 1000, unit: 's' });
	figure({ experiment: 'disk full', name: 'acknowledged and lost', value: (await wrong()).length, limit: 0 });
}, { limit_s: 130 });
await test('a missing acknowledged booking would be found', async () => {
	told.set('MP-NOTTHERE', 1);
	assert.deepEqual(await wrong(), ['MP-NOTTHERE was told; it is undefined']);
	told.delete('MP-NOTTHERE');
});
await test('every invariant holds', async () => {
	await stack.check();
});
await finish();
