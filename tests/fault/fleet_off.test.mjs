/*
 * fleet_off.test.mjs - FX-3: the fleet program and its policies are off while people book. No booking is refused, and when it is back
 * all bookings are CONFIRMED within seconds. First its consumer is paused by command and its program ended by SIGTERM; then both are
 * killed together with the whole relay.
 */
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack } from '../story/stack.mjs';
import { figure, load, percentile, span } from './fault.mjs';
import { Market, is_alive, start_relay } from './market.mjs';

const PER_S = 20;
const stack = await Stack.start({ name: 'fault-fleet-off', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 24, n_people: 4 });
const anonymous = stack.program();
/* A booking that was answered 503 and retried (market.mjs) leaves an EXPIRED one. */
const states = async () => Object.fromEntries((await stack.sql("SELECT state, COUNT(*) FROM booking WHERE state <> 'EXPIRED' GROUP BY state")).map(([state, n]) => [state, +n]));
let booked = 0;

/* Starts the relay as cron would, since `run` is stopped. */
const as_cron = () => { const every = setInterval(() => start_relay(stack), 20000); return () => clearInterval(every); };

async function sell(seconds) {
	const first = booked;
	const done = await load({ per_s: PER_S, for_s: seconds, run: i => market.book(first + i) });
	const failed = done.filter(one => one.error);
	booked += done.length;
	figure({ experiment: 'FX-3', name: 'bookings that succeed while fleet is off', value: 100 * (done.length - failed.length) / done.length, unit: '%', least: 100 });
	assert.deepEqual(failed.slice(0, 3).map(one => one.error.message), [], `${failed.length} of ${done.length} failed`);
	console.log(`# ${done.length} bookings in ${seconds} s, p99 ${Math.round(percentile(done.map(one => one.ms), 99))} ms`);
	return done.length;
}

async function all_confirmed(what, limit_ms) {
	const began = performance.now();
	await until('all bookings are CONFIRMED', async () => (await states()).CONFIRMED === booked && Object.keys(await states()).length === 1, { limit_ms });
	figure({ experiment: 'FX-3', name: `all CONFIRMED after ${what}`, value: (performance.now() - began) / 1000, unit: 's', limit: 5 });
}

await test('fleet paused and its program ended: every booking succeeds, and stays PAID', async () => {
	await stack.must('pause', 'fleet', 'an experiment');
	const fleet = stack.services().fleet, all = [fleet, ...stack.workers('fleet')];
	stack.kill(stack.process.pid, 'SIGSTOP');
	stack.held = true;
	stack.kill(fleet, 'SIGTERM');
	await until('it has ended', () => !all.some(is_alive), { limit_ms: 15000 });
	assert.equal((await anonymous.get('/fleet/cars')).status, 503, 'its pages are gone');
	const stop = as_cron();
	const n = await sell(span(5, 60));
	stop();
	assert.deepEqual(await states(), { PAID: n }, 'fleet is really off');
	assert.equal(await stack.count('event', "type = 'car.reserved'"), 0);
	assert.match((await stack.command('status')).out, /^fleet +\d+ events behind, PAUSED by the command: an experiment$/m);
}, { limit_s: 120 });
await test('the check of this experiment can fail: it finds bookings that are not confirmed', async () => {
	await assert.rejects(all_confirmed('nothing', 300), /in vain/);
});
await test('resumed and started again: all are CONFIRMED within 5 s, each once', async () => {
	await stack.must('resume', 'fleet');
	await all_confirmed('its consumer is resumed', 30000);
	await stack.up();
	assert.equal((await market.manager.get('/fleet/cars')).status, 200);
	assert.equal(await stack.count('event', "type = 'car.reserved'"), booked);
}, { limit_s: 80 });
await test('fleet and the whole relay killed: every booking succeeds; all are CONFIRMED within 5 s of their return', async () => {
	await stack.down('fleet', 'relay');
	for (const relay of stack.relays ?? []) stack.kill(-relay.pid);
	await sleep(100);
	const n = await sell(span(5, 20));
	assert.equal((await states()).PAID, n, 'there is no relay');
	start_relay(stack);
	await all_confirmed('the relay is started', 30000);
	await stack.up();
}, { limit_s: 120 });
await test('pausing and resuming are in the log', async () => {
	assert.deepEqual(await stack.sql("SELECT type, payload ->> 'consumer', payload ->> 'note' FROM event WHERE subject_id = 'ops:relay' ORDER BY event_id"),
		[['ops.paused', 'fleet', 'an experiment'], ['ops.resumed', 'fleet', 'an experiment']]);
});
await test('every invariant holds', () => stack.check());
await finish();
