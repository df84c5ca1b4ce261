/*
 * review_off.test.mjs - FX-6 and FX-7: review is off while employees order equipment.
 *
 * An item that needs review's answer first (sync): orders of 2 and 3 pieces are refused with "later", a booking with it too, and nothing
 * is left behind: no order, no case, no pieces, no money. As soon as it is back, both are accepted with the same keys.
 * An item that is reviewed afterwards (async): every order is accepted at once and stays ORDERED; all are APPROVED within seconds of its
 * return, an order above the rule's limit waits for a person, and my page shows the reason of a rejection.
 */
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { Stack, at, new_car } from '../story/stack.mjs';
import { figure, load, span } from './fault.mjs';
import { is_alive } from './market.mjs';

const stack = await Stack.start({ name: 'fault-review-off' });
const manager = await stack.person('Manager', 'manager'), staff = await stack.person('Staff', 'employee'), anna = await stack.payer('Anna');
const item = async (name, category, stock) => (await manager.post('/equipment/items', { name, category, daily_price: 1000, stock })).json.item_id;
const tent = await item('Tent', 'camping', 10), seat = await item('Child seat', 'child_seat', 100);
const { json: { car_id } } = await manager.post('/fleet/cars', new_car());
const order = (item_id, qty, key) => staff.post('/equipment/orders', { item_id, qty, starts_at: at(10), ends_at: at(12) }, key && { 'Idempotency-Key': key });
const stock_of = async item_id => (await staff.get(`/equipment/items/${item_id}`)).json.stock;
const states = async item_id => Object.fromEntries((await stack.sql(`SELECT state, COUNT(*) FROM equipment_order WHERE item_id = ${item_id} GROUP BY state`)).map(([state, n]) => [state, +n]));
const with_tent = { car_id, starts_at: at(20), ends_at: at(21), card_id: anna.card_id, equipment: [{ item_id: tent, qty: 1 }] };

/* Not restarted: `run`, the supervisor, is stopped. */
async function off({ paused }) {
	const all = [stack.services().review, ...stack.workers('review')];
	if (paused) await stack.must('pause', 'review', 'an experiment');
	stack.kill(stack.process.pid, 'SIGSTOP');
	stack.held = true;
	for (const pid of all) stack.kill(pid, 'SIGKILL');
	await until('it is dead', () => !all.some(is_alive), { limit_ms: 10000 });
}

/* All traces of an order: open orders, cases (a closed key is none), moved pieces, held cars or money, and events about any of these. */
const left_behind = async () => [
	await stack.sql("SELECT code, state, taken FROM equipment_order WHERE state <> 'CANCELLED' ORDER BY order_id"), await stack.count('review_case', "kind <> ''"),
	await stack.count('stock_entry'), await stack.count('slot', "kind <> 'RELEASED'"), await stack.count('charge', "state = 'APPROVED'"),
	await stack.count('event', "type LIKE 'equipment.%' OR type LIKE 'review.%' OR type LIKE 'stock.%' OR type IN ('booking.paid', 'payment.approved')"),
];
const refused = answer => {
	assert.equal(answer.status, 503, answer.text);
	assert.equal(answer.json.error.code, 'later');
	assert.ok(Number(answer.headers['retry-after']) > 0);
};

stack.allow(/Connection refused|review\.internal\.sock/);

/* --- FX-6 --- */
await test('while review answers, a small order of a sync item is APPROVED at once', async () => {
	const answer = await order(tent, 1);
	assert.equal(answer.status, 201, answer.text);
	assert.equal(answer.json.state, 'APPROVED');
	assert.equal(await stock_of(tent), 9);
});
let before;
await test('review killed: orders of 2 and 3 are refused with "later" and Retry-After, in less than a second each', async () => {
	await off({ paused: false });
	before = await left_behind();
	for (const qty of [2, 3]) {
		const answer = await order(tent, qty, `tents-${qty}`);
		refused(answer);
		figure({ experiment: 'FX-6', name: `order of ${qty} refused while review is off`, value: answer.ms, unit: 'ms', limit: 1000 });
	}
});
await test('a booking with such equipment is refused too, and nothing is charged', async () => {
	refused(await anna.post('/bookings', with_tent));
	assert.equal(await stack.count('charge', "state = 'APPROVED'"), 0);
});
await test('nothing is left behind: no order, no case, no pieces, no car, no money, no event', async () => {
	assert.deepEqual(await left_behind(), before);
	assert.equal(await stock_of(tent), 9);
});
await test('… and a booking without such equipment succeeds', async () => {
	const answer = await anna.post('/bookings', { ...with_tent, equipment: undefined, starts_at: at(30), ends_at: at(31) });
	assert.equal(answer.status, 201, answer.text);
	await until('it is CONFIRMED', async () => (await stack.sql(`SELECT state FROM booking WHERE code = '${answer.json.code}'`))[0][0] === 'CONFIRMED');
});
await test('the check of this experiment can fail: it finds what an order leaves behind', async () => {
	await assert.rejects(async () => assert.deepEqual(await left_behind(), before));      /* the booking's slot and charge */
});
await test('review is back: both are accepted with the same keys, once, and their pieces are taken from the stock', async () => {
	await stack.up();
	const began = performance.now();
	for (const qty of [2, 3]) {
		const answer = await until('it is asked again', async () => { const answer = await order(tent, qty, `tents-${qty}`); return answer.status !== 503 && answer; }, { limit_ms: 30000, every_ms: 300 });
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.json.state, 'APPROVED');
		const again = await order(tent, qty, `tents-${qty}`);
		assert.equal(again.json.order_id, answer.json.order_id, 'the same key is the same order');
	}
	figure({ experiment: 'FX-6', name: 'orders accepted after review is back', value: (performance.now() - began) / 1000, unit: 's', limit: 15 });
	assert.equal(await stock_of(tent), 4);
	assert.equal((await states(tent)).APPROVED, 3);
});
await test('the booking with it succeeds now as well', async () => {
	const answer = await until('it is asked again', async () => { const answer = await anna.post('/bookings', with_tent); return answer.status !== 503 && answer; }, { limit_ms: 30000, every_ms: 300 });
	assert.equal(answer.status, 201, answer.text);
	await until('its tent is APPROVED', async () => (await states(tent)).APPROVED === 4);
});
await test('review hangs during the calls: both are refused, and no case is left open when it continues', async () => {
	const all = [stack.services().review, ...stack.workers('review')], sealed = () => stack.count('review_case', "kind = ''"), before = await sealed();
	for (const pid of all) stack.kill(pid, 'SIGSTOP');
	try {
		refused(await anna.post('/bookings', { ...with_tent, equipment: [{ item_id: tent, qty: 5 }], starts_at: at(40), ends_at: at(41) }));
		refused(await staff.post('/equipment/orders', { item_id: tent, qty: 5, starts_at: at(40), ends_at: at(41) }));
		await until('both cases are closed', async () => await sealed() === before + 2);
	} finally {
		for (const pid of all) stack.kill(pid, 'SIGCONT');
	}
	await until('it answers', async () => (await manager.get('/reviews')).status === 200);
	await sleep(1000);
	assert.equal(await stack.count('review_case', "state = 'ASSIGNED'"), 0);
	assert.equal(await stack.count('charge', "state = 'APPROVED'"), 2);
});

/* --- FX-7 --- */
const N = span(10, 18);        /* with the large one they fit on one page of the list */
await test('review paused and killed: every order of an async item is accepted, and stays ORDERED', async () => {
	await off({ paused: true });
	const done = await load({ per_s: 10, for_s: N / 10, run: async i => {
		const answer = await order(seat, 1, `seat-${i}`);
		if (answer.status !== 201 || answer.json.state !== 'ORDERED') throw new Error(`${answer.status} ${answer.text}`);
	} });
	assert.deepEqual(done.filter(one => one.error).slice(0, 3).map(one => one.error.message), []);
	figure({ experiment: 'FX-7', name: 'async orders taken while review is off', value: 100 * done.filter(one => !one.error).length / N, unit: '%', least: 100 });
	const large = await order(seat, 5, 'too-many');
	assert.equal(large.json.state, 'ORDERED', large.text);
	assert.deepEqual(await states(seat), { ORDERED: N + 1 });
	assert.equal(await stock_of(seat), 100);
});
await test('the check of this experiment can fail: it finds orders that are not approved', async () => {
	await assert.rejects(until('all APPROVED', async () => (await states(seat)).APPROVED === N, { limit_ms: 300 }), /in vain/);
});
await test('resumed: all orders within the limits of the rule are APPROVED within 5 s, and the rest wait for a person', async () => {
	await stack.must('resume', 'review');
	await stack.up();
	const began = performance.now();
	await until('all are APPROVED', async () => (await states(seat)).APPROVED === N, { limit_ms: 30000 });
	figure({ experiment: 'FX-7', name: 'every async order APPROVED after review is back', value: (performance.now() - began) / 1000, unit: 's', limit: 5 });
	assert.equal(await stock_of(seat), 100 - N);
	assert.deepEqual(await states(seat), { APPROVED: N, ORDERED: 1 });
	assert.equal(await stack.count('review_case', "category = 'child_seat'"), N + 1);
});
await test('an examiner rejects it, and my page shows the reason', async () => {
	const { json: { reviews } } = await manager.get('/reviews?tab=waiting'), mine = reviews.find(one => one.quantity === 5);
	assert.ok(mine, JSON.stringify(reviews));
	assert.equal((await manager.post(`/reviews/${mine.case_id}/reject`, { reason: 'Five are too many.' })).json.state, 'REJECTED');
	const seen = await until('it is in my page', async () => (await staff.get('/my/equipment')).json.orders.find(one => one.state === 'REJECTED'));
	assert.equal(seen.reason, 'Five are too many.');
	assert.equal(await stock_of(seat), 100 - N);
});
await test('every invariant holds', () => stack.check());
await finish();
