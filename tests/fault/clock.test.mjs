/*
 * clock.test.mjs - the machine's clock is set an hour ahead, and back again, while people book and while holds, unknown charges,
 * refunds, retries and sessions are pending: nothing stays pending for ever, no booking is charged twice, and active sessions stay
 * signed in. Needs a build with FAULTS=1: there the file that MOTORPOOL_CLOCK names sets the clock (lib/base/clock.c).
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, at_end, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at } from '../story/stack.mjs';
import { figure, is_long, load, span } from './fault.mjs';
import { Market } from './market.mjs';

const HOUR = 3600;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'motorpool-clock-')), file = path.join(folder, 'shift');
at_end(async () => fs.rmSync(folder, { recursive: true }));
const set_clock = seconds => { fs.writeFileSync(`${file}.new`, `${seconds}\n`); fs.renameSync(`${file}.new`, file); };
set_clock(0);
const stack = await Stack.start({ name: 'fault-clock', env: { MOTORPOOL_CLOCK: file, MOTORPOOL_JAIL: 'no' /* it would forbid reading that file */, MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000', MOTORPOOL_MAX_HOLDS_PER_PERSON: '1000' } });
stack.allow(/"program":"sandbox".*"path":"\/sandbox\/v1\/.*"status":500/, /the handler crashed/);
const market = await Market.open(stack, { n_cars: 24, n_people: 3 });
const lost = await stack.payer('Lost', 'tok_lost');
const browser = stack.browser();
let next = 0;

const order = (who, more = {}) => who.post('/bookings', { ...market.order(next++), card_id: who.card_id, ...more });
const state_of = async code => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0]?.[0];
const poison = text => text ? fs.writeFileSync(`${stack.var}/run/fault.poison`, text) : fs.rmSync(`${stack.var}/run/fault.poison`, { force: true });
const confirmed = (code, limit_ms = 15000) => until(`${code} is CONFIRMED`, async () => await state_of(code) === 'CONFIRMED', { limit_ms });

/* Pending when the clock is set: an unpaid hold, charges without an answer, a refund, a retry. */
async function leave_pending() {
	const cancelled = await market.book(next++);
	await confirmed(cancelled);
	await stack.must('pause', 'fleet', 'to park one');
	const parked = await market.book(next++);
	poison(`fleet booking.paid ${parked} exit`);
	await stack.must('resume', 'fleet');
	await until('its event is being retried', async () => await stack.count('event_retry', `subject_id = '${parked}' AND tries >= 2`) === 1, { limit_ms: 15000 });
	const order_of_card_page = market.order(next++);
	await browser.get(`/bookings/new?${new URLSearchParams(order_of_card_page)}`);
	const to_card_page = await browser.post('/bookings', { ...order_of_card_page, card_id: 'new', form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });
	assert.equal(to_card_page.status, 303, to_card_page.text);
	const [[held]] = await stack.sql("SELECT code FROM booking WHERE state = 'HELD' AND asked_at = 0");
	await stack.fault({ down: 1 });
	for (let i = 0; i < 2; i++) assert.equal((await order(market.who(i))).status, 503);
	assert.equal((await market.manager.post(`/bookings/${cancelled}/cancel`)).status, 202, 'the refund has to wait');
	assert.ok(await stack.count('charge', "state IN ('REQUESTED', 'UNKNOWN')") > 0, 'charges without an answer');
	assert.ok((await unsettled()).length >= 3, 'the check of this experiment finds what has not ended');
	return { cancelled, parked, held };
}
/* All of it has ended, and the card company's books agree with ours. */
async function unsettled() {
	const rows = await stack.sql('SELECT code, state, amount, refunded_amount FROM booking');
	const found = rows.filter(([, state]) => ['HELD', 'PAID', 'CANCEL_REQUESTED'].includes(state)).map(([code, state]) => `${code} is ${state}`);
	found.push(...(await stack.sql("SELECT key, state FROM charge WHERE state IN ('REQUESTED', 'UNKNOWN')")).map(([key, state]) => `the charge ${key} is ${state}`));
	for (const [code, state, amount, refunded] of found.length ? [] : rows) {
		const owed = ['CONFIRMED', 'COMPLETED'].includes(state) ? +amount : state === 'CANCELLED' ? amount - refunded : 0, kept = await stack.money_kept(code);
		if (kept !== owed) found.push(`${code} is ${state}, and ${kept} is kept`);
	}
	return found;
}
/* The breaker has closed again: several bookings in a row. */
async function healthy() {
	for (let row = 0; row < 5; row++)
		await until('bookings succeed again', async () => (await order(market.who(1))).status === 201 || (row = 0), { limit_ms: 60000, every_ms: 300 });
}
async function all_settled(what, limit_s) {
	const began = performance.now();
	await until(`all is settled after ${what}`, async () => (await unsettled()).length === 0, { limit_ms: limit_s * 1000, every_ms: 500 })
		.catch(async e => { throw new Error(`${e.message}: ${(await unsettled()).slice(0, 6).join('; ')}`); });
	figure({ experiment: 'clock', name: `everything settled after the clock was set ${what}`, value: (performance.now() - began) / 1000, unit: 's', limit: limit_s });
}

await test('a visitor signs in, and people book', async () => {
	await browser.sign_in(market.who(0).email, market.who(0).password);
	assert.equal((await browser.get('/my/bookings')).status, 200);
	for (let i = 0; i < 4; i++) await market.book(next++);
});
for (const [what, shift] of [['an hour ahead', HOUR], ['an hour back', 0]]) {
	await test(`the clock is set ${what} while people book: every booking succeeds`, async () => {
		const seconds = span(3, 12), first = next;
		const done = load({ per_s: 8, for_s: seconds, run: i => market.book(first + i) });
		await sleep(seconds * 500);
		set_clock(shift);
		const answers = await done;
		next += answers.length;
		assert.deepEqual(answers.filter(a => a.error).map(a => a.error.message), []);
		figure({ experiment: 'clock', name: `bookings that fail while it is set ${what}`, value: answers.filter(a => a.error).length, limit: 0 });
		set_clock(HOUR - shift);        /* for the next test */
		await sleep(200);
	}, { limit_s: 60 });
	await test(`… and while a hold, a refund, a retry and charges without an answer wait: all of them end`, async () => {
		const { cancelled, parked, held } = await leave_pending(), clock = () => Math.floor(Date.now() / 1000) + shift;
		set_clock(shift);
		await sleep(500);
		poison();
		await confirmed(parked);
		await until('the unpaid hold has expired', async () => await state_of(held) === 'EXPIRED', { limit_ms: 15000 });
		await stack.fault({ down: 0 });
		assert.ok([201, 503].includes((await order(lost)).status));
		await until('the refund is done', async () => await state_of(cancelled) === 'CANCELLED', { limit_ms: 60000, every_ms: 100 });
		await until('no charge without an answer has a time in the future', async () => await stack.count('charge', `state IN ('REQUESTED', 'UNKNOWN') AND requested_at > ${clock() + 5}`) === 0, { limit_ms: 40000, every_ms: 200 });
		await healthy();
		const [[held_at]] = await stack.sql('SELECT held_at FROM booking ORDER BY booking_id DESC LIMIT 1');
		assert.ok(Math.abs(held_at - clock()) < span(HOUR / 2, 60), `the programs go by the clock as it was set: ${held_at - clock()} s`);
		/* that a request never reached the provider is only certain after a minute */
		if (is_long || shift) await all_settled(what, 120);
	}, { limit_s: 240 });
	await test(`a session open when it was set ${what} is still valid`, async () => {
		const answer = await browser.get('/my/bookings');
		assert.equal(answer.status, 200);
		assert.match(answer.text, new RegExp(market.who(0).name));
	});
}
await test('no booking was charged twice and no car booked twice: every invariant holds', async () => {
	await stack.check();
	assert.ok(await stack.count('booking', "state = 'CONFIRMED'") > 20);
});
await finish();
