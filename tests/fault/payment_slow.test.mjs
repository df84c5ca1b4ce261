/*
 * payment_slow.test.mjs - FX-2: the card company hangs, is slow (400–620 ms), loses answers, or goes down and up, while people book and
 * look around. No booking is charged twice, few calls reach it while it hangs, everything else keeps its speed, and bookings recover by
 * themselves. In the long form each fault has its own stack, so that no breaker keeps the state of an earlier one.
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

/* Down and up again every half second. By a single sqlite3, since starting one each time would disturb the measurement. */
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
	await test(`${what}: bookings succeed or are refused in time, both books agree, and bookings recover by themselves`, async () => {
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
