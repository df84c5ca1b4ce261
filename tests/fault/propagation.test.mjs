/*
 * propagation.test.mjs - from the commit of PAID to CONFIRMED in my page's read model, at 50 bookings a second: three hops of the
 * relay (fleet, booking, mypage). Measured from outside, by polling both databases: from the last poll that did not show the booking as
 * paid to the first that shows it confirmed in view.db, so a figure is never too low.
 */
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack } from '../story/stack.mjs';
import { figure, load, percentile, span } from './fault.mjs';
import { Look, Market } from './market.mjs';

const PER_S = 50, FOR_S = span(5, 30);
const stack = await Stack.start({ name: 'fault-propagation', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 20, n_people: 4 });

/* Polls both until stopped. */
class Watch {
	constructor() {
		Object.assign(this, { log: new Look(stack), view: new Look(stack, 'view'), paid: new Map(), took: new Map(), ends: false, most_ms: 0 });
	}
	/* Events from now on. */
	static async begin() {
		const watch = new Watch();
		watch.ended = watch.run(await watch.log.number('SELECT COALESCE(MAX(event_id), 0) FROM event'));
		return watch;
	}
	async run(last) {
		let looked = performance.now();
		while (!this.ends) {
			const before = looked;
			looked = performance.now();
			this.most_ms = Math.max(this.most_ms, looked - before);
			for (const [id, type, code] of await this.log.rows(`SELECT event_id, type, subject_id FROM event WHERE event_id > ${last} ORDER BY event_id`)) {
				last = Number(id);
				if (type === 'booking.paid') this.paid.set(code, before);
			}
			const open = [...this.paid.keys()].filter(code => !this.took.has(code));
			if (open.length)
				for (const [code] of await this.view.rows(`SELECT code FROM my_booking WHERE state = 'CONFIRMED' AND code IN (${open.map(code => `'${code}'`).join()})`))
					this.took.set(code, performance.now() - this.paid.get(code));
			await sleep(1);
		}
	}
	async stop() { this.ends = true; await this.ended; this.log.close(); this.view.close(); }
}

await test('bookings that do not arrive are not counted', async () => {
	await stack.must('pause', 'mypage', 'an experiment');
	const watch = await Watch.begin(), code = await market.book(9999);
	await until('it is CONFIRMED', async () => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0] === 'CONFIRMED');
	await sleep(300);
	assert.equal(watch.paid.size, 1);
	assert.equal(watch.took.size, 0);
	await stack.must('resume', 'mypage');
	await until('it has arrived', () => watch.took.size === 1);
	assert.ok([...watch.took.values()][0] > 300);
	await watch.stop();
});
await test(`at ${PER_S} bookings a second a paid booking is soon shown as confirmed`, async () => {
	const watch = await Watch.begin();
	const done = await load({ per_s: PER_S, for_s: FOR_S, run: i => market.book(i) });
	if (market.n_again) console.log(`# retried after 503: ${market.n_again} times`);
	const failed = done.filter(one => one.error);
	assert.deepEqual(failed.slice(0, 3).map(one => one.error.message), [], `${failed.length} of ${done.length} failed`);
	await until('all are shown as confirmed', () => watch.took.size >= done.length, { limit_ms: 20000 })
		.catch(e => { throw new Error(`${e.message}: ${watch.took.size} of ${watch.paid.size} of ${done.length}`); });
	await watch.stop();
	assert.equal(watch.took.size, done.length);
	const ms = [...watch.took.values()];
	console.log(`# ${ms.length} bookings; the longest interval between two polls ${Math.round(watch.most_ms)} ms`);
	figure({ experiment: 'propagation', name: 'commit of PAID → CONFIRMED in my page, p50', value: percentile(ms, 50), unit: 'ms', limit: 20 });
	figure({ experiment: 'propagation', name: 'commit of PAID → CONFIRMED in my page, p99', value: percentile(ms, 99), unit: 'ms', limit: 100 });
}, { limit_s: 90 });
await test('every invariant holds', () => stack.check());
await finish();
