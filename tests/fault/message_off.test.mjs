/*
 * message_off.test.mjs - FX-8: message's policies and its program are off while people book and cancel. Nothing is refused or delayed; when
 * it is back, each message is sent once, to the inbox and by mail.
 */
import fs from 'node:fs';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack } from '../story/stack.mjs';
import { figure, is_long, load, span } from './fault.mjs';
import { Market, is_alive } from './market.mjs';

const PER_S = 10;
const stack = await Stack.start({ name: 'fault-message-off', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 24, n_people: 4 });
const booked = [], cancelled = [];
const n_of = (kind, code) => stack.count('message', `kind = '${kind}'${code ? ` AND subject_id = '${code}'` : ''}`);

/* In the quick form, on a possibly busy machine, a 503 is retried (as in market.mjs); in the long form it is a failure. */
async function cancel(i, code) {
	for (let again = 0; ; again++)
		try { return await market.cancel(i, code); } catch (e) { if (is_long || again === 600 || !/: 503 /.test(e.message)) throw e; await sleep(300); }
}

/* Missing and repeated messages: [] if there are none. */
async function wrong() {
	const finds = [];
	for (const [kind, codes] of [['booking_confirmed', booked], ['booking_cancelled', cancelled]]) {
		const told = new Map((await stack.sql(`SELECT subject_id, COUNT(*) FROM message WHERE kind = '${kind}' GROUP BY subject_id`)).map(([code, n]) => [code, +n]));
		for (const code of codes) if (told.get(code) !== 1) finds.push(`${kind} of ${code}: ${told.get(code) ?? 0} times`);
		if (told.size !== codes.length) finds.push(`${kind}: ${told.size} told, ${codes.length} happened`);
	}
	const letters = fs.existsSync(`${stack.var}/mail`) ? fs.readdirSync(`${stack.var}/mail`) : [], mailed = await stack.count('message', "email <> ''");
	if (letters.length !== mailed || letters.some(name => !/^\d+\.eml$/.test(name))) finds.push(`${letters.length} letters, ${mailed} messages`);
	return finds;
}

await test('message paused and its program ended: people book and cancel as before', async () => {
	await stack.must('pause', 'message', 'an experiment');
	const pid = stack.services().message, all = [pid, ...stack.workers('message')];
	stack.kill(stack.process.pid, 'SIGSTOP');
	stack.held = true;
	stack.kill(pid, 'SIGTERM');
	await until('it has ended', () => !all.some(is_alive), { limit_ms: 15000 });
	assert.equal((await market.people[0].get('/messages')).status, 503, 'its pages are gone');
	const done = await load({ per_s: PER_S, for_s: span(4, 60), run: async i => {
		const code = await market.book(i);
		booked.push(code);
		if (i % 3 === 0) { await until('it is confirmed', async () => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0] === 'CONFIRMED'); await cancel(i, code); cancelled.push(code); }
	} });
	const failed = done.filter(one => one.error);
	figure({ experiment: 'FX-8', name: 'bookings and cancellations that succeed while message is off', value: 100 * (done.length - failed.length) / done.length, unit: '%', least: 100 });
	assert.deepEqual(failed.slice(0, 3).map(one => one.error.message), []);
	await until('all are confirmed', async () => await stack.count('event', "type = 'booking.confirmed'") === booked.length);
	assert.equal(await stack.count('message'), 0, 'message is really off');
	assert.match((await stack.command('status')).out, /PAUSED by the command: an experiment/);
}, { limit_s: 150 });
await test('the check of this experiment can fail: it finds missing messages', async () => {
	assert.notDeepEqual(await wrong(), []);
});
await test('resumed and started again: each booking and each cancellation has one message, in the inbox and by mail', async () => {
	const began = performance.now();
	await stack.must('resume', 'message');
	await until('all messages are sent', async () => await n_of('booking_confirmed') === booked.length && await n_of('booking_cancelled') === cancelled.length
		&& await stack.count('message', "state <> 'SENT'") === 0, { limit_ms: span(60000, 180000) });
	figure({ experiment: 'FX-8', name: `${booked.length + cancelled.length} messages told and mailed after message is resumed`, value: (performance.now() - began) / 1000, unit: 's', limit: 30 });
	assert.deepEqual(await wrong(), []);
	await stack.up();
	const inbox = (await market.people[0].get('/messages')).json;
	assert.equal(inbox.n_total, await stack.count('message', `recipient_id = (SELECT user_id FROM person WHERE email = '${market.people[0].email}')`));
}, { limit_s: span(100, 240) });
await test('handling all events again from the first one sends nothing again', async () => {
	const before = await stack.count('message'), sent = await stack.count('event', "type = 'message.sent'");
	assert.equal(sent, before, 'one message.sent each');
	assert.equal(Number((await stack.sql('SELECT COUNT(DISTINCT event_id || kind || recipient_id) FROM message'))[0][0]), before);
});
await test('every invariant holds', () => stack.check());
await finish();
