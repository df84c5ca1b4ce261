/*
 * rush.mjs - a steady load of bookings and page views while something breaks, shared by FX-1 and FX-2.
 *
 *	const rush = await Rush.open('fault-payment-down')
 *	const quiet = await rush.run('in good health', 4)
 *	const broken = await rush.run('payment is down', span(4, 30), { break: …, mend: … })
 *	rush.latencies(broken, quiet); await rush.end()
 *
 * Half of the requests answered "later" are repeated once with the same Idempotency-Key, like a good client.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { assert, sleep, until } from '../story/check.mjs';
import { SHIPPED, Stack, at } from '../story/stack.mjs';
import { Breaker, calls_to, most_in_10_s, settled } from './books.mjs';
import { figure, is_long, load, percentile, span } from './fault.mjs';
import { Market } from './market.mjs';

const run_file = promisify(execFile);
const PER_S = span(12, 40);

export class Rush {
	static async open(name, experiment, env = {}) {
		const rush = Object.assign(new Rush(), { experiment, acknowledged: [], i: 0 });
		rush.stack = await Stack.start({ name, env: { ...SHIPPED, MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000', ...(is_long ? {} : { MOTORPOOL_SHORT_PAUSES: '1' }), ...env } });
		rush.stack.allow(/"what":"access".*"status":500/, /"program":"sandbox".*"path":"\/sandbox\/v1\/.*"status":500/, /"what":"call","to":"(provider|payment)".*"status":50\d/);
		rush.market = await Market.open(rush.stack, { n_cars: span(16, 60), n_people: 8 });
		rush.breaker = new Breaker(rush.stack, 'payment');
		rush.provider = new Breaker(rush.stack, 'provider');
		return rush;
	}

	/* Sets faults of the sandbox in its database, since all its workers may hang. */
	async card_company(switches) {
		for (const [name, value] of Object.entries(switches))
			await run_file('sqlite3', ['-cmd', '.timeout 60000', `${this.stack.var}/sandbox.db`, `INSERT OR REPLACE INTO fault VALUES ('${name}', ${value})`]);
	}

	/* One order: { status, was, is, ms, codes }; was, is: the state of payment's breaker before and after it. */
	async order(i) {
		const who = this.market.who(i), was = this.breaker.state();
		const post = () => who.post('/bookings', { ...this.market.order(i), card_id: who.card_id }, { 'Idempotency-Key': `rush-${i}` });
		let answer = await post();
		const first = { i, status: answer.status, ms: answer.ms, was, is: this.breaker.state(), retry_after: answer.headers['retry-after'], json: answer.json, at: Date.now() };
		if (answer.status === 503 && i % 2) {
			await sleep(250);
			answer = await post();
		}
		assert.ok([201, 402, 409, 503].includes(answer.status), `${answer.status} ${answer.text}`);
		if (answer.status === 201) this.acknowledged.push(answer.json.code);
		return first;
	}
	async look_around(i) {
		const who = this.market.who(i), path = [`/cars?from=${at(2)}&to=${at(4)}`, `/cars/${this.market.cars[i % this.market.cars.length]}`, '/my/bookings'][i % 3];
		const answer = await who.get(path);
		assert.equal(answer.status, 200, `${path}: ${answer.status}`);
		return answer.ms;
	}

	/* Both loads for so many seconds, and after the repair until bookings succeed again. */
	async run(what, seconds, { breaks, mends } = {}) {
		const phase = { what, began_ms: Date.now() }, first = this.i;
		await breaks?.();
		const book = load({ per_s: PER_S, for_s: seconds, run: i => this.order(first + i) });
		const look = load({ per_s: PER_S, for_s: seconds, run: i => this.look_around(i) });
		phase.orders = await book;
		phase.pages = await look;
		this.i += phase.orders.length;
		phase.ended_ms = Date.now();
		for (const one of [...phase.orders, ...phase.pages]) if (one.error) throw one.error;
		const count = {};
		for (const { value } of phase.orders) count[value.status] = (count[value.status] ?? 0) + 1;
		phase.said = Object.entries(count).map(([status, n]) => `${n} × ${status}`).join(', ');
		console.log(`# ${what}: ${phase.said}; then payment's breaker is ${this.breaker.state()}, the provider's ${this.provider.state()}`);
		for (const { value } of phase.orders) if (value.status === 503) {
			assert.equal(value.json.error.code, 'later');
			assert.equal(String(value.json.error.retry_after_s), value.retry_after);
			assert.ok(+value.retry_after >= 1 && +value.retry_after <= 60, value.retry_after);
		}
		if (mends) await this.recover(phase, mends);
		return phase;
	}
	/* Without intervention: at most the time that the breakers stay open, and one probe each. */
	async recover(phase, mends) {
		const open_ms = this.breaker.open_for_ms() + this.provider.open_for_ms();
		await mends();
		const began = performance.now();
		await until('bookings succeed again', async () => (await this.order(this.i++)).status === 201, { limit_ms: 130000, every_ms: 50 });
		phase.recovered_ms = performance.now() - began;
		figure({ experiment: this.experiment, name: `${phase.what}: first booking after its end, beyond the time it is open anyway`, value: Math.max(0, phase.recovered_ms - open_ms), unit: 'ms', limit: 2500 });
		await until('all succeed', async () => (await this.order(this.i++)).status === 201 && this.breaker.state() === 'closed', { limit_ms: 130000, every_ms: 50 });
	}

	/* The same load once more; only in the long form. */
	async again() {
		const phase = await this.run('in good health again', span(1, 30));
		await this.is_well(phase);
		return phase;
	}
	/* Nearly all succeed at once; in the quick form, on a machine of any speed, the retries of refused ones succeed. */
	async is_well(phase) {
		const later = phase.orders.map(one => one.value).filter(({ status }) => status !== 201);
		if (is_long) assert.ok(later.length <= 0.05 * phase.orders.length, phase.said);
		else for (const { i } of later) await until(`order ${i} is accepted`, async () => (await this.order(i)).status === 201, { every_ms: 300 });
	}
	/* healthy: before and after it, since the speed of the machine varies. */
	latencies(phase, ...healthy) {
		const of = (...states) => phase.orders.map(one => one.value).filter(each => states.includes(each.was) && states.includes(each.is)).map(each => each.ms);
		const note = (name, values, limit) => values.length >= 20 && figure({ experiment: this.experiment, name: `${phase.what}: ${name}`, value: percentile(values, 99), unit: 'ms', limit });
		note('booking p99 while closed', of('closed'), 650);
		note('booking p99 while open', of('open'), 20);
		const p99 = each => percentile(each.pages.map(one => one.value), 99);
		if (healthy.length) figure({ experiment: this.experiment, name: `${phase.what}: other pages' p99, of that in good health`, value: 100 * p99(phase) / Math.max(...healthy.map(p99)), unit: '%', limit: 120 });
		else figure({ experiment: this.experiment, name: "in good health: other pages' p99", value: p99(phase), unit: 'ms' });
	}
	/* Asserted in both forms: few calls reach a callee that hangs. */
	reached(phase, callee) {
		const n = most_in_10_s(calls_to(this.stack, callee, phase.began_ms).filter(at => at <= phase.ended_ms));
		figure({ experiment: this.experiment, name: `${phase.what}: calls that reach it in any 10 s`, value: n, limit: 20 });
		assert.ok(n >= 1 && n <= 20, `${n} calls in 10 s`);
	}
	/* Both books agree, and nothing is in progress. */
	async even() {
		await settled(this.stack, this.acknowledged, 90000);
		if (is_long) await until('no refund is pending', async () => await this.stack.count('booking', "refund_state = 'PENDING'") === 0, { limit_ms: 180000, every_ms: 1000 });
		await this.stack.check();
	}
}
