/*
 * equipment_off.test.mjs - FX-5: equipment's policies and its program are off while people book cars with equipment. No booking is refused
 * and the stock does not change; when it is back, one piece of 100 and two of 200 are taken from the stock. Bookings without
 * equipment, and everything else, work as before. Bookings cancelled meanwhile do not change the stock.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { Stack, at } from '../story/stack.mjs';
import { figure, is_long, span } from './fault.mjs';
import { Market, is_alive, start_relay } from './market.mjs';

const stack = await Stack.start({ name: 'fault-equipment-off', env: { MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '1000' } });
const market = await Market.open(stack, { n_cars: 8, n_people: 2 });
const employee = await stack.person('Emil', 'employee');
const item = async (name, stock) => (await market.manager.post('/equipment/items', { name, category: 'winter', daily_price: 5000, stock })).json.item_id;
const hundred = await item('Snow chains', 100), two_hundred = await item('Ice scraper', 200), five = await item('Roof box', 5);
/* The last balance of each ledger, read from the tables, since its pages are off. */
const stock = async () => (await stack.sql(`SELECT (SELECT balance FROM stock_entry WHERE item_id = i.item_id ORDER BY entry_id DESC LIMIT 1) FROM item i WHERE item_id <= ${two_hundred} ORDER BY item_id`)).map(row => +row[0]);
const order_of = async code => (await stack.sql(`SELECT state, quantity FROM equipment_order WHERE booking_code = '${code}'`)).map(row => row.join(' ')).join();
let i = 0;

async function book(equipment) {
	const who = market.who(i), order = { ...market.order(i), card_id: who.card_id, ...(equipment.length && { equipment }) }, key = { 'Idempotency-Key': `off-${i++}` };
	let answer = await who.post('/bookings', order, key);
	for (let again = 0; !is_long && again < 600 && answer.status === 503; again++) answer = await who.post('/bookings', order, key);
	assert.equal(answer.status, 201, `${answer.status} ${answer.text}`);
	return { who, code: answer.json.code };
}

async function stock_is(what, wanted, limit_ms) {
	const began = performance.now();
	await until(`the stock is ${wanted.join(' and ')}`, async () => (await stock()).join() === wanted.join(), { limit_ms });
	figure({ experiment: 'FX-5', name: `${what}: stock ${wanted.join(' and ')} after`, value: (performance.now() - began) / 1000, unit: 's', limit: 5 });
}

let one, two, given_up;
await test('equipment paused and its program ended: bookings with 1×1 and 2×2 succeed, and so do those without', async () => {
	await stack.must('pause', 'equipment', 'an experiment');
	const pid = stack.services().equipment, all = [pid, ...stack.workers('equipment')];
	stack.kill(stack.process.pid, 'SIGSTOP');
	stack.held = true;
	stack.kill(pid, 'SIGTERM');
	await until('it has ended', () => !all.some(is_alive), { limit_ms: 15000 });
	assert.equal((await employee.get('/equipment/items')).status, 503, 'its pages are gone');
	one = await book([{ item_id: hundred, qty: 1 }]);
	two = await book([{ item_id: two_hundred, qty: 2 }]);
	given_up = await book([{ item_id: hundred, qty: 5 }, { item_id: two_hundred, qty: 7 }]);
	const plain = await book([]), all_five = await book([{ item_id: five, qty: 5 }]);
	for (const { code } of [one, two, given_up, plain, all_five])
		await until(`${code} is CONFIRMED`, async () => (await market.manager.get(`/bookings/${code}`)).json.state === 'CONFIRMED', { limit_ms: 20000 });
	figure({ experiment: 'FX-5', name: 'bookings that succeed while equipment is off', value: 100, unit: '%', least: 100 });
}, { limit_s: 60 });
await test('meanwhile the stock is unchanged, and booked pieces are not available again', async () => {
	assert.deepEqual(await stock(), [100, 200]);
	assert.equal(await stack.count('equipment_order'), 0);
	assert.match((await stack.command('status')).out, /^equipment +\d+ events behind, PAUSED by the command: an experiment$/m);
	const who = market.who(0), order = { ...market.order(0), card_id: who.card_id };
	const answer = await who.post('/bookings', { ...order, car_id: market.cars[5], equipment: [{ item_id: five, qty: 1 }] });
	assert.deepEqual([answer.status, answer.json.error?.code], [409, 'out_of_stock'], answer.text);
});
await test('one is cancelled before equipment has handled its event', async () => {
	const answer = await given_up.who.post(`/bookings/${given_up.code}/cancel`);
	assert.ok([200, 202].includes(answer.status), answer.text);
});
await test('the check of this experiment can fail: it finds a stock that did not change', async () => {
	await assert.rejects(stock_is('nothing', [99, 198], 300), /in vain/);
});
await test('resumed and started again: 99 and 198, each order once', async () => {
	await stack.must('resume', 'equipment');
	await stock_is('resumed', [99, 198], 30000);
	await stack.up();
	assert.equal((await employee.get(`/equipment/items/${hundred}`)).json.stock, 99);
	assert.equal((await employee.get(`/equipment/items/${two_hundred}`)).json.stock, 198);
	assert.equal(await order_of(one.code), 'APPROVED 1');
	assert.equal(await order_of(two.code), 'APPROVED 2');
	await until('what was cancelled is CANCELLED', async () => await order_of(given_up.code) === 'CANCELLED 5,CANCELLED 7');
	assert.deepEqual(await stock(), [99, 198], 'and the stock is unchanged');
	assert.equal(await stack.count('stock_entry', `kind = 'order' AND item_id <= ${two_hundred}`), 2);
	/* five pieces are more than the rule approves */
	assert.equal((await stack.sql(`SELECT state FROM equipment_order WHERE item_id = ${five}`)).join(), 'ORDERED');
}, { limit_s: 80 });
await test('killed with the whole relay while people book: all of it catches up', async () => {
	const n = span(4, 40);
	await stack.down('equipment', 'relay');
	for (const relay of stack.relays ?? []) stack.kill(-relay.pid);
	for (let k = 0; k < n; k++) await book([{ item_id: hundred, qty: 1 }, { item_id: two_hundred, qty: 2 }]);
	assert.deepEqual(await stock(), [99, 198]);
	start_relay(stack);
	await stock_is('killed and started', [99 - n, 198 - 2 * n], 60000);
	await stack.up();
}, { limit_s: 200 });
await test('equipment can be ordered alone again, and cancelling restores the stock', async () => {
	const before = (await stock())[0];
	const { json: order } = await employee.post('/equipment/orders', { item_id: hundred, qty: 2, starts_at: at(3), ends_at: at(4) });
	await until('approved', async () => (await stock())[0] === before - 2);
	assert.equal((await employee.post(`/equipment/orders/${order.order_id}/cancel`)).json.state, 'CANCELLED');
	assert.equal((await stock())[0], before);
});
await test('every invariant holds', () => stack.check());
await finish();
