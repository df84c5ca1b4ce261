/*
 * user.test.mjs - started by root on the state folder of another user: every process runs as that user and cannot regain privileges,
 * and everything works.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { assert, finish, test, until } from './check.mjs';
import { Stack, at, build, new_car, programs } from './stack.mjs';

const NOBODY = 65534, is_root = process.getuid() === 0;
const sanitized = /libasan/.test(execFileSync('ldd', [`${build}/bin/booking`], { encoding: 'utf8' }));
const stack = await Stack.start({ name: 'story-user', before: stack => is_root && fs.chownSync(stack.var, NOBODY, NOBODY) });
const me = is_root ? NOBODY : process.getuid();
const of = (pid, what) => new RegExp(`^${what}:\\s*(.*)$`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1].trim();
const workers = () => Object.keys(programs).flatMap(name => stack.workers(name));

await test('lighttpd, the parents, their workers and the relay run as the owner of the state folder, with no id or group of root', async () => {
	const { relay, ...services } = stack.services();
	const pids = [...Object.values(services), ...relay, ...workers()];
	assert.ok(pids.length > 15, `${pids.length}`);
	for (const pid of pids) {
		assert.equal(of(pid, 'Uid'), Array(4).fill(me).join('\t'), fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
		if (is_root) assert.equal(of(pid, 'Groups').split(' ').includes('0'), false);
		if (is_root) assert.equal(of(pid, 'CapEff'), '0000000000000000');
	}
});
await test('no worker can gain privileges, and each is jailed where the build allows it', async () => {
	for (const pid of workers()) {
		assert.equal(of(pid, 'NoNewPrivs'), '1');
		assert.equal(of(pid, 'Seccomp'), sanitized ? '0' : '2');
	}
});
await test('a car with a photo is registered, booked, paid and confirmed all the same', async () => {
	const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');
	const { json: { car_id } } = await manager.post('/fleet/cars', new_car());
	const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');
	const form = Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'), png, Buffer.from('\r\n--b--\r\n')]);
	const photo = await manager.ask('POST', `/fleet/cars/${car_id}/photo`, form, { 'Content-Type': 'multipart/form-data; boundary=b' });
	assert.ok([200, 201, 303].includes(photo.status), `${photo.status} ${photo.text}`);
	const [name] = fs.readdirSync(`${stack.var}/photos`).filter(each => each.endsWith('.jpg'));
	assert.ok(name, 'the picture was drawn');
	const answer = await anna.post('/bookings', { car_id, starts_at: at(3), ends_at: at(4), card_id: anna.card_id });
	assert.equal(answer.status, 201, answer.text);
	await until('it is CONFIRMED', async () => (await anna.get(`/bookings/${answer.json.code}`)).json.state === 'CONFIRMED');
	await stack.check();
});
await finish();
