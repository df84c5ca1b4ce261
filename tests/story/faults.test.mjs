/*
 * faults.test.mjs - what people see and what happens to the money when something breaks: slow and lost answers of the card
 * company, programs killed with kill -9 one by one, workers killed at random under load. Afterwards nothing is left half done.
 */
import { assert, finish, patience_ms, sleep, test, until } from './check.mjs';
import { SHIPPED, Stack, at, new_car, programs } from './stack.mjs';

const stack = await Stack.start({ name: 'story-faults', env: SHIPPED });
/* the sandbox simulates a lost answer by a 500; lighttpd answers 500 for the request of a killed worker */
stack.allow(/"program":"sandbox".*"path":"\/sandbox\/v1\/.*"status":500/);
stack.allow(/"program":"payment".*"what":"call","to":"provider".*"status":500/, /"program":"lighttpd".*"what":"access".*"status":500/);
const manager = await stack.person('Manager', 'manager');
const anna = await stack.payer('Anna');
const anonymous = stack.program();
const register = async () => {
	const answer = await manager.post('/fleet/cars', new_car());
	assert.equal(answer.status, 201, answer.text);
	return answer.json.car_id;
};
const book = (who, car_id, more = {}) => who.post('/bookings', { car_id, starts_at: at(3), ends_at: at(4), card_id: who.card_id, ...more });
/* On a slow machine a call between programs may exceed its deadline: a client that gets 503 tries again. */
const booked = (who, car_id, more) => until('it can be booked', async () => {
	const answer = await book(who, car_id, more);
	if (![201, 503].includes(answer.status)) throw new Error(`${answer.status} ${answer.text}`);
	return answer.status === 201 && answer;
}, { every_ms: 500 });
const is_free = async (car_id, a = at(3), b = at(4)) => (await anonymous.get(`/cars/${car_id}?from=${a}&to=${b}`)).json.is_free;
const bookings_of = async car_id => (await stack.sql(`SELECT code, state FROM booking WHERE car_id = ${car_id} ORDER BY booking_id`));
const confirmed = (who, code) => until(`${code} is CONFIRMED`, async () => (await who.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
const is_later = answer => {
	assert.equal(answer.status, 503, answer.text);
	assert.equal(answer.json?.error?.code, 'later', answer.text);
	assert.match(answer.headers['retry-after'] ?? 'no Retry-After', /^\d+$/);
};
/* Nothing is left behind: the car is free, no money stays with us, and the car has no open booking. */
const nothing_left = async car_id => {
	await until('the car is free', () => is_free(car_id));
	for (const [code, state] of await bookings_of(car_id)) {
		assert.equal(state, 'EXPIRED', code);
		await until(`no money is kept for ${code}`, async () => await stack.money_kept(code) === 0, { every_ms: 100 });
	}
};

/* --- the card company ---------------------------------------------------------------------------------------------------- */

await test('a card company that answers too late: 503 with Retry-After, then the money is refunded and the car is free', async () => {
	const slow = await stack.payer('Slow', 'tok_slow'), id = await register();
	const answer = await book(slow, id);
	is_later(answer);
	console.log(`#   refused after ${Math.round(answer.ms)} ms`);
	await nothing_left(id);
	assert.equal((await slow.get('/my/bookings')).json.bookings.filter(b => ['PAID', 'CONFIRMED', 'HELD'].includes(b.state)).length, 0);
	await booked(anna, id);         /* it can be booked again */
});
await test('an answer lost after the charge: the booking is paid, or there is neither a booking nor a charge', async () => {
	const lost = await stack.payer('Lost', 'tok_lost');
	for (let i = 0; i < 3; i++) {
		const id = await register(), answer = await book(lost, id);
		if (answer.status === 201) {
			assert.equal(await stack.money_kept(answer.json.code), answer.json.amount);
			await confirmed(lost, answer.json.code);
		} else {
			is_later(answer);
			await nothing_left(id);
		}
		console.log(`#   tok_lost: ${answer.status}`);
	}
});
await test('the same with an Idempotency-Key and a retry: one booking, one charge, whatever the answers were', async () => {
	const lost = await stack.payer('Lost2', 'tok_lost'), id = await register(), key = { 'Idempotency-Key': 'lost-1' };
	const order = { car_id: id, starts_at: at(3), ends_at: at(4), card_id: lost.card_id };
	const answers = [];
	for (let i = 0; i < 3; i++) answers.push(await lost.post('/bookings', order, key));
	const codes = new Set(answers.filter(a => a.status === 201).map(a => a.json.code));
	assert.ok(codes.size <= 1);
	const kept = await until('the money is settled', async () => {
		const sums = await Promise.all((await bookings_of(id)).map(async ([code, state]) => [state, await stack.money_kept(code)]));
		return sums.every(([state, sum]) => state === 'EXPIRED' ? sum === 0 : sum === 90000) && sums;
	});
	assert.ok(kept.filter(([, sum]) => sum > 0).length <= 1, JSON.stringify(kept));
});
await test('a card company that is down: 503 later, nothing is left; as soon as it is back, bookings work', async () => {
	const id = await register();
	assert.equal((await stack.fault({ down: 1 })).status, 200);
	is_later(await book(anna, id));
	assert.equal((await stack.fault({ down: 0 })).status, 200);
	await nothing_left(id);
	await booked(anna, id);
});
await test('webhooks that come twice change nothing', async () => {
	const id = await register();
	await stack.fault({ webhooks: 2, duplicate_webhooks: 1 });
	const answer = await booked(anna, id);
	await confirmed(anna, answer.json.code);
	assert.equal((await anna.post(`/bookings/${answer.json.code}/cancel`)).status, 200);
	await sleep(500);
	await stack.fault({ webhooks: 1, duplicate_webhooks: 0 });
	assert.equal(await stack.money_kept(answer.json.code), 0);
	assert.equal(await stack.count('refund', `charge_id = (SELECT charge_id FROM charge WHERE key = '${answer.json.code}')`), 1);
});

/* --- programs that are gone ------------------------------------------------------------------------------------------------ */

await test('payment killed: a booking is refused with Retry-After, and nothing is left behind', async () => {
	const id = await register();
	await stack.down('payment');
	const answer = await book(anna, id);
	is_later(answer);
	console.log(`#   refused after ${Math.round(answer.ms)} ms`);
	assert.equal(await is_free(id), true, 'the car is free at once');
	assert.equal((await bookings_of(id)).every(([, state]) => state === 'EXPIRED'), true);
	const cards = await anna.get('/payments/cards');
	assert.equal(cards.status, 503, "payment's own pages say so themselves");
	assert.match(cards.headers['retry-after'] ?? '', /^\d+$/);
	assert.equal((await anonymous.get(`/cars?from=${at(3)}&to=${at(4)}`)).status, 200, 'search works');
	await stack.up();
	await booked(anna, id);
});
await test('payment killed: a cancellation is kept, and the refund is made when payment is back', async () => {
	const id = await register(), ben = await stack.payer('Ben');
	const { json } = await booked(ben, id);
	await confirmed(ben, json.code);
	await stack.down('payment');
	const answer = await ben.post(`/bookings/${json.code}/cancel`);
	assert.ok([202, 503].includes(answer.status), answer.text);
	if (answer.status === 202) assert.equal(answer.json.state, 'CANCEL_REQUESTED');
	await stack.up();
	if (answer.status === 503) await ben.post(`/bookings/${json.code}/cancel`);
	await until('it is CANCELLED', async () => (await ben.get(`/bookings/${json.code}`)).json.state === 'CANCELLED', { every_ms: 200 });
	assert.equal(await stack.money_kept(json.code), 0);
	assert.equal((await ben.get(`/bookings/${json.code}`)).json.refunded_amount, json.amount);
});
await test('booking killed during the charge: the sweep finishes and confirms the booking, or the money is refunded', async () => {
	const ina = await stack.payer('Ina');
	await booked(anna, await register());   /* the breaker is closed */
	await stack.fault({ slow_ms: 500 });
	/* another one when payment was faster than the kill */
	const id = await until('a booking is interrupted', async () => {
		const id = await register(), asked = book(ina, id).catch(() => ({ status: 0 }));
		await until('it is held', async () => (await bookings_of(id)).length);
		await sleep(100);
		for (const pid of stack.workers('booking')) stack.kill(pid);
		const cut_off = (await asked).status !== 201;
		await until('booking is there again', async () => (await anonymous.get('/readyz')).status === 200);
		return cut_off && id;
	});
	await stack.fault({ slow_ms: 0 });
	const [code, state] = await until('the sweep has ended it', async () => {
		const mine = (await bookings_of(id)).at(-1);
		return ['CONFIRMED', 'EXPIRED'].includes(mine[1]) && mine;
	}, { every_ms: 200 });
	await until('the money is right', async () => await stack.money_kept(code) === (state === 'CONFIRMED' ? 90000 : 0), { every_ms: 200 });
	console.log(`#   ended as ${state}`);
});
await test('fleet, mypage and the relay killed: bookings continue, and everything catches up when they are back', async () => {
	const carol = await stack.payer('Carol'), ids = [await register(), await register()];
	await stack.down('fleet', 'mypage', 'relay');
	const made = [];
	for (const id of ids) {
		made.push((await booked(carol, id)).json.code);
	}
	assert.equal((await carol.get(`/bookings/${made[0]}`)).json.state, 'PAID');
	for (const path of ['/fleet/cars', '/my/bookings']) {
		const answer = await manager.get(path);
		assert.equal(answer.status, 503, path);
		assert.match(answer.headers['retry-after'] ?? '', /^\d+$/, path);
		assert.equal(answer.json?.error?.code, 'later', `${path}: ${answer.text}`);
	}
	await stack.up();
	for (const code of made) await confirmed(carol, code);
	await until('the read models show it', async () => {
		const { json } = await manager.get('/view/cars');
		return ids.every(id => json.find(c => c.car_id === id)?.booking?.state === 'CONFIRMED');
	}, { every_ms: 100 });
});
await test('account killed: signed-in users continue; sign-ins are answered 503 with Retry-After', async () => {
	const id = await register();
	await stack.down('account');
	await booked(anna, id, { starts_at: at(60), ends_at: at(61) });
	const answer = await stack.browser().get('/account/sign-in');
	assert.equal(answer.status, 503);
	assert.match(answer.headers['content-type'], /^text\/html/);
	assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
	await stack.up();
});
await test('only the relay killed, and started by cron a moment later: no event is lost or handled twice', async () => {
	const dave = await stack.payer('Dave'), codes = [];
	for (let i = 0; i < 4; i++) {
		const id = await register();
		for (const pid of stack.services().relay) stack.kill(-pid);
		for (const relay of stack.relays ?? []) stack.kill(-relay.pid);
		stack.cron();
		codes.push((await booked(dave, id)).json.code);
	}
	for (const code of codes) await confirmed(dave, code);
	const twice = await stack.sql("SELECT subject_id, type, COUNT(*) FROM event WHERE type IN ('car.reserved', 'booking.confirmed', 'booking.paid', 'payment.approved') GROUP BY 1, 2 HAVING COUNT(*) > 1");
	assert.deepEqual(twice, []);
});

/* --- workers killed at random ------------------------------------------------------------------------------------------------ */

await test('random workers killed while people book and cancel: only requests in progress fail, and the books balance', async () => {
	const people = await Promise.all(['Eve', 'Finn', 'Gus', 'Hana'].map(name => stack.payer(name)));
	const cars = await Promise.all(people.map(register));
	/* 12 seconds, and on a slow machine until enough was booked */
	const began = Date.now(), seen = {};
	const is_over = () => Date.now() > began + 12000 && seen[201] > 20 || Date.now() > began + patience_ms;
	let killed = 0;
	const killer = (async () => {
		const names = Object.keys(programs).filter(name => name !== 'account' && name !== 'ops');
		while (!is_over()) {
			const workers = stack.workers(names[killed % names.length]);
			if (workers.length) stack.kill(workers[Math.floor(Math.random() * workers.length)]);
			killed++;
			await sleep(250);
		}
	})();
	await Promise.all(people.map(async (who, n) => {
		for (let i = 0; !is_over(); i++) {
			const day = 5 + 2 * (i % 100);
			const key = { 'Idempotency-Key': `kill-${n}-${i}` };
			const order = { car_id: cars[(n + i) % cars.length], starts_at: at(day), ends_at: at(day + 1), card_id: who.card_id };
			let answer = await who.post('/bookings', order, key).catch(e => ({ status: 0, text: e.message }));
			seen[answer.status] = (seen[answer.status] ?? 0) + 1;
			/* retried with its key, like a client whose answer was lost */
			for (let again = 0; again < 20 && (answer.status === 0 || answer.status >= 500 || answer.json?.error?.code === 'in_progress'); again++) {
				await sleep(300);
				answer = await who.post('/bookings', order, key).catch(e => ({ status: 0, text: e.message }));
			}
			if (answer.status === 201)
				await who.post(`/bookings/${answer.json.code}/cancel`).catch(() => 0);
		}
	}));
	await killer;
	console.log(`#   ${killed} workers killed; first answers: ${JSON.stringify(seen)}`);
	assert.ok(seen[201] > 20, JSON.stringify(seen));
	/* interrupted sagas are finished by the sweeps: every booking ends, and the card company's books are right */
	const wrong = async () => {
		const found = [];
		for (const [code, state, amount, refunded] of await stack.sql('SELECT code, state, amount, refunded_amount FROM booking')) {
			const owed = ['CONFIRMED', 'COMPLETED'].includes(state) ? +amount : state === 'CANCELLED' ? amount - refunded : 0;
			if (['HELD', 'PAID', 'CANCEL_REQUESTED'].includes(state) || await stack.money_kept(code) !== owed) found.push(`${code} ${state}`);
		}
		return found;
	};
	await until('all is settled', async () => (await wrong()).length === 0, { every_ms: 1000 })
		.catch(async e => { throw new Error(`${e.message}: ${await wrong()}`); });
});

await test('after all this every invariant holds', async () => {
	await stack.check();
});
await finish();
