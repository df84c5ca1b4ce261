/*
 * message_mail.test.mjs - a real mail server (npm smtp-server) that accepts a mail, accepts it later, refuses it, does not answer, hangs up
 * after the text, or is down. A failure of one mail does not delay others; each is accepted once in the end, or becomes a dead letter.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, new_car, root } from '../story/stack.mjs';
import { figure } from './fault.mjs';

const { SMTPServer } = (await import(pathToFileURL(path.join(root, 'tests/browser/node_modules/smtp-server/lib/smtp-server.js')))).default;
const PORT = 21590 + Math.floor(Math.random() * 9);

/* --- the server: the local part of the recipient's address selects its behaviour --- */
const taken = [], seen = new Map();
const nth = (to, what) => { seen.set(`${what} ${to}`, (seen.get(`${what} ${to}`) ?? 0) + 1); return seen.get(`${what} ${to}`); };
const says = (code, text) => Object.assign(new Error(text), { responseCode: code });
let server;
function serve() {
	server = new SMTPServer({
		authOptional: true, disabledCommands: ['AUTH'], logger: false, closeTimeout: 100,
		onRcptTo({ address }, session, done) {
			const n = nth(address, 'to');
			if (address.startsWith('busy') && n <= 2) return done(says(450, 'try again later'));
			if (address.startsWith('gone')) return done(says(550, 'no such user here'));
			if (address.startsWith('never')) return done(says(452, 'mailbox full'));
			if (address.startsWith('closing') && n === 1) return done(says(421, 'going down'));
			if (address.startsWith('hanging') && n === 1) return;           /* no answer */
			done();
		},
		onData(stream, session, done) {
			const parts = [], to = session.envelope.rcptTo[0].address, n = nth(to, 'data');
			stream.on('data', part => parts.push(part));
			stream.on('end', () => {
				if (to.startsWith('dropping') && n === 1) return session_socket(session)?.destroy();
				taken.push({ to, from: session.envelope.mailFrom.address, text: Buffer.concat(parts).toString('latin1'), secure: session.secure });
				done();
			});
		},
	});
	server.on('error', () => {});
	return new Promise(ready => server.listen(PORT, '127.0.0.1', ready));
}
const session_socket = session => [...server.connections].find(c => c.session === session || c.id === session.id)?._socket;
await serve();

const stack = await Stack.start({ name: 'fault-message-mail', env: {
	MOTORPOOL_MAIL_URL: `smtp://127.0.0.1:${PORT}`, MOTORPOOL_MAIL_FROM: '모터풀 <noreply@cars.example.com>', MOTORPOOL_MAIL_PAUSE_S: '1', MOTORPOOL_MAIL_TRIES: '3',
} });
const manager = await stack.person('Manager', 'manager');
const cars = await Promise.all([1, 2].map(async () => (await manager.post('/fleet/cars', new_car())).json.car_id));
let day = 3;
async function books(name) {
	const who = await stack.payer(name);
	const answer = await who.post('/bookings', { car_id: cars[0], starts_at: at(day), ends_at: at(day + 1), card_id: who.card_id });
	day += 2;
	assert.equal(answer.status, 201, answer.text);
	return { who, email: who.email, code: answer.json.code };
}
const row = async code => (await stack.sql(`SELECT message_id, state, tries FROM message WHERE subject_id = '${code}' AND kind = 'booking_confirmed'`))[0] ?? [];
const state_is = (code, state) => until(`${code} is ${state}`, async () => (await row(code))[1] === state, { limit_ms: 40000, every_ms: 50 });
const letters_to = email => taken.filter(one => one.to === email);

await test('a mail is accepted by STARTTLS, with its Korean subject encoded as ASCII', async () => {
	const { email, code } = await books('Plain');
	await state_is(code, 'SENT');
	const [letter] = letters_to(email);
	assert.equal(letters_to(email).length, 1);
	assert.equal(letter.from, 'noreply@cars.example.com');
	assert.equal(letter.secure, true, 'STARTTLS is used where it is offered');
	assert.match(letter.text, /^Subject: =\?UTF-8\?B\?/m);
	assert.match(letter.text, /^Message-ID: <message-\d+-\d+-0@cars\.example\.com>\r$/m);
	const body = Buffer.from(letter.text.split('\r\n\r\n')[1], 'base64').toString();
	assert.ok(body.includes(code) && body.includes(`${stack.base}/my/bookings/${code}`), body);
	assert.match(taken[0].text, /^[\x00-\x7e]*$/);
});
await test('a temporary refusal (450) is retried and accepted; a permanent one (550) or too many retries make a dead letter', async () => {
	const gone = await books('Gone'), never = await books('Never'), busy = await books('Busy'), fine = await books('Fine');
	await state_is(fine.code, 'SENT');              /* the failing mails do not delay it */
	await Promise.all([state_is(gone.code, 'DEAD'), state_is(busy.code, 'SENT'), state_is(never.code, 'DEAD')]);
	assert.deepEqual([await row(gone.code), await row(busy.code), await row(never.code)].map(r => r[2]), ['1', '3', '3']);
	assert.equal(letters_to(busy.email).length, 1);
	const { json } = await manager.get(`/messages/log/${(await row(gone.code))[0]}`);
	assert.match(json.tries[0].reply, /^550 no such user here/);
	assert.equal((await stack.sql(`SELECT payload ->> 'reply' FROM event WHERE type = 'message.dead'`)).length, 2);
	assert.equal((await gone.who.get('/messages')).json.n_total, 1, 'it is in the inbox in any case');
});
await test('a server that goes down, hangs or closes the connection after the text gets the same mail again, with the same Message-ID', async () => {
	const people = [await books('Closing'), await books('Hanging'), await books('Dropping')];
	for (const { code } of people) await state_is(code, 'SENT');
	for (const { email } of people) assert.equal(letters_to(email).length, 1);
	assert.ok((await stack.count('message_try', "outcome = 'NO_ANSWER'")) >= 1);
}, { limit_s: 60 });
await test('an unreachable server does not count as a try; when it is back, all mails are accepted', async () => {
	await new Promise(done => server.close(done));
	const people = [await books('One'), await books('Two'), await books('Three')];
	await until('it was tried', async () => await stack.count('message_try', "outcome = 'NO_ANSWER' AND reply LIKE '%onnect%'") >= 2, { limit_ms: 20000 });
	for (const { code } of people) assert.notEqual((await row(code))[1], 'DEAD');
	const began = performance.now();
	await serve();
	for (const { code } of people) await state_is(code, 'SENT');
	figure({ experiment: 'mail', name: 'all letters taken after the mail server is back', value: (performance.now() - began) / 1000, unit: 's', limit: 60 });
	for (const { code, email } of people) { assert.equal((await row(code))[2], '1'); assert.equal(letters_to(email).length, 1); }
}, { limit_s: 90 });
await test('a mail that a manager sends again is a new one', async () => {
	const { email, code } = await books('Again');
	await state_is(code, 'SENT');
	const [id] = await row(code);
	assert.equal((await manager.post(`/messages/${id}/resend`)).status, 200);
	await until('it was sent again', () => letters_to(email).length === 2);
	const [one, two] = letters_to(email).map(letter => /^Message-ID: (.*)$/m.exec(letter.text)[1]);
	assert.notEqual(one, two);
	await state_is(code, 'SENT');
});
await test('no mail came twice except the one that a manager sent again', () => {
	const ids = taken.map(letter => /^Message-ID: (.*)$/m.exec(letter.text)[1]);
	assert.equal(new Set(ids).size, ids.length);
});
await test('every invariant holds', () => stack.check());
await new Promise(done => { server.close(done); sleep(500).then(done); });
await finish();
