/*
 * bad_input.test.mjs - invalid input from browsers and API clients: the right status, a clear error at the right field, the form keeps
 * the input, nothing is stored, nothing is leaked, and never a 500. First chosen cases, then nonsense in every parameter and field.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { assert, finish, test } from './check.mjs';
import { fields, routes } from './routes.mjs';
import { Stack, at, new_car } from './stack.mjs';
import { ask } from './client.mjs';

const stack = await Stack.start({ name: 'story-bad-input' });
const manager = await stack.person('Manager', 'manager');
const anna = await stack.payer('Anna'), ben = await stack.payer('Ben');
const car_id = (await manager.post('/fleet/cars', new_car())).json.car_id;
const booking = (await ben.post('/bookings', { car_id, starts_at: at(50), ends_at: at(51), card_id: ben.card_id })).json;
const customer = stack.browser(), desk = stack.browser();
await customer.sign_in(anna.email, anna.password);
await desk.sign_in(manager.email, manager.password);

const tables = ['car', 'car_model', 'branch', 'booking', 'slot', 'person', 'api_token', 'card', 'charge', 'refund', 'licence', 'event'];
const there = (await stack.sql("SELECT name FROM sqlite_schema WHERE type = 'table'")).map(([name]) => name);
/* Events of earlier requests may still arrive, so only the other tables are counted. */
const counted = tables.filter(t => there.includes(t) && t !== 'event');
const stored = async () => (await stack.sql('SELECT ' + counted.map(t => `(SELECT COUNT(*) FROM ${t})`).join(', ')))[0].join();

const LEAK = /sqlite|SQLITE|SELECT |INSERT |\.[ch]:\d+|AddressSanitizer|no such (?:table|column)|(?:\/[\w.-]+){2,}\.(?:c|db|sock)\b/;
const no_leak = answer => assert.doesNotMatch(answer.text, LEAK);

/* Sends the request and checks what all refusals have in common. */
async function refused(send, status, code, ...marked) {
	const before = await stored(), answer = await send();
	assert.equal(answer.status, status, answer.text.slice(0, 400));
	if (answer.json) {
		assert.equal(answer.json.error.code, code, answer.text);
		assert.ok(answer.json.error.message.length > 5);
		for (const field of marked) assert.ok(answer.json.error.fields?.[field], `${field} is not marked: ${answer.text}`);
	} else {
		assert.match(answer.headers['content-type'], /^text\/html/);
		for (const field of marked) assert.match(answer.text, new RegExp(`href="#f-${field}"`), `${field} is not in the error summary`);
	}
	no_leak(answer);
	assert.equal(await stored(), before, 'something was stored');
	return answer;
}
const form_of = car => Object.fromEntries(Object.entries(car).map(([k, v]) => [k, String(v)]));

/* --- times ------------------------------------------------------------------------------------------------------------------ */

const past = at(-2), good = at(3), better = at(4);
const intervals = {
	'that has passed': [past, better, 'starts_at'],
	'that ends before it starts': [better, good, 'ends_at'],
	'that ends when it starts': [good, good, 'ends_at'],
	'of 5 years': [good, at(3 + 5 * 365), 'ends_at'],
	'that starts in 5 years': [at(5 * 365), at(5 * 365 + 1), 'starts_at'],
	'from 31 February': ['2028-02-31T10:00', better, 'starts_at'],
	'in the 13th month': ['2028-13-01T10:00', better, 'starts_at'],
	'at 25 o\'clock': ['2028-01-01T25:00', better, 'starts_at'],
	'not on a half hour': [at(3, 10, 17), better, 'starts_at'],
	'that is not a time': ['tomorrow', better, 'starts_at'],
	'that is empty': ['', better, 'starts_at'],
	'in the year 99999': ['99999-01-01T10:00', better, 'starts_at'],
};
for (const [what, [a, b, field]] of Object.entries(intervals)) {
	await test(`a booking for an interval ${what} is refused, as JSON and as a form that keeps what was typed`, async () => {
		await refused(() => anna.post('/bookings', { car_id, starts_at: a, ends_at: b, card_id: anna.card_id }), 422, 'invalid', field);
		await customer.get(`/bookings/new?car_id=${car_id}`);
		const answer = await refused(() => customer.post('/bookings', { form_key: customer.form_key, car_id, starts_at: a, ends_at: b, card_id: anna.card_id }), 422, 'invalid', field);
		assert.ok(answer.text.includes(`value="${b}"`), 'the good time is kept');
		if (a && a.length === 16) assert.ok(answer.text.includes(`value="${a}"`), 'the bad one too');
	});
	await test(`a search for an interval ${what} is refused`, async () => {
		const named = field === 'starts_at' ? 'from' : 'to', query = `/cars?from=${encodeURIComponent(a)}&to=${encodeURIComponent(b)}`;
		await refused(() => stack.program().get(query), 422, 'invalid', named);
		await refused(() => stack.browser().get(query), 422, 'invalid', named);
	});
}

/* --- numbers and texts -------------------------------------------------------------------------------------------------------- */

for (const [what, more, field] of [
	['a price of −1', { daily_price: -1 }, 'daily_price'], ['a price of 10^18', { daily_price: 1000000000000000000 }, 'daily_price'],
	['a price of 0', { hourly_price: 0 }, 'hourly_price'], ['a price beyond 64 bits', { daily_price: '99999999999999999999999' }, 'daily_price'],
	['a price with a fraction', { daily_price: 1.5 }, 'daily_price'], ['a price in words', { daily_price: 'cheap' }, 'daily_price'],
	['a plate of 10 kB', { plate: '12가 '.repeat(1500) }, 'plate'], ['a name of 10 kB', { name: 'x'.repeat(10240) }, 'name'],
	['no plate', { plate: '' }, 'plate'], ['a thousand seats', { seats: 1000 }, 'seats'], ['−4 seats', { seats: -4 }, 'seats'],
	['a body there is not', { body: 'tank' }, 'body'], ['a branch there is not', { branch_id: 987654 }, 'branch_id'],
	['a branch that is a word', { branch_id: "1' OR '1'='1" }, 'branch_id'],
])
	await test(`a car with ${what} is refused at that field, as JSON and as a form that keeps the rest`, async () => {
		await refused(() => manager.post('/fleet/cars', new_car(more)), 422, 'invalid', field);
		await desk.get('/fleet/cars/new');
		const car = form_of({ ...new_car(), branch_id: '', model_id: '', ...more });
		const answer = await refused(() => desk.post('/fleet/cars', { form_key: desk.form_key, ...car }), 422, 'invalid', field);
		if (field !== 'name') assert.ok(answer.text.includes('value="Ioniq 5"'), 'the rest is kept');
	});
for (const [what, body, status, code, field] of [
	['an integer beyond 64 bits', '{"daily_price":99999999999999999999999}', 400, 'bad_json'],
	['a list where a text belongs', { plate: ['1'] }, 422, 'invalid', 'plate'],
	['an object where a number belongs', { seats: { a: 1 } }, 422, 'invalid', 'seats'],
	['a member sent twice', '{"plate":"1","plate":"2"}', 400, 'bad_json'],
	['half a JSON', '{"plate":"1', 400, 'bad_json'], ['a list', '[1,2]', 400, 'bad_json'], ['nothing', '', 422, 'invalid', 'plate'],
	['a word', 'hello', 400, 'bad_json'], ['nesting 50,000 deep', '{"a":' + '['.repeat(50000), 400, 'bad_json'],
	['a NUL in a text', '{"plate":"a\\u0000b"}', 400, 'bad_json'], ['a NUL byte', Buffer.from('{"plate":"a\0b"}'), 400, 'bad_request'],
	['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400, 'bad_request'],
	['a lone surrogate', '{"plate":"\\ud800"}', 400, 'bad_json'],
	['an unknown field', { ...new_car(), is_admin: true }, 422, 'invalid', 'is_admin'],
	['1,000 fields', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i])), 400, 'too_many_fields'],
])
	await test(`JSON that is ${what} is refused with ${status} ${code}`, async () => {
		await refused(() => manager.ask('POST', '/fleet/cars', body), status, code, ...field ? [field] : []);
	});
for (const [what, body, status, field] of [
	['a NUL', 'plate=a%00b', 400], ['bytes that are not UTF-8', 'plate=%ff%fe', 400], ['an overlong UTF-8', 'plate=%c0%af', 400],
	['a broken percent sign', 'plate=%zz', 400], ['a control character', 'plate=a%07b', 400], ['a field sent twice', 'plate=a&plate=b', 422, 'plate'],
	['an unknown field', 'plate=1&surprise=2', 422, 'surprise'], ['1,000 fields', Array.from({ length: 1000 }, (_, i) => `f${i}=1`).join('&'), 400],
])
	await test(`a form with ${what} is refused with ${status}`, async () => {
		await desk.get('/fleet/cars/new');
		await refused(() => desk.send('/fleet/cars', `csrf=${desk.csrf}&${body}`), status, 0, ...field && field !== 'surprise' ? [field] : []);
	});
await test('a body of an unsupported media type is refused with 415', async () => {
	await refused(() => manager.ask('POST', '/fleet/cars', '<car/>', { 'Content-Type': 'application/xml' }), 415, 'unsupported');
});
await test('a body of 2 MB is refused with 413, by the program', async () => {
	await refused(() => manager.ask('POST', '/fleet/cars', JSON.stringify({ plate: 'x'.repeat(2 << 20) })), 413, 'too_large');
});
await test('a body of 9 MB is refused with 413, and the next request is served', async () => {
	const file = path.join(stack.var, 'nine'), before = await stored();
	fs.writeFileSync(file, 'x'.repeat(9 << 20));
	for (const accept of ['application/json', 'text/html']) {
		const said = execFileSync('curl', ['-s', '-o', `${file}.out`, '-w', '%{http_code}', '-H', `Accept: ${accept}`, '-H', 'Expect:',
			'-H', `Authorization: Bearer ${manager.token}`, '-H', 'Content-Type: application/json', '--data-binary', `@${file}`, `http://127.0.0.1:${stack.port}/fleet/cars`]).toString();
		assert.equal(said, '413');
		const text = fs.readFileSync(`${file}.out`, 'utf8');
		if (accept.endsWith('json')) assert.equal(JSON.parse(text).error.code, 'too_large');
		assert.doesNotMatch(text, LEAK);
	}
	assert.equal(await stored(), before);
	assert.equal((await manager.get(`/fleet/cars/${car_id}`)).status, 200);
});
await test('paths with NUL, bad UTF-8 or dots, and paths that are too long, are refused', async () => {
	for (const [address, statuses] of [
		['/cars/%00', [400, 404]], ['/cars/%ff', [400, 404]], ['/cars?from=%00', [400]], ['/cars?from=%ff', [400]], ['/cars?from=%zz', [400, 422]],
		['/cars/../../../../etc/passwd', [400, 404]], ['/static/../motorpool.conf', [400, 403, 404]], ['/static/%2e%2e/motorpool.conf', [400, 403, 404]],
		['/photos/../motorpool.db', [400, 403, 404]], ['/photos/%2e%2e%2fmotorpool.db', [400, 403, 404]], ['/cars/999999999999999999999', [404]], ['/cars/-1', [404]], ['/cars/1e3', [404]],
		[`/cars?q=${'x'.repeat(9000)}`, [200, 400, 414, 422, 431]], [`/cars?${Array.from({ length: 1000 }, (_, i) => `f${i}=1`).join('&')}`, [400, 414, 431]],
	]) {
		const answer = await ask(stack.base, 'GET', address, { headers: { Accept: 'text/html' } });
		assert.ok(statuses.includes(answer.status), `${address.slice(0, 60)}: ${answer.status}`);
		no_leak(answer);
		assert.doesNotMatch(answer.text, /root:|max_bookings_per_person/);
	}
});
await test('an Idempotency-Key that is far too long or not text is refused', async () => {
	const order = { car_id, starts_at: good, ends_at: better, card_id: anna.card_id };
	await refused(() => anna.post('/bookings', order, { 'Idempotency-Key': 'x'.repeat(2000) }), 400, 'bad_request');
	await refused(() => anna.post('/bookings', order, { 'Idempotency-Key': 'x'.repeat(250) }), 422, 'invalid');
	await refused(() => anna.post('/bookings', order, { 'Idempotency-Key': 'a\x01b' }).catch(() => anna.post('/bookings', order, { 'Idempotency-Key': '\xe9' })), 400, 'bad_request');
});

/* --- who is asking -------------------------------------------------------------------------------------------------------------- */

await test('a form without a CSRF token, with a wrong one or with that of another session is refused with 403', async () => {
	await customer.get(`/bookings/new?car_id=${car_id}`);
	await desk.get('/fleet/cars');
	const order = { form_key: customer.form_key, car_id, starts_at: good, ends_at: better, card_id: anna.card_id };
	for (const csrf of [undefined, '', 'wrong', desk.csrf, customer.csrf + 'x', "' OR 1=1 --"])
		await refused(() => customer.post('/bookings', { ...order, csrf }), 403, 'csrf');
	await customer.get(`/bookings/new?car_id=${car_id}`);
	await refused(() => customer.post('/bookings', order, { 'Sec-Fetch-Site': 'cross-site' }), 403, 'csrf');
});
await test('every route that changes data refuses a browser without a CSRF token', async () => {
	const all = stack.browser(), root = await stack.person('Root', 'customer', 'manager', 'admin');
	await all.sign_in(root.email, root.password);
	for (const route of routes()) {
		if (route.method === 'GET' || route.needs.includes('NO_CSRF') || route.needs.includes('INTERNAL')) continue;
		const address = route.path.replace(/:code/, booking.code).replace(/:\w+/g, '1');
		const answer = await all.ask(route.method, address, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: '' });
		assert.equal(answer.status, 403, `${route.method} ${address}: ${answer.status}`);
	}
});
await test('every route that needs a role or a sign-in refuses requests without', async () => {
	for (const route of routes()) {
		if (route.needs.includes('INTERNAL') || route.program === 'sandbox') continue;
		const address = route.path.replace(/:code/, booking.code).replace(/:\w+/g, '1');
		const role = route.needs.find(need => ['MANAGER', 'ADMIN', 'COURIER', 'EXAMINER'].includes(need));
		if (role || route.needs.includes('SIGNED_IN'))
			assert.equal((await stack.program().ask(route.method, address, route.method === 'GET' ? undefined : {})).status, 401, `${route.method} ${address}`);
		if (role)
			assert.equal((await anna.ask(route.method, address, route.method === 'GET' ? undefined : {})).status, 403, `${route.method} ${address}`);
	}
});
await test('internal routes cannot be reached from outside', async () => {
	for (const address of ['/internal/charge', '/internal/refund', '/payments/internal/charge', '/payments/../internal/charge'])
		for (const method of ['GET', 'POST'])
			assert.ok([404, 405, 400].includes((await manager.ask(method, address, method === 'GET' ? undefined : {})).status), `${method} ${address}`);
});
await test('the faults of the sandbox can be switched only from this machine and with its own form, also behind a TLS proxy', async () => {
	const here = stack.browser();
	assert.equal((await stack.program().post('/sandbox/faults/form', { down: 0 })).status, 403, 'a program without the key');
	await here.get('/sandbox/faults');
	assert.equal((await here.post('/sandbox/faults/form', { down: 0 }, { 'X-Forwarded-For': '198.51.100.7' })).status, 403, 'a remote client, through a TLS proxy');
	assert.equal((await here.post('/sandbox/faults/form', { down: 0 }, { 'X-Forwarded-For': '127.0.0.1, 198.51.100.7' })).status, 403, 'the same with a forged local address');
	assert.equal((await here.post('/sandbox/faults/form', { down: 0 })).status, 303);
});
await test('ids and codes of other people and unknown ones answer 404 everywhere, with the same message', async () => {
	const words = new Set();
	for (const [who, method, address] of [
		[anna, 'GET', `/bookings/${booking.code}`], [anna, 'GET', `/my/bookings/${booking.code}`], [anna, 'GET', `/bookings/${booking.code}/receipt`],
		[anna, 'GET', `/bookings/${booking.code}/cancel`], [anna, 'POST', `/bookings/${booking.code}/cancel`], [anna, 'POST', `/bookings/${booking.code}/pay`],
		[anna, 'GET', '/bookings/MP-00000000'], [anna, 'DELETE', `/payments/cards/${ben.card_id}`], [anna, 'DELETE', '/payments/cards/999999'],
		[anna, 'DELETE', '/account/tokens/1'], [manager, 'GET', '/fleet/cars/999999'], [manager, 'PUT', '/fleet/cars/999999'], [manager, 'DELETE', '/fleet/cars/999999'],
		[manager, 'GET', '/payments/999999'], [manager, 'GET', '/bookings/MP-00000000'], [anna, 'GET', '/cars/999999'],
	]) {
		const answer = await refused(() => who.ask(method, address, method === 'PUT' ? new_car() : method === 'POST' ? {} : undefined), 404, 'not_found');
		words.add(answer.json.error.message);
	}
	assert.equal(words.size, 1, [...words].join('\n'));
	assert.equal((await ben.get(`/bookings/${booking.code}`)).json.state.slice(0, 4).length, 4, 'and its owner still has it');
});

/* --- script in every text field: stored and shown as text ----------------------------------------------------------------------------- */

const script = `<script>alert(1)</script>`, nasty = `"'><img src=x onerror=alert(1)>${script}`;
const harmless = (answer, where) => {
	assert.doesNotMatch(answer.text, /<script>alert|<img src=x/i, `${where} shows it as markup`);
	assert.doesNotMatch(answer.text.replace(/="[^"]*"/g, '=""'), /<[^>]*\son\w+\s*=/i, `${where} has an on… attribute`);
};
await test('<script> in every text field is kept as text and shown escaped on every page that shows it', async () => {
	const eve = await stack.payer('Eve'), browser = stack.browser(), root = await stack.person('Boss', 'customer', 'manager', 'admin');
	const boss = stack.browser();
	await browser.sign_in(eve.email, eve.password);
	await boss.sign_in(root.email, root.password);
	await browser.get('/account/profile');
	assert.equal((await browser.post('/account/profile', { name: script, phone: '010-1234-5678', lang: 'en' })).status, 303);
	await browser.get('/account/tokens');
	assert.equal((await browser.post('/account/tokens', { form_key: browser.form_key, name: script })).status, 200);
	const branch = (await root.post('/fleet/branches', { name: script, name_ko: script, region: 'Seoul', address: script })).json;
	assert.ok(branch?.branch_id, JSON.stringify(branch));
	const car = (await root.post('/fleet/cars', new_car({ plate: '<b>1가 1</b>', name: script, branch_id: branch.branch_id }))).json;
	assert.equal(car.name, script, 'kept as it was typed');
	const made = (await eve.post('/bookings', { car_id: car.car_id, starts_at: good, ends_at: better, card_id: eve.card_id }));
	assert.equal(made.status, 201, made.text);
	const seen = [];
	for (const [who, address] of [
		[browser, '/'], [browser, '/account'], [browser, '/account/profile'], [browser, '/account/tokens'], [browser, `/cars?from=${at(8)}&to=${at(9)}`],
		[browser, `/cars/${car.car_id}`], [browser, `/bookings/new?car_id=${car.car_id}`], [browser, `/bookings/${made.json.code}`],
		[browser, `/bookings/${made.json.code}/receipt`], [browser, `/bookings/${made.json.code}/cancel`], [browser, '/my/bookings'],
		[browser, `/my/bookings/${made.json.code}`], [boss, '/fleet/cars'], [boss, `/fleet/cars/${car.car_id}`], [boss, `/fleet/cars/${car.car_id}/edit`],
		[boss, `/fleet/cars/${car.car_id}/retire`], [boss, `/fleet/cars/${car.car_id}/photo`], [boss, '/fleet/branches'], [boss, `/fleet/branches/${branch.branch_id}`],
		[boss, '/view/cars'], [boss, '/bookings'], [boss, `/bookings/${made.json.code}`], [boss, '/payments'], [boss, '/account/users'], [boss, '/ops'],
	]) {
		const answer = await who.get(address);
		assert.equal(answer.status, 200, address);
		harmless(answer, address);
		if (answer.text.includes('&lt;script&gt;')) seen.push(address);
	}
	assert.ok(seen.length >= 15, `only seen on ${seen.join(' ')}`);
});
await test('invalid input is shown again escaped', async () => {
	await desk.get('/fleet/cars/new');
	const answer = await desk.post('/fleet/cars', { form_key: desk.form_key, ...form_of(new_car({ plate: nasty, name: nasty, seats: nasty, daily_price: nasty })) });
	assert.equal(answer.status, 422);
	harmless(answer, 'the form');
	assert.ok(answer.text.includes('&lt;script&gt;'), 'it is there');
	const signup = stack.browser();
	await signup.get('/account/sign-up');
	harmless(await signup.post('/account/sign-up', { name: nasty, email: nasty, phone: nasty, password: 'x', next: nasty }), 'sign up');
	await signup.get('/account/sign-in');
	harmless(await signup.post('/account/sign-in', { email: nasty, password: nasty, next: `//evil.example/${nasty}` }), 'sign in');
});
await test('signing in never redirects to another site', async () => {
	for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', '/\t/evil.example', 'javascript:alert(1)', '/%0d%0aSet-Cookie:x=1']) {
		const browser = stack.browser();
		await browser.get('/account/sign-in');
		const answer = await browser.post('/account/sign-in', { email: ben.email, password: ben.password, next });
		assert.equal(answer.status, 303);
		assert.match(answer.headers.location, /^\/(?![/\\])/, next);
		assert.doesNotMatch(answer.headers.location, /evil|\r|\n/);
	}
});

/* --- nonsense everywhere ---------------------------------------------------------------------------------------------------------------- */

const every = fields();
const address_of = (route, id) => route.path.replace(/:\w+/g, encodeURIComponent(id));
const money = () => stack.sql("SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM charge").then(rows => rows.join());

await test(`quotes, script and nonsense in every parameter of every page: no server error, nothing unescaped (${every.length} names)`, async () => {
	const boss = stack.browser(), root = await stack.person('Fuzz', 'customer', 'manager', 'admin');
	await boss.sign_in(root.email, root.password);
	assert.ok(every.length > 40, every.join());
	for (const route of routes()) {
		if (route.method !== 'GET' || route.needs.includes('INTERNAL')) continue;
		for (const value of [nasty, `' OR 1=1; --`, '-1', '99999999999999999999', '2028-02-31T10:00', '\u202e가', '%', '1,2'])
			for (const names of [every, ...every.filter(name => ['from', 'page', 'sort', 'q', 'next', 'tab', 'code', 'month'].includes(name)).map(name => [name])]) {
				const address = `${address_of(route, '1')}?${names.map(name => `${name}=${encodeURIComponent(value)}`).join('&')}`;
				const answer = await boss.get(address);
				assert.ok(answer.status < 500, `${answer.status} ${address}`);
				harmless(answer, address);
				no_leak(answer);
			}
	}
});
await test('nonsense in every field of every form, as form and as JSON: refused, no server error, no booking and no charge', async () => {
	const root = await stack.person('Fuzz2', 'customer', 'manager', 'admin'), before = [await stack.count('car'), await stack.count('booking'), await money()].join();
	const values = [nasty, '', '-1', -1, 1e18, 0, true, null, [], {}, 'x'.repeat(5000), "';--", '\u0001'];
	for (const route of routes()) {
		if (route.method === 'GET' || route.needs.includes('INTERNAL') || route.program === 'sandbox') continue;
		if (/sessions\/end|sign-out/.test(route.path)) continue;
		for (const id of ['987654', "1'--", 'MP-00000000'])
			for (const value of values) {
				const body = Object.fromEntries(every.map(name => [name, value]));
				const answer = await root.ask(route.method, address_of(route, id), body);
				assert.ok(answer.status < 500, `${answer.status} ${route.method} ${route.path} ${JSON.stringify(value).slice(0, 40)}: ${answer.text.slice(0, 200)}`);
				no_leak(answer);
				if (!route.path.includes(':')) continue;
				assert.ok(answer.status >= 400, `${answer.status} ${route.method} ${address_of(route, id)}`);
			}
	}
	assert.equal([await stack.count('car'), await stack.count('booking'), await money()].join(), before);
});

await test('after all this every invariant holds', () => stack.check());
await finish();
