/*
 * booking.test.mjs - the main story over HTTP: a manager registers a car, a customer finds, books and pays it, it is confirmed and shown
 * everywhere, and a cancellation refunds the money and frees the car. And the rules of each step.
 */
import { assert, finish, sleep, test, until } from './check.mjs';
import { Stack, at, new_car, programs } from './stack.mjs';
import { ask } from './client.mjs';

const stack = await Stack.start({ name: 'story-booking' });
const manager = await stack.person('Manager', 'manager');
const anna = await stack.payer('Anna'), ben = await stack.payer('Ben');
const anonymous = stack.program();
const from = at(3), to = at(5, 13);             /* 2 days 3 hours */
const register = async more => (await manager.post('/fleet/cars', new_car(more))).json.car_id;
const order = (car_id, who, more = {}) => ({ car_id, starts_at: from, ends_at: to, card_id: who.card_id, ...more });
const is_free = async (car_id, a = from, b = to) => (await anonymous.get(`/cars/${car_id}?from=${a}&to=${b}`)).json.is_free;
const state_of = async (who, code) => (await who.get(`/bookings/${code}`)).json.state;
const confirmed = (who, code) => until(`${code} is CONFIRMED`, async () => await state_of(who, code) === 'CONFIRMED', { every_ms: 10 });
const book = async (who, car_id, more) => {
	const answer = await who.post('/bookings', order(car_id, who, more));
	assert.equal(answer.status, 201, answer.text);
	return answer.json;
};

/* --- health ----------------------------------------------------------------------------------------------------------- */

for (const [name, prefix] of Object.entries(programs))
	await test(`${name} reports that it is alive and ready`, async () => {
		for (const what of ['healthz', 'readyz']) {
			const answer = await ask(stack.base, 'GET', `${prefix}/${what}`);
			assert.equal(answer.status, 200, `${what}: ${answer.text}`);
			assert.equal(answer.json.status, 'ok');
			assert.equal(answer.json.program, name);
		}
	});

/* --- cars --------------------------------------------------------------------------------------------------------------- */

let car, car_id;
await test('a manager registers a car and is told where it is', async () => {
	car = new_car();
	const answer = await manager.post('/fleet/cars', car);
	assert.equal(answer.status, 201, answer.text);
	car_id = answer.json.car_id;
	assert.ok(Number.isInteger(car_id));
	assert.equal(answer.headers.location, `/fleet/cars/${car_id}`);
	const { json } = await manager.get(answer.headers.location);
	assert.equal(json.status, 'AVAILABLE');
	for (const name of ['name', 'body', 'seats', 'fuel', 'gearbox', 'daily_price', 'hourly_price']) assert.equal(json[name], car[name], name);
});
await test('the plate of another car is refused with plate_taken', async () => {
	const answer = await manager.post('/fleet/cars', new_car({ plate: car.plate }));
	assert.equal(answer.status, 409);
	assert.equal(answer.json.error.code, 'plate_taken');
	assert.ok(answer.json.error.fields.plate);
});
await test('a car with missing or impossible fields is refused, with an error for each field', async () => {
	const answer = await manager.post('/fleet/cars', { ...new_car(), seats: 0, fuel: 'water', name: '' });
	assert.equal(answer.status, 422);
	assert.equal(answer.json.error.code, 'invalid');
	assert.deepEqual(Object.keys(answer.json.error.fields).sort(), ['fuel', 'name', 'seats']);
});
await test('neither a customer nor a signed-out visitor may register cars', async () => {
	assert.equal((await anna.post('/fleet/cars', new_car())).status, 403);
	assert.equal((await anonymous.post('/fleet/cars', new_car())).status, 401);
	assert.equal(await stack.count('car'), 1);
});

/* --- search ------------------------------------------------------------------------------------------------------------- */

await test('a visitor finds the car with its total price: 2 days 3 hours cost 207,000', async () => {
	const { status, json } = await anonymous.get(`/cars?from=${from}&to=${to}`);
	assert.equal(status, 200);
	assert.equal(json.n_free, 1);
	assert.equal(json.page, 1);
	const [found] = json.cars;
	assert.equal(found.car_id, car_id);
	assert.equal(found.total_amount, 207000);
	assert.equal(found.name, car.name);
	assert.equal(found.body, car.body);
});
await test('times may be RFC 3339 too, and come back with an offset', async () => {
	const utc = text => new Date(text + ':00+09:00').toISOString();
	const { status, json } = await anonymous.get(`/cars?from=${encodeURIComponent(utc(from))}&to=${encodeURIComponent(to + ':00+09:00')}`);
	assert.equal(status, 200);
	assert.equal(json.starts_at, from + ':00+09:00');
	assert.equal(json.ends_at, to + ':00+09:00');
});
await test('hours never cost more than one more day', async () => {
	const { json } = await anonymous.get(`/cars?from=${at(3)}&to=${at(4, 23)}`);
	assert.equal(json.cars[0].total_amount, 180000);
});

/* --- booking ------------------------------------------------------------------------------------------------------------ */

let booking;
await test('a customer books and pays in one call: 201, PAID, the price in lines', async () => {
	booking = await book(anna, car_id);
	assert.match(booking.code, /^[A-Z0-9-]{6,20}$/);
	assert.equal(booking.state, 'PAID');
	assert.equal(booking.amount, 207000);
	assert.equal(booking.currency, 'KRW');
	assert.equal(booking.lines.reduce((sum, line) => sum + line.amount, 0), 207000);
	assert.equal(await stack.money_kept(booking.code), 207000);
});
await test('… and it is CONFIRMED within 5 s', async () => {
	const began = performance.now();
	await confirmed(anna, booking.code);
	console.log(`#   from the answer to CONFIRMED: ${Math.round(performance.now() - began)} ms (sanitizer build)`);
});
await test('… and the car is not available any more, for those hours only', async () => {
	assert.equal(await is_free(car_id), false);
	assert.equal((await anonymous.get(`/cars?from=${from}&to=${to}`)).json.n_free, 0);
	assert.equal(await is_free(car_id, at(10), at(11)), true);
});
await test('… and every view shows it: my bookings, the fleet, all cars on one screen', async () => {
	const mine = await until('it is in my bookings, confirmed', async () => {
		const { json } = await anna.get(`/my/bookings/${booking.code}`);
		return json.state === 'CONFIRMED' && json;
	});
	assert.deepEqual(mine.events.map(e => e.type).filter(type => /^booking|^payment|^car/.test(type)).sort(),
		['booking.confirmed', 'booking.held', 'booking.paid', 'car.reserved', 'payment.approved']);
	assert.ok((await anna.get('/my/bookings')).json.bookings.some(b => b.code === booking.code && b.state === 'CONFIRMED'));
	const view = await until('the car screen shows it', async () => {
		const { json } = await manager.get('/view/cars');
		const row = json.find(c => c.car_id === car_id);
		return row?.booking?.state === 'CONFIRMED' && row;
	});
	assert.equal(view.booking.code, booking.code);
	assert.equal(view.plate, car.plate);
	assert.equal(view.status, 'AVAILABLE', 'it is RENTED when the hours come');
	assert.equal(view.payment.state, 'APPROVED');
});
await test('a car booked for this very half hour is RENTED in the fleet and on the car screen, cannot be cancelled once it is out, and is AVAILABLE after the return', async () => {
	const id = await register(), now = new Date(Date.now() + 9 * 3600e3);
	const start = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`;
	const b = await book(ben, id, { starts_at: start, ends_at: at(1) });
	const shows = status => until(`the car is ${status}`, async () => (await manager.get(`/fleet/cars/${id}`)).json.status === status
		&& (await manager.get('/view/cars')).json.find(c => c.car_id === id).status === status);
	await shows('RENTED');
	await confirmed(ben, b.code);
	assert.equal((await ben.post(`/bookings/${b.code}/hand-out`)).status, 403);
	assert.equal((await manager.post(`/bookings/${b.code}/hand-out`)).json.state, 'OUT');
	const answer = await ben.post(`/bookings/${b.code}/cancel`);
	assert.equal(answer.status, 409, 'the car is out: ' + answer.text);
	assert.equal(answer.json.error.code, 'not_cancellable');
	assert.equal((await manager.post(`/bookings/${b.code}/take-back`)).json.state, 'COMPLETED');
	await shows('AVAILABLE');
});
await test('the car screen is for managers', async () => assert.equal((await anna.get('/view/cars')).status, 403));
await test('the same hours cannot be booked twice, not even partly', async () => {
	for (const [a, b] of [[from, to], [at(2), at(3, 11)], [at(4), at(9)], [at(4), at(4, 12)]]) {
		const answer = await ben.post('/bookings', order(car_id, ben, { starts_at: a, ends_at: b }));
		assert.equal(answer.status, 409);
		assert.equal(answer.json.error.code, 'taken');
	}
	assert.equal(await stack.count('booking', `car_id = ${car_id}`), 1);
});
await test('an unknown car, card or interval is refused by name', async () => {
	for (const [more, field] of [[{ car_id: 99999 }, 'car_id'], [{ card_id: anna.card_id }, 'card_id'], [{ starts_at: at(-3) }, 'starts_at']]) {
		const answer = await ben.post('/bookings', order(car_id, ben, { starts_at: at(20), ends_at: at(21), ...more }));
		assert.equal(answer.status, 422, answer.text);
		assert.equal(answer.json.error.code, 'invalid');
		assert.ok(answer.json.error.fields[field], answer.text);
	}
});

/* --- who sees what -------------------------------------------------------------------------------------------------------- */

await test('the booking of another customer is not found: it cannot be read or cancelled', async () => {
	for (const path of [`/bookings/${booking.code}`, `/my/bookings/${booking.code}`, `/bookings/${booking.code}/receipt`]) {
		const answer = await ben.get(path);
		assert.equal(answer.status, 404, path);
		assert.ok(!answer.text.includes(car.plate) && !answer.text.includes('207000'), path);
	}
	assert.equal((await ben.post(`/bookings/${booking.code}/cancel`)).status, 404);
	assert.equal(await state_of(anna, booking.code), 'CONFIRMED');
});
await test('a code that does not exist is answered like the code of another customer', async () => {
	const strip = answer => JSON.stringify({ ...answer.json.error, request_id: 0 });
	assert.equal(strip(await ben.get('/bookings/AAAAAAAA')), strip(await ben.get(`/bookings/${booking.code}`)));
});

/* --- the price agreed is the price charged ---------------------------------------------------------------------------------- */

await test('an order is refused with price_changed and the total unless that is what was agreed, and the same key can agree to it', async () => {
	const id = await register(), key = { 'Idempotency-Key': 'agreed-1' };
	const written = async () => [await stack.count('booking'), await stack.count('slot'), await stack.count('event', "type = 'booking.held'")], before = await written();
	for (const agreed_amount of [206999, 207001, 0]) {
		const { status, json: { error } } = await anna.post('/bookings', order(id, anna, { agreed_amount }), key);
		assert.equal(status, 409);
		assert.equal(error.code, 'price_changed');
		assert.deepEqual(error.details, { total_amount: 207000, currency: 'KRW', terms_version: 1 });
		assert.match(error.message, /207,000/);
	}
	assert.deepEqual(await written(), before, 'nothing is written');
	assert.ok(await is_free(id));
	const agreed = order(id, anna, { agreed_amount: 207000 }), booked = await anna.post('/bookings', agreed, key);
	assert.equal(booked.status, 201, booked.text);
	assert.equal(await stack.money_kept(booked.json.code), 207000);
	const other = await anna.post('/bookings', order(id, anna, { agreed_amount: 207001 }), key);
	assert.equal(other.json.error.code, 'key_reused', 'the agreed amount is part of the request');
	const { json: was } = await manager.get(`/fleet/cars/${id}`);
	assert.equal((await manager.put(`/fleet/cars/${id}`, { ...new_car(), plate: was.plate, branch_id: was.branch_id, daily_price: 2 * was.daily_price, rev: was.rev })).status, 200);
	const again = await anna.post('/bookings', agreed, key);
	assert.equal(again.status, 201, 'a repeated request is the same booking, whatever the price is now');
	assert.equal(again.json.code, booked.json.code);
	await anna.post(`/bookings/${booked.json.code}/cancel`);
});
await test('twenty customers agree to a price while a manager changes it: each pays what they agreed to, or nothing', async () => {
	const ids = await Promise.all(Array.from({ length: 20 }, () => register()));
	const asked = ids.map((id, i) => (i % 2 ? anna : ben).post('/bookings', order(id, i % 2 ? anna : ben, { starts_at: at(90 + i), ends_at: at(91 + i), agreed_amount: 90000 })));
	const changed = ids.map(async id => { const { json: was } = await manager.get(`/fleet/cars/${id}`); return manager.put(`/fleet/cars/${id}`, { ...new_car(), plate: was.plate, branch_id: was.branch_id, daily_price: 95000, rev: was.rev }); });
	const answers = await Promise.all(asked);
	for (const answer of await Promise.all(changed)) assert.equal(answer.status, 200, answer.text);
	for (const { status, json, text } of answers) {
		if (status === 201) assert.equal(await stack.money_kept(json.code), 90000);
		else assert.ok(['quota', 'later'].includes(json.error.code) || json.error.code === 'price_changed' && json.error.details.total_amount === 95000, text);
		if (status === 201) await (await anna.get(`/bookings/${json.code}`)).status === 200 ? await anna.post(`/bookings/${json.code}/cancel`) : await ben.post(`/bookings/${json.code}/cancel`);
	}
	await stack.check();
});

/* --- one's own booking in the way -------------------------------------------------------------------------------------------- */

await test('overlapping hours of a car that the customer has booked get own_booking with its code; another customer gets taken', async () => {
	const id = await register(), { code } = await book(anna, id);
	const { status, json: { error } } = await anna.post('/bookings', order(id, anna, { starts_at: at(4), ends_at: at(6) }));
	assert.equal(status, 409);
	assert.equal(error.code, 'own_booking');
	assert.deepEqual(error.details, { code });
	assert.equal((await ben.post('/bookings', order(id, ben))).json.error.code, 'taken');
	await anna.post(`/bookings/${code}/cancel`);
});
await test('terms published while the form is open: nothing is booked, the form is kept and names them, and sent again it accepts them', async () => {
	const id = await register(), browser = stack.browser(), admin = await stack.person('Admin', 'admin');
	const { json: { version } } = await ben.get('/terms');
	await browser.sign_in(anna.email, anna.password);
	await browser.get(`/bookings/new?${new URLSearchParams({ car_id: id, starts_at: from, ends_at: to })}`);
	assert.equal(browser.terms_version, String(version));
	const form = () => ({ car_id: id, starts_at: from, ends_at: to, card_id: anna.card_id, 'delivery.wanted': '1', 'delivery.address': 'Sejong-daero 110', 'delivery.zone': 'center',
		form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });
	await browser.post('/bookings', { ...form(), update: '1' });            /* the price with delivery */
	const published = await stack.program(admin.token).post('/terms/edit', { kind: 'terms', text: '# New\n\nThe new terms', text_ko: '# 새 약관', version });
	assert.equal(published.status, 201, published.text);
	const refused = await browser.post('/bookings', form());
	assert.equal(refused.status, 409);
	assert.match(refused.text, /이용약관이 변경되었습니다. 예약되거나 결제된 것은 없습니다./);
	assert.match(refused.text, new RegExp(`새 이용약관\\(버전 ${version + 1}\\)이 적용됩니다`));
	assert.match(refused.text, /value="Sejong-daero 110"/, 'what was typed is kept');
	assert.equal((await stack.sql(`SELECT COUNT(*) FROM booking WHERE car_id = ${id}`))[0][0], '0');
	const { status, json: { error } } = await ben.post('/bookings', order(id, ben, { terms_version: version }));
	assert.deepEqual([status, error.code, error.details.terms_version], [409, 'terms_changed', version + 1]);
	const booked = await browser.post('/bookings', form());
	assert.equal(booked.status, 303, booked.text);
	const code = /\/bookings\/(MP-\w+)/.exec(booked.headers.location)[1];
	assert.match((await browser.get(`/bookings/${code}`)).text, new RegExp(`href="/terms\\?version=${version + 1}"`));
	assert.match((await browser.get(`/bookings/${code}/receipt`)).text, new RegExp(`href="/terms\\?version=${version + 1}"`));
	await until('the mail names the accepted terms', async () => {
		const { messages } = (await anna.get('/messages')).json;
		const told = messages.find(m => m.subject_id === code && m.kind === 'booking_confirmed');
		return told && (await anna.get(`/messages/${told.message_id}`)).json.body.includes(`(버전 ${version + 1}): ${stack.base}/terms?version=${version + 1}`);
	});
	const unasked = await ben.post('/bookings', order(await register(), ben));
	assert.equal(unasked.json.terms_version, version + 1, 'a program that names none accepts those in force');
	await stack.check();
});
await test('admins publish at the same time, and customers order meanwhile: each version once, and each customer accepts what they have seen', async () => {
	const admin = stack.program((await stack.person('Publisher', 'admin')).token), statuses = answers => answers.map(answer => answer.status).sort();
	const newest = async kind => (await admin.get(`/${kind}`)).json.version;
	const publish = (kind, text, version) => admin.post('/terms/edit', { kind, text, text_ko: '새 글', version });
	let version = await newest('privacy');
	assert.deepEqual(statuses(await Promise.all([1, 2, 3, 4, 5, 6].map(i => publish('privacy', `Text ${i}`, version)))), [201, 409, 409, 409, 409, 409], 'six texts');
	assert.equal(await newest('privacy'), ++version);
	assert.deepEqual(statuses(await Promise.all([1, 2, 3, 4, 5, 6].map(() => publish('privacy', 'One text', version)))), [200, 200, 200, 200, 200, 201], 'one text, six times');
	assert.equal(await newest('privacy'), ++version);
	const ids = await Promise.all(Array.from({ length: 8 }, register)), seen = await newest('terms');
	const asked = ids.map((id, i) => (i % 2 ? anna : ben).post('/bookings', order(id, i % 2 ? anna : ben, { starts_at: at(120 + i), ends_at: at(121 + i), terms_version: seen })));
	const published = await publish('terms', 'Newer terms', seen);
	assert.equal(published.status, 201, published.text);
	for (const { status, json } of await Promise.all(asked)) {
		if (status === 201) assert.equal(json.terms_version, seen);
		else assert.ok(['terms_changed', 'quota'].includes(json.error.code), JSON.stringify(json));
	}
	const late = await ben.post('/bookings', order(await register(), ben, { terms_version: seen }));
	assert.deepEqual([late.status, late.json.error.details.terms_version], [409, seen + 1]);
	for (const who of [anna, ben])
		for (const [code] of await stack.sql(`SELECT code FROM booking WHERE starts_at > ${Date.now() / 1000 + 119 * 86400 | 0} AND state IN ('PAID', 'CONFIRMED')`)) await who.post(`/bookings/${code}/cancel`);
	await stack.check();
});
await test('a hold for the payment page is named to its customer alone, and can be given up or paid', async () => {
	const id = await register(), browser = stack.browser(), holder = await stack.payer('Holder');
	await browser.sign_in(holder.email, holder.password);
	await browser.get(`/bookings/new?${new URLSearchParams({ car_id: id, starts_at: from, ends_at: to })}`);
	const form = { car_id: id, starts_at: from, ends_at: to, card_id: 'new', form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version };
	const sent = await Promise.all([1, 2, 3].map(() => browser.post('/bookings', form)));
	assert.deepEqual(sent.map(answer => answer.status), [303, 303, 303], 'a double click');
	assert.equal(new Set(sent.map(answer => answer.headers.location)).size, 1);
	const [[code]] = await stack.sql(`SELECT code FROM booking WHERE car_id = ${id} AND state = 'HELD'`);
	const other_hours = { ...form, starts_at: at(4), ends_at: at(6) };
	const refused = await Promise.all([1, 2].map(() => browser.post('/bookings', other_hours)));
	for (const { status, text } of refused) {
		assert.equal(status, 409);
		assert.ok(text.includes(`href="/bookings/${code}"`));
		assert.doesNotMatch(text, /id="order-total"/);
	}
	const { json: { error } } = await holder.post('/bookings', order(id, holder, { starts_at: at(4), ends_at: at(6) }));
	assert.equal(error.code, 'own_hold');
	assert.equal(error.details.code, code);
	assert.equal((await ben.post('/bookings', order(id, ben))).json.error.code, 'taken');
	const given_up = await holder.post(`/bookings/${code}/cancel`);
	assert.equal(given_up.status, 200);
	assert.equal(given_up.json.state, 'EXPIRED');
	const booked = await holder.post('/bookings', order(id, holder, { starts_at: at(4), ends_at: at(6) }));
	assert.equal(booked.status, 201, booked.text);
	await stack.check();
});

/* --- idempotency ----------------------------------------------------------------------------------------------------------- */

await test('the same Idempotency-Key and body answer the same booking; another body is refused with key_reused', async () => {
	const id = await register(), key = { 'Idempotency-Key': 'a-b-c-1' };
	const first = await anna.post('/bookings', order(id, anna), key), again = await anna.post('/bookings', order(id, anna), key);
	assert.equal(first.status, 201, first.text);
	assert.equal(again.status, 201, again.text);
	assert.equal(again.json.code, first.json.code);
	const other = await anna.post('/bookings', order(id, anna, { ends_at: at(6) }), key);
	assert.equal(other.status, 422);
	assert.equal(other.json.error.code, 'key_reused');
	assert.equal(await stack.count('booking', `car_id = ${id}`), 1);
	assert.equal(await stack.money_kept(first.json.code), 207000);
	assert.equal((await ben.post('/bookings', order(id, ben, { starts_at: at(30), ends_at: at(31) }), key)).status, 201, 'a key is its customer\'s own');
	for (const b of (await anna.get('/my/bookings')).json.bookings) if (b.car_id === id) await anna.post(`/bookings/${b.code}/cancel`);
});
await test('the same key sent twice at once: one booking, and the second answer is that booking or in_progress', async () => {
	const id = await register(), key = { 'Idempotency-Key': 'a-b-c-2' };
	const answers = await Promise.all([1, 2, 3].map(() => anna.post('/bookings', order(id, anna), key)));
	const codes = new Set(answers.filter(a => a.status === 201).map(a => a.json.code));
	for (const a of answers) assert.ok(a.status === 201 || (a.status === 409 && a.json.error.code === 'in_progress'), a.text);
	assert.equal(codes.size, 1);
	assert.equal(await stack.count('booking', `car_id = ${id}`), 1);
	await anna.post(`/bookings/${[...codes][0]}/cancel`);
});
await test('two customers, one car, the same hours, 20 times: exactly one gets it each time', async () => {
	const id = await register();
	for (let round = 0; round < 20; round++) {
		const hours = { starts_at: at(40 + 2 * round), ends_at: at(41 + 2 * round) };
		const answers = await Promise.all([anna, ben].map(who => who.post('/bookings', order(id, who, hours))));
		const won = answers.filter(a => a.status === 201);
		assert.equal(won.length, 1, answers.map(a => a.text).join('\n'));
		const lost = answers.find(a => a.status !== 201);
		assert.equal(lost.status, 409);
		assert.equal(lost.json.error.code, 'taken');
		const winner = answers.indexOf(won[0]) === 0 ? anna : ben;
		const cancelled = await winner.post(`/bookings/${won[0].json.code}/cancel`);
		assert.ok([200, 202].includes(cancelled.status), cancelled.text);
	}
});

/* --- declined and invalid cards ---------------------------------------------------------------------------------------------- */

await test('a declined card: 402, nothing is held, nothing is charged, the car is free', async () => {
	const carol = await stack.payer('Carol', 'tok_declined'), id = await register();
	const answer = await carol.post('/bookings', order(id, carol));
	assert.equal(answer.status, 402, answer.text);
	assert.equal(answer.json.error.code, 'declined');
	assert.equal(await is_free(id), true);
	const [[code, state]] = await stack.sql(`SELECT code, state FROM booking WHERE car_id = ${id}`);
	assert.equal(state, 'EXPIRED');
	assert.equal(await stack.money_kept(code), 0);
	assert.equal((await anna.post('/bookings', order(id, anna, { starts_at: at(12), ends_at: at(13) }))).status, 201);
});
await test('a card token the provider does not know is refused and not saved', async () => {
	const answer = await anna.post('/payments/cards', { card_token: 'tok_nonsense' });
	assert.equal(answer.status, 422);
	assert.ok(answer.json.error.fields.card_token);
	assert.equal((await anna.get('/payments/cards')).json.cards.length, 1);
});

/* --- cancelling ---------------------------------------------------------------------------------------------------------------- */

await test('cancelling refunds all the money and frees the car: CANCELLED, AVAILABLE', async () => {
	const answer = await anna.post(`/bookings/${booking.code}/cancel`);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.state, 'CANCELLED');
	assert.equal(answer.json.refunded_amount, 207000);
	assert.equal(await stack.money_kept(booking.code), 0);
	assert.equal(await is_free(car_id), true);
	await until('the fleet has the car AVAILABLE', async () => (await manager.get(`/fleet/cars/${car_id}`)).json.status === 'AVAILABLE');
	const mine = await until('my page says CANCELLED', async () => {
		const { json } = await anna.get(`/my/bookings/${booking.code}`);
		return json.state === 'CANCELLED' && json;
	});
	assert.equal(mine.refunded_amount, 207000);
	await until('the car screen has nothing on it', async () => !(await manager.get('/view/cars')).json.find(c => c.car_id === car_id).booking);
});
await test('a cancelled booking cannot be cancelled again, and the refund is made once', async () => {
	const answer = await anna.post(`/bookings/${booking.code}/cancel`);
	assert.equal(answer.status, 409, answer.text);
	assert.equal(answer.json.error.code, 'not_cancellable');
	assert.equal(await stack.money_kept(booking.code), 0);
});
await test('the same car can be booked again for those hours', async () => {
	const again = await book(ben, car_id);
	await confirmed(ben, again.code);
	assert.equal((await ben.post(`/bookings/${again.code}/cancel`)).json.state, 'CANCELLED');
});

/* --- how many ------------------------------------------------------------------------------------------------------------------- */

await test('a customer may have 10 open bookings, and the 11th is refused with quota', async () => {
	const dora = await stack.payer('Dora'), id = await register(), codes = [];
	for (let i = 0; i < 10; i++) codes.push((await book(dora, id, { starts_at: at(100 + 2 * i), ends_at: at(101 + 2 * i) })).code);
	const answer = await dora.post('/bookings', order(id, dora, { starts_at: at(150), ends_at: at(151) }));
	assert.equal(answer.status, 409);
	assert.equal(answer.json.error.code, 'quota');
	await until('one can be cancelled', async () => (await dora.post(`/bookings/${codes[0]}/cancel`)).status === 200);
	assert.equal((await dora.post('/bookings', order(id, dora, { starts_at: at(150), ends_at: at(151) }))).status, 201);
});

/* --- changing and deleting cars ---------------------------------------------------------------------------------------------------- */

await test('a car is changed by PUT, and searches show it at once', async () => {
	const id = await register({ name: 'Old name' });
	const now = (await manager.get(`/fleet/cars/${id}`)).json;
	const answer = await manager.put(`/fleet/cars/${id}`, { ...new_car({ plate: now.plate }), name: 'New name', daily_price: 50000 });
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.name, 'New name');
	const { json } = await anonymous.get(`/cars/${id}?from=${at(3)}&to=${at(4)}`);
	assert.equal(json.car.name, 'New name');
	assert.equal(json.price.amount, 50000);
	assert.equal((await manager.put(`/fleet/cars/${id}`, { ...new_car(), plate: car.plate })).json.error.code, 'plate_taken');
	assert.equal((await anna.put(`/fleet/cars/${id}`, new_car())).status, 403);
	assert.equal((await manager.put('/fleet/cars/99999', new_car())).status, 404);
});
await test('a later change of the price does not affect earlier bookings', async () => {
	const id = await register(), b = await book(ben, id), now = (await manager.get(`/fleet/cars/${id}`)).json;
	await manager.put(`/fleet/cars/${id}`, { ...new_car({ plate: now.plate }), daily_price: 1000, hourly_price: 100 });
	assert.equal((await ben.get(`/bookings/${b.code}`)).json.amount, 207000);
	await ben.post(`/bookings/${b.code}/cancel`);
});
await test('a car that was never booked is deleted; one with a history is retired and takes no new bookings', async () => {
	const fresh = await register(), used = await register();
	const b = await book(ben, used);
	await ben.post(`/bookings/${b.code}/cancel`);
	assert.equal((await anna.delete(`/fleet/cars/${fresh}`)).status, 403);
	const gone = await manager.delete(`/fleet/cars/${fresh}`), kept = await manager.delete(`/fleet/cars/${used}`);
	assert.equal(gone.status, 200, gone.text);
	assert.equal((await manager.get(`/fleet/cars/${fresh}`)).status, 404);
	assert.equal(kept.status, 200, kept.text);
	assert.equal(kept.json.status, 'RETIRED');
	assert.equal((await manager.get(`/fleet/cars/${used}`)).json.status, 'RETIRED');
	assert.ok(!await is_free(used));
	const answer = await ben.post('/bookings', order(used, ben));
	assert.equal(answer.status, 422, answer.text);
});

/* --- who is asking ----------------------------------------------------------------------------------------------------------------- */

await test('a bearer token needs no CSRF token; a cookie does', async () => {
	const browser = stack.browser();
	assert.equal((await browser.sign_in(anna.email, anna.password)).status, 303);
	const before = await stack.count('api_token');
	assert.equal((await browser.post('/account/tokens', { csrf: undefined, name: 'x' })).status, 403);
	assert.equal((await browser.post('/account/tokens', { csrf: 'wrong', name: 'x' })).status, 403);
	const as_json = await browser.ask('POST', '/account/tokens', {
		headers: { Accept: 'application/json', 'Content-Type': 'application/json' }, body: '{"name":"x"}',
	});
	assert.equal(as_json.status, 403);
	assert.equal(as_json.json.error.code, 'csrf');
	assert.equal(await stack.count('api_token'), before);
	assert.equal((await anna.post('/account/tokens', { name: 'x' })).status, 201);
});
await test('a token that is not valid is refused, and so is a revoked one', async () => {
	assert.equal((await stack.program('0123456789abcdefghijklmnop').get('/my/bookings')).status, 401);
	const made = (await anna.post('/account/tokens', { name: 'short lived' })).json, with_it = stack.program(made.token);
	assert.equal((await with_it.get('/my/bookings')).status, 200);
	assert.ok([200, 204].includes((await anna.delete(`/account/tokens/${made.token_id}`)).status));
	assert.equal((await with_it.get('/my/bookings')).status, 401);
});
await test('an unknown address is 404, a known one with another method 405', async () => {
	assert.equal((await anna.get('/nothing/here')).status, 404);
	const answer = await anna.delete('/cars');
	assert.equal(answer.status, 405);
	assert.match(answer.headers.allow, /GET/);
});

/* --- at the end ---------------------------------------------------------------------------------------------------------------------- */

await test('every answer has a request id, and none reveals the server software', async () => {
	const answer = await anna.get('/cars?from=x');
	assert.ok(answer.headers['x-request-id']);
	assert.equal(answer.headers.server, undefined);
	assert.equal(answer.json.error.request_id, answer.headers['x-request-id']);
});
await test('after all this every invariant holds', async () => {
	await sleep(500);
	await stack.check();
});
await finish();
