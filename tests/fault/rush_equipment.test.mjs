/*
 * rush_equipment.test.mjs - a hundred simultaneous orders for the last five pieces: half by employees without a car, half by customers with
 * a car. Five succeed, the others are told that none is left, and exactly five pieces are handed out; refused orders leave neither a
 * booked car nor a charge.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { Stack, at } from '../story/stack.mjs';
import { figure, span } from './fault.mjs';
import { Market } from './market.mjs';

const N = 100, ALONE = N / 2, PIECES = 5, ROUNDS = span(1, 5);
const stack = await Stack.start({ name: 'fault-rush-equipment', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: N - ALONE, n_people: 6 });
const employees = [];
for (let k = 0; k < 4; k++) employees.push(await stack.person(`Emil${k}`, 'employee'));
const now = new Date(Date.now() + 9 * 3600e3), soon = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`;
const times = day => ({ starts_at: day ? at(day) : soon, ends_at: at(day + 1) });

/* One of the hundred: { status, code, json }. A 503 is retried. */
async function want(item_id, i, day) {
	const key = { 'Idempotency-Key': `rush-${item_id}-${day}-${i}` };
	const alone = () => employees[i % employees.length].post('/equipment/orders', { item_id, qty: 1, ...times(day) }, key);
	const with_car = () => { const who = market.who(i); return who.post('/bookings', { car_id: market.cars[i - ALONE], card_id: who.card_id, equipment: [{ item_id, qty: 1 }], ...times(day) }, key); };
	for (let tries = 0; ; tries++) {
		const answer = await (i < ALONE ? alone : with_car)();
		if (answer.status !== 503 && answer.json?.error?.code !== 'in_progress' || tries > span(600, 60)) return { status: answer.status, code: answer.json?.error?.code, json: answer.json, text: answer.text };
		await new Promise(done => setTimeout(done, 300));
	}
}

/* Checks the hundred answers; returns the successful ones. */
function winners_of(answers, n) {
	const won = answers.filter(a => a.status === 201), lost = answers.filter(a => a.status !== 201);
	assert.deepEqual(lost.filter(a => a.status !== 409 || a.code !== 'out_of_stock').slice(0, 3).map(a => `${a.status} ${a.text}`), []);
	assert.equal(won.length, n, `${won.length} of ${answers.length} got one`);
	return won;
}
const item = async (name, stock) => (await market.manager.post('/equipment/items', { name, category: 'winter', daily_price: 5000, stock })).json.item_id;
const orders = (item_id, more = '1') => stack.count('equipment_order', `item_id = ${item_id} AND ${more}`);

const first = await item('The last five', PIECES);
let answers, won;
await test('a hundred at once, half alone and half with a car: five succeed, all others are refused as out of stock', async () => {
	const began = performance.now();
	answers = await Promise.all(Array.from({ length: N }, (_, k) => want(first, k % 2 ? k >> 1 : ALONE + (k >> 1), 0)));
	won = winners_of(answers, PIECES);
	figure({ experiment: 'FX-5', name: `${N} at once for the last ${PIECES}: orders taken`, value: won.length, unit: 'orders', limit: PIECES });
	console.log(`# ${won.filter(a => a.json.order_id).length} alone, ${won.filter(a => !a.json.order_id).length} with a car, in ${Math.round(performance.now() - began)} ms`);
}, { limit_s: 90 });
await test('refused orders have neither a car nor a charge', async () => {
	const with_car = won.filter(a => !a.json.order_id).length;
	assert.equal(await stack.count('booking', "state <> 'EXPIRED'"), with_car);
	await until('no money is kept', async () => await stack.count('charge', "state NOT IN ('FAILED', 'CANCELLED')") === with_car, { limit_ms: 20000 });
	assert.equal(await stack.count('slot', "kind IN ('HOLD', 'BOOKED')"), with_car);
});
await test('all five are approved, the stock is empty, and none is available', async () => {
	await until('approved', async () => await orders(first, "state = 'APPROVED'") === PIECES, { limit_ms: 20000 });
	const { json } = await market.manager.get(`/equipment/items/${first}`);
	assert.deepEqual([json.stock, json.owned, json.free_now, json.free_today], [0, PIECES, 0, 0]);
});
await test('exactly five pieces are handed out, with the car or at the counter', async () => {
	for (const [code, booking_code] of await stack.sql(`SELECT code, booking_code FROM equipment_order WHERE item_id = ${first}`)) {
		if (booking_code) await until(`${booking_code} is CONFIRMED`, async () => (await market.manager.get(`/bookings/${booking_code}`)).json.state === 'CONFIRMED', { limit_ms: 20000 });
		const answer = await market.manager.post(booking_code ? `/bookings/${booking_code}/hand-out` : `/equipment/orders/${code}/hand-out`);
		assert.equal(answer.status, 200, answer.text);
	}
	await until('all are out', async () => await orders(first, "state = 'HANDED_OUT'") === PIECES, { limit_ms: 20000 });
	assert.deepEqual(await stack.sql(`SELECT SUM(taken), COUNT(*) FROM equipment_order WHERE item_id = ${first}`), [[String(PIECES), String(PIECES)]]);
	assert.equal(await stack.count('stock_entry', `item_id = ${first} AND kind = 'order'`), PIECES);
});
await test('the check of this experiment can fail: it finds a sixth piece', async () => {
	const answer = await market.manager.post(`/equipment/items/${first}/stock`, { kind: 'receive', quantity: 1 });
	assert.equal(answer.status, 200, answer.text);
	answers.push(...await Promise.all(Array.from({ length: 8 }, (_, k) => employees[k % employees.length].post('/equipment/orders', { item_id: first, qty: 1, ...times(0) })))
		.then(all => all.map(a => ({ status: a.status, code: a.json?.error?.code, json: a.json, text: a.text }))));
	assert.throws(() => winners_of(answers, PIECES), /6 of 108 got one/);
	winners_of(answers, PIECES + 1);
});
for (let round = 1; round <= ROUNDS; round++)
	await test(`once more, on another day (${round}): exactly five again`, async () => {
		const item_id = await item(`The last five ${round}`, PIECES);
		winners_of(await Promise.all(Array.from({ length: N }, (_, k) => want(item_id, k, 2 + 2 * round))), PIECES);
		await until('approved', async () => await orders(item_id, "state = 'APPROVED'") === PIECES, { limit_ms: 20000 });
		assert.equal((await market.manager.get(`/equipment/items/${item_id}`)).json.stock, 0);
	}, { limit_s: 90 });
await test('every invariant holds', () => stack.check());
await finish();
