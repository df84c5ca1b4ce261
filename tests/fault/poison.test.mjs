/*
 * poison.test.mjs - an event whose handler crashes its process, hangs, takes all memory or exits blocks only its own subject. Other events
 * are handled, in the same consumer and in all others; after twelve tries it is a dead letter on /ops; a redrive handles it, or it is
 * discarded. Needs a build with FAULTS=1 (lib/event/poison.c); the pauses between tries are shortened.
 */
import fs from 'node:fs';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack } from '../story/stack.mjs';
import { figure, load, span } from './fault.mjs';
import { Market, relay_processes } from './market.mjs';

const stack = await Stack.start({ name: 'fault-poison', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000', MOTORPOOL_SHORT_PAUSES: '1' } });
stack.allow(/is given up/, /has been in one policy for 4 s/, /"what":"arena"/, /out of memory/i, /mypage: the handler crashed/);
const market = await Market.open(stack, { n_cars: 12, n_people: 3 });
const admin = await stack.person('Admin', 'admin');
const file = `${stack.var}/run/fault.poison`;
const poison = (...words) => { fs.writeFileSync(`${file}.new`, words.join(' ')); fs.renameSync(`${file}.new`, file); };
const antidote = () => fs.rmSync(file, { force: true });
const state_of = async code => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0]?.[0];
const waiting = async (where = '1', db = 'motorpool') => stack.sql(`SELECT consumer, event_id, subject_id, tries, dead, error FROM event_retry WHERE ${where}`, db);
const confirmed = (code, limit_ms = 10000) => until(`${code} is CONFIRMED`, async () => await state_of(code) === 'CONFIRMED', { limit_ms });
let i = 0;

/* A booking is poisoned as soon as its code is known; the relay is stopped for a moment so that it has not reacted yet. */
async function poisoned_booking(consumer, type, how) {
	await stack.must('pause', consumer, 'to poison one');
	const code = await market.book(i++);
	poison(consumer, type, code, how);
	const behind = [];
	for (let k = 0; k < 6; k++) behind.push(await market.book(i++));
	await stack.must('resume', consumer);
	return { code, behind };
}

for (const [how, error] of [['segv', 'the handler crashed (signal 11)'], ['abort', 'the handler crashed (signal 6)'], ['exit', 'the handler ended its process (status 3)'], ['memory', /^the handler (crashed|ended)/]])
	await test(`a handler that does "${how}": later bookings are confirmed, it is a dead letter after 12 tries, and a redrive handles it`, async () => {
		const { code, behind } = await poisoned_booking('fleet', 'booking.paid', how), began = performance.now();
		for (const other of behind) await confirmed(other);
		figure({ experiment: 'poison', name: `six bookings behind one whose handler does "${how}" are CONFIRMED after`, value: performance.now() - began, unit: 'ms' });
		assert.equal(await state_of(code), 'PAID');
		const [[consumer, event_id, subject, tries, , said]] = await until('it is a dead letter', async () => { const rows = await waiting('dead = 1'); return rows.length && rows; }, { limit_ms: 60000, every_ms: 100 });
		assert.deepEqual([consumer, subject, tries], ['fleet', code, '12']);
		assert.match(said, error instanceof RegExp ? error : new RegExp(error.replace(/[()]/g, '\\$&')));
		const { json } = await admin.get('/ops');
		assert.deepEqual(json.retries.filter(each => each.dead).map(each => [each.consumer, each.subject_id]), [['fleet', code]]);
		assert.equal(json.consumers.find(each => each.name === 'fleet').n_dead, 1);
		assert.match((await stack.command('status')).out, /fleet .*dead letters: 1/);
		antidote();
		await sleep(300);
		assert.equal(await state_of(code), 'PAID', 'a dead letter is not retried');
		assert.equal((await admin.post(`/ops/retries/fleet/${event_id}/redrive`)).json.done, true);
		await confirmed(code);
		assert.deepEqual(await waiting(), []);
	}, { limit_s: 100 });
await test('a handler that hangs is killed before bookings time out, and its event is discarded by an admin', async () => {
	const { code, behind } = await poisoned_booking('fleet', 'booking.paid', 'hang'), began = performance.now();
	for (const other of behind) await confirmed(other, 30000);
	figure({ experiment: 'poison', name: 'six bookings behind one whose handler hangs are CONFIRMED after', value: performance.now() - began, unit: 'ms' });
	const [[, event_id, , , , said]] = await until('the failure is recorded', async () => { const rows = await waiting('tries > 0'); return rows.length && rows; }, { limit_ms: 20000 });
	assert.equal(said, 'the handler hung and was killed');
	await stack.must('discard', 'fleet', event_id, 'the car is not ours');
	antidote();
	await until('nothing waits', async () => (await waiting()).length === 0, { limit_ms: 15000 });
	assert.equal(await state_of(code), 'PAID');
	/* manually, in place of the discarded event: the refund */
	await market.cancel(i - 7, code);
	await until('it is CANCELLED', async () => await state_of(code) === 'CANCELLED', { limit_ms: 15000 });
	assert.deepEqual(await stack.sql("SELECT type, payload ->> 'event_id', payload ->> 'note', payload ->> 'error' FROM event WHERE subject_id = 'ops:relay' AND type = 'ops.discarded'"),
		[['ops.discarded', event_id, 'the car is not ours', 'the handler hung and was killed']]);
}, { limit_s: 120 });
await test('a crash in my page affects only its row: the booking is confirmed, and the command redrives the event', async () => {
	const { code, behind } = await poisoned_booking('mypage', 'booking.confirmed', 'segv');
	await confirmed(code);
	await until('the others are shown', async () => (await stack.sql(`SELECT COUNT(*) FROM my_booking WHERE state = 'CONFIRMED' AND code IN (${behind.map(each => `'${each}'`).join()})`, 'view'))[0][0] === '6', { limit_ms: 15000 });
	await until('it is a dead letter', async () => (await waiting('dead = 1', 'view')).length === 1, { limit_ms: 60000, every_ms: 100 });
	assert.equal((await stack.sql(`SELECT state FROM my_booking WHERE code = '${code}'`, 'view'))[0][0], 'PAID');
	antidote();
	assert.match(await stack.must('redrive', 'mypage'), /1 retried/);
	await until('my page has it too', async () => (await stack.sql(`SELECT state FROM my_booking WHERE code = '${code}'`, 'view'))[0][0] === 'CONFIRMED');
}, { limit_s: 100 });
await test('under load, with the relay killed as well: only the poisoned subject waits', async () => {
	await stack.must('pause', 'fleet', 'to poison one');
	const first = i, code = await market.book(i++);
	poison('fleet', 'booking.paid', code, 'segv');
	await stack.must('resume', 'fleet');
	const codes = [];
	const killer = (async () => { for (let k = 0; k < 5; k++) { await sleep(500); for (const each of relay_processes(stack).filter(one => !one.is_parent).slice(0, 2)) stack.kill(each.pid); } })();
	const done = await load({ per_s: 20, for_s: span(4, 30), run: async k => codes.push(await market.book(first + 1 + k)) });
	await killer;
	i = first + 1 + done.length;
	assert.deepEqual(done.filter(one => one.error).slice(0, 3).map(one => one.error.message), []);
	await until('all others are CONFIRMED', async () => await stack.count('booking', "state = 'PAID'") === 1, { limit_ms: 20000 });
	assert.equal(await state_of(code), 'PAID');
	antidote();
	await stack.command('redrive', 'fleet');
	await confirmed(code, 15000);
}, { limit_s: 120 });
await test('every invariant holds', async () => {
	await until('nothing waits', async () => (await waiting()).length + (await waiting('1', 'view')).length === 0, { limit_ms: 10000 });
	await stack.check();
});
await finish();
