/*
 * market.mjs - customers and cars for a load of bookings that do not conflict; fast repeated database queries; the relay's processes,
 * for killing them one by one.
 *
 *	const market = await Market.open(stack, { n_cars: 20, n_people: 4 })
 *	const code = await market.book(i)               the i-th booking, paid by card; throws unless it is a 201
 *	const look = new Look(stack, 'view')            look.rows('SELECT …') in a tenth of a millisecond; look.close()
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { at_end, patience_ms, sleep } from '../story/check.mjs';
import { at, build, new_car } from '../story/stack.mjs';
import { is_long } from './fault.mjs';

const DAYS = 170;               /* a car is booked every other day, as far ahead as allowed */

export class Market {
	static async open(stack, { n_cars = 10, n_people = 4 } = {}) {
		const market = Object.assign(new Market(), { stack, cars: [], people: [], codes: [], n_again: 0 });
		market.manager = await stack.person('Manager', 'manager');
		for (let i = 0; i < n_people; i++) market.people.push(await stack.payer(`Payer${i}`));
		for (let i = 0; i < n_cars; i++) {
			const answer = await market.manager.post('/fleet/cars', new_car());
			if (answer.status !== 201) throw new Error(`a car: ${answer.status} ${answer.text}`);
			market.cars.push(answer.json.car_id);
		}
		return market;
	}
	order(i) {
		const day = 3 + 2 * (Math.floor(i / this.cars.length) % DAYS);
		return { car_id: this.cars[i % this.cars.length], starts_at: at(day), ends_at: at(day + 1) };
	}
	who(i) { return this.people[i % this.people.length]; }
	/* In the quick form, on a possibly busy machine, a 503 is retried with the same key; in the long form it is a failure. */
	async book(i) {
		const who = this.who(i), order = { ...this.order(i), card_id: who.card_id }, key = { 'Idempotency-Key': `${this.stack.name}-${i}` };
		let answer = await who.post('/bookings', order, key);
		for (const end = Date.now() + patience_ms; !is_long && Date.now() < end && (answer.status === 503 || answer.json?.error?.code === 'in_progress');) {
			this.n_again++;
			await sleep(300);
			answer = await who.post('/bookings', order, key);
		}
		if (answer.status !== 201) throw new Error(`booking ${i}: ${answer.status} ${answer.text}`);
		this.codes.push(answer.json.code);
		return answer.json.code;
	}
	async cancel(i, code) {
		let answer = await this.who(i).post(`/bookings/${code}/cancel`);
		for (const end = Date.now() + patience_ms; !is_long && Date.now() < end && answer.status === 503;) {
			this.n_again++;
			await sleep(300);
			answer = await this.who(i).post(`/bookings/${code}/cancel`);
		}
		if (![200, 202].includes(answer.status)) throw new Error(`cancelling ${code}: ${answer.status} ${answer.text}`);
	}
}

/* A separate sqlite3 process for repeated queries; never writes. */
export class Look {
	constructor(stack, file = 'motorpool') {
		this.process = spawn('stdbuf', ['-oL', 'sqlite3', '-readonly', '-cmd', '.timeout 60000', path.join(stack.var, `${file}.db`)], { stdio: ['pipe', 'pipe', 'pipe'] });
		at_end(async () => this.close());
		this.lines = [];
		this.process.stderr.on('data', said => console.log(`# looking at ${file}.db: ${said}`.trim()));
		readline.createInterface({ input: this.process.stdout }).on('line', line => {
			if (line !== '~~~') { this.lines.push(line); return; }
			const rows = this.lines.map(each => each.split('|'));
			this.lines = [];
			this.done?.(rows);
		});
	}
	rows(statement) {
		return new Promise(done => { this.done = done; this.process.stdin.write(`${statement};\n.print ~~~\n`); });
	}
	/* A number; the query is repeated while the database is being created. */
	async number(statement) {
		for (let i = 0; i < 100; i++) {
			const n = Number((await this.rows(statement))[0]?.[0]);
			if (!Number.isNaN(n)) return n;
		}
		throw new Error(`no answer to ${statement}`);
	}
	close() { this.process.kill(); }
}

/* A relay as cron would start it, or one that does not wait for the active one. */
export function start_relay(stack, env = {}) {
	const all = { ...stack.env, ...env };
	for (const [, name, value] of fs.readFileSync(`${stack.var}/run/env`, 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)) all[name] = value;
	const out = fs.openSync(`${stack.var}/log/relay.log`, 'a');
	const relay = spawn(`${build}/bin/relay`, [stack.var], { env: all, stdio: ['ignore', out, out], detached: true });
	fs.closeSync(out);
	(stack.relays ??= []).push(relay);
	return relay;
}

/* A zombie of a stopped parent does not count. */
export function is_alive(pid) {
	try { return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; }
}

/* All processes of relays of this stack: { pid, is_parent }. */
export function relay_processes(stack) {
	const found = [];
	for (const name of fs.readdirSync('/proc').filter(each => /^\d+$/.test(each))) {
		try {
			if (!fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, 2).join(' ').endsWith(`/bin/relay ${stack.var}`)) continue;
			const [, state, ppid] = /^\d+ \(.*\) (\w) (\d+)/.exec(fs.readFileSync(`/proc/${name}/stat`, 'utf8'));
			if (state !== 'Z') found.push({ pid: +name, ppid: +ppid });
		} catch { /* it has just gone */ }
	}
	const pids = new Set(found.map(each => each.pid));
	return found.map(each => ({ ...each, is_parent: !pids.has(each.ppid) }));
}
