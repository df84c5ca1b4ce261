/*
 * check.mjs - tests one after the other, each with a name that is a sentence; counts like tests/page/lib.sh does.
 *
 *	await test('a car can be registered', async () => { … throws when it is not so … });
 *	await finish();                 "N passed, N failed"; the process ends accordingly
 */
import assert from 'node:assert/strict';

export { assert };

let passed = 0, failed = 0;
const last = [];

export async function test(sentence, run, { limit_s = 40 } = {}) {
	let timer;
	const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`not done after ${limit_s} s`)), limit_s * 1000); });
	const began = Date.now();
	try {
		await Promise.race([run(), late]);
		passed++;
		console.log(`ok - ${sentence} (${Date.now() - began} ms)`);
	} catch (e) {
		failed++;
		console.log(`not ok - ${sentence}`);
		console.log(String(e.stack ?? e).split('\n').slice(0, 14).map(line => '#   ' + line).join('\n'));
	} finally {
		clearTimeout(timer);
	}
}

export const n_failed = () => failed;

/* Things to be done whatever happens: a stack to be stopped. */
export const at_end = run => last.push(run);

export async function finish() {
	for (const run of last.reverse())
		await run().catch(e => { failed++; console.log(`not ok - ${e.stack}`); });
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed ? 1 : 0);
}

for (const what of ['uncaughtException', 'unhandledRejection'])
	process.on(what, e => { failed++; console.log(`not ok - the test itself: ${e.stack ?? e}`); finish(); });
for (const signal of ['SIGTERM', 'SIGINT'])
	process.on(signal, () => { failed++; console.log(`not ok - ended by ${signal}`); finish(); });

export const sleep = ms => new Promise(done => setTimeout(done, ms));

/* Asks again until the answer is true (which is returned) or the time is over. */
export async function until(what, ask, { limit_ms = 10000, every_ms = 25 } = {}) {
	const end = Date.now() + limit_ms;
	let answer;
	for (;;) {
		answer = await ask();
		if (answer) return answer;
		if (Date.now() > end) throw new Error(`waited ${limit_ms} ms in vain for: ${what}`);
		await sleep(every_ms);
	}
}
