/*
 * stack.mjs - a complete motorpool for a test: a scratch state folder, a free port, everything started by `motorpool run`; at the end
 * everything is stopped and the logs are checked.
 *
 *	const stack = await Stack.start();              empty; { empty: false }: with the demo data
 *	stack.manager.post('/fleet/cars', …)            an API client (client.mjs) of a manager
 *	const anna = await stack.customer('Anna')       another one for a new customer; anna.email, anna.password
 *	await stack.down('payment'); … await stack.up() kill -9, and not started again until up()
 *	await stack.stop()                              stops everything and checks the logs; throws on unexpected errors
 *
 * Errors that a test causes on purpose are in the logs: stack.allow(/…/) names them, as narrowly as possible. When a test has
 * failed, the logs and databases are copied to build/asan/test-logs/NAME/server; KEEP=1 keeps the whole state folder.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Browser, Program, ask } from './client.mjs';
import { at_end, is_long, n_failed, patient, sleep, until, watch } from './check.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const build = path.resolve(root, process.env.BUILD ?? 'build/asan');
/* { booking: '', account: '/account', … }: as domain/contexts.c has them */
export const programs = Object.fromEntries([...fs.readFileSync(path.join(root, 'domain/contexts.c'), 'utf8').matchAll(/^\t\{ "(\w+)",\s+"([^"]*)"/gm)]
	.map(([, name, prefix]) => [name, prefix]));
const run_file = promisify(execFile);

/* Time limits of the programs that a slow machine must not exceed. Experiments about these limits set their own. */
/* What can be undone is final at once: tests do not wait for it. Those about undoing set their own time. */
const NO_UNDO = { MOTORPOOL_UNDO_WINDOW_S: '0' };
const UNHURRIED = is_long ? {} : { MOTORPOOL_CALL_DEADLINE_MS: '4000', MOTORPOOL_QUEUE_LIMIT_MS: '0' };
/* For experiments about calls that exceed their deadline. */
export const SHIPPED = { MOTORPOOL_CALL_DEADLINE_MS: '610' };

const free_port = () => new Promise((done, failed) => {
	const server = net.createServer().on('error', failed).listen(0, '127.0.0.1', () => {
		const { port } = server.address();
		server.close(() => done(port));
	});
});

export class Stack {
	static async start({ empty = true, name = 'story', env = {}, home, before = () => {} } = {}) {
		const stack = new Stack();
		stack.name = name;
		stack.home = home ?? build;     /* where motorpool is: another release has its own tree */
		stack.var = fs.mkdtempSync(path.join(os.tmpdir(), 'motorpool-'));
		stack.port = await free_port();
		stack.base = `http://localhost:${stack.port}`;
		stack.allowed = [/the writers' lock was held for too long/]; // on a slow machine; the write is tried again
		stack.reports = path.join(stack.var, 'sanitizer');
		stack.env = {
			...process.env, PORT: '', VAR: '', MOTORPOOL_VAR: '', MOTORPOOL_ROOT: home ? '' : root, DB_LINT: '1', ...NO_UNDO, ...UNHURRIED,
			ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:log_path=${stack.reports}`,
			UBSAN_OPTIONS: `${process.env.UBSAN_OPTIONS ?? ''}:log_path=${stack.reports}`, ...env,
		};
		at_end(() => stack.stop());
		watch(() => stack.exit !== undefined && !stack.stopped && `motorpool run (${name}) has ended with ${stack.exit}:\n${stack.said().split('\n').slice(-6).join('\n')}`);
		await before(stack);            /* called with the stack before anything is started */
		await stack.run(empty);
		return stack;
	}

	/* Starts everything and waits until all programs are ready. The demo data is a copy, made once for all suites (tests/demo). */
	async run(empty) {
		if (!empty) await run_file(path.join(root, 'tests/demo'), [this.var], { timeout: patient(600000) });
		const began = Date.now();
		const out = fs.openSync(path.join(this.var, 'run.out'), 'a');
		this.process = spawn(`${this.home}/motorpool`, ['run', '--port', `${this.port}`, '--var', this.var, ...(empty ? ['--empty'] : [])],
			{ env: this.env, stdio: ['ignore', out, out], cwd: root });
		this.ended = new Promise(done => this.process.on('exit', (code, signal) => { this.exit = code ?? signal; done(this.exit); }));
		await until('motorpool run is ready', () => this.said().includes('motorpool is ready'), { limit_ms: 90000, every_ms: 100 });
		this.started_ms = Date.now() - began;
	}
	said() { return fs.readFileSync(path.join(this.var, 'run.out'), 'utf8'); }

	/* motorpool COMMAND on this state; answers { status, out, err }. */
	async command(...args) {
		try {
			const { stdout, stderr } = await run_file(`${this.home}/motorpool`, [...args, '--var', this.var],
				{ env: this.env, cwd: root, timeout: patient(600000), maxBuffer: 64 << 20 });
			return { status: 0, out: stdout, err: stderr };
		} catch (e) {
			return { status: e.code ?? e.signal, out: e.stdout ?? '', err: e.stderr || e.message };
		}
	}
	async must(...args) {
		const { status, out, err } = await this.command(...args);
		if (status !== 0) throw new Error(`motorpool ${args.join(' ')}: ${status}\n${out}${err}`);
		return out;
	}

	/* --- people --- */
	async person(name, ...roles) {
		const email = `${name.toLowerCase()}@example.com`, password = `correct horse ${name} staple`;
		await this.must('user', 'add', email, name, ...roles.flatMap(role => ['--role', role]), '--password', password);
		const token = (await this.must('token', email)).trim();
		return Object.assign(new Program(this.base, token), { email, password, name });
	}
	/* The mails to an address in the mail folder, newest last. */
	mails_to(email) {
		const folder = path.join(this.var, 'mail');
		const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter(name => name.endsWith('.eml')) : [];
		return files.sort((a, b) => parseInt(a) - parseInt(b)).map(name => fs.readFileSync(path.join(folder, name), 'utf8'))
			.filter(text => new RegExp(`^(To: | <)${email.replaceAll('.', '\\.')}>?\r?$`, 'm').test(text))
			.map(text => Buffer.from(text.split('\r\n\r\n')[1].replaceAll('\r\n', ''), 'base64').toString());
	}
	/* Waits for the nth mail to an address with a link to /account/PAGE, and answers the link's path. */
	async mailed_link(email, page = 'confirm', nth = 1) {
		const links = () => this.mails_to(email).flatMap(text => new RegExp(`/account/${page}\\?token=[\\w-]+`).exec(text) ?? []);
		return until(`link ${nth} to ${page} for ${email}`, () => links()[nth - 1]);
	}
	customer(name) { return this.person(name, 'customer'); }
	program(token) { return new Program(this.base, token); }
	browser() { return new Browser(this.base); }
	/* … with a saved card already: { card_id }. */
	async payer(name, card_token = 'tok_ok') {
		const who = await this.customer(name);
		return Object.assign(who, { card_id: await this.card(who, card_token) });
	}
	async card(who, card_token) {
		const answer = await who.post('/payments/cards', { card_token });
		if (answer.status !== 201) throw new Error(`saving ${card_token}: ${answer.status} ${answer.text}`);
		return answer.json.card_id;
	}

	/* --- the sandbox: the card company's records --- */
	async sandbox(method, path, json) {
		const key = fs.readFileSync(`${this.var}/payment.key`, 'utf8').trim();
		return ask(this.base, method, `/sandbox${path}`, {
			headers: { Authorization: `Basic ${Buffer.from(key + ':').toString('base64')}`, Accept: 'application/json', 'Content-Type': 'application/json' },
			body: json && JSON.stringify(json),
		});
	}
	/* The money kept of a charge: captured − refunded. */
	async money_kept(code) {
		const answer = await this.sandbox('GET', `/v1/payments/orders/${code}`);
		if (answer.status === 404) return 0;
		if (answer.status !== 200) throw new Error(`sandbox: ${answer.status} ${answer.text}`);
		return ['DONE', 'PARTIAL_CANCELED', 'CANCELED'].includes(answer.json.status) ? answer.json.balanceAmount : 0;
	}
	fault(switches) { return this.sandbox('POST', '/faults', switches); }

	/* Reads the database, for "nothing was stored": rows as arrays of text. Never writes. */
	async sql(statement, file = 'motorpool') {
		const { stdout } = await run_file('sqlite3', ['-readonly', '-cmd', '.timeout 60000', `${this.var}/${file}.db`, statement]);
		return stdout.trim().split('\n').filter(Boolean).map(line => line.split('|'));
	}
	async count(table, where = '1') { return Number((await this.sql(`SELECT COUNT(*) FROM ${table} WHERE ${where}`))[0][0]); }

	/* --- processes --- */
	/* { name: pid } of the processes that `run` has started, { relay: [pid …] }. */
	services() {
		const found = { relay: [] };
		for (const line of fs.readFileSync(`${this.var}/run/run.pid`, 'utf8').trim().split('\n').slice(1)) {
			const [pid, name] = line.split(' ');
			if (name === 'relay') found.relay.push(+pid); else found[name] = +pid;
		}
		return found;
	}
	workers(name) {
		return fs.readFileSync(`${this.var}/run/${name}.pid`, 'utf8').trim().split('\n').slice(1).map(line => +line.split(' ')[0]);
	}
	kill(pid, signal = 'SIGKILL') {
		if (signal === 'SIGKILL') this.allow(/"what":"sweep".*the handler('s process ended in the middle| crashed \(signal 9\))/);       /* a relay's child, by us */
		try { process.kill(pid, signal); } catch (e) { if (e.code !== 'ESRCH') throw e; }
	}
	/* kill -9 of a program with all its workers; `run` is stopped meanwhile, or it would restart the program at once. */
	async down(...names) {
		this.kill(this.process.pid, 'SIGSTOP');
		this.held = true;
		const services = this.services();
		for (const name of names)
			for (const pid of [services[name]].flat()) {
				const all = name === 'relay' || name === 'lighttpd' ? [pid] : [pid, ...this.workers(name)];
				this.kill(-pid);        /* each leads a process group with its workers */
				await until(`${name} is gone`, () => !all.some(alive));        /* the last one closes the socket */
			}
	}
	/* `run` continues and restarts what is missing; the relay is started as by cron. */
	async up() {
		if (!this.held) return;
		this.kill(this.process.pid, 'SIGCONT');
		this.held = false;
		await until('all programs are ready again', async () => {
			for (const prefix of Object.values(programs))
				if ((await ask(this.base, 'GET', `${prefix}/readyz`).catch(() => ({}))).status !== 200) return false;
			return true;
		}, { limit_ms: 30000, every_ms: 100 });
		if (!this.services().relay.some(alive)) this.cron();
	}
	/* A call of another program to the internal socket: run once, as CGI. */
	async internal(program, address, json) {
		const body = JSON.stringify(json);
		const env = { ...this.env, MOTORPOOL_VAR: this.var, MOTORPOOL_INTERNAL: '1', REQUEST_METHOD: 'POST', SCRIPT_NAME: address, PATH_INFO: '', QUERY_STRING: '',
			REMOTE_ADDR: '127.0.0.1', HTTP_HOST: 'localhost', HTTP_ACCEPT: 'application/json', CONTENT_TYPE: 'application/json', CONTENT_LENGTH: String(Buffer.byteLength(body)) };
		const asked = run_file(`${this.home}/bin/${program}`, { env });
		asked.child.stdin.end(body);
		const { stdout } = await asked;
		return JSON.parse(stdout.slice(stdout.indexOf('\r\n\r\n') + 4));
	}
	/* The line in /etc/cron.d that runs every minute. */
	cron() {
		const env = { ...this.env };
		for (const [, name, value] of fs.readFileSync(`${this.var}/run/env`, 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)) env[name] = value;
		const out = fs.openSync(`${this.var}/log/relay.log`, 'a');
		(this.relays ??= []).push(spawn(`${build}/bin/relay`, [this.var], { env, stdio: ['ignore', out, out], detached: true }));
	}

	/* --- the end --- */
	allow(...patterns) { this.allowed.push(...patterns); }
	/* Waits until all events are handled and no booking is in progress: until then the read models differ. */
	async check() {
		await until('motorpool check finds nothing', async () => (await this.command('check')).status === 0, { limit_ms: 30000, every_ms: 500 }).catch(() => 0);
		const { status, out, err } = await this.command('check');
		if (status !== 0) throw new Error(`motorpool check found something (${status}):\n${out}${err}`);
		return out;
	}
	/* Errors and sanitizer reports in any log, except those the test has allowed. (lighttpd's lines repeat those of the programs.) */
	findings() {
		const finds = [];
		for (const file of fs.readdirSync(this.var))
			if (file.startsWith('sanitizer')) finds.push(`${file}:\n${fs.readFileSync(path.join(this.var, file), 'utf8').slice(0, 4000)}`);
		const logs = path.join(this.var, 'log');
		for (const file of fs.existsSync(logs) ? fs.readdirSync(logs) : [])
			for (const line of fs.readFileSync(path.join(logs, file), 'utf8').split('\n'))
				if (!line.includes('"what":"access"') && /"level":"error"|"status":500|runtime error:|ERROR: \w+Sanitizer|DEADLYSIGNAL/.test(line) && !this.allowed.some(pattern => pattern.test(line)))
					finds.push(`${file}: ${line}`);
		return finds;
	}
	async stop() {
		if (this.stopped) return;
		this.stopped = true;
		const problems = [];
		if (this.held) { this.kill(this.process.pid, 'SIGCONT'); this.held = false; }
		this.kill(this.process.pid, 'SIGTERM');
		for (const relay of this.relays ?? []) this.kill(-relay.pid, 'SIGTERM');
		const limit_ms = patient(25000), late = `not ended after ${limit_ms / 1000} s`;
		const end = await Promise.race([this.ended, sleep(limit_ms).then(() => late)]);
		if (end !== 0) problems.push(`motorpool run ended with ${end}`);
		if (end === late) this.kill(this.process.pid);
		const left = processes_of(this.var);
		if (left.length) problems.push(`still running after the end: ${left.map(([pid, command]) => `${pid} ${command}`).join(', ')}`);
		for (const [pid] of left) this.kill(pid);
		problems.push(...this.findings());
		if (problems.length || n_failed()) this.keep_logs();
		if (process.env.KEEP) console.log(`#   the state folder is kept: ${this.var}`);
		else fs.rmSync(this.var, { recursive: true, force: true });
		if (problems.length) throw new Error(problems.slice(0, 20).join('\n'));
	}
	keep_logs() {
		const to = path.join(build, 'test-logs', this.name, 'server');
		fs.rmSync(to, { recursive: true, force: true });
		fs.mkdirSync(to, { recursive: true });
		for (const file of fs.readdirSync(this.var))
			if (/^(run\.out|sanitizer.*|log|.*\.db)$/.test(file)) fs.cpSync(path.join(this.var, file), path.join(to, file), { recursive: true });
		console.log(`#   the server's logs: ${path.relative(root, to)}`);
	}
}

function alive(pid) {
	try { return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; }
}

function processes_of(folder) {
	return fs.readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && +pid !== process.pid).map(pid => {
		try { return [+pid, fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()]; } catch { return [0, '']; }
	}).filter(([pid, command]) => pid && command.includes(folder) && alive(pid));
}

/* --- times as in a form --- */
/* The day after `days` days at `hour`:00 in the branches' time zone: "2027-01-31T10:00". */
export function at(days, hour = 10, minute = 0) {
	const d = new Date(Date.now() + 9 * 3600e3 + days * 86400e3);
	return `${d.toISOString().slice(0, 10)}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}
let plates = 0;
/* A new car with a unique plate. */
export const new_car = (more = {}) => ({
	plate: `12가 ${String(1000 + plates++)}`, name: 'Ioniq 5', body: 'ev', seats: 5, fuel: 'electric', gearbox: 'automatic',
	daily_price: 90000, hourly_price: 9000, ...more,
});
