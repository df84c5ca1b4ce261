/*
 * replay.test.mjs - FX-12: view.db is deleted while everything runs and people book. No booking is refused; the relay rebuilds it, and
 * then it equals a replay, row by row. (A log of 100,000 events, and that the comparison can fail: long_log.c.)
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { figure, load, seeded, span } from './fault.mjs';

const random = seeded();
const stack = await Stack.start({ name: 'fault-replay' });
const view = path.join(stack.var, 'view.db');
const manager = await stack.person('Manager', 'manager');
const people = await Promise.all(['Anna', 'Ben', 'Carol', 'Dave'].map(name => stack.payer(name)));
const cars = [];
for (let i = 0; i < 8; i++) cars.push((await manager.post('/fleet/cars', new_car())).json.car_id);
/* An inode number may be reused at once, so the time of creation is compared too. */
const born = () => fs.statSync(view, { bigint: true, throwIfNoEntry: false })?.birthtimeNs;
const promised = [], refused = [];
let day = 3;

async function book(i) {
	const who = people[i % people.length], days = day++;
	const answer = await who.post('/bookings', { car_id: cars[days % cars.length], starts_at: at(3 + days % 300), ends_at: at(3 + days % 300, 20), card_id: who.card_id });
	if (answer.status !== 201) return refused.push(`${answer.status} ${answer.text}`);
	promised.push([who, answer.json.code]);
	await who.post(`/bookings/${answer.json.code}/cancel`);
}
const differences = async () => (await stack.command('check')).out.split('\n').filter(line => /FAILED/.test(line) && /read models/.test(line));
const caught_up = async () => {
	const [[behind]] = await stack.sql(`ATTACH 'file:${view}?mode=ro' AS v; SELECT (SELECT MAX(event_id) FROM event) - COALESCE((SELECT event_id FROM v.position WHERE consumer = 'mypage'), 0)`).catch(() => [['-1']]);
	return behind === '0';
};

await test('view.db deleted while people book: it is rebuilt, and no booking is refused', async () => {
	const took_s = [];
	for (let n = 0; n < span(2, 10); n++) {
		const old = born();
		const people_book = load({ per_s: 8, for_s: 3, most: span(4, 400) /* no booking has to wait for its calls */, run: book });
		await sleep(500 + random.below(1500));
		for (const suffix of ['', '-wal', '-shm']) fs.rmSync(view + suffix, { force: true });
		const began = Date.now();
		await until('there is a new file', () => born() !== old && born(), { limit_ms: 15000 });
		await people_book;
		await until('it has caught up', caught_up, { limit_ms: 20000 });
		took_s.push((Date.now() - began) / 1000);
		assert.deepEqual(await differences(), []);
	}
	figure({ experiment: 'FX-12', name: 'read model deleted under load: rebuilt and caught up, longest', value: Math.max(...took_s), unit: 's', limit: 10 });
	assert.deepEqual(refused.filter(text => !/^409/.test(text)), []);
	assert.ok(promised.length > 20, `${promised.length} booked`);
}, { limit_s: span(90, 400) });

await test('… and every page shows the bookings from before and after', async () => {
	for (const [who, code] of promised.slice(0, 3).concat(promised.slice(-3)))
		await until(`${code} is in my page`, async () => {
			const { status, json } = await who.get(`/my/bookings/${code}`);
			return status === 200 && json.state === 'CANCELLED';
		}, { limit_ms: 10000 });
	assert.equal((await manager.get('/view/cars')).json.length, cars.length);
});

await test('`motorpool replay` while people book makes the same rows; a changed row is reported', async () => {
	const people_book = load({ per_s: 8, for_s: 3, most: span(4, 400) /* no booking has to wait for its calls */, run: book });
	await sleep(500);
	await stack.must('replay');
	await people_book;
	await until('it has caught up', caught_up, { limit_ms: 20000 });
	assert.deepEqual(await differences(), []);
	const [, code] = promised[random.below(promised.length)];
	await promisify(execFile)('sqlite3', ['-cmd', '.timeout 60000', '-cmd', 'PRAGMA wal_autocheckpoint = 0', view, `UPDATE my_booking SET vat_amount = vat_amount - 1 WHERE code = '${code}'`]);
	const found = await differences();
	assert.equal(found.length, 1, found.join('\n'));
	assert.match(found[0], new RegExp(code));
	await stack.must('replay');
	assert.deepEqual(await differences(), []);
}, { limit_s: 90 });
await finish();
