/*
 * api.test.mjs - docs/openapi.yaml describes the programs exactly: it is valid OpenAPI, every path in it is a route, every route
 * for API clients is in it, and in a tour through all of them every answer has exactly the documented members and types.
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { assert, finish, test, until } from './check.mjs';
import { Stack, at, new_car, root } from './stack.mjs';
import { routes } from './routes.mjs';
import { Program, ask } from './client.mjs';

const module = name => import(pathToFileURL(path.join(root, 'tests/browser/node_modules', name)));
const { default: yaml } = await module('js-yaml/index.js').catch(() => module('js-yaml/dist/js-yaml.mjs'));
const { default: Ajv } = await module('ajv-draft-04/dist/index.js');
const { default: formats } = await module('ajv-formats/dist/index.js');
const { Validator } = await module('@seriousme/openapi-schema-validator/index.js');

const text = fs.readFileSync(path.join(root, 'docs/openapi.yaml'), 'utf8'), api = yaml.load(text);
const operations = Object.entries(api.paths).flatMap(([address, item]) => Object.entries(item).map(([method, op]) => ({ method: method.toUpperCase(), address, op })));

await test('docs/openapi.yaml is valid OpenAPI 3.0', async () => {
	const { valid, errors } = await new Validator().validate(text);
	assert.ok(valid, JSON.stringify(errors, null, 1));
	const ids = operations.map(o => o.op.operationId);
	assert.equal(new Set(ids).size, ids.length, 'operationId twice');
});

/* Pages and redirects between pages, which are not part of the API. */
const FOR_PEOPLE = /^(GET \/|GET \/account\/(sign-up|sign-in|password|forgot|confirm|reset)|GET \/terms\/edit|GET \/bookings\/new|GET \/bookings\/:code\/(paid|move)|GET \/fleet|GET \/fleet\/(cars|models|branches)\/new|GET \/fleet\/cars\/:car_id\/(edit|retire|delete|photo|service)|POST \/fleet\/cars\/:car_id\/delete|GET \/fleet\/branches\/:branch_id\/close|GET \/ops\/consumers\/:consumer\/pause|GET \/ops\/retries\/:consumer\/:event_id\/discard|GET \/equipment|GET \/equipment\/(items|orders)\/new|GET \/equipment\/items\/:item_id\/edit|GET \/my|GET \/view|POST \/payments\/cards\/new|GET \/payments\/cards\/return)$/;
const templated = address => address.replace(/:(\w+)/g, '{$1}');

await test('every documented path is a route, and every route for API clients is documented', () => {
	const there = new Set(routes().filter(r => r.program !== 'sandbox' && !r.needs.includes('INTERNAL')).map(r => `${r.method} ${r.path}`));
	const documented = new Set(operations.map(o => `${o.method} ${o.address.replace(/\{(\w+)\}/g, ':$1')}`));
	assert.deepEqual([...documented].filter(d => !there.has(d) && !/\/(healthz|readyz)$/.test(d)), [], 'documented, but no route');
	assert.deepEqual([...there].filter(r => !documented.has(r) && !FOR_PEOPLE.test(r)), [], 'a route, but not documented');
});
await test('docs/api.md names every documented path', () => {
	const words = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8');
	assert.deepEqual([...new Set(operations.map(o => o.address))].filter(a => !words.includes(a)), []);
});

/* --- the tour: every answer is compared with the document ----------------------------------------------------------------------- */

/* Undocumented members are not allowed. */
function strict(node) {
	if (Array.isArray(node)) return node.map(strict);
	if (!node || typeof node !== 'object') return node;
	const copy = Object.fromEntries(Object.entries(node).map(([k, v]) => [k, strict(v)]));
	if (copy.properties && copy.type === 'object' && copy.additionalProperties === undefined) {
		copy.additionalProperties = false;
		copy.required ??= Object.keys(copy.properties);
	}
	return copy;
}
const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
ajv.addSchema(strict({ id: 'api', components: api.components }), 'api');
const compiled = new Map();
const schema_of = schema => {
	const key = JSON.stringify(schema);
	if (!compiled.has(key)) compiled.set(key, ajv.compile(JSON.parse(JSON.stringify(strict(schema)).replaceAll('"#/components', '"api#/components'))));
	return compiled.get(key);
};

const answered = new Set(), found = [];
function held_against(method, address, answer) {
	const plain = address.split('?')[0];
	const match = operations.filter(o => o.method === method && new RegExp(`^${o.address.replace(/\{\w+\}/g, '[^/]+')}$`).test(plain))
		.sort((a, b) => (a.address.match(/\{/g) ?? []).length - (b.address.match(/\{/g) ?? []).length)[0];
	if (!match) return found.push(`${method} ${plain}: not documented`);
	if (answer.status < 400) answered.add(match.op.operationId);
	let said = match.op.responses[answer.status];
	if (!said) return found.push(`${method} ${match.address}: ${answer.status} is not documented: ${answer.text.slice(0, 200)}`);
	if (said.$ref) said = api.components.responses[said.$ref.split('/').pop()];
	const schema = said.content?.['application/json']?.schema;
	if (!schema && said.content && !/json/.test(answer.headers['content-type'])) return;    /* a text that is documented as one */
	if (!schema) return answer.text && found.push(`${method} ${match.address} ${answer.status}: a body that is not documented`);
	const valid = schema_of(schema);
	if (!valid(answer.json)) found.push(`${method} ${match.address} ${answer.status}: ${ajv.errorsText(valid.errors)}: ${answer.text.slice(0, 300)}`);
	for (const header of Object.keys(said.headers ?? {}))
		if (!(header.toLowerCase() in answer.headers)) found.push(`${method} ${match.address} ${answer.status}: no ${header}`);
}
class Tourist extends Program {
	async ask(method, address, json, headers) {
		const answer = await super.ask(method, address, json, headers);
		held_against(method, address, answer);
		return answer;
	}
}

const stack = await Stack.start({ name: 'story-api', env: { MOTORPOOL_STUCK_AFTER_S: '5', MOTORPOOL_NO_SHOW_GRACE_S: '0', MOTORPOOL_UNDO_WINDOW_S: '600' } });
const tourist = async (name, ...roles) => {
	const who = await stack.person(name, ...roles);
	return Object.assign(new Tourist(stack.base, who.token), { email: who.email, password: who.password });
};
const manager = await tourist('Manager', 'manager'), anna = await tourist('Anna', 'customer'), admin = await tourist('Admin', 'admin');
const anonymous = new Tourist(stack.base);

/* The jobs of n new bookings with delivery. */
async function jobs_for(customer, manager, order, n) {
	const jobs = [];
	while (jobs.length < n) {
		const { json: { car_id } } = await manager.post('/fleet/cars', new_car());
		const { json: { code } } = await customer.post('/bookings', { ...order, car_id, delivery: { zone: 'center', address: 'Seoul, 110 Sejong-daero', collect: true } });
		const [job] = await until('it has a job', async () => { const { deliveries } = (await manager.get(`/deliveries?q=${code}`)).json; return deliveries.length && deliveries; });
		jobs.push(job.delivery_id);
	}
	return jobs;
}

await test('a tour through everything: all answers are as documented', async () => {
	const zoe = { name: 'Zoe', email: 'zoe@example.com', password: 'a long enough sentence' };
	const token_in = link => ({ token: link.split('token=')[1] });
	await anonymous.post('/account/sign-up', zoe);
	await anonymous.post('/account/sign-up', { ...zoe, password: 'short' });
	const confirming = token_in(await stack.mailed_link(zoe.email));
	await anonymous.post('/account/confirm', {});
	await anonymous.post('/account/confirm', confirming);
	await anonymous.post('/account/confirm', confirming);
	await anonymous.post('/account/sign-up', zoe);
	await anonymous.post('/account/forgot', { email: 'no' });
	await anonymous.post('/account/forgot', { email: 'nobody@example.com' });
	await anonymous.post('/account/forgot', { email: zoe.email });
	const resetting = token_in(await stack.mailed_link(zoe.email, 'reset', 2));
	await anonymous.post('/account/reset', { ...resetting, new_password: 'short' });
	await anonymous.post('/account/reset', { ...resetting, new_password: zoe.password });
	await anonymous.post('/account/reset', { ...resetting, new_password: zoe.password });
	await anonymous.post('/account/sign-in', { ...zoe, name: undefined, password: 'wrong' });
	const { json: { token } } = await anonymous.post('/account/sign-in', { email: zoe.email, password: zoe.password });
	const visitor = new Tourist(stack.base, token);
	await anonymous.post('/account/language', { lang: 'en' });
	await anonymous.get('/account');
	await visitor.get('/account');
	await visitor.put('/account', { name: 'Zoe Park', phone: '010-1234-5678', lang: 'en' });
	await visitor.put('/account', { name: '', lang: 'xx' });
	await visitor.get('/account/profile');
	await visitor.post('/account/profile', { name: 'Zoe', lang: 'ko' });
	await visitor.post('/account/licence', { number: '11-23-456789-01', expires_on: '2040-01-01', born_on: '1990-01-01' });
	await visitor.get('/account/licence');
	await visitor.post('/account/licence/remove');
	await visitor.get('/account/sessions');
	const made = (await visitor.post('/account/tokens', { name: 'one' })).json, other = (await visitor.post('/account/tokens', { name: 'two' })).json;
	await visitor.get('/account/tokens');
	await visitor.delete(`/account/tokens/${made.token_id}`);
	await visitor.post(`/account/tokens/${other.token_id}/revoke`);
	await visitor.post('/account/password', { current_password: zoe.password, new_password: 'another long sentence' });
	const { json: { users } } = await admin.get('/account/users?q=zoe');
	await admin.get(`/account/users/${users[0].user_id}`);
	await admin.post(`/account/users/${users[0].user_id}/roles`, { role: 'courier', given: true });
	await admin.post(`/account/users/${users[0].user_id}/roles`, { role: 'courier', given: false });
	await admin.post(`/account/users/${users[0].user_id}/disable`);
	await admin.post(`/account/users/${users[0].user_id}/reset`);
	await admin.post(`/account/users/${users[0].user_id}/enable`);
	await admin.post(`/account/users/${users[0].user_id}/reset`);
	await anna.get('/account/users');

	const car = (await manager.post('/fleet/cars', new_car())).json, short_lived = (await manager.post('/fleet/cars', new_car())).json;
	await manager.post('/fleet/cars', new_car({ plate: car.plate }));
	await manager.post('/fleet/cars', {});
	await anna.post('/fleet/cars', new_car());
	await manager.get('/fleet/cars?status=AVAILABLE&sort=-daily_price');
	await manager.get(`/fleet/cars/${car.car_id}`);
	await manager.get('/fleet/cars/99999');
	await manager.put(`/fleet/cars/${car.car_id}`, { ...new_car({ plate: car.plate }), rev: car.rev });
	await manager.post(`/fleet/cars/${car.car_id}`, { ...new_car({ plate: car.plate }) });
	await manager.put(`/fleet/cars/${car.car_id}`, { ...new_car({ plate: car.plate }), rev: car.rev });
	await manager.post(`/fleet/cars/${short_lived.car_id}/service`, { service: 'OUT_OF_SERVICE', confirm: true });
	const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==', 'base64');
	const boundary = 'mp-boundary', part = Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`), png, Buffer.from(`\r\n--${boundary}--\r\n`)]);
	const photo = await manager.ask('POST', `/fleet/cars/${car.car_id}/photo`, part, { 'Content-Type': `multipart/form-data; boundary=${boundary}` });
	assert.equal(photo.status, 200, photo.text);
	await manager.post(`/fleet/cars/${car.car_id}/photo/remove`);
	const model = (await manager.post('/fleet/models', { ...new_car(), plate: undefined, name: 'Ioniq' })).json;
	await manager.get('/fleet/models');
	await manager.get(`/fleet/models/${model.model_id}`);
	await manager.put(`/fleet/models/${model.model_id}`, { ...new_car(), plate: undefined, name: 'Ioniq 5', also_cars: true });
	await manager.post(`/fleet/models/${model.model_id}`, { ...new_car(), plate: undefined, name: 'Ioniq 6' });
	await manager.post(`/fleet/models/${model.model_id}/state`, { state: 'OFF_SALE' });
	const rays = (await manager.post('/fleet/models', { ...new_car(), plate: undefined, name: 'Ray' })).json;
	for (let i = 0; i < 3; i++) await manager.post('/fleet/cars', new_car({ model_id: rays.model_id }));
	const branch = (await manager.post('/fleet/branches', { name: 'Gangnam', name_ko: '강남', region: 'Seoul', address: 'Teheran-ro 1', phone: '02-123-4567' })).json;
	await manager.get('/fleet/branches');
	await manager.get(`/fleet/branches/${branch.branch_id}`);
	await manager.put(`/fleet/branches/${branch.branch_id}`, { name: 'Gangnam Station', region: 'Seoul' });
	await manager.post(`/fleet/branches/${branch.branch_id}`, { name: 'Gangnam', region: 'Seoul' });
	await manager.post(`/fleet/branches/${branch.branch_id}/close`);
	await manager.post(`/fleet/branches/${branch.branch_id}/open`);

	const from = at(3), to = at(5, 13);
	await anonymous.get(`/cars?from=${from}&to=${to}&sort=-price&seats=4`);
	await anonymous.get(`/cars?from=${to}&to=${from}`);
	await anonymous.get(`/cars/${car.car_id}`);
	const card = (await anna.post('/payments/cards', { card_token: 'tok_ok' })).json, bad_card = (await anna.post('/payments/cards', { card_token: 'tok_declined' })).json;
	const third = (await anna.post('/payments/cards', { card_token: 'tok_ok' })).json, fourth = (await anna.post('/payments/cards', { card_token: 'tok_ok' })).json;
	await anna.post('/payments/cards', { card_token: 'nonsense' });
	await anna.get('/payments/cards');
	await anna.get(`/payments/cards/${third.card_id}/remove`);
	await anna.post(`/payments/cards/${third.card_id}/remove`);
	await anna.delete(`/payments/cards/${fourth.card_id}`);
	const order = { car_id: car.car_id, starts_at: from, ends_at: to, card_id: card.card_id };
	for (const address of ['/terms', '/terms?version=1', '/privacy', '/company', '/company?version=99']) await anonymous.get(address);
	const privacy = { kind: 'privacy', text: '# Privacy\n\n- a list', text_ko: '# 개인정보', valid_from: at(30), version: 1 };
	await admin.post('/terms/edit', privacy);
	await admin.post('/terms/edit', privacy);
	await admin.post('/terms/edit', { ...privacy, version: 2 });
	await admin.post('/terms/edit', { ...privacy, text: 'Other' });
	await admin.post('/terms/edit', { kind: 'house' });
	await manager.post('/terms/edit', privacy);
	await anonymous.post('/terms/edit', privacy);
	await anonymous.get('/privacy?version=2');
	await anna.post('/bookings', { ...order, terms_version: 9 });
	await anonymous.get('/models');
	await anonymous.get(`/models?starts_at=${to}&ends_at=${from}`);
	await anonymous.get(`/models/${rays.model_id}?starts_at=${from}&ends_at=${to}`);
	await anonymous.get(`/models/${model.model_id}`);
	const two = (await anna.post('/bookings', { ...order, car_id: undefined, model_id: rays.model_id, qty: 2 })).json;
	await anna.post('/bookings', { ...order, car_id: undefined, model_id: rays.model_id, qty: 2 });
	await anna.post('/bookings', { ...order, car_id: undefined, model_id: rays.model_id, qty: 6 });
	await anna.post(`/bookings/${two.code}/cancel`);
	const booking = (await anna.post('/bookings', order, { 'Idempotency-Key': 'tour' })).json;
	await anna.post('/bookings', order);
	await anna.post('/bookings', { ...order, starts_at: at(30), ends_at: at(31), card_id: bad_card.card_id });
	const held = (await anna.post('/bookings', { ...order, starts_at: at(32), ends_at: at(33), card_id: bad_card.card_id, keep_hold: true })).json.error.details;
	for (const card_id of [bad_card.card_id, 99999, card.card_id, card.card_id]) await anna.post(`/bookings/${held.code}/pay`, { card_id });
	await anna.post('/bookings/MP-00000000/pay', { card_id: card.card_id });
	await anonymous.post(`/bookings/${held.code}/pay`, { card_id: card.card_id });
	await anna.post('/bookings', { ...order, starts_at: 'x' });
	await anonymous.post('/bookings', order);
	await anonymous.get(`/cars/${car.car_id}?from=${from}&to=${to}`);
	await until('it is confirmed in the read model', async () => (await Program.prototype.ask.call(anna, 'GET', `/my/bookings/${booking.code}`)).json.state === 'CONFIRMED');
	const inbox = await until('the customer has a message', async () => { const { json } = await anna.get('/messages'); return json.n_total && json; });
	const told = inbox.messages[0].message_id;
	for (const address of [`/messages/${told}`, '/messages?unread=1&page=2', '/messages/preferences', '/messages/99999']) await anna.get(address);
	await manager.get(`/messages/${told}`);
	for (const address of [`/messages/${told}/read`, '/messages/99999/read', '/messages/read', `/messages/${told}/resend`]) await anna.post(address);
	await anna.post('/messages/preferences', { booking_email: true, reminder_inbox: true });
	await anna.post('/messages/preferences', { nonsense: true });
	await anna.get('/messages/log');
	const { letters } = await until('a mail is in the mail folder', async () => { const { json } = await admin.get('/ops/mail'); return json.n_total && json; });
	for (const id of [letters[0].message_id, 99999]) await admin.get(`/ops/mail/${id}`);
	await anna.get('/ops/mail');
	const sent_id = await until('it is mailed', async () => { const { messages } = (await manager.get(`/messages/log?about=${booking.code}`)).json; return messages.every(m => m.state === 'SENT') && messages[0].message_id; });
	for (const address of ['/messages/log?state=DEAD', '/messages/log?state=nonsense', `/messages/log/${told}`, '/messages/log/99999']) await manager.get(address);
	for (const id of [sent_id, 99999]) await manager.post(`/messages/${id}/resend`);
	for (const address of [`/bookings/${booking.code}`, `/bookings/${booking.code}/receipt`, `/bookings/${booking.code}/cancel`, '/my/bookings', '/my/bookings?tab=past', `/my/bookings/${booking.code}`, '/bookings', '/bookings/MP-00000000'])
		await anna.get(address);
	await manager.get(`/bookings?q=${booking.code}&view=all`);
	await manager.get('/view/cars');
	await anna.get('/view/cars');
	await anna.post(`/bookings/${booking.code}/cancel`);
	await anna.post(`/bookings/${booking.code}/cancel`);
	const now = new Date(Date.now() + 9 * 3600e3), start = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`;
	const walk_ins = [];
	for (let i = 0; i < 2; i++) {
		const { json: { car_id } } = await manager.post('/fleet/cars', new_car());
		walk_ins.push((await anna.post('/bookings', { ...order, car_id, starts_at: start, ends_at: at(1) })).json.code);
	}
	for (const code of walk_ins) await until('it is confirmed', async () => (await anna.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
	await manager.post(`/bookings/${walk_ins[0]}/move`, { branch_id: car.branch_id });
	await manager.post(`/bookings/${walk_ins[0]}/move`, { branch_id: 99999 });
	await manager.post(`/bookings/${walk_ins[0]}/hand-out`);
	await manager.post(`/bookings/${walk_ins[0]}/hand-out`);
	await manager.get('/view/cars');
	await manager.get(`/bookings/${walk_ins[0]}/take-back`);
	await manager.post(`/bookings/${walk_ins[0]}/take-back`);
	await manager.post(`/bookings/${walk_ins[0]}/take-back/undo`);
	await manager.post(`/bookings/${walk_ins[0]}/take-back`);
	await manager.get(`/bookings/${walk_ins[1]}/no-show`);
	await manager.post(`/bookings/${walk_ins[1]}/no-show`);
	await manager.post(`/bookings/${walk_ins[1]}/no-show/undo`);
	await manager.post(`/bookings/${walk_ins[1]}/no-show`);
	for (const code of [walk_ins[0], 'MP-00000000']) await manager.get(`/bookings/${code}/refund`);
	const part_back = { amount: 1000, reason: 'late_start', note: 'You had to wait for the car.' };
	for (const body of [part_back, { ...part_back, amount: 10 ** 9 }, { ...part_back, reason: 'nonsense' }]) await manager.post(`/bookings/${walk_ins[0]}/refund`, body);
	await anna.post(`/bookings/${walk_ins[0]}/refund`, part_back);
	const { json: { charges } } = await manager.get('/payments?sort=-amount');
	for (const charge of charges) await manager.get(`/payments/${charge.charge_id}`);
	const compensate = async key => (await stack.internal('payment', '/internal/payouts', { key, payee_id: users[0].user_id, subject_id: key, kind: 'compensation', amount: 5000, currency: 'KRW', way: 'bank' })).payout_id;
	const payouts = [await compensate('MP-TOUR-1'), await compensate('MP-TOUR-2')];
	await manager.post(`/payments/payouts/${payouts[0]}/complete`, { reference: 'KB 1' });
	await manager.post(`/payments/payouts/${payouts[1]}/fail`, { reason: 'account closed' });
	await manager.post(`/payments/payouts/${payouts[1]}/complete`, { reference: 'KB 1' });
	await manager.post(`/payments/payouts/${payouts[1]}/complete`, {});
	await manager.get('/payments/payouts?tab=completed');
	await manager.get(`/payments/payouts/${payouts[0]}`);
	await manager.get('/payments/payouts/999999');
	await manager.get('/payments/ledger');
	await anonymous.post('/payments/webhook', { eventType: 'PAYMENT_STATUS_CHANGED', data: { orderId: 'unknown' } });
	await manager.get(`/fleet/cars/${short_lived.car_id}/custody`);
	await manager.get(`/fleet/cars/${short_lived.car_id}/custody?at=2026-02-31T10:00`);
	await manager.get('/fleet/cars/99999/custody');
	await manager.post(`/fleet/cars/${short_lived.car_id}/retire`);
	await manager.post(`/fleet/cars/${short_lived.car_id}/retire/undo`);
	await manager.post(`/fleet/cars/${car.car_id}/service`, { service: 'OUT_OF_SERVICE' });
	await manager.delete(`/fleet/cars/${car.car_id}`);
	await manager.ask('DELETE', `/fleet/cars/${car.car_id}`, { confirm: true });
	await manager.post(`/fleet/cars/${car.car_id}/retire/undo`);
	await manager.post('/fleet/cars/99999/retire/undo');
	await manager.delete(`/fleet/cars/${(await manager.post('/fleet/cars', new_car())).json.car_id}`);

	/* equipment: an item of each kind, its ledger, orders that are accepted, refused, handed out and cancelled */
	const employee = await tourist('Emil', 'employee');
	const chains = (await manager.post('/equipment/items', { name: 'Snow chains', name_ko: '스노체인', category: 'winter', daily_price: 5000, stock: 10, low_stock: 2 })).json;
	const tent = (await manager.post('/equipment/items', { name: 'Tent', category: 'camping', daily_price: 30000, stock: 5 })).json;
	await manager.post('/equipment/items', { name: 'Tent', category: 'camping', daily_price: 1, stock: 5 });
	await manager.post('/equipment/items', { name: '' });
	await anna.post('/equipment/items', { name: 'Boat' });
	await employee.get('/equipment/items');
	await anna.get('/equipment/items');
	await employee.get(`/equipment/items/${tent.item_id}`);
	await employee.get('/equipment/items/99999');
	await manager.put(`/equipment/items/${tent.item_id}`, { name: 'Big tent', category: 'camping', daily_price: 30000, version: tent.version });
	await manager.put(`/equipment/items/${tent.item_id}`, { name: 'Tent', category: 'camping', daily_price: 30000, version: tent.version });
	await manager.post(`/equipment/items/${tent.item_id}`, { name: 'Tent', category: 'camping', daily_price: 30000 });
	await manager.post(`/equipment/items/${tent.item_id}/offer`, { is_offered: false });
	await manager.post(`/equipment/items/${tent.item_id}/offer`, { is_offered: true });
	await manager.post(`/equipment/items/${chains.item_id}/stock`, { kind: 'receive', quantity: 2 }, { 'Idempotency-Key': 'tour' });
	await manager.post(`/equipment/items/${chains.item_id}/stock`, { kind: 'loss', quantity: 99, note: 'all' });
	await manager.post(`/equipment/items/${chains.item_id}/stock`, { kind: 'loss', quantity: 1 });
	await manager.get(`/equipment/items/${chains.item_id}/stock`);
	const loaded = { ...order, car_id: undefined, model_id: rays.model_id, qty: 1, starts_at: at(60), ends_at: at(62), delivery: { address: 'Teheran-ro 1', zone: 'city', collect: true }, equipment: [{ item_id: chains.item_id, qty: 2 }] };
	const with_extras = (await anna.post('/bookings', loaded)).json;
	assert.deepEqual(with_extras.extras?.map(x => x.kind) ?? with_extras, ['delivery', 'collection', 'equipment']);
	await anna.post('/bookings', { ...loaded, starts_at: at(63), ends_at: at(64), equipment: [{ item_id: chains.item_id, qty: 40 }] });
	await anna.post('/bookings', { ...loaded, starts_at: at(63), ends_at: at(64), delivery: { zone: 'moon' } });
	await anna.get(`/bookings/${with_extras.code}`);
	await anna.post(`/bookings/${with_extras.code}/cancel`);
	const wish = { item_id: chains.item_id, qty: 2, starts_at: start, ends_at: at(1) };
	const lent = (await employee.post('/equipment/orders', wish, { 'Idempotency-Key': 'tour' })).json;
	const sync = (await employee.post('/equipment/orders', { ...wish, item_id: tent.item_id })).json;
	assert.equal(sync.state, 'APPROVED', 'review was called first');
	await employee.post('/equipment/orders', { ...wish, qty: 99 });
	await employee.post('/equipment/orders', { ...wish, qty: 0 });
	await employee.post('/equipment/orders', { ...wish, qty: 1 }, { 'Idempotency-Key': 'tour' });
	await anna.post('/equipment/orders', wish);
	await until('review has approved it', async () => (await employee.get(`/equipment/orders/${lent.code}`)).json.state === 'APPROVED');
	await employee.get('/equipment/orders');
	await manager.get('/equipment/orders?view=hand-out&q=chains');
	await anna.get(`/equipment/orders/${lent.order_id}`);
	await employee.get(`/equipment/orders/${lent.order_id}/cancel`);
	await manager.post(`/equipment/orders/${lent.order_id}/hand-out`);
	await manager.post(`/equipment/orders/${sync.order_id}/take-back`);
	await employee.post(`/equipment/orders/${lent.order_id}/cancel`);
	await manager.post(`/equipment/orders/${lent.order_id}/take-back`, { lost: 3 });
	await manager.post(`/equipment/orders/${lent.order_id}/take-back`, { lost: 1 });
	await manager.post(`/equipment/orders/${lent.order_id}/hand-out`);
	await employee.post(`/equipment/orders/${sync.order_id}/cancel`);
	await employee.post(`/equipment/orders/${sync.order_id}/hand-out`);

	/* a completed delivery, and a cancelled one */
	const driver = await tourist('Driver', 'courier');
	const [brought, given_up] = await jobs_for(anna, manager, { ...order, starts_at: start, ends_at: at(1) }, 2);
	const courier_id = (await driver.get('/account')).json.user_id, handed_over = { odometer_km: 12345, fuel_percent: 80, received_by: 'Anna' };
	await manager.get('/deliveries');
	await manager.get('/deliveries?view=today&q=seoul');
	await manager.get('/deliveries?courier_id=x');
	await manager.get('/deliveries/99999');
	await anna.get('/deliveries');
	await manager.post(`/deliveries/${brought}/assign`, {});
	await manager.post(`/deliveries/${brought}/assign`, { courier_id });
	await manager.post(`/deliveries/${brought}/unassign`);
	await driver.post(`/deliveries/${brought}/ship`);
	await manager.post(`/deliveries/${brought}/ship`);
	await manager.post(`/deliveries/${brought}/assign`, { courier_id });
	await driver.get('/deliveries');
	await driver.get(`/deliveries/${brought}`);
	await driver.get('/deliveries/sheet');
	await manager.get('/deliveries/sheet?day=2026-02-31');
	await driver.post(`/deliveries/${brought}/ship`);
	await driver.post(`/deliveries/${brought}/come-back`, {});
	await driver.post(`/deliveries/${brought}/come-back`, { reason: 'there was no answer' });
	await driver.post(`/deliveries/${brought}/ship`);
	await manager.post(`/deliveries/${brought}/cancel`, { reason: 'too late' });
	await driver.post(`/deliveries/${brought}/deliver`, {});
	await driver.get(`/deliveries/${brought}/photo`);
	const fields = Object.entries(handed_over).map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('');
	const over = await driver.ask('POST', `/deliveries/${brought}/deliver`, Buffer.concat([Buffer.from(fields), part]), { 'Content-Type': `multipart/form-data; boundary=${boundary}` });
	assert.equal(over.json?.state, 'DELIVERED', over.text);
	await anna.get(`/deliveries/${brought}/photo`);
	await driver.post(`/deliveries/${brought}/deliver`, { ...handed_over, odometer_km: 1 });
	await driver.post(`/deliveries/${brought}/back`);
	const fetched = (await manager.get(`/deliveries?q=${over.json.code}`)).json.deliveries.find(d => d.direction === 'collection').delivery_id;
	await manager.post(`/deliveries/${fetched}/assign`, { courier_id });
	await driver.post(`/deliveries/${fetched}/ship`);
	await driver.post(`/deliveries/${fetched}/deliver`, handed_over);
	await driver.post(`/deliveries/${fetched}/back`);
	await manager.post(`/deliveries/${given_up}/cancel`, {});
	await manager.post(`/deliveries/${given_up}/cancel`, { reason: 'the road is closed' });
	await manager.post(`/deliveries/${given_up}/cancel/undo`);
	await manager.post(`/deliveries/${given_up}/cancel`, { reason: 'the road is closed' });
	await manager.post(`/deliveries/${given_up}/deliver`, handed_over);

	/* two cases that no rule approves */
	const case_for = async key => (await stack.internal('review', '/internal/cases', { key, kind: 'equipment', subject_id: key, applicant_id: users[0].user_id, title: '9 × Tent', title_ko: '텐트 9개',
		category: 'camping', quantity: 9, amount: 450000, currency: 'KRW' })).case_id;
	await anna.get('/my/equipment');
	const yes = await case_for('EQ-TOUR0001'), no = await case_for('EQ-TOUR0002');
	await manager.get('/reviews?tab=waiting');
	await manager.get(`/reviews/${yes}`);
	await manager.post(`/reviews/${yes}/approve`);
	await manager.post(`/reviews/${no}/reject`, {});
	await manager.post(`/reviews/${no}/reject`, { reason: 'None is dry.' });
	await manager.post(`/reviews/${no}/approve`);
	await manager.get('/reviews/99999');
	await anna.get('/reviews');

	/* the card company is down: a charge without an answer, a pending refund; the relay is down: no confirmation */
	const { json: { car_id } } = await manager.post('/fleet/cars', new_car()), away = { ...order, car_id, starts_at: at(40), ends_at: at(41) };
	const kept = (await anna.post('/bookings', { ...away, starts_at: at(50), ends_at: at(51) })).json;
	await stack.fault({ down: 1 });
	await anna.post('/bookings', away);
	await anna.post(`/bookings/${kept.code}/cancel`);
	await until('all of it is stuck', async () => (await manager.get('/bookings/stuck')).json.n_total >= 4, { every_ms: 500 });
	const { json: { stuck } } = await manager.get('/bookings/stuck?page=1');
	const unknown = stuck.find(s => s.kind === 'charge'), payback = stuck.find(s => s.kind === 'payback');
	assert.ok(unknown && payback && stuck.some(s => s.kind === 'cancel') && stuck.some(s => s.kind === 'refund'), JSON.stringify(stuck));
	assert.equal((await manager.get('/bookings/stuck?kind=charge')).json.n_total, 1);
	assert.equal((await anna.get('/bookings/stuck')).status, 403);
	for (const row of stuck) {
		await manager.get(row.resolve_url);
		await manager.post(row.try_url);
	}
	await manager.post(unknown.resolve_url, { way: 'no_payment' });
	await manager.post(unknown.resolve_url, { way: 'by_bank', reason: 'x' });
	assert.equal((await manager.post(payback.resolve_url, { way: 'by_bank', reason: 'transfer 4711' })).json.error.code, 'too_soon');
	await manager.post(unknown.resolve_url, { way: 'no_payment', reason: 'their clerk says so' });
	await stack.fault({ down: 0 });
	await manager.post(payback.try_url);
	await manager.post(`/bookings/${kept.code}/retry`);
	await manager.post(`/bookings/${kept.code}/resolve`, { way: 'nothing_owed', reason: 'it is back' });
	await stack.down('relay');
	const lonely = await until('the breaker has closed', async () => { const { status, json } = await anna.post('/bookings', { ...away, starts_at: at(45), ends_at: at(46) }); return status === 201 && json; }, { every_ms: 500 });
	await until('it is listed as unconfirmed', async () => (await manager.get('/bookings/stuck?kind=unconfirmed')).json.n_total === 1, { every_ms: 500 });
	assert.equal((await manager.post(`/bookings/${lonely.code}/resolve`, { way: 'confirm', reason: 'the car is in the yard' })).json.state, 'CONFIRMED');
	await stack.up();

	await admin.get('/ops');
	await admin.get(`/ops/events?subject=${booking.code}`);
	await admin.post('/ops/retries/fleet/1/redrive');
	await admin.post('/ops/retries/fleet/1/discard', { reason: 'a test' });
	await admin.post('/ops/consumers/fleet/pause', { reason: 'a test' });
	await admin.post('/ops/consumers/fleet/resume');
	await admin.get('/ops/audit');
	await admin.get('/ops/faults');
	await admin.post('/ops/faults', { slow_ms: 1 });
	await admin.post('/ops/faults', { slow_ms: 0 });
	await admin.get('/metrics');
	for (const what of ['healthz', 'readyz'])
		for (const prefix of ['', '/account', '/payments', '/fleet', '/deliveries', '/equipment', '/reviews', '/messages', '/my', '/ops', '/sandbox']) await anonymous.get(`${prefix}/${what}`);
	await new Tourist(stack.base, (await anonymous.post('/account/sign-in', { email: zoe.email, password: 'another long sentence' })).json.token).post('/account/sessions/end');
	await anna.post('/account/sign-out');
	assert.deepEqual(found, []);
});
await test('… and the tour covers everything that is documented', () => {
	assert.deepEqual(operations.map(o => o.op.operationId).filter(id => !answered.has(id)), []);
});
await test('the test above can fail: undocumented and missing members are found', () => {
	found.length = 0;
	const right = { code: 'X' };
	held_against('GET', '/healthz', { status: 200, text: '{}', headers: {}, json: { status: 'ok', program: 'x', surprise: 1 } });
	held_against('GET', '/healthz', { status: 200, text: '{}', headers: {}, json: { status: 'ok' } });
	held_against('GET', '/bookings/X', { status: 200, text: '{}', headers: {}, json: right });
	held_against('GET', '/healthz', { status: 418, text: '', headers: {} });
	assert.equal(found.length, 4);
});
await test('HEAD is answered like GET without a body', async () => {
	const answer = await ask(stack.base, 'HEAD', '/healthz');
	assert.equal(answer.status, 200);
	assert.equal(answer.text, '');
});
await finish();
