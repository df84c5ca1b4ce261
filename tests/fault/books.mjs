/*
 * books.mjs - compares the card company's books with ours: for every booking, the money kept must be exactly what is not to be refunded,
 * and every acknowledged booking must be there. Also the calls to a callee, from the logs, and the state of a breaker.
 *
 *	await settled(stack, { acknowledged: codes })   waits until no booking is in progress and both books agree; throws the differences
 *	await wrong_in(stack, codes)                    the current differences, in words; empty: none
 */
import fs from 'node:fs';
import path from 'node:path';
import { until } from '../story/check.mjs';

const owed = (state, amount, refunded) => ['PAID', 'CONFIRMED', 'OUT', 'RETURNED', 'COMPLETED'].includes(state) ? amount
	: ['CANCELLED', 'NO_SHOW'].includes(state) ? amount - refunded : 0;

export async function wrong_in(stack, acknowledged = []) {
	const bookings = new Map((await stack.sql('SELECT code, state, amount, refunded_amount FROM booking')).map(([code, state, amount, refunded]) => [code, { state, owed: owed(state, +amount, +refunded), kept: 0, n_taken: 0 }]));
	const wrong = [];
	for (const [order, amount, balance] of await stack.sql("SELECT order_id, amount, balance FROM payment WHERE status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED')", 'sandbox')) {
		const booking = bookings.get(/^MP-[^-]+/.exec(order)?.[0]);
		if (!booking) { wrong.push(`${amount} were charged for ${order}, which is no booking`); continue; }
		booking.kept += +balance;
		booking.n_taken++;
	}
	for (const [code, { state, owed: ours, kept, n_taken }] of bookings) {
		if (n_taken > 1) wrong.push(`${code} was charged ${n_taken} times`);
		if (state === 'HELD') wrong.push(`${code} is still HELD`);
		if (kept !== ours) wrong.push(`${code} is ${state}: ${kept} are kept, not ${ours}`);
	}
	for (const code of acknowledged) if (!['PAID', 'CONFIRMED'].includes(bookings.get(code)?.state)) wrong.push(`${code} was acknowledged and is ${bookings.get(code)?.state ?? 'gone'}`);
	return wrong;
}

export async function settled(stack, acknowledged, limit_ms = 60000) {
	await until('both books agree', async () => (await wrong_in(stack, acknowledged)).length === 0, { limit_ms, every_ms: 500 })
		.catch(async e => { throw new Error(`${e.message}: ${(await wrong_in(stack, acknowledged)).slice(0, 8).join('; ')}`); });
}

/* The end times of the calls that were really sent to this callee, in ms, in order. */
export function calls_to(stack, callee, since_ms) {
	const times = [], logs = path.join(stack.var, 'log');
	for (const file of fs.readdirSync(logs))
		for (const line of fs.readFileSync(path.join(logs, file), 'utf8').split('\n')) {
			if (!line.includes(`"what":"call","to":"${callee}"`) || line.includes('"outcome":"refused"')) continue;
			const at = Date.parse(JSON.parse(line).at);
			if (at >= since_ms) times.push(at);
		}
	return times.sort((a, b) => a - b);
}
/* The largest number of them in any ten seconds. */
export const most_in_10_s = times => times.reduce((most, at, i) => Math.max(most, i + 1 - times.findIndex(each => each > at - 10000)), 0);

/* closed, open or probing: the top bits of the word after the file's header (lib/call/breaker_inside.h). undefined: never called. */
export class Breaker {
	constructor(stack, callee) { this.file = `${stack.var}/run/${callee}.breaker`; }
	word() {
		try {
			this.fd ??= fs.openSync(this.file, 'r');
			const word = Buffer.alloc(8);
			fs.readSync(this.fd, word, 0, 8, 72);
			return word.readBigUInt64LE();
		} catch { return undefined; }
	}
	state() { const word = this.word(); return word === undefined ? undefined : ['closed', 'open', 'probing'][Number(word >> 62n)]; }
	/* … and how long it stays open */
	open_for_ms() {
		return this.state() === 'open' ? Math.max(0, Number(this.word() & (1n << 48n) - 1n) - Number(process.hrtime.bigint() / 1000000n)) : 0;
	}
}
