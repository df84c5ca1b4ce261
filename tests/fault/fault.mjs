/*
 * fault.mjs - shared by the fault experiments: the two forms, the seed, loads and figures.
 *
 *	quick (in `make test`)     facts are asserted; figures are only noted
 *	LONG=1 (`make test-fault`) the durations and quantities of docs/promises.md; its limits are asserted too
 *
 *	const random = seeded()                         prints the seed; SEED=n repeats a run
 *	const done = await load({ per_s: 50, for_s: span(5, 30), run: i => … })        open loop: a slow answer delays no other request
 *	figure({ experiment: 'FX-2', name: 'booking p99 while open', value: percentile(ms, 99), unit: 'ms', limit: 20 })
 */
import fs from 'node:fs';
import path from 'node:path';
import { assert, is_long, sleep } from '../story/check.mjs';
import { build } from '../story/stack.mjs';

export { is_long };
export const span = (quick, long) => is_long ? long : quick;

/* Uniform in [0, 1), reproducible by the seed (mulberry32). */
export function seeded() {
	let state = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31)) >>> 0;
	console.log(`# SEED=${state}`);
	const random = () => {
		state = (state + 0x6D2B79F5) >>> 0;
		let t = state;
		t = Math.imul(t ^ t >>> 15, t | 1);
		t ^= t + Math.imul(t ^ t >>> 7, t | 61);
		return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
	};
	random.below = n => Math.floor(random() * n);
	random.pick = list => list[random.below(list.length)];
	return random;
}

/*
 * Starts run(i) per_s times a second for for_s seconds, whether earlier ones have answered or not, and waits for all. Answers
 * [{ i, began_ms, ms, value | error }]. At most `most` run at once: the long form skips the others and reports their number; in the
 * quick form, on a machine of any speed, they wait and the load lasts longer.
 */
export async function load({ per_s, for_s, run, most = span(30, 400), until = () => false }) {
	const done = [], flying = new Set(), began = performance.now(), n = Math.round(per_s * for_s);
	let left_out = 0;
	for (let i = 0; i < n && !until(); i++) {
		const wait = began + i * 1000 / per_s - performance.now();
		if (wait > 0) await sleep(wait);
		if (flying.size >= most && is_long) { left_out++; continue; }
		while (flying.size >= most) await Promise.race(flying);
		const at = performance.now();
		const one = Promise.resolve().then(() => run(i)).then(value => ({ value }), error => ({ error }))
			.then(end => { done.push({ i, began_ms: at - began, ms: performance.now() - at, ...end }); flying.delete(one); });
		flying.add(one);
	}
	await Promise.all(flying);
	if (left_out) console.log(`# ${left_out} of ${n} were not started: ${most} were running`);
	return done;
}

/* Closed loop: n at once, each starting the next after its answer, for for_s seconds and then while go_on() is true. */
export async function closed_load({ n, for_s, run, go_on = () => false }) {
	const done = [], end = performance.now() + for_s * 1000;
	let i = 0;
	await Promise.all(Array.from({ length: n }, async () => {
		while (performance.now() < end || go_on()) {
			const at = performance.now(), mine = i++;
			const one = await Promise.resolve().then(() => run(mine)).then(value => ({ value }), error => ({ error }));
			done.push({ i: mine, ms: performance.now() - at, ...one });
		}
	}));
	return done;
}

export function percentile(values, p) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p / 100) - 1)] : NaN;
}

/* Records a figure with its limit (at most; `least`: at least). In the long form a figure beyond its limit is a failure. */
export function figure({ experiment, name, value, unit = '', limit, least }) {
	const holds = limit !== undefined ? value <= limit : least !== undefined ? value >= least : true;
	const round = typeof value === 'number' ? Math.round(value * 100) / 100 : value;
	const line = { experiment, name, value: round, unit, limit, least, holds, form: is_long ? 'long' : 'quick' };
	fs.mkdirSync(path.join(build, 'test-logs'), { recursive: true });
	fs.appendFileSync(path.join(build, 'test-logs', 'promises.jsonl'), JSON.stringify(line) + '\n');
	console.log(`# ${experiment}: ${name}: ${round} ${unit}${limit !== undefined ? ` (at most ${limit})` : least !== undefined ? ` (at least ${least})` : ''}${holds ? '' : ' OVER'}`);
	if (is_long) assert.ok(holds, `${name}: ${round} ${unit}, limit ${limit ?? least}`);
}
