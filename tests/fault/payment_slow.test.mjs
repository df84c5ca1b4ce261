/*
 * payment_slow.test.mjs - FX-2: the card company hangs, is slow (400–620 ms), loses answers, comes and goes, while people book and
 * look around. Nobody is charged twice, hardly a call reaches one that hangs, everything else keeps its speed, and it ends by itself.
 * In the long form each has a stack of its own, so that no breaker remembers the one before.
 */
import { spawn } from 'node:child_process';
import { finish, sleep, test } from '../story/check.mjs';
import { is_long, span } from './fault.mjs';
import { Rush } from './rush.mjs';

const SECONDS = span(3, 30);
const healthy = { slow_ms: 0, slow_ms_max: 0, down: 0, hang_ms: 0, lost_answers: 0 };
const faults = [
	['the card company is slow', { slow_ms: 400, slow_ms_max: 620 }],
	['answers are lost', { lost_answers: 50 }],
	['the card company hangs', { hang_ms: 60000 }],
	['the card company comes and goes', null],
];
let rush, quiet;

/* Away and there again every half second, as long as it lasts. By one sqlite3: starting one each time would hold up those who measure. */
function flap() {
	const shell = spawn('sqlite3', ['-cmd', '.timeout 60000', `${rush.stack.var}/sandbox.db`], { stdio: ['pipe', 'ignore', 'inherit'] });
	const ended = new Promise(done => shell.on('exit', done));
	let on = true;
	const going = (async () => {
		for (let i = 0; on; i++) {
			shell.stdin.write(`INSERT OR REPLACE INTO fault VALUES ('down', ${i % 2 ? 0 : 1});\n`);
			await sleep(500);
		}
	})();
	return async () => { on = false; await going; shell.stdin.end(); await ended; };
}

for (const [what, switches] of faults)
	await test(`${what}: bookings go well or are refused in time, both books agree, and it ends by itself`, async () => {
		let stop;
		if (!rush || is_long) {
			await rush?.stack.stop();
			rush = await Rush.open(`fault-payment-slow${is_long ? `-${faults.findIndex(each => each[0] === what)}` : ''}`, 'FX-2');
			quiet = await rush.run('in good health', SECONDS);
			await rush.is_well(quiet);
		}
		const phase = await rush.run(what, SECONDS, {
			breaks: async () => { if (switches) await rush.card_company(switches); else stop = flap(); },
			mends: async () => { await stop?.(); await rush.card_company(healthy); },
		});
		const after = await rush.again();
		rush.latencies(phase, quiet, after);
		if (what.endsWith('hangs')) rush.reached(phase, 'provider');
		if (is_long) await rush.even();
	}, { limit_s: span(60, 500) });
if (!is_long) await test('no double charge, no booking lost, nothing half done, every invariant holds', () => rush.even(), { limit_s: 100 });
await finish();
