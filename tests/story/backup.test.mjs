/*
 * backup.test.mjs - a backup made while people book is restored on another machine: accounts can sign in, every booking that was
 * acknowledged before the backup is there, the books balance, and new bookings work. An interrupted backup leaves no partial file, and
 * a restore is refused while programs run. Refused files: tests/page/backup.sh.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, at_end, finish, sleep, test, until } from './check.mjs';
import { Stack, at, build, new_car, root } from './stack.mjs';

const stack = await Stack.start({ name: 'story-backup' });
const to = fs.mkdtempSync(path.join(os.tmpdir(), 'motorpool-backups-'));
at_end(async () => fs.rmSync(to, { recursive: true, force: true }));
const first = path.join(to, 'first.tar');
const manager = await stack.person('Manager', 'manager');
const anna = await stack.payer('Anna');
const people = await Promise.all(['Ben', 'Carol', 'Dave'].map(name => stack.payer(name)));
const cars = [];
for (let i = 0; i < 4; i++) cars.push((await manager.post('/fleet/cars', new_car())).json.car_id);
const confirmed = (who, code) => until(`${code} is CONFIRMED`, async () => (await who.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
const proof = async () => JSON.parse((await stack.sql("SELECT payload FROM event WHERE type = 'ops.rehearsed' ORDER BY event_id DESC LIMIT 1"))[0][0]);
let day = 3;

/* Customers book and cancel until stopped; the acknowledged codes. */
function crowd() {
	const promised = [], refused = [];
	let going = true;
	const ends = people.map(async (who, n) => {
		for (let i = 0; going; i++) {
			const days = day++;
			const answer = await who.post('/bookings', { car_id: cars[n], starts_at: at(days % 300), ends_at: at(days % 300, 20), card_id: who.card_id });
			if (answer.status !== 201) { refused.push(`${answer.status} ${answer.text}`); continue; }
			promised.push({ code: answer.json.code, at: Date.now() });
			if (promised.length % 2 || i > 6) await who.post(`/bookings/${answer.json.code}/cancel`);
		}
	});
	return { promised, refused, stop: () => { going = false; return Promise.all(ends); } };
}

const { json: hers } = await anna.post('/bookings', { car_id: cars[3], starts_at: at(100), ends_at: at(100, 20), card_id: anna.card_id });
await confirmed(anna, hers.code);
let before;

await test('a backup is made while people book, and no booking is refused', async () => {
	const load = crowd();
	await until('some have booked', () => load.promised.length > 5);
	before = load.promised.map(p => p.code);
	await stack.must('backup', first);
	const during = load.promised.length - before.length;
	await load.stop();
	assert.deepEqual(load.refused.filter(text => !/^(409|503)/.test(text)), []);
	assert.equal((fs.statSync(first).mode & 0o777).toString(8), '600');
	console.log(`#   ${before.length} bookings before, ${during} while it was made`);
});

await test('a rehearsal while people book: restored, checked, caught up with later events, and equal row by row', async () => {
	const load = crowd();
	for (const args of [[first], []]) {
		const { status, out, err } = await stack.command('rehearse', ...args);
		assert.equal(status, 0, out + err);
		assert.match(out, /the backup can be restored: \d+ bookings/);
	}
	await load.stop();
	const { ok, failures, n_bookings } = await proof();
	assert.deepEqual([ok, failures, n_bookings > 5], [true, 0, true]);
});

await test('a read model with an event that never happened fails the rehearsal, and the report says so', async () => {
	await stack.down('relay');
	const view = path.join(stack.var, 'view.db');
	const sqlite = spawn('sqlite3', ['-cmd', '.timeout 60000', '-cmd', 'PRAGMA wal_autocheckpoint = 0', view, `UPDATE my_booking SET amount = amount + 1 WHERE code = '${hers.code}'`], { stdio: ['ignore', 'ignore', 'inherit'] });
	assert.equal(await new Promise(done => sqlite.on('exit', done)), 0);
	const { status, err } = await stack.command('rehearse', first);
	assert.equal(status, 1);
	assert.match(err, new RegExp(`my_booking ${hers.code}`));
	const { ok, failures, said } = await proof();
	assert.deepEqual([ok, failures], [false, 1], said);
	await stack.must('replay');
	await stack.up();
});

await test('killed at any moment, a backup leaves either no file or a complete one; the next backup cleans up and is complete', async () => {
	const file = path.join(to, 'killed.tar');
	const env = { ...stack.env, ASAN_OPTIONS: `${stack.env.ASAN_OPTIONS}:detect_leaks=0` };        /* the leak check is meaningless in a killed process */
	let n = 0;
	for (let ms = 0; ms < 400 && n < 12; ms += 30) {
		const child = spawn(`${build}/motorpool`, ['backup', file, '--var', stack.var], { env, cwd: root, stdio: 'ignore', detached: true });
		const ended = new Promise(done => child.on('exit', code => done(code)));
		await sleep(ms);
		child.kill('SIGKILL');
		const status = await ended;
		if (fs.existsSync(file)) {              /* it had finished before the kill */
			await stack.must('rehearse', file);
			fs.rmSync(file);
		}
		if (status === 0) break;
		n++;
	}
	assert.ok(n > 0);
	await stack.must('backup', file);
	assert.deepEqual(fs.readdirSync(to).sort(), ['first.tar', 'killed.tar']);
	const { status, out, err } = await stack.command('rehearse', file);
	assert.equal(status, 0, out + err);
	console.log(`#   ${n} killed`);
});

await test('a restore while programs run changes nothing', async () => {
	const inode = fs.statSync(path.join(stack.var, 'motorpool.db')).ino;
	const { status, err } = await stack.command('restore', first, '--replace');
	assert.equal(status, 1);
	assert.match(err, /nothing was changed: motorpool is running on this state directory/);
	assert.equal(fs.statSync(path.join(stack.var, 'motorpool.db')).ino, inode);
	assert.equal((await anna.get(`/bookings/${hers.code}`)).status, 200);
});

/* --- another machine --------------------------------------------------------------------------------------------------------- */

const other = await Stack.start({
	name: 'story-restored',
	before: async stack => console.log(`#   ${(await stack.must('restore', first)).trim()}`),
});

await test('on another machine everything acknowledged before the backup is there, and every invariant holds', async () => {
	const codes = new Set((await other.sql('SELECT code FROM booking')).map(([code]) => code));
	assert.deepEqual(before.filter(code => !codes.has(code)), []);
	/* sagas that were in progress at the backup are finished by the sweeps */
	await other.check();
});
await test('a customer signs in with the same password, sees the booking in my page, and the open session is still valid', async () => {
	const browser = other.browser();
	assert.equal((await browser.sign_in(anna.email, anna.password)).status, 303);
	const page = await until('the read models are there', async () => {
		const answer = await browser.get(`/my/bookings/${hers.code}`);
		return answer.status === 200 && answer;
	});
	assert.match(page.text, new RegExp(hers.code));
	assert.equal((await other.program(anna.token).get(`/bookings/${hers.code}`)).json.state, 'CONFIRMED', 'her token too');
});
await test('… books again with the saved card, and cancels the old booking: the provider makes the refund', async () => {
	const her = other.program(anna.token);
	const answer = await her.post('/bookings', { car_id: cars[3], starts_at: at(150), ends_at: at(151), card_id: anna.card_id });
	assert.equal(answer.status, 201, answer.text);
	await confirmed(her, answer.json.code);
	assert.equal((await her.post(`/bookings/${hers.code}/cancel`)).status, 200);
	assert.equal(await other.money_kept(hers.code), 0);
});
await test('a car booked before the backup is booked after the restore', async () => {
	const answer = await other.program(people[0].token).post('/bookings', { car_id: cars[3], starts_at: at(150), ends_at: at(151), card_id: people[0].card_id });
	assert.equal(answer.status, 409, answer.text);
});
await finish();
