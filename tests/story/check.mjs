/*
 * check.mjs - runs tests one after the other, each named by a sentence, and counts them like tests/page/lib.sh.
 *
 *	await test('a car can be registered', async () => { … throws on failure … });
 *	await finish();                 "N passed, N failed"; the process ends accordingly
 *
 * Waiting has a limit against hanging, not for speed: minutes (PATIENCE seconds, default 180), whatever limit_ms or limit_s says.
 * It ends early when a process that the test needs has ended (see watch). The limits of the call count in the long form (LONG=1)
 * of the fault experiments, which runs on a quiet machine.
 */
import assert from 'node:assert/strict';

export { assert };

export const is_long = process.env.LONG === '1';
export const patience_ms = 1000 * (process.env.PATIENCE ?? 180);
/* How long a wait may take that takes `ms` on a quiet machine. */
export const patient = ms => is_long ? ms : Math.max(ms, patience_ms);

let passed = 0, failed = 0;
const last = [], watched = new Set(), failure_hooks = [];

/* ended() answers why waiting is useless (a process has ended), or nothing. */
export const watch = ended => { watched.add(ended); };
const reasons = () => [...watched].map(ended => ended()).filter(Boolean);

export async function test(sentence, run, { limit_s = 40 } = {}) {
	let timer;
	const limit_ms = patient(limit_s * 1000) * (is_long ? 1 : 3);
	const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`not done after ${limit_ms / 1000} s`)), limit_ms); });
	const began = Date.now();
	try {
		await Promise.race([run(), late]);
		passed++;
		console.log(`ok - ${sentence} (${Date.now() - began} ms)`);
	} catch (e) {
		failed++;
		console.log(`not ok - ${sentence}`);
		const said = String(e.stack ?? e).split('\n').slice(0, 14).join('\n');
		for (const text of [...reasons().filter(reason => !said.includes(reason)), said]) console.log(`#   ${text.replaceAll('\n', '\n#   ')}`);
		await look_at_failure(sentence);
	} finally {
		clearTimeout(timer);
	}
}

export const n_failed = () => failed;
/* Called with the sentence of each test that fails. */
export const on_failure = look => failure_hooks.push(look);

/* Run in any case, like stopping a stack. */
export const at_end = run => last.push(run);

export async function finish() {
	for (const run of last.reverse())
		await run().catch(e => { failed++; console.log(`not ok - ${e.stack}`); });
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed ? 1 : 0);
}

const look_at_failure = async sentence => {
	for (const look of failure_hooks) await look(sentence).catch(e => console.log(`#   ${e.message}`));
};
for (const what of ['uncaughtException', 'unhandledRejection'])
	process.on(what, async e => {
		failed++;
		console.log(`not ok - the test itself: ${e.stack ?? e}`);
		await look_at_failure('the test itself');
		finish();
	});
for (const signal of ['SIGTERM', 'SIGINT'])
	process.on(signal, () => { failed++; console.log(`not ok - ended by ${signal}`); finish(); });

export const sleep = ms => new Promise(done => setTimeout(done, ms));

/*
 * Polls until the answer is true and returns it; throws when the time is over, or when a watched process has ended. A limit below a
 * second is kept as it is: it is for conditions that must not become true.
 */
export async function until(what, ask, { limit_ms = 10000, every_ms = 25 } = {}) {
	const limit = limit_ms < 1000 ? limit_ms : patient(limit_ms), end = Date.now() + limit;
	let answer;
	for (;;) {
		answer = await ask();
		if (answer) return answer;
		const [reason] = reasons();
		if (reason) throw new Error(`${reason}\nwhile waiting for: ${what}`);
		if (Date.now() > end) throw new Error(`waited ${limit} ms in vain for: ${what}`);
		await sleep(every_ms);
	}
}
