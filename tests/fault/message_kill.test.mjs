/*
 * message_kill.test.mjs - message's child of the relay, and the whole relay, are killed (kill -9) repeatedly while people book and cancel.
 * Each message is once in the inbox and once, complete, in the mail folder, and none is missing.
 */
import fs from 'node:fs';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack } from '../story/stack.mjs';
import { figure, seeded, span } from './fault.mjs';
import { Market, relay_processes, start_relay } from './market.mjs';

const KILLS = span(12, 50), EVERY_MS = span(350, 700);
const random = seeded();
const stack = await Stack.start({ name: 'fault-message-kill', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
stack.allow(/"program":"relay(\.\w+)?".*"level":"error"|"level":"error".*"program":"relay/);
const market = await Market.open(stack, { n_cars: 24, n_people: 4 });
const booked = [], cancelled = [];
let n_child = 0, n_relay = 0, over = false;

/* The process of message's policies, from the file of events in progress (lib/event/in_flight.h). */
function message_child() {
	const board = fs.readFileSync(`${stack.var}/run/relay.in_flight`), alive = new Set(relay_processes(stack).map(each => each.pid));
	for (let at = 72; at + 88 <= board.length; at += 88)
		if (board.toString('latin1', at, at + 24).replace(/\0.*$/s, '') === 'message') return alive.has(board.readInt32LE(at + 24)) ? board.readInt32LE(at + 24) : 0;
	return 0;
}
/* A killed relay may not have been restarted yet. */
function next_child() {
	start_relay(stack);
	return until("message's child is there", message_child);
}
/* A 503 is retried. */
async function cancel(i, code) {
	for (let again = 0; ; again++)
		try { return await market.cancel(i, code); } catch (e) { if (again === span(600, 20) || !/: 503 /.test(e.message)) throw e; await sleep(300); }
}

async function customer(k) {
	for (let i = k; !over; i += 4) {
		const code = await market.book(i);
		booked.push(code);
		if (i % 2) await until('it is confirmed', async () => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0] === 'CONFIRMED', { limit_ms: 30000 })
			.then(() => cancel(i, code)).then(() => cancelled.push(code));
		await sleep(60 + random.below(120));
	}
}

/* Missing, repeated or incomplete messages, in the inbox and in the folder. */
async function wrong(folder = `${stack.var}/mail`) {
	const finds = [];
	for (const [kind, codes] of [['booking_confirmed', booked], ['booking_cancelled', cancelled]]) {
		const told = new Map((await stack.sql(`SELECT subject_id, COUNT(*) FROM message WHERE kind = '${kind}' GROUP BY subject_id`)).map(([code, n]) => [code, +n]));
		for (const code of codes) if (told.get(code) !== 1) finds.push(`${kind} of ${code}: ${told.get(code) ?? 0} times`);
	}
	const ids = new Set((await stack.sql("SELECT message_id FROM message WHERE email <> ''")).map(([id]) => id)), subjects = new Map();
	for (const name of fs.readdirSync(folder)) {
		const text = fs.readFileSync(`${folder}/${name}`, 'latin1'), id = /^(\d+)\.eml$/.exec(name)?.[1];
		if (!id) continue;              /* an unfinished file of a killed process has no .eml name */
		const said = /^Message-ID: <message-(\d+)-/m.exec(text)?.[1];
		if (said !== id || !ids.delete(id) || !/\r\n\r\n[\w+/=\r\n]+\r\n$/.test(text)) finds.push(`${name} is not letter ${said}, whole`);
		subjects.set(said, (subjects.get(said) ?? 0) + 1);
	}
	for (const id of ids) finds.push(`message ${id} is not in the folder`);
	return finds;
}

await test(`${KILLS} kills at random moments, while people book and cancel`, async () => {
	const people = [0, 1, 2, 3].map(customer);
	for (let i = 0; i < KILLS; i++) {
		await sleep(EVERY_MS * (0.5 + random()));
		const is_due = KILLS - i <= KILLS / 4 + 1 - n_child;
		const child = is_due ? await next_child() : random() < 0.7 ? message_child() : 0;
		if (child) {
			stack.kill(child);
			n_child++;
		} else {
			for (const { pid, is_parent } of relay_processes(stack)) if (is_parent) stack.kill(pid);
			n_relay++;
		}
		if (!relay_processes(stack).some(each => each.is_parent)) start_relay(stack);
	}
	start_relay(stack);
	await until('enough is booked and cancelled', () => booked.length > 5 && cancelled.length > 2);
	over = true;
	await Promise.all(people);
	figure({ experiment: 'FX-8', name: `kills of message's child (${n_child}) and of the relay (${n_relay})`, value: n_child + n_relay, least: KILLS });
	assert.ok(n_child > KILLS / 4, 'message was killed often enough');
	assert.ok(booked.length > 5 && cancelled.length > 2, `${booked.length} booked, ${cancelled.length} cancelled`);
}, { limit_s: 110 });
await test('each message is once in the inbox and once in the folder', async () => {
	start_relay(stack);
	await until('all messages are sent', async () => await stack.count('message', "kind = 'booking_confirmed'") >= booked.length
		&& await stack.count('message', "kind = 'booking_cancelled'") >= cancelled.length && await stack.count('message', "state <> 'SENT'") === 0, { limit_ms: 90000 });
	assert.deepEqual(await wrong(), []);
	figure({ experiment: 'FX-8', name: 'messages told more or less than once', value: (await wrong()).length, limit: 0 });
	assert.equal(await stack.count('event', "type = 'message.sent'"), await stack.count('message'));
	assert.equal(await stack.count('event', "type = 'message.dead'"), 0);
	console.log(`# ${booked.length} bookings, ${cancelled.length} cancelled; ${await stack.count('message_try', "reply LIKE 'cut off%'")} mails were being sent at the time of a kill`);
}, { limit_s: 110 });
await test('the check of this experiment can fail: it finds a missing mail and an incomplete one', async () => {
	const copy = `${stack.var}/tmp/letters`;
	fs.cpSync(`${stack.var}/mail`, copy, { recursive: true });
	const [one, other] = fs.readdirSync(copy).filter(name => name.endsWith('.eml'));
	fs.rmSync(`${copy}/${one}`);
	fs.truncateSync(`${copy}/${other}`, 300);
	assert.equal((await wrong(copy)).length, 2);
});
await test('every invariant holds', () => stack.check());
await finish();
