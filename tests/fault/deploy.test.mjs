/*
 * deploy.test.mjs - FX-15: every program is redeployed repeatedly while people search, read and book; then builds that are broken in
 * various ways are deployed and rolled back. No request fails.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ask } from '../story/client.mjs';
import { assert, at_end, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, build, new_car, programs, root } from '../story/stack.mjs';
import { figure, is_long, load, percentile, span } from './fault.mjs';

/* --- an installation with releases, as `make install` makes them --- */
const house = fs.mkdtempSync(path.join(os.tmpdir(), 'motorpool-house-'));
at_end(async () => fs.rmSync(house, { recursive: true, force: true }));
const release = name => path.join(house, 'releases', name);
function put(from, to) {
	fs.mkdirSync(path.dirname(to), { recursive: true });
	try { fs.linkSync(from, to); } catch { fs.copyFileSync(from, to); fs.chmodSync(to, 0o755); }
}
function make_release(name) {
	const to = release(name);
	fs.rmSync(to, { recursive: true, force: true });
	for (const file of fs.readdirSync(`${build}/bin`)) put(`${build}/bin/${file}`, `${to}/bin/${file}`);
	put(`${build}/motorpool`, `${to}/motorpool`);
	for (const file of ['motorpool.conf', 'lighttpd.conf']) fs.copyFileSync(`${root}/${file}`, `${to}/${file}`);
	for (const dir of ['templates', 'static', 'db', 'deploy']) fs.cpSync(`${root}/${dir}`, `${to}/${dir}`, { recursive: true });
	fs.cpSync(`${build}/locale`, `${to}/locale`, { recursive: true });
	return to;
}
/* Releases may share files by hard links, so a changed file is written as a new one. */
function change(name, file, text, mode = 0o755) {
	fs.rmSync(`${release(name)}/${file}`);
	fs.writeFileSync(`${release(name)}/${file}`, text, { mode });
}
make_release('1.0.0');
make_release('1.1.0');
fs.symlinkSync('releases/1.0.0', `${house}/current`);
const current = () => fs.readlinkSync(`${house}/current`);

const stack = await Stack.start({ name: 'fault-deploy', home: `${house}/current`, env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
stack.allow(/"what":"parent","text":"generation \d+, from .*serves on"/, /releases\/broken\//);
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');
const cars = [];
for (let i = 0; i < 8; i++) cars.push((await manager.post('/fleet/cars', new_car())).json.car_id);

/* --- people --- */
const when = `from=${at(300)}&to=${at(301)}`;
const paths = [`/cars?${when}`, `/cars/${cars[0]}?${when}`, '/account/sign-in', '/sandbox', '/', '/account/healthz', '/payments/readyz'];
const looks = [
	...paths.map(path => () => ask(stack.base, 'GET', path, { headers: { Accept: 'text/html' } })),
	() => anna.get('/my/bookings'), () => anna.get('/payments/cards'), () => manager.get('/fleet/cars'), () => manager.get('/view/cars'),
];
let n = 0;
const one = async i => {
	if (i % 20 === 0) {             /* a booking, on its own car and time */
		const day = 2 + Math.floor(n / cars.length) * 2, car_id = cars[n++ % cars.length];
		return anna.post('/bookings', { car_id, starts_at: at(day), ends_at: at(day + 1), card_id: anna.card_id }, { 'Idempotency-Key': `d-${i}-${n}` });
	}
	return looks[i % looks.length]();
};
/* In the quick form, on a possibly busy machine, a booking answered with 503 is not a failure of this test. */
const is_failed = d => d.error || d.value.status >= 400 && d.value.status !== 409 && (is_long || d.value.json?.error?.code !== 'later');
const answers = done => Object.entries(Object.groupBy ? Object.groupBy(done, d => d.error?.message ?? d.value.status) : { all: done }).map(([k, v]) => `${v.length} × ${k}`).join(', ');
/* Returns the results of the load while run() was running. */
async function under_load(per_s, run) {
	let over = false, result;
	const [done] = await Promise.all([
		load({ per_s, for_s: 600, run: one, until: () => over }),
		sleep(300).then(run).then(r => { result = r; }).finally(() => { over = true; }),
	]);
	return { done, failed: done.filter(is_failed), result };
}
const deploy = (...args) => stack.command('deploy', ...args);
/* All processes run from this release. */
const exe_of = pid => { try { return fs.readlinkSync(`/proc/${pid}/exe`); } catch { return `${house}/releases/gone/`; } };
const releases_of = name => [...new Set(stack.workers(name).map(pid => path.relative(path.join(house, 'releases'), exe_of(pid)).split('/')[0]))];

const ROUNDS = span(3, 20), PER_S = span(100, 200);
await test(`every program is redeployed ${ROUNDS} times at ${PER_S} requests a second: none fails`, async () => {
	const { done, failed } = await under_load(PER_S, async () => {
		for (let i = 0; i < ROUNDS; i++) {
			const { status, out, err } = await deploy(release(i % 2 ? '1.0.0' : '1.1.0'));
			assert.equal(status, 0, out + err);
			assert.equal(current(), `releases/${i % 2 ? '1.0.0' : '1.1.0'}`);
		}
	});
	assert.deepEqual(failed.map(d => d.error?.message ?? `${d.value.status} ${d.value.text.slice(0, 200)}`), []);
	console.log(`#   ${done.length} requests, ${ROUNDS} deploys of ${Object.keys(programs).length} programs: ${answers(done)}`);
	assert.ok(done.filter(d => d.value.status === 201).length > 5, 'bookings were made meanwhile');
	figure({ experiment: 'FX-15', name: `failed of ${done.length} requests in ${ROUNDS} deploys of every program`, value: failed.length, limit: 0 });
	figure({ experiment: 'FX-15', name: 'p99 while redeploying', value: percentile(done.map(d => d.ms), 99), unit: 'ms' });
	for (const name of Object.keys(programs))
		await until(`${name} has left the old release`, () => releases_of(name).join() === path.basename(current()), { limit_ms: 17000 });
}, { limit_s: span(90, 600) });

await test('deploy --rollback returns to the previous release', async () => {
	const was = current(), before = fs.readlinkSync(`${house}/previous`);
	const { failed } = await under_load(PER_S / 2, async () => assert.equal((await deploy('--rollback')).status, 0));
	assert.equal(failed.length, 0);
	assert.deepEqual([current(), fs.readlinkSync(`${house}/previous`)], [before, was]);
});

const broken = {
	'is not a program': () => change('broken', 'bin/booking', 'not a program'),
	'ends at once': () => change('broken', 'bin/mypage', '#!/bin/sh\nexit 1\n'),
	'is killed at its start': () => change('broken', 'bin/ops', '#!/bin/sh\nkill -SEGV $$\n'),
	'has a page that cannot be understood': () => change('broken', 'templates/fleet/cars.mustache', '{{#never}} {{closed}}', 0o644),
	'has a setting that is none': () => fs.appendFileSync(`${release('broken')}/motorpool.conf`, 'no_such_setting = 1\n'),
	...is_long && { 'never says that it is ready': () => change('broken', 'bin/booking', '#!/bin/sh\nsleep 60\n') },
};
await test('a release that lacks a program is not deployed at all', async () => {
	make_release('broken');
	fs.rmSync(`${release('broken')}/bin/payment`);
	const was = current(), { status, err } = await deploy(release('broken'));
	assert.equal(status, 1);
	assert.match(err, /bin\/payment is missing/);
	assert.equal(current(), was);
	fs.rmSync(release('broken'), { recursive: true });
});
for (const [how, harm] of Object.entries(broken))
	await test(`a release with a program that ${how} is rolled back, and no request fails`, async () => {
		make_release('broken');
		harm();
		const was = current();
		const { done, failed, result: { status, out, err } } = await under_load(PER_S / 2, () => deploy(release('broken')));
		assert.equal(status, 1, out + err);
		assert.match(err, /the new workers did not become ready; the old ones keep serving/);
		assert.match(err, /rolled back: /);
		assert.equal(current(), was);
		assert.deepEqual(failed.map(d => d.error?.message ?? d.value.status), []);
		for (const name of Object.keys(programs))
			await until(`${name} runs from the same release as before`, () => releases_of(name).join() === path.basename(was), { limit_ms: 17000 });
		console.log(`#   ${done.length} requests; ${err.split('\n')[0]}`);
		fs.rmSync(release('broken'), { recursive: true });
	}, { limit_s: 60 });
await test('a release for another schema is rolled back', async () => {
	const [[version]] = await stack.sql('PRAGMA user_version');
	const sqlite = statement => promisify(execFile)('sqlite3', ['-cmd', '.timeout 60000', `${stack.var}/motorpool.db`, statement]);
	await sqlite('PRAGMA user_version = 9999');
	const { status, err } = await deploy('booking');
	await sqlite(`PRAGMA user_version = ${version}`);
	assert.equal(status, 1);
	assert.match(err, /booking: the new workers did not become ready/);
	assert.equal((await looks[0]()).status, 200);
}, { limit_s: 30 });
await test('the check can fail: stopping and starting a program instead loses requests', async () => {
	stack.allow(/"program":"lighttpd"/);
	const { failed } = await under_load(PER_S, async () => {
		stack.kill(stack.services().booking, 'SIGTERM');
		await sleep(1500);
	});
	assert.ok(failed.length > 0);
	console.log(`#   ${failed.length} lost`);
	await until('it is there again', async () => (await anna.get('/readyz')).status === 200, { limit_ms: 10000, every_ms: 100 });
	await sleep(1500);
});

/* Sometimes siege does not end when its time is over and all answers have come: then it is run once more. */
async function besiege() {
	for (let i = 0; ; i++)
		try {
			return await promisify(execFile)('siege', ['-q', '-j', '-b', '-c100', `-t${span(6, 60)}S`, '-f', `${house}/urls`],
				{ env: { ...process.env, HOME: house }, timeout: span(60, 90) * 1000, killSignal: 'SIGKILL', maxBuffer: 64 << 20 });
		} catch (e) {
			if (i === 2 || !e.killed) throw e;
			console.log('#   siege did not end, and is started again');
		}
}
await test('siege -c100 while every program is redeployed: availability 100.00 %', async () => {
	fs.writeFileSync(`${house}/urls`, paths.map(p => `${stack.base.replace('localhost', '127.0.0.1')}${p}`).join('\n'));
	let over = false;
	const deploys = (async () => {
		let count = 0;
		while (!over) { assert.equal((await deploy()).status, 0); count++; }
		return count;
	})();
	const { stdout, stderr } = await besiege();
	over = true;
	const said = JSON.parse(/\{[^]*\}/.exec(stdout + stderr)[0]), count = await deploys;
	console.log(`#   ${said.transactions} requests, ${count} deploys of every program`);
	figure({ experiment: 'FX-15', name: `availability under siege -c100 for ${span(6, 60)} s, ${count} deploys of every program`, value: said.availability, unit: '%', least: 100 });
	assert.equal(said.failed_transactions, 0);
	assert.equal(said.availability, 100);
	assert.ok(count >= 1);
}, { limit_s: span(80, 300) });
await test('after all this every invariant holds', async () => {
	await stack.check();
}, { limit_s: 60 });
await finish();
