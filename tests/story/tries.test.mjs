/*
 * tries.test.mjs - a declined card does not end a booking: on pages, and for programs that ask for it, the hold stays with all its extras
 * and the next card is a charge of its own. Whatever is killed in between, and whatever the card company approves too late, the money is
 * taken once.
 */
import { assert, finish, test, until } from './check.mjs';
import { Stack, at, new_car } from './stack.mjs';

const stack = await Stack.start({ name: 'story-tries', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '100' } });
stack.allow(/charged although it was recorded as failed/, /"what":"reconcile"/, /"program":"lighttpd".*"status":50\d/);
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna');
const bad_card = await stack.card(anna, 'tok_declined');
const { json: seat } = await manager.post('/equipment/items', { name: 'Child seat', category: 'child_seat', daily_price: 5000, stock: 50, low_stock: 1 });
const register = async () => (await manager.post('/fleet/cars', new_car())).json.car_id;
const extras = { delivery: { zone: 'city', address: 'Teheran-ro 1' }, equipment: [{ item_id: seat.item_id, qty: 1 }] };
const order = (car_id, more = {}) => ({ car_id, starts_at: at(30), ends_at: at(31), card_id: bad_card, keep_hold: true, ...extras, ...more });
const book = async (more, headers) => anna.post('/bookings', order(await register(), more), headers);
const pay = (code, card_id, more = {}, headers) => anna.post(`/bookings/${code}/pay`, { card_id, ...more }, headers);
const read = async code => (await anna.get(`/bookings/${code}`)).json;
const confirmed = code => until(`${code} is CONFIRMED`, async () => (await read(code)).state === 'CONFIRMED');
const is_declined = answer => {
	assert.equal(answer.status, 402, answer.text);
	assert.equal(answer.json.error.code, 'declined');
	return answer.json.error.details;
};
/* At the card company, all tries together. */
const kept = async code => Number((await stack.sql(`SELECT COALESCE(SUM(balance), 0) FROM payment WHERE (order_id = '${code}' OR order_id LIKE '${code}-%')
	AND status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED')`, 'sandbox'))[0][0]);
const taken = async code => Number((await stack.sql(`SELECT COUNT(*) FROM payment WHERE (order_id = '${code}' OR order_id LIKE '${code}-%') AND approved_at > 0`, 'sandbox'))[0][0]);
/* The card company's own page: prepares a payment of an order; answers its key. */
async function prepare(order_id, amount, number) {
	const back = encodeURIComponent(`${stack.base}/bookings/x`), browser = stack.browser();
	await browser.get(`/sandbox/pay?customerKey=ANONYMOUS&orderId=${order_id}&amount=${amount}&orderName=Car&successUrl=${back}&failUrl=${back}`);
	const answer = await browser.post('/sandbox/pay', { customerKey: 'ANONYMOUS', successUrl: `${stack.base}/bookings/x`, failUrl: `${stack.base}/bookings/x`, orderId: order_id, orderName: 'Car',
		amount, number, expiry: '1230', cvc: '123' });
	assert.equal(answer.status, 303, answer.text);
	return new URL(answer.headers.location).searchParams.get('paymentKey');
}

await test('without keep_hold a program gets 402 and nothing is held', async () => {
	const car_id = await register(), answer = await anna.post('/bookings', order(car_id, { keep_hold: undefined }));
	assert.equal(is_declined(answer), undefined);
	assert.deepEqual(await stack.sql(`SELECT state, end_reason, try_no FROM booking WHERE car_id = ${car_id}`), [['EXPIRED', 'declined', '1']]);
});
await test('with keep_hold: declined, declined, approved; one hold with its extras, one charge, and only it is in the ledger', async () => {
	const first = is_declined(await book());
	assert.equal(first.url, `/bookings/${first.code}`);
	assert.equal(first.pay_url, `/bookings/${first.code}/pay`);
	assert.equal(first.tries_left, 4);
	assert.ok(Date.parse(first.hold_until) > Date.now());
	assert.equal(is_declined(await pay(first.code, bad_card)).hold_until, first.hold_until);
	const held = await read(first.code);
	assert.deepEqual([held.state, held.try_no, held.tries_left, held.declined_reason], ['HELD', 3, 3, 'declined']);
	const paid = await pay(first.code, anna.card_id);
	assert.equal(paid.status, 200, paid.text);
	assert.deepEqual(paid.json.extras.map(x => [x.kind, x.state]), [['delivery', 'BOOKED'], ['equipment', 'BOOKED']]);
	await confirmed(first.code);
	assert.equal(await kept(first.code), paid.json.amount);
	assert.deepEqual(await stack.sql(`SELECT key, state, try_no FROM charge WHERE subject_id = '${first.code}' ORDER BY charge_id`),
		[[first.code, 'FAILED', '1'], [`${first.code}-2`, 'FAILED', '2'], [`${first.code}-3`, 'APPROVED', '3']]);
	assert.equal((await pay(first.code, anna.card_id)).status, 200, 'again: it is paid');
	assert.equal(await taken(first.code), 1);
	await stack.check();
});
await test('several cars of a model, declined: all of them stay held, and are paid with another card', async () => {
	const { json: { model_id } } = await manager.post('/fleet/models', { ...new_car(), plate: undefined, name: 'Twin' });
	for (let i = 0; i < 2; i++) assert.equal((await manager.post('/fleet/cars', new_car({ name: 'Twin', model_id }))).status, 201);
	const { code } = is_declined(await anna.post('/bookings', { ...order(0), car_id: undefined, model_id, qty: 2, delivery: undefined }));
	assert.equal(await stack.count('slot', `booking_id = (SELECT booking_id FROM booking WHERE code = '${code}') AND kind = 'HOLD'`), 2);
	assert.equal((await pay(code, anna.card_id)).json.n_cars, 2);
	await confirmed(code);
});
await test('a refund after the second try is of that charge', async () => {
	const { code } = is_declined(await book());
	assert.equal((await pay(code, anna.card_id)).status, 200);
	await confirmed(code);
	assert.ok([200, 202].includes((await anna.post(`/bookings/${code}/cancel`)).status));
	await until('it is cancelled', async () => (await read(code)).state === 'CANCELLED');
	assert.equal(await kept(code), 0);
	await stack.check();
});
await test('a double click on one try charges once, and a repeated key answers as before', async () => {
	const { code } = is_declined(await book({}, { 'Idempotency-Key': `first-${process.pid}` }));
	const clicks = await Promise.all([1, 2, 3].map(() => pay(code, anna.card_id, { try_no: 2 })));
	for (const answer of clicks) assert.ok(answer.status === 200 || answer.json.error.code === 'in_progress', answer.text);
	assert.equal((await pay(code, anna.card_id, { try_no: 2 })).status, 200);
	assert.equal(await taken(code), 1);
	const other = is_declined(await book()), key = { 'Idempotency-Key': `try-${process.pid}` };
	is_declined(await pay(other.code, bad_card, {}, key));
	is_declined(await pay(other.code, bad_card, {}, key));
	assert.equal((await read(other.code)).try_no, 3);
	assert.equal((await pay(other.code, anna.card_id, {}, key)).json.error.code, 'key_reused');
	assert.equal((await pay(other.code, anna.card_id, {}, { 'Idempotency-Key': `next-${process.pid}` })).status, 200);
});
await test('invalid tries: another customer\'s card, no card, an unknown booking, one that was given up', async () => {
	const ben = await stack.payer('Ben'), { code } = is_declined(await book());
	assert.equal((await pay(code, ben.card_id)).status, 422);
	assert.ok((await pay(code, undefined)).json.error.fields.card_id);
	assert.equal((await ben.post(`/bookings/${code}/pay`, { card_id: ben.card_id })).status, 404);
	assert.equal((await anna.post(`/bookings/${code}/cancel`)).json.state, 'EXPIRED');
	const late = await pay(code, anna.card_id);
	assert.deepEqual([late.status, late.json.error.code], [409, 'not_held']);
	assert.equal(await taken(code), 0);
});
await test('five declined tries release the hold', async () => {
	const { code } = is_declined(await book());
	for (let left = 3; left > 0; left--) assert.equal(is_declined(await pay(code, bad_card)).tries_left, left);
	assert.equal(is_declined(await pay(code, bad_card)), undefined);
	assert.equal((await read(code)).state, 'EXPIRED');
	await until('its tries are voided', async () => (await read(code)).refund_state === 'DONE');
	await stack.check();
});

/* --- approved too late ------------------------------------------------------------------------------------------------------------ */

for (const [noticed, hint] of [['by webhook', () => stack.fault({ webhooks: 2 })], ['by the nightly reconciliation', null]])
	await test(`the card company approves the first try after the second was approved, noticed ${noticed}: the money is kept once`, async () => {
		const { code } = is_declined(await book());
		const paid = await pay(code, anna.card_id);
		assert.equal(paid.status, 200, paid.text);
		await confirmed(code);
		const paymentKey = await prepare(code, paid.json.amount, '4242 4242 4242 4242');
		if (hint) await hint();
		assert.equal((await stack.sandbox('POST', '/v1/payments/confirm', { paymentKey, orderId: code, amount: paid.json.amount })).status, 200);
		assert.equal(await taken(code), 2);
		if (!hint) await stack.must('reconcile');
		await until('it is given back', async () => await kept(code) === paid.json.amount, { limit_ms: 30000, every_ms: 200 });
		await stack.fault({ webhooks: 0 });
		assert.equal(await stack.money_kept(`${code}-2`), paid.json.amount, 'the one that pays');
		assert.equal((await read(code)).state, 'CONFIRMED');
		await stack.check();
	});

/* --- killed in between ------------------------------------------------------------------------------------------------------------ */

await test('all workers of booking and payment are killed between the tries: the hold is there, and the money is taken once', async () => {
	const { code } = is_declined(await book());
	const kill_all = async () => {
		const pids = [...stack.workers('booking'), ...stack.workers('payment')];
		for (const pid of pids) stack.kill(pid);
		await until('others have taken their places', async () => (await anna.get(`/bookings/${code}`).catch(() => ({}))).status === 200
			&& ![...stack.workers('booking'), ...stack.workers('payment')].some(pid => pids.includes(pid)));
	};
	await kill_all();
	is_declined(await pay(code, bad_card));
	await kill_all();
	const paid = await until('it is paid', async () => {
		const answer = await pay(code, anna.card_id);
		return answer.status === 200 && answer;
	});
	await confirmed(code);
	assert.equal(paid.json.extras.length, 2);
	assert.equal(await kept(code), paid.json.amount);
	assert.equal(await taken(code), 1);
	await stack.check();
});

/* --- saving the card that pays ---------------------------------------------------------------------------------------------------- */

await test('a card that is to be saved on the card page is saved once it has paid, once, and can be used next time; a declined one never', async () => {
	const who = await stack.customer('Carla'), browser = stack.browser(), car_id = await register();
	await browser.sign_in(who.email, who.password);
	await browser.get(`/bookings/new?${new URLSearchParams({ car_id, starts_at: at(30), ends_at: at(31) })}`);
	const to_page = await browser.post('/bookings', { car_id, starts_at: at(30), ends_at: at(31), card_id: 'new', form_key: browser.form_key, agreed_amount: browser.agreed_amount, terms_version: browser.terms_version });
	assert.equal(to_page.status, 303, to_page.text);
	async function pays(location, number) {
		const link = new URL(location), fields = Object.fromEntries(link.searchParams);
		assert.notEqual(fields.customerKey, 'ANONYMOUS');
		assert.match((await browser.get(link.pathname + link.search)).text, /name="save_card"/);
		const done = await browser.post('/sandbox/pay', { ...fields, number, expiry: '1230', cvc: '123', save_card: '1' });
		const back = new URL(done.headers.location);
		assert.ok(back.searchParams.get('authKey'), done.headers.location);
		return back.pathname + back.search;
	}
	const cards = async () => (await who.get('/payments/cards')).json.cards.map(card => card.last4);
	const code = new URL(to_page.headers.location).searchParams.get('orderId');
	const declined = await pays(to_page.headers.location, '4000 0000 0000 0002');
	assert.equal((await browser.get(declined)).headers.location, `/bookings/${code}`);
	const page = (await browser.get(`/bookings/${code}`)).text;
	assert.match(page, /카드 결제가 거절되었습니다/);
	const again = await browser.post(`/bookings/${code}/pay`, { card_id: 'new', try_no: '2' });
	assert.equal(new URL(again.headers.location).searchParams.get('orderId'), `${code}-2`);
	const paid = await pays(again.headers.location, '4242 4242 4242 4242');
	for (let i = 0; i < 3; i++) assert.equal((await browser.get(paid)).headers.location, `/bookings/${code}`);
	assert.equal((await browser.get(declined)).headers.location, `/bookings/${code}`, 'an earlier try again');
	await until('it is CONFIRMED', async () => (await who.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
	await until('the card is saved', async () => (await cards()).length > 0);
	assert.deepEqual(await cards(), ['4242']);
	const [card] = (await who.get('/payments/cards')).json.cards;
	assert.equal((await who.post('/bookings', { car_id, starts_at: at(40), ends_at: at(41), card_id: card.card_id })).status, 201);
	await stack.check();
});
await finish();
