/*
 * undo.test.mjs - a no-show and a return are recorded by mistake and undone, or become final: on the whole stack, with two cars, equipment,
 * money and messages. Until then nothing that cannot be taken back has happened anywhere; undone or final is decided once, also when
 * both are asked for in the same moment.
 */
import { assert, finish, sleep, test, until } from './check.mjs';
import { Stack, at, new_car } from './stack.mjs';

const WINDOW_S = 4;
const stack = await Stack.start({ name: 'story-undo', env: { MOTORPOOL_UNDO_WINDOW_S: String(WINDOW_S), MOTORPOOL_NO_SHOW_GRACE_S: '0', MOTORPOOL_MAX_BOOKINGS_PER_PERSON: '100' } });
const manager = await stack.person('Manager', 'manager'), anna = await stack.payer('Anna'), ben = await stack.payer('Ben');
const model = (await manager.post('/fleet/models', { name: 'Ray', body: 'mini', seats: 4, fuel: 'petrol', gearbox: 'automatic', daily_price: 50000, hourly_price: 5000 })).json;
const cars = [];
for (let i = 0; i < 2; i++) cars.push((await manager.post('/fleet/cars', new_car({ model_id: model.model_id }))).json.car_id);
const seat = (await manager.post('/equipment/items', { name: 'Child seat', category: 'child_seat', daily_price: 7000, stock: 10, low_stock: 1 })).json.item_id;
const stock_of = async () => (await manager.get(`/equipment/items/${seat}`)).json.stock;
const shown = async code => (await manager.get(`/bookings/${code}`)).json;
const mine = async code => (await anna.get(`/my/bookings/${code}`)).json;
const act = (code, what) => manager.post(`/bookings/${code}/${what}`);
const status_of = async car_id => (await manager.get(`/fleet/cars/${car_id}`)).json.status;
const n_events = (code, type) => stack.count('event', `subject_id = '${code}' AND type = '${type}'`);
const slots = async code => (await stack.sql(`SELECT DISTINCT s.kind FROM slot s JOIN booking b ON b.booking_id = s.booking_id WHERE b.code = '${code}'`)).flat();
const now = new Date(Date.now() + 9 * 3600e3), from = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`;

async function booked(who, order) {
	const answer = await who.post('/bookings', { starts_at: from, ends_at: at(2), card_id: who.card_id, ...order });
	assert.equal(answer.status, 201, answer.text);
	await until('it is confirmed', async () => (await shown(answer.json.code)).state === 'CONFIRMED');
	return answer.json.code;
}
const both = () => booked(anna, { model_id: model.model_id, qty: 2, equipment: [{ item_id: seat, qty: 2 }] });

await test('a no-show of two cars with equipment waits: the cars stay booked, nothing is refunded, and no program gives anything back', async () => {
	const code = await both();
	await until('the seats are set aside', async () => await stock_of() === 8);
	const answer = await act(code, 'no-show');
	assert.equal(answer.json.state, 'NO_SHOW', answer.text);
	assert.ok(Date.parse(answer.json.undo_until) > Date.now());
	assert.deepEqual(answer.json.extras.map(x => x.state), ['BOOKED']);
	await until('my page says it', async () => (await mine(code)).state === 'NO_SHOW');
	assert.ok((await mine(code)).undo_until);
	assert.equal((await ben.post('/bookings', { car_id: cars[0], starts_at: from, ends_at: at(1), card_id: ben.card_id })).status, 409);
	assert.equal(await stock_of(), 8);
	assert.deepEqual(await slots(code), ['BOOKED']);

	const undone = await act(code, 'no-show/undo');
	assert.equal(undone.json.state, 'CONFIRMED', undone.text);
	assert.equal(undone.json.undo_until, null);
	assert.equal((await act(code, 'no-show/undo')).json.error.code, 'wrong_state');
	await until('my page has it back', async () => (await mine(code)).state === 'CONFIRMED');
	await until('the customer is told', async () => (await anna.get('/messages')).json.messages.some(m => m.kind === 'booking_no_show_undone'));
	await sleep((WINDOW_S + 2) * 1000);
	assert.equal((await shown(code)).state, 'CONFIRMED', 'it stays undone');
	assert.equal(await n_events(code, 'booking.no_show_final'), 0);
	assert.equal(await stock_of(), 8);

	assert.equal((await act(code, 'no-show')).json.state, 'NO_SHOW');
	await until('it is final', async () => !(await shown(code)).undo_until);
	const { amount, refund_due } = await shown(code);
	assert.equal(refund_due, Math.floor(amount * 90 / 100));
	assert.equal((await act(code, 'no-show/undo')).json.error.code, 'undo_over');
	await until('the money is back', async () => await stack.money_kept(code) === amount - refund_due);
	await until('the seats are back', async () => await stock_of() === 10);
	for (const car_id of cars) await until('the car is there', async () => await status_of(car_id) === 'AVAILABLE');
	assert.deepEqual(await slots(code), ['RELEASED']);
	const final = await until('it is refunded', async () => { const b = await shown(code); return b.refund_state === 'DONE' && b; });
	assert.equal(final.kept_amount, amount - refund_due);
	await until('my page has the refund', async () => (await mine(code)).refunded_amount === refund_due);
	await until('the customer has each message once', async () => {
		const kinds = (await anna.get('/messages')).json.messages.filter(m => m.subject_id === code).map(m => m.kind);
		return ['booking_no_show_final', 'booking_refunded'].every(kind => kinds.filter(k => k === kind).length === 1);
	});
}, { limit_s: 120 });
await test('a return of two cars waits: it is in use again when it is undone, and its equipment never came back', async () => {
	const code = await both();
	await until('the seats are set aside', async () => await stock_of() === 8);
	assert.equal((await act(code, 'hand-out')).json.state, 'OUT');
	await until('the seats are out', async () => (await stack.sql(`SELECT state FROM equipment_order WHERE booking_code = '${code}'`)).flat()[0] === 'HANDED_OUT');
	assert.equal((await act(code, 'take-back')).json.state, 'RETURNED');
	await until('my page says it', async () => (await mine(code)).state === 'RETURNED');
	assert.equal((await act(code, 'take-back/undo')).json.state, 'OUT');
	await until('my page has it back', async () => (await mine(code)).state === 'OUT');
	assert.equal(await stack.count('custody', `to_at IS NULL AND car_id IN (${cars})`), 2);
	assert.equal(await stack.count('custody', `car_id IN (${cars})`), 2);
	await sleep((WINDOW_S + 2) * 1000);
	assert.equal((await shown(code)).state, 'OUT');
	assert.equal(await stock_of(), 8);

	assert.equal((await act(code, 'take-back')).json.state, 'RETURNED');
	await until('it is completed', async () => (await shown(code)).state === 'COMPLETED');
	await until('the seats are back', async () => await stock_of() === 10);
	for (const car_id of cars) await until('the car is there', async () => await status_of(car_id) === 'AVAILABLE');
	assert.equal(await n_events(code, 'booking.completed'), 1);
	await until('there is one message', async () => (await anna.get('/messages')).json.messages.filter(m => m.subject_id === code && m.kind === 'booking_completed').length === 1);
	assert.equal((await shown(code)).refund_state, 'NONE');
}, { limit_s: 120 });
await test('an undo and the end of its time in the same moment: one of them happens, once', async () => {
	const outcomes = { undone: 0, final: 0 };
	for (let i = 0; i < 8; i++) {
		const { car_id } = (await manager.post('/fleet/cars', new_car())).json;
		const code = await booked(ben, { car_id }), what = i % 2 ? 'take-back' : 'no-show';
		if (i % 2) assert.equal((await act(code, 'hand-out')).status, 200);
		const { json } = await act(code, what);
		await sleep(Math.max(0, Date.parse(json.undo_until) - Date.now() - 250 + i * 60));
		const answers = await Promise.all([act(code, `${what}/undo`), act(code, `${what}/undo`)]);
		const undone = answers.filter(a => a.status === 200).length;
		assert.ok(undone <= 1, `undone ${undone} times`);
		for (const a of answers) if (a.status !== 200) assert.ok(['undo_over', 'wrong_state'].includes(a.json.error.code), a.text);
		await until('it is decided', async () => !(await shown(code)).undo_until);
		const final = await n_events(code, i % 2 ? 'booking.completed' : 'booking.no_show_final');
		assert.equal(undone + final, 1, `${code}: undone ${undone}, final ${final}`);
		assert.equal((await shown(code)).state, undone ? (i % 2 ? 'OUT' : 'CONFIRMED') : i % 2 ? 'COMPLETED' : 'NO_SHOW');
		outcomes[undone ? 'undone' : 'final']++;
	}
	console.log(`#   ${JSON.stringify(outcomes)}`);
}, { limit_s: 240 });
await test('after all this every invariant holds', () => stack.check());
await finish();
