/*
 * logs.test.mjs - the logs after all kinds of requests: every line is one JSON object, no line has a secret or text that a user
 * entered, and one booking can be followed through all programs by `motorpool trace`.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { assert, finish, sleep, test, until } from './check.mjs';
import { Stack, at, new_car, programs } from './stack.mjs';

const stack = await Stack.start({ name: 'story-logs' });
const folder = path.join(stack.var, 'log');
const logs = () => Object.fromEntries(fs.readdirSync(folder).map(file => [file, fs.readFileSync(path.join(folder, file), 'utf8')]));
const lines_of = text => text.split('\n').filter(Boolean);
const all_lines = () => Object.values(logs()).flatMap(lines_of).map(line => JSON.parse(line));

/* --- the two checkers ---------------------------------------------------------------------------------------------------- */

/* A secret, in every encoding that a log might use. */
const secrets = new Map();
const secret = (what, value) => { if (value && value.length >= 3) secrets.set(String(value), what); return value; };
function leaks(text) {
	const found = [], low = text.toLowerCase();
	for (const [value, what] of secrets)
		for (const form of new Set([value, encodeURIComponent(value), encodeURIComponent(value).replaceAll('%20', '+'), JSON.stringify(value).slice(1, -1)]))
			if (low.includes(form.toLowerCase())) found.push(`${what} (${form})`);
	return found;
}
/* Lines that are not one JSON object with time, program, level and event. */
function unreadable(text) {
	return lines_of(text).filter(line => {
		try {
			const o = JSON.parse(line);
			return !((/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(o.at) || Number.isInteger(o.at_us)) && o.program && o.level && o.what);
		} catch { return true; }
	}).concat(text && !text.endsWith('\n') ? ['a last line without an end'] : []);
}

/* --- people ---------------------------------------------------------------------------------------------------------------- */

/* The hidden fields of the page's own form; the language switch is in another. */
const hidden = text => Object.fromEntries([.../<main[^]*<\/main>/.exec(text)[0].matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
	.map(([, name, value]) => [name, value.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')]));
const main_of = answer => (/<main[^]*<\/main>/.exec(answer.text)?.[0] ?? answer.text).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(0, 400);
const local = url => url.replace(/^https?:\/\/[^/]+/, '');
/* Enters a card on the provider's page at an address, and returns the answer of our page. */
async function types_card(browser, address, card) {
	const page = await browser.get(local(address));
	assert.equal(page.status, 200, main_of(page));
	const sent = await browser.post(local(address).split('?')[0], { ...hidden(page.text), ...card });
	assert.equal(sent.status, 303, main_of(sent));
	secret('what came back from the card page', new URL(sent.headers.location, stack.base).searchParams.get('authKey') ?? '');
	secret('what came back from the card page', new URL(sent.headers.location, stack.base).searchParams.get('paymentKey') ?? '');
	return browser.get(local(sent.headers.location));
}

const who = {
	name: secret('a name', 'Wilhelmina Ostrovskaya'), email: secret('an e-mail', 'wilhelmina.o@example.org'),
	phone: secret('a phone', '010-7391-4482'), password: secret('a password', 'purple giraffe under 71 bridges'),
};
const card = { number: secret('a card number', '4242424242424242'), expiry: '12/34', cvc: '739' };
secret('a card number with blanks', '4242 4242 4242 4242');
const browser = stack.browser();
const manager = await stack.person('Manager', 'manager');
for (const [what, value] of Object.entries({ 'a token': manager.token, 'an e-mail': manager.email, 'a password': manager.password })) secret(what, value);
const car = (await manager.post('/fleet/cars', new_car())).json;
let code;

await test('a customer signs up, signs in with a wrong and with the right password, and changes the account', async () => {
	await browser.get('/account/sign-up');
	let answer = await browser.post('/account/sign-up', { ...who, password: 'x' });
	assert.equal(answer.status, 422, main_of(answer));
	answer = await browser.post('/account/sign-up', who);
	assert.equal(answer.status, 202, main_of(answer));
	secret('the token of a link', (await stack.mailed_link(who.email)).split('token=')[1]);
	answer = await browser.follow_link(answer);
	assert.equal(answer.status, 303, main_of(answer));
	for (const value of Object.values(browser.cookies)) secret('a cookie', value);
	const other = stack.browser();
	assert.notEqual((await other.sign_in(who.email, secret('a wrong password', 'purple giraffe under 72 bridges'))).status, 303);
	assert.equal((await other.sign_in(who.email, who.password)).status, 303);
	for (const value of Object.values(other.cookies)) secret('a cookie', value);
	secret('a form token', other.csrf);
});
await test('the customer books with a card entered on the card company\'s page, and cancels', async () => {
	await browser.get(`/cars/${car.car_id}`);
	secret('a form token', browser.csrf);
	await browser.get(`/bookings/new?car_id=${car.car_id}&starts_at=${at(3)}&ends_at=${at(4)}`);
	const booked = await browser.post('/bookings', { car_id: car.car_id, starts_at: at(3), ends_at: at(4), card_id: 'new', form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });
	assert.equal(booked.status, 303, main_of(booked));
	const paid = await types_card(browser, booked.headers.location, card);
	assert.equal(paid.status, 303, main_of(paid));
	code = /MP-[0-9A-Z]+/.exec(paid.headers.location)[0];
	await until('it is confirmed', async () => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0] === 'CONFIRMED');
	await browser.get(`/bookings/${code}/cancel`);
	assert.equal((await browser.post(`/bookings/${code}/cancel`)).status, 303);
	await until('it is over', async () => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0] === 'CANCELLED');
});
await test('the customer saves a card, and pays with it', async () => {
	await browser.get('/payments/cards');
	const page = await browser.post('/payments/cards/new');
	assert.equal(page.status, 303, main_of(page));
	assert.equal((await types_card(browser, page.headers.location, card)).status, 303);
	const [[card_id]] = await stack.sql('SELECT card_id FROM card');
	await browser.get(`/bookings/new?car_id=${car.car_id}&starts_at=${at(6)}&ends_at=${at(7)}`);
	const booked = await browser.post('/bookings', { car_id: car.car_id, starts_at: at(6), ends_at: at(7), card_id, form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });
	assert.equal(booked.status, 303, main_of(booked));
	for (const [key] of await stack.sql('SELECT billing_key FROM card')) secret('the key of a saved card', key);
	for (const [key] of await stack.sql("SELECT payment_key FROM charge WHERE payment_key <> ''")) secret('the key of a payment', key);
	for (const [key] of await stack.sql('SELECT customer_key FROM payer')) secret('the card company\'s name for her', key);
	secret('the merchant\'s key', fs.readFileSync(`${stack.var}/payment.key`, 'utf8').trim());
});
await test('the customer makes every kind of mistake: unknown pages, with personal data in the address', async () => {
	const asked = [
		`/bookings/${who.email}`, `/account/${encodeURIComponent(who.name)}`, `/cars/${card.number}`, `/my/bookings/${who.phone}`, `/${who.password.replaceAll(' ', '%20')}`,
		`/account/sign-in?next=${encodeURIComponent(`/?email=${who.email}`)}`, `/cars?q=${encodeURIComponent(who.name)}`, `/static/${who.email}`,
		`/photos/${who.email}.jpg`, `/healthz?token=${manager.token}`, `/bookings/${code}?token=${manager.token}`, '/bookings/MP-00000000',
	];
	for (const address of asked) await browser.get(address);
	for (const address of ['/payments/cards', '/bookings', '/account/sign-in']) await browser.send(address, `{"${who.email}":`, { 'Content-Type': 'application/json' });
	await browser.post(`/bookings/${code}/cancel`, { csrf: secret('a forged token', 'forged-token-of-no-session'), reason: who.name });
	await stack.program(secret('a token that is none', 'mp_not-a-token-but-secret-all-the-same')).get('/my/bookings');
});

/* --- attacks ------------------------------------------------------------------------------------------------------------------ */

/* Sent as raw bytes: client libraries refuse such requests. */
const raw = bytes => new Promise(done => {
	const socket = net.connect(stack.port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
	socket.setTimeout(500, () => socket.destroy());
	socket.on('error', () => {}).on('close', done).resume();
});
const forged = '"}\n{"at":"2000-01-01T00:00:00.000000Z","level":"error","program":"forged","what":"forged","text":"';
await test('no request can write a line of its own into the logs: not by path, header, method or body', async () => {
	const odd = ['\r\n', '\n', '\t', '\x00', '\x01', '\x1b[31m', '\x7f', '\xff\xfe', '\xc2\x9b31m', '"', '\\', '\\u000a', '%0a', '%0d%0a', '%22%7d%0a%7b', '%1b%5b31m', '%ff', '%00'];
	const headers = ['Host', 'User-Agent', 'Referer', 'Accept', 'Accept-Language', 'Cookie', 'Authorization', 'X-Request-Id', 'X-Forwarded-For', 'X-Forwarded-Proto',
		'Content-Type', 'Idempotency-Key', 'X-CSRF-Token', 'Sec-Fetch-Site', 'Origin', 'If-None-Match', 'Range', 'Traceparent'];
	for (const s of [...odd, encodeURIComponent(forged), forged.replaceAll('\n', '')]) {
		await raw(`GET /cars/a${s}b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
		await raw(`GET /account/sign-in?x=${s} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
		await raw(`G${s}T / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
		await raw(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.filter(name => name !== 'Host').map(name => `${name}: forged${s}forged`).join('\r\n')}\r\n\r\n`);
	}
	for (const header of headers)
		for (const s of [forged, forged.replaceAll('\n', '\n '), forged.replaceAll('\n', '')])
			await raw(`GET /account/sign-in HTTP/1.1\r\n${header === 'Host' ? '' : 'Host: x\r\n'}${header}: ${s}\r\nConnection: close\r\n\r\n`);
	await stack.program().post('/account/sign-in', { email: forged, password: forged });
	assert.equal((await stack.program().get('/healthz')).status, 200);
});
await test('a program that is down: lighttpd logs it without the requested address', async () => {
	await stack.down('fleet');
	for (let i = 0; i < 3; i++) await browser.get(`/fleet/cars?token=${manager.token}&email=${who.email}`);
	await stack.up();
	await until('lighttpd has logged it', () => /all handlers for /.test(logs()['lighttpd.log']));
});

/* --- the logs --------------------------------------------------------------------------------------------------------------- */

await sleep(5000);      /* lighttpd writes its lines every four seconds */
await test('every line of every log is one JSON object with a time, a level, a program and an event', () => {
	const found = logs();
	for (const name of ['access.log', 'lighttpd.log', 'relay.log', ...Object.keys(programs).map(name => `${name}.log`)]) assert.ok(found[name]?.length > 0, `${name} is empty`);
	for (const [file, text] of Object.entries(found)) assert.deepEqual(unreadable(text), [], file);
	assert.equal(all_lines().filter(line => line.program === 'forged' || line.what === 'forged').length, 0);
	for (const [file, text] of Object.entries(found)) assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, file);
});
await test(`none of the ${secrets.size} names, passwords, cards, tokens and keys is in any log`, () => {
	assert.ok(secrets.size >= 20, [...secrets.values()].join());
	for (const [file, text] of Object.entries(logs())) assert.deepEqual(leaks(text), [], file);
});
await test('the two checks can fail', () => {
	const line = '{"at":"2026-11-21T05:00:00.123456Z","level":"info","program":"x","what":"y","text":"';
	assert.deepEqual(unreadable(`${line}"}\n`), []);
	for (const bad of [`${line}\n`, `${line}"}`, `${line}\x01"}\n`, '2026-11-21 10:00:00: lighttpd\n', '{"at":"now","level":"info","program":"x","what":"y"}\n'])
		assert.notDeepEqual(unreadable(bad), [], bad);
	for (const said of [who.email, encodeURIComponent(who.email), who.name.toUpperCase(), who.password.replaceAll(' ', '+'), `/fleet?token=${manager.token}`])
		assert.notDeepEqual(leaks(`${line}${said}"}\n`), [], said);
});
await test('one request has one id: in the answer, and in the logs of lighttpd, the program, payment and the sandbox', async () => {
	const answer = await browser.get(`/bookings/${code}`);
	const id = answer.headers['x-request-id'];
	assert.match(id, /^[\w-]{16}$/);
	await until('the log line, which is written after the answer', () =>
		all_lines().some(line => line.request === id && line.program === 'booking' && line.subject === code && line.status === 200));
	const event = all_lines().find(line => line.what === 'event' && line.subject === code && line.type === 'payment.approved');
	const same = new Set(all_lines().filter(line => line.request === event.request).map(line => line.program));
	for (const program of ['lighttpd', 'booking', 'payment', 'sandbox']) assert.ok(same.has(program), `${program} is not among ${[...same]}`);
});
await test('every event is one log line, and every handled event another', async () => {
	const lines = all_lines(), events = await stack.sql('SELECT event_id, type, subject_id, causation_id FROM event ORDER BY event_id');
	assert.ok(events.length >= 12);
	for (const [event_id, type, subject, causation_id] of events) {
		const of_it = lines.filter(line => line.what === 'event' && line.event_id === +event_id);
		assert.equal(of_it.length, 1, `event ${event_id}`);
		assert.deepEqual([of_it[0].type, of_it[0].subject, of_it[0].causation_id], [type, subject, +causation_id]);
		const consumer = type === 'account.link_requested' ? 'message' : 'mypage';     /* mypage is about bookings */
		assert.equal(lines.filter(line => line.what === 'handled' && line.consumer === consumer && line.event_id === +event_id).length, 1, `${consumer}, event ${event_id}`);
	}
});

/* --- motorpool trace ---------------------------------------------------------------------------------------------------------- */

await test('trace shows one booking through all programs, in order of time', async () => {
	const { now, steps, subject } = JSON.parse(await stack.must('trace', code.toLowerCase(), '--json'));
	assert.equal(subject, code);
	assert.deepEqual(steps.map(step => step.at), steps.map(step => step.at).sort());
	for (const program of ['lighttpd', 'booking', 'payment', 'sandbox', 'relay.fleet', 'relay.booking', 'relay.mypage'])
		assert.ok(steps.some(step => step.program === program), `${program} is missing`);
	const types = steps.filter(step => step.what === 'event').map(step => step.text.split(' ')[2]);
	for (const type of ['booking.held', 'payment.approved', 'booking.paid', 'car.reserved', 'booking.confirmed', 'booking.cancel_requested', 'payment.cancelled', 'booking.cancelled'])
		assert.equal(types.filter(t => t === type).length, 1, `${type} in ${types}`);
	assert.ok(types.indexOf('booking.paid') < types.indexOf('car.reserved') && types.indexOf('car.reserved') < types.indexOf('booking.confirmed'), types.join());
	assert.ok(steps.find(step => step.text.includes('car.reserved') && step.what === 'event').causation_id > 0);
	assert.deepEqual(now.filter(row => ['booking', 'charge', 'slot'].includes(row.what)).map(row => row.state), ['CANCELLED', 'RELEASED', 'CANCELLED']);
	assert.ok(steps.every(step => !step.text.includes('undefined')));
	const people = await stack.must('trace', code);
	assert.match(people, new RegExp(`^${code}\n  booking +\\d+ +CANCELLED`));
	assert.match(people, /KST\n/);
	assert.match(people, /asked payment \/internal\/charge → 200|GET \/bookings\/.*\/paid → 303/);
	assert.deepEqual(leaks(people + JSON.stringify(steps)), []);
});
await test('trace works without logs, and reads them from another folder', async () => {
	const elsewhere = path.join(stack.var, 'elsewhere');
	fs.mkdirSync(elsewhere);
	for (const file of fs.readdirSync(folder)) fs.copyFileSync(path.join(folder, file), path.join(elsewhere, file));
	fs.renameSync(folder, `${folder}.away`);
	try {
		const bare = JSON.parse(await stack.must('trace', code, '--json'));
		assert.ok(bare.steps.length >= 8 && bare.steps.every(step => step.what === 'event'), JSON.stringify(bare.steps));
		assert.deepEqual(bare.steps.map(step => step.event_id), bare.steps.map(step => step.event_id).sort((a, b) => a - b));
		fs.writeFileSync(path.join(elsewhere, 'noise'), `not JSON\n${'x'.repeat(20000)}\n{"subject":"${code}"}\n{"subject":"${code}","at":"yesterday","program":"x","what":"y"}\n\xff\n`);
		const full = JSON.parse(await stack.must('trace', code, '--json', ...fs.readdirSync(elsewhere).map(file => path.join(elsewhere, file))));
		assert.ok(full.steps.length > 2 * bare.steps.length, `${full.steps.length} steps`);
	} finally {
		fs.renameSync(`${folder}.away`, folder);
	}
});
await test('trace of an unknown subject says so and ends with 1', async () => {
	const { status, err } = await stack.command('trace', 'MP-NEVERWAS');
	assert.equal(status, 1);
	assert.match(err, /nothing found for MP-NEVERWAS: no booking, no event and no line in \d+ logs/);
	assert.equal((await stack.command('trace', "x' OR 1=1")).status, 1);
	assert.equal((await stack.command('trace')).status, 2);
	assert.match((await stack.command('trace', code, '/nowhere/at/all.log')).err, /all\.log: No such file/);
});

await finish();
