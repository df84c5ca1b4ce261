/*
 * desks.test.mjs - one booking with everything, through the API: a car with delivery, collection, two child seats and more chains than the
 * rule approves is approved, assigned, delivered, collected and returned, and all messages are sent. At the end the stock is as before,
 * the money is accounted for, the read models equal a replay, and `motorpool check` finds nothing.
 */
import { assert, finish, test, until } from './check.mjs';
import { Stack, at, new_car } from './stack.mjs';

const stack = await Stack.start({ name: 'story-desks' });
const manager = await stack.person('Manager', 'manager'), examiner = await stack.person('Examiner', 'examiner'), courier = await stack.person('Courier', 'courier');
const anna = await stack.payer('Anna'), ben = await stack.payer('Ben'), employee = await stack.person('Employee', 'employee');
const courier_id = (await courier.get('/account')).json.user_id;
const { car_id } = (await manager.post('/fleet/cars', new_car())).json;
const item = async (name, daily_price, stock, category = 'child_seat') => (await manager.post('/equipment/items', { name, category, daily_price, stock, low_stock: 1 })).json.item_id;
const seat = await item('Child seat', 7000, 10), chains = await item('Snow chains', 9000, 10, 'winter');
const stock_of = async item_id => (await manager.get(`/equipment/items/${item_id}`)).json.stock;
const booking = async code => (await anna.get(`/bookings/${code}`)).json;
const said = async (who, words) => (await who.get('/messages')).json.messages.filter(m => words.test(`${m.kind} ${m.title}`));
const job_of = async (code, direction) => (await manager.get(`/deliveries?q=${code}`)).json.deliveries.find(d => d.direction === direction);
const soon = wait => until(wait[0], wait[1]);
/* The next half hour: the handover is allowed from the turnaround time before it. */
const from = new Date(Math.ceil((Date.now() + 60e3) / 1800e3) * 1800e3 + 9 * 3600e3).toISOString().slice(0, 16), to = at(2, 13);
let code, paid;

/* --- booked ------------------------------------------------------------------------------------------------------------------ */

await test('one order books a car with delivery, collection and equipment: each is a price line, and all is charged at once', async () => {
	const answer = await anna.post('/bookings', {
		car_id, starts_at: from, ends_at: to, card_id: anna.card_id,
		delivery: { address: '1 Test-ro, Seoul', zone: 'city', place: 'Gate 3', collect: true },
		equipment: [{ item_id: seat, qty: 2 }, { item_id: chains, qty: 5 }],
	});
	assert.equal(answer.status, 201, answer.text);
	({ code } = answer.json);
	const lines = (await booking(code)).lines, days = Math.ceil((Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / 86400e3);
	const amount = rule => lines.filter(l => l.rule === rule).map(l => l.amount);
	assert.deepEqual(amount('delivery'), [25000]);
	assert.deepEqual(amount('collection'), [25000]);
	assert.deepEqual(amount('equipment').sort((a, b) => a - b), [2 * 7000 * days, 5 * 9000 * days].sort((a, b) => a - b));
	paid = lines.reduce((sum, l) => sum + l.amount, 0);
	assert.equal((await booking(code)).amount, paid);
	assert.equal(await stack.money_kept(code), paid);
});
await test('a rule approves the two seats at once; the five chains wait for a person', async () => {
	await soon(['the seats are approved', async () => await stock_of(seat) === 8]);
	assert.equal(await stock_of(chains), 10, 'waiting orders take no pieces');
	const { reviews } = (await examiner.get('/reviews')).json;
	const waiting = reviews.filter(c => c.state === 'ASSIGNED');
	assert.equal(waiting.length, 1);
	assert.match(waiting[0].title, /5 × Snow chains/);
	assert.equal((await anna.post(`/reviews/${waiting[0].case_id}/approve`)).status, 403, 'not by the applicant');
	const done = await examiner.post(`/reviews/${waiting[0].case_id}/approve`);
	assert.equal(done.status, 200, done.text);
	await soon(['the chains are approved', async () => await stock_of(chains) === 5]);
	assert.equal((await examiner.post(`/reviews/${waiting[0].case_id}/reject`, { reason: 'Too late.' })).status, 409);
});
await test('pieces promised to an order are not available to others: the rest can be booked, and not one piece more', async () => {
	const order = qty => employee.post('/equipment/orders', { item_id: seat, qty, starts_at: from, ends_at: to });
	const refused = await order(9);
	assert.equal(refused.status, 409);
	assert.equal(refused.json.error.code, 'out_of_stock');
	const { status, json } = await order(3);
	assert.equal(status, 201);
	await soon(['it is approved', async () => (await employee.get(`/equipment/orders/${json.order_id}`)).json.state === 'APPROVED']);
	assert.equal(await stock_of(seat), 5);
	assert.equal((await employee.post(`/equipment/orders/${json.order_id}/cancel`)).status, 200);
	assert.equal(await stock_of(seat), 8, 'after the cancellation they are available again');
});

/* --- delivery ------------------------------------------------------------------------------------------------------------------ */

let job;
await test('the dispatcher assigns a courier, and only that courier may leave with the car', async () => {
	job = await until('there is a job', () => job_of(code, 'delivery'));
	assert.equal(job.state, 'REQUESTED');
	assert.equal((await courier.post(`/deliveries/${job.delivery_id}/ship`)).status, 404, 'not assigned yet');
	assert.equal((await manager.post(`/deliveries/${job.delivery_id}/assign`, { courier_id: 999 })).status, 422);
	assert.equal((await manager.post(`/deliveries/${job.delivery_id}/assign`, { courier_id })).status, 200);
	assert.equal((await anna.get(`/deliveries/${job.delivery_id}`)).status, 403);
	const answer = await courier.post(`/deliveries/${job.delivery_id}/ship`);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.state, 'SHIPPED');
});
await test('on its way, the booking cannot be cancelled any more, and the refusal changes nothing', async () => {
	const answer = await anna.post(`/bookings/${code}/cancel`);
	assert.equal(answer.status, 409, answer.text);
	assert.equal(answer.json.error.code, 'delivery_shipped');
	assert.equal((await booking(code)).state, 'CONFIRMED');
	assert.equal(await stack.money_kept(code), paid);
});
await test('the car is handed over: the booking is OUT, and the equipment with it', async () => {
	const answer = await courier.post(`/deliveries/${job.delivery_id}/deliver`, { odometer_km: 12000, fuel_percent: 100, received_by: 'Anna' });
	assert.equal(answer.status, 200, answer.text);
	await soon(['it is out', async () => (await booking(code)).state === 'OUT']);
	await soon(['so is the equipment', async () => (await stack.sql(`SELECT COUNT(*) FROM equipment_order WHERE booking_code = '${code}' AND state = 'HANDED_OUT'`))[0][0] === '2']);
	assert.equal((await courier.post(`/deliveries/${job.delivery_id}/ship`)).status, 409);
});

/* --- collection ------------------------------------------------------------------------------------------------------------------ */

await test('the collection is a job of its own, and with it the car, the seats and the chains come back', async () => {
	const fetch = await until('there is a collection', () => job_of(code, 'collection'));
	assert.equal((await manager.post(`/deliveries/${fetch.delivery_id}/assign`, { courier_id })).status, 200);
	assert.equal((await courier.post(`/deliveries/${fetch.delivery_id}/ship`)).status, 200);
	const answer = await courier.post(`/deliveries/${fetch.delivery_id}/deliver`, { odometer_km: 12345, fuel_percent: 60, received_by: 'Anna', note: 'A scratch' });
	assert.equal(answer.status, 200, answer.text);
	await soon(['it is completed', async () => (await booking(code)).state === 'COMPLETED']);
	await soon(['all seats are back', async () => await stock_of(seat) === 10]);
	await soon(['all chains are back', async () => await stock_of(chains) === 10]);
	assert.equal(await stack.money_kept(code), paid, 'nothing is refunded');
	await soon(['the car is free', async () => (await manager.get(`/fleet/cars/${car_id}`)).json.status === 'AVAILABLE']);
});

/* --- messages, and the final state ------------------------------------------------------------------------------------------------- */

await test('the customer has one message for each step, in the inbox and by mail', async () => {
	const kinds = await until('all messages are there', async () => {
		const { messages } = (await anna.get('/messages')).json;
		return messages.some(m => m.kind === 'booking_completed' || m.kind === 'delivery_delivered') && messages.length >= 5 && messages.map(m => m.kind);
	});
	for (const kind of ['booking_confirmed', 'delivery_scheduled', 'delivery_shipped', 'delivery_delivered']) assert.ok(kinds.includes(kind), `${kind} among ${kinds}`);
	assert.equal((await stack.sql('SELECT COUNT(*) FROM (SELECT 1 FROM message GROUP BY event_id, recipient_id, kind HAVING COUNT(*) > 1)'))[0][0], '0');
	await until('every mail is sent', async () => (await stack.sql(`SELECT COUNT(*) FROM message WHERE state <> 'SENT'`))[0][0] === '0');
	assert.equal((await ben.get('/messages')).json.n_total, 0, 'and no other customer');
	assert.equal((await said(examiner, /review/)).length, 1, 'the examiner has a message about the open case');
});
await test('my page shows all of it', async () => {
	const mine = await until('my page has it', async () => { const { json } = await anna.get(`/my/bookings/${code}`); return json?.state === 'COMPLETED' && json; });
	const text = JSON.stringify(mine);
	for (const words of ['Child seat', 'Snow chains', 'Courier', '12345', 'RETURNED']) assert.ok(text.includes(words), words);
});
await test('a booking cancelled before the courier left releases everything: the money, the pieces, the job', async () => {
	const other = { starts_at: at(6, 9), ends_at: at(7, 9) };
	const { json } = await ben.post('/bookings', { car_id, ...other, card_id: ben.card_id, delivery: { address: '2 Test-ro', zone: 'center' }, equipment: [{ item_id: seat, qty: 4 }] });
	await soon(['they are approved', async () => await stock_of(seat) === 6]);
	await until('there is a job', () => job_of(json.code, 'delivery'));
	const answer = await ben.post(`/bookings/${json.code}/cancel`);
	assert.equal(answer.status, 200, answer.text);
	await soon(['the seats are back', async () => await stock_of(seat) === 10]);
	assert.equal(await stack.money_kept(json.code), 0);
	assert.equal((await job_of(json.code, 'delivery')).state, 'CANCELLED');
});
await test('the stock ledger adds up, the read models equal a replay, and every invariant holds', async () => {
	const rows = await stack.sql('SELECT i.item_id, SUM(s.quantity) FROM item i JOIN stock_entry s ON s.item_id = i.item_id GROUP BY i.item_id');
	for (const [id, sum] of rows) assert.equal(await stock_of(id), +sum);
	await until('nothing is pending', async () => (await stack.command('check')).status === 0, { every_ms: 500 });
	assert.match(await stack.check(), /the read models equal a replay of the log/);
});
await finish();
