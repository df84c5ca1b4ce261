/*
 * pages.test.mjs - every page, for each role that may see it, in both languages: axe finds nothing, the Nu checker no error, nothing is
 * wider than a telephone or a desktop screen, at most 50 KB with the style sheet, an empty console.
 *
 * The pages come from the route tables; a page with a name in its address (":code") needs an example below, or the test fails,
 * so that new pages are tested.
 *
 * There are eight looks: size × colour scheme × language. axe, which takes nearly all of the time, sees each page in two of them that
 * differ in everything; which two depends on the page and on a seed that changes with the commit, so that every page is seen in every
 * look within a few commits. SEED=n repeats a run. LOOKS=all (make test-looks) takes all eight, and saves a picture of each in
 * build/shots; SHOTS=1 saves the pictures of those that are taken.
 */
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { promisify } from 'node:util';
import { assert, finish, test, until } from '../story/check.mjs';
import { routes } from '../story/routes.mjs';
import { at, new_car } from '../story/stack.mjs';
import { build, demo_stack, keep_window, open_chromium, open_window, root, shot, shots, sign_in } from './browser.mjs';

const KB = 1024, MAX_BYTES = 50 * KB;
const axe = fs.readFileSync(path.join(root, 'tests/browser/node_modules/axe-core/axe.min.js'), 'utf8');
const css_bytes = zlib.gzipSync(fs.readFileSync(path.join(root, 'static/motorpool.css'))).length;       /* as lighttpd sends it */
const stack = await demo_stack('browser-pages', { MOTORPOOL_STUCK_AFTER_S: '5', MOTORPOOL_UNDO_WINDOW_S: '36000', MOTORPOOL_NO_SHOW_GRACE_S: '0' });
const browser = await open_chromium();

/* --- roles ----------------------------------------------------------------------------------------------------------------- */

const who = { visitor: null, customer: stack.log_ins.customer[0], manager: stack.log_ins.manager[0], admin: stack.log_ins.admin[0], courier: stack.log_ins.courier[0],
	examiner: stack.log_ins.examiner[0], employee: stack.log_ins.employee[0] };
const may_see = { visitor: [], customer: ['SIGNED_IN'], manager: ['SIGNED_IN', 'MANAGER'], admin: ['SIGNED_IN', 'ADMIN'], courier: ['COURIER'], examiner: ['EXAMINER'], employee: ['EMPLOYEE'] };

/* --- examples for the addresses with names in them ------------------------------------------------------------------------------ */

const token_of = async email => (await stack.must('token', email)).trim();
const as = { customer: stack.program(await token_of(who.customer.email)), manager: stack.program(await token_of(who.manager.email)), admin: stack.program(await token_of(who.admin.email)) };
const from = at(6), to = at(8, 13);
const card_id = (await as.customer.post('/payments/cards', { card_token: 'tok_ok' })).json.card_id;
const [free_car] = (await as.customer.get(`/cars?from=${from}&to=${to}`)).json.cars;
const booked = (await as.customer.post('/bookings', { car_id: free_car.car_id, starts_at: from, ends_at: to, card_id })).json;
assert.ok(booked.code, JSON.stringify(booked));
/* The demo data has no bookings of this one. */
const another_car = (await as.manager.post('/fleet/cars', new_car({ name: 'Another' }))).json;
const cancelled = (await as.customer.post('/bookings', { car_id: another_car.car_id, starts_at: at(20), ends_at: at(21), card_id })).json;
await as.customer.post(`/bookings/${cancelled.code}/cancel`);
const past = (await as.customer.get('/my/bookings?tab=past')).json.bookings.find(b => b.state === 'COMPLETED');
const [charge] = (await as.manager.get('/payments')).json.charges;
const [told, read] = await until('the customer has a message', async () => { const { json } = await as.customer.get('/messages'); return json.n_total > 1 && json.messages; });
await as.customer.post(`/messages/${read.message_id}/read`);
const mailed = await until('a mail is in the mail folder', async () => (await as.admin.get('/ops/mail')).json.letters[0]?.message_id);
const branch = (await as.manager.get('/fleet/branches')).json.branches[0], model = (await as.manager.get('/fleet/models')).json.models[0];
/* A model of which a branch has two available. */
const pair = (await as.customer.get(`/models?starts_at=${at(40)}&ends_at=${at(42)}`)).json.models.find(m => m.n_at_once >= 2);
const fresh_car = (await as.manager.post('/fleet/cars', new_car({ name: 'Fresh' }))).json;
const user = (await as.admin.get('/account/users?q=' + who.customer.email)).json.users.find(u => u.email === who.customer.email);
/* A booking whose car was moved, one whose car is not in service, and a car that is being retired with a booking. */
const other_branch = (await as.manager.get('/fleet/branches')).json.branches.find(b => b.branch_id !== another_car.branch_id && b.is_open);
const gone_from = async (name, day, act) => {
	const { json: car } = await as.manager.post('/fleet/cars', new_car({ name }));
	const { json: { code } } = await as.customer.post('/bookings', { car_id: car.car_id, starts_at: at(day), ends_at: at(day + 1), card_id });
	await until(`${code} is confirmed`, async () => (await as.customer.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
	const done = await act(car);
	assert.equal(done.status, 200, done.text);
	return { ...car, code };
};
const moved_car = await gone_from('Moved', 44, car => as.manager.put(`/fleet/cars/${car.car_id}`, { ...car, branch_id: other_branch.branch_id, rev: undefined, confirm: true }));
const retiring_car = await gone_from('Retiring', 46, car => as.manager.post(`/fleet/cars/${car.car_id}/retire`, { confirm: true }));
/* One that the firm cancelled, and one of which a part was given back. */
const by_firm = (await as.customer.post('/bookings', { car_id: another_car.car_id, starts_at: at(48), ends_at: at(49), card_id })).json.code;
const firm_cancels = await as.manager.post(`/bookings/${by_firm}/cancel`, { by: 'firm', reason: 'car_broken', note: 'The car has a broken windscreen.' });
assert.equal(firm_cancels.status, 200, firm_cancels.text);
/* Deliveries: requested, on the way, handed over, cancelled; and the courier. */
const courier = stack.program(await token_of(who.courier.email)), courier_id = (await courier.get('/account')).json.user_id;
const guest = await stack.payer('Guest');
const brought = async (car_id, starts_at, ends_at) => {
	const { json: { code } } = await guest.post('/bookings', { car_id, starts_at, ends_at, card_id: guest.card_id, delivery: { zone: 'center', address: '서울특별시 중구 세종대로 110', place: 'Lobby', collect: true } });
	return until('it has a job', async () => (await as.manager.get(`/deliveries?q=${code}`)).json.deliveries[0]?.delivery_id);
};
const today = new Date(Date.now() + 9 * 3600e3), this_half_hour = `${today.toISOString().slice(0, 14)}${today.getUTCMinutes() < 30 ? '00' : '30'}`;
const requested = await brought(another_car.car_id, at(60), at(61)), on_its_way = await brought(another_car.car_id, at(64), at(65)), not_brought = await brought(another_car.car_id, at(68), at(69));
const handed_over = await brought((await as.manager.post('/fleet/cars', new_car({ name: 'Brought' }))).json.car_id, this_half_hour, at(1, 20));
for (const id of [on_its_way, handed_over]) {
	await as.manager.post(`/deliveries/${id}/assign`, { courier_id });
	await courier.post(`/deliveries/${id}/ship`);
}
await courier.post(`/deliveries/${handed_over}/deliver`, { odometer_km: 12345, fuel_percent: 80, received_by: 'Kim Minji', note: 'A scratch at the back' });
await as.manager.post(`/deliveries/${not_brought}/cancel`, { reason: 'The road is closed' });
/* At the counter now: one to be recorded as not picked up, one out; and each of them done, which can still be undone. */
const walk_in = async (...steps) => {
	const { json: { car_id } } = await as.manager.post('/fleet/cars', new_car({ name: 'Walk-in' }));
	const { json: { code } } = await guest.post('/bookings', { car_id, starts_at: this_half_hour, ends_at: at(2), card_id: guest.card_id });
	await until('it is confirmed', async () => (await guest.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
	for (const step of steps) assert.equal((await as.manager.post(`/bookings/${code}/${step}`)).status, 200);
	return code;
};
const not_here = await walk_in(), out = await walk_in('hand-out'), absent = await walk_in('no-show'), returned = await walk_in('hand-out', 'take-back');
const part = await as.manager.post(`/bookings/${out}/refund`, { amount: 1000, reason: 'late_start', note: 'You had to wait for the car.' });
assert.equal(part.status, 200, part.text);
/* The card company is down from here on: a pending refund, and a charge without an answer. */
const owed = (await as.customer.post('/bookings', { car_id: another_car.car_id, starts_at: at(30), ends_at: at(31), card_id })).json;
await stack.fault({ down: 1 });
await as.customer.post(`/bookings/${owed.code}/cancel`);
await as.customer.post('/bookings', { car_id: another_car.car_id, starts_at: at(34), ends_at: at(35), card_id });
const rows = await until('they need attention', async () => {
	const { stuck } = (await as.manager.get('/bookings/stuck')).json;
	return ['cancel', 'charge', 'refund'].every(kind => stuck.some(s => s.kind === kind)) && stuck;
}, { every_ms: 500 });
const stuck = rows.find(s => s.kind === 'cancel'), stuck_charge = rows.find(s => s.kind === 'charge'), unpaid = rows.find(s => s.kind === 'refund');
/* A dead letter of fleet, for /ops. */
await promisify(execFile)('sqlite3', ['-cmd', '.timeout 60000', `${stack.var}/motorpool.db`, `INSERT INTO event_retry VALUES ('fleet', 1, 'an-example', 12, 0, 'an example of an error', 1)`]);
/* An open case and a decided one. */
const case_for = async (key, quantity) => (await stack.internal('review', '/internal/cases', { key, kind: 'equipment', subject_id: key, applicant_id: user.user_id, title: `${quantity} × Tent`,
	title_ko: `텐트 ${quantity}개`, category: 'camping', quantity, amount: quantity * 50000, currency: 'KRW' })).case_id;
const waiting = await case_for('EQ-EXAMPLE1', 9), approved = await case_for('EQ-EXAMPLE2', 1);
/* Equipment: an item, and an order for each final state. */
const item = (await as.manager.post('/equipment/items', { name: 'Roof box', name_ko: '루프 박스', category: 'other', daily_price: 5000, stock: 4, low_stock: 3 })).json;
const lend = async (qty, from, to) => (await as.manager.post('/equipment/orders', { item_id: item.item_id, qty, starts_at: from, ends_at: to })).json.order_id;
const half_hour = new Date(Date.now() + 9 * 3600e3), soon = `${half_hour.toISOString().slice(0, 14)}${half_hour.getUTCMinutes() < 30 ? '00' : '30'}`;
const out_now = await lend(1, soon, at(2)), coming = await lend(2, at(1), at(3)), given_up = await lend(1, at(4), at(5));
await as.manager.post(`/equipment/orders/${given_up}/cancel`);
await until('review has approved them', async () => (await as.manager.get(`/equipment/orders/${coming}`)).json.state === 'APPROVED');
await as.manager.post(`/equipment/orders/${out_now}/hand-out`);
const link = `customerKey=ANONYMOUS&successUrl=${encodeURIComponent(stack.base + '/bookings/x/paid')}&failUrl=${encodeURIComponent(stack.base + '/bookings/x')}`;
/* Links that are in a mail: to confirm a sign-up, and to set a new password. */
const newcomer = stack.browser(), their_link = answer => /href="(\/account\/\w+\?token=[^"]*)"/.exec(answer.text)[1];
await newcomer.get('/account/sign-up');
const confirming = their_link(await newcomer.post('/account/sign-up', { name: 'Newcomer', email: 'newcomer@example.org', password: 'a long enough sentence' }));
const resetting = their_link(await newcomer.post('/account/forgot', { email: guest.email }));

/* A payout to be paid, and a payment of the sandbox's dashboard. */
const { payout_id } = await stack.internal('payment', '/internal/payouts', { key: 'AN-EXAMPLE', payee_id: user.user_id, subject_id: booked.code, kind: 'compensation', amount: 5000, currency: 'KRW', way: 'bank' });
const [[payment_id]] = await stack.sql('SELECT MAX(payment_id) FROM payment', 'sandbox');

/* one or several addresses, with a typical query. null: not a page, see the comment */
const examples = {
	'/account/confirm': confirming, '/account/reset': resetting,
	'/cars': ['/cars', `/cars?from=${from}&to=${to}&body=suv&sort=price`, `/cars?from=${from}&to=${to}&max_price=1`],
	'/cars/:car_id': `/cars/${free_car.car_id}?from=${at(40)}&to=${at(42)}`,
	'/models': ['/models', `/models?starts_at=${at(40)}&ends_at=${at(42)}&page=2`],
	'/models/:model_id': [`/models/${model.model_id}?starts_at=${at(40)}&ends_at=${at(42)}`, `/models/${model.model_id}`],
	'/bookings/new': [`/bookings/new?car_id=${free_car.car_id}&starts_at=${at(40)}&ends_at=${at(42)}`, `/bookings/new?model_id=${pair.model_id}&qty=2&starts_at=${at(40)}&ends_at=${at(42)}`],
	'/bookings': { manager: ['/bookings', '/bookings?q=no-such-name'] },
	'/bookings/:code': {
		customer: [booked.code, cancelled.code, owed.code, unpaid.subject_id, moved_car.code, retiring_car.code, by_firm].map(code => `/bookings/${code}`),
		manager: [booked.code, cancelled.code, owed.code, unpaid.subject_id, moved_car.code, retiring_car.code, by_firm, not_here, out, absent, returned].map(code => `/bookings/${code}`),
	},
	'/bookings/:code/move': [`/bookings/${moved_car.code}/move`, `/bookings/${booked.code}/move`],
	'/bookings/:code/receipt': `/bookings/${booked.code}/receipt`,
	'/bookings/:code/cancel': `/bookings/${booked.code}/cancel`,
	'/bookings/:code/refund': `/bookings/${out}/refund`,
	'/terms': ['/terms', '/terms?version=1'],
	'/terms/edit': ['/terms/edit', '/terms/edit?kind=company'],
	'/bookings/:code/no-show': `/bookings/${not_here}/no-show`, '/bookings/:code/take-back': `/bookings/${out}/take-back`,
	'/bookings/stuck': ['/bookings/stuck', '/bookings/stuck?kind=hold'],
	'/bookings/:code/resolve': `/bookings/${stuck.subject_id}/resolve`,
	'/payments/:charge_id/resolve': `/payments/${stuck_charge.charge_id}/resolve`,
	'/bookings/:code/paid': null,           /* returns from the card page: acts and redirects */
	'/fleet': null,                         /* redirects to /fleet/cars */
	'/fleet/cars': ['/fleet/cars', '/fleet/cars?q=nothing-is-called-so'],
	'/fleet/cars/new': ['/fleet/cars/new', `/fleet/cars/new?model_id=${model.model_id}`],
	'/fleet/cars/:car_id': [`/fleet/cars/${free_car.car_id}`, `/fleet/cars/${fresh_car.car_id}`, `/fleet/cars/${retiring_car.car_id}`],
	'/fleet/cars/:car_id/service': `/fleet/cars/${free_car.car_id}/service`,
	'/fleet/cars/:car_id/custody': `/fleet/cars/${free_car.car_id}/custody`,
	'/fleet/cars/:car_id/edit': `/fleet/cars/${free_car.car_id}/edit`,
	'/fleet/cars/:car_id/retire': `/fleet/cars/${free_car.car_id}/retire`,
	'/fleet/cars/:car_id/delete': [`/fleet/cars/${free_car.car_id}/delete`, `/fleet/cars/${fresh_car.car_id}/delete`],
	'/fleet/cars/:car_id/photo': `/fleet/cars/${free_car.car_id}/photo`,
	'/fleet/models/:model_id': `/fleet/models/${model.model_id}`,
	'/fleet/branches/:branch_id': `/fleet/branches/${branch.branch_id}`,
	'/fleet/branches/:branch_id/close': `/fleet/branches/${branch.branch_id}/close`,
	'/my': null, '/view': null,             /* redirect to their lists */
	'/messages': ['/messages', '/messages?unread=1', '/messages?page=99'],
	'/messages/:message_id': { customer: [`/messages/${told.message_id}`, `/messages/${read.message_id}`] },
	'/messages/log': ['/messages/log', '/messages/log?state=DEAD', '/messages/log?state=SENT'],
	'/messages/log/:message_id': `/messages/log/${told.message_id}`,
	'/my/bookings': ['/my/bookings', '/my/bookings?tab=past', '/my/bookings?tab=cancelled'],
	'/my/bookings/:code': { customer: [`/my/bookings/${booked.code}`, `/my/bookings/${cancelled.code}`, `/my/bookings/${owed.code}`, ...past ? [`/my/bookings/${past.code}`] : []] },
	'/payments/:charge_id': [`/payments/${charge.charge_id}`, `/payments/${stuck_charge.charge_id}`],
	'/payments/payouts': ['/payments/payouts', '/payments/payouts?tab=all'], '/payments/payouts/:payout_id': `/payments/payouts/${payout_id}`,
	'/payments/cards/return': null,         /* returns from the card page */
	'/payments/cards/:card_id/remove': { customer: `/payments/cards/${card_id}/remove` },
	'/ops/mail/:message_id': `/ops/mail/${mailed}`,
	'/ops/consumers/:consumer/pause': '/ops/consumers/fleet/pause',
	'/ops/retries/:consumer/:event_id/discard': '/ops/retries/fleet/1/discard',
	'/equipment': { manager: '/equipment' },
	'/equipment/items': null,               /* the same as /equipment */
	'/equipment/items/:item_id': { manager: `/equipment/items/${item.item_id}`, employee: `/equipment/items/${item.item_id}` },
	'/equipment/items/:item_id/edit': { manager: `/equipment/items/${item.item_id}/edit` },
	'/equipment/items/:item_id/stock': { manager: `/equipment/items/${item.item_id}/stock` },
	'/equipment/orders': { manager: ['/equipment/orders', '/equipment/orders?view=late'], customer: '/equipment/orders' },
	'/equipment/orders/new': { manager: ['/equipment/orders/new', `/equipment/orders/new?item_id=${item.item_id}`], employee: '/equipment/orders/new' },
	'/equipment/orders/:order_id': { manager: [`/equipment/orders/${out_now}`, `/equipment/orders/${coming}`, `/equipment/orders/${given_up}`] },
	'/equipment/orders/:order_id/cancel': { manager: [`/equipment/orders/${coming}/cancel`, `/equipment/orders/${out_now}/cancel`] },
	'/deliveries': { manager: ['/deliveries', '/deliveries?view=finished', '/deliveries?view=tomorrow'], courier: ['/deliveries', '/deliveries?view=tomorrow'] },
	'/deliveries/sheet': { manager: ['/deliveries/sheet', `/deliveries/sheet?courier_id=${courier_id}&day=${at(64).slice(0, 10)}`], courier: '/deliveries/sheet' },
	'/deliveries/:delivery_id': { manager: [requested, handed_over, not_brought].map(id => `/deliveries/${id}`), courier: [`/deliveries/${on_its_way}`] },
	'/deliveries/:delivery_id/photo': null, /* a picture */
	'/reviews': { manager: ['/reviews', '/reviews?tab=decided'], examiner: '/reviews' },
	'/reviews/:case_id': { manager: [`/reviews/${waiting}`, `/reviews/${approved}`], examiner: `/reviews/${waiting}` },
	'/metrics': null,                       /* a text for Prometheus */
	'/account/users/:id': `/account/users/${user.user_id}`,
	'/sandbox/card': { visitor: `/sandbox/card?${link}` },
	'/sandbox/pay': { visitor: `/sandbox/pay?${link}&orderId=MP-EXAMPLE1&amount=207000&orderName=Ioniq%205` },
	'/sandbox/faults': { visitor: '/sandbox/faults' }, '/sandbox': { visitor: '/sandbox' },
	'/sandbox/payments': { visitor: '/sandbox/payments' }, '/sandbox/payments/:payment_id': { visitor: `/sandbox/payments/${payment_id}` },
};
/* Pages only their owner sees, even to a manager. */
const owners_only = ['/bookings/new', '/payments/cards', '/payments/cards/:card_id/remove', '/my/bookings', '/my/bookings/:code', '/messages/:message_id'];
/* Errors are pages too. */
const errors = {
	visitor: [['/nothing/here', 404], ['/account/reset?token=used', 410], [`/cars?from=${to}&to=${from}`, 422], ['/static/errors/503.html', 200], ['/static/errors/404.html', 200], ['/static/errors/413.html', 200], ['/static/errors/400.html', 200], ['/static/errors/403.html', 200]],
	customer: [['/fleet/cars', 403], ['/bookings/MP-00000000', 404]],
};

/* Forms sent empty: the page with the error messages is tested too. */
const forms = {
	visitor: ['/account/sign-up', '/account/sign-in', '/account/forgot', `/sandbox/card?${link}`],
	customer: ['/account/profile', '/account/licence', '/account/password', '/account/tokens'],
	manager: ['/fleet/cars/new', `/fleet/cars/${free_car.car_id}/edit`, '/fleet/models/new', '/fleet/branches/new', '/equipment/items/new', `/equipment/items/${item.item_id}/stock`, '/equipment/orders/new', `/fleet/cars/${free_car.car_id}/photo`, `/bookings/${stuck.subject_id}/resolve`, `/bookings/${out}/refund`],
	admin: [],
	courier: [`/deliveries/${on_its_way}`],
	examiner: [], employee: [],
};

function pages_of(role) {
	const found = [];
	for (const route of routes()) {
		if (route.method !== 'GET' || route.needs.includes('INTERNAL') || route.path.startsWith('/sandbox/v1')) continue;
		const needs = route.needs.filter(need => !['WRITES', 'NO_CSRF', 'RAW_BODY', 'UPLOAD'].includes(need));
		if (needs.length && !needs.some(need => may_see[role].includes(need))) continue;
		if (role === 'admin' && needs.length && !needs.includes('ADMIN')) continue;     /* for admins only their own pages */
		if (role === 'manager' && owners_only.includes(route.path)) continue;
		if (['manager', 'admin'].includes(role) && !needs.length && route.path !== '/') continue;   /* one public page with their menu is enough */
		if (role !== 'visitor' && /^\/account\/(sign-|forgot|confirm|reset)/.test(route.path)) continue;        /* for signed-out visitors */
		const example = route.path in examples ? examples[route.path] : route.path;
		if (example === null) continue;
		const addresses = typeof example === 'object' && !Array.isArray(example) ? example[role] ?? [] : example;
		for (const address of [addresses].flat()) {
			assert.ok(!address.includes('/:'), `${route.path} needs an example in tests/browser/pages.test.mjs`);
			found.push([address, 200]);
		}
	}
	return [...found, ...errors[role] ?? []];
}

/* --- the test --------------------------------------------------------------------------------------------------------------------- */

const saved = path.join(build, 'test-logs', 'pages');
fs.rmSync(saved, { recursive: true, force: true });
fs.mkdirSync(saved, { recursive: true });
for (const old of fs.readdirSync(shots)) if (/-(desk|phone)-(light|dark)\.png$/.test(old)) fs.unlinkSync(path.join(shots, old));
const times = {};
/* customer-my-bookings-CODE-2-en: the second one of that kind */
function name_of(role, address, lang) {
	const kind = `${role}-${address.replace(/[?#].*$/, '').replace(/MP-\w+/g, 'CODE').replace(/\d+/g, 'N').replace(/^\//, '').replaceAll('/', '-') || 'home'}`;
	const n = times[kind + lang] = (times[kind + lang] ?? 0) + 1;
	return `${kind}${n > 1 ? `-${n}` : ''}-${lang}`;
}

const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 860 } };
const SCHEMES = ['light', 'dark'], LANGS = ['en', 'ko'];
const all_looks = process.env.LOOKS === 'all', shoots = all_looks || process.env.SHOTS;
/* The commit's number, or the day where there is no git. */
function seed_of_commit() {
	try {
		return parseInt(execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }), 16);
	} catch {
		return Math.floor(Date.now() / 86400e3);
	}
}
const seed = Number(process.env.SEED ?? seed_of_commit());
console.log(all_looks ? '# all eight looks' : `# SEED=${seed}`);
const hash = text => [...text].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) >>> 0, 7);
/* The looks of a page in a language: of the four pairs that differ in size, scheme and language, one. */
function looks_of(page, lang) {
	if (all_looks) return Object.keys(SIZES).flatMap(size => SCHEMES.map(scheme => [size, scheme]));
	const pair = (hash(page) + seed) % 4, second = LANGS.indexOf(lang);
	return [[Object.keys(SIZES)[pair >> 1 ^ second], SCHEMES[pair & 1 ^ second]]];
}

let heaviest = [0, ''];
async function look(window, name, address, status) {
	await window.page.mouse.move(0, 0);
	window.problems.length = 0;
	return examine(window, name, address, await window.page.goto(address), status);
}

/* Sends the last form of the page, which is its main one, with empty fields. */
async function look_at_refusal(window, name, address) {
	const { page } = window;
	await page.goto(address);
	await page.evaluate(() => {
		const form = [...document.querySelectorAll('main form[method=post]')].find(f => f.querySelector('input:not([type=hidden]), textarea'));
		form.noValidate = true;
		for (const field of form.elements) if (['text', 'email', 'password', 'tel', 'date', 'search'].includes(field.type)) field.value = '';
		form.id = 'sent';
	});
	window.problems.length = 0;
	const [response] = await Promise.all([page.waitForNavigation(), page.locator('#sent button').first().click()]);
	await page.mouse.move(0, 0);
	if (!await page.locator('.errors').count()) return ['no error summary'];
	return examine(window, name, address, response, 422);
}

/* Elements beyond the right edge of the screen. */
const too_wide = page => page.evaluate(() => {
	const wide = document.documentElement.clientWidth, over = document.documentElement.scrollWidth - wide;
	return over > 0 ? `${over} px wider than the screen: ${[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(' | ')}` : '';
});

async function examine(window, name, address, response, status) {
	const { page, lang } = window, wrong = [], looks = looks_of(name.replace(/-(en|ko)$/, ''), lang);
	if (response.status() !== status) return [`status ${response.status()}, not ${status}`];
	const html = await response.text();
	fs.writeFileSync(path.join(saved, `${name}.html`), html);
	const bytes = Buffer.byteLength(html) + (html.includes('motorpool.css') ? css_bytes : 0);
	if (bytes > heaviest[0]) heaviest = [bytes, address];
	if (bytes > MAX_BYTES) wrong.push(`${Math.ceil(bytes / KB)} KB with its style sheet`);
	if (!address.startsWith('/static/') && await page.locator('html').getAttribute('lang') !== lang) wrong.push('in another language');
	wrong.push(...await page.evaluate(() => window.broken_policy), ...window.problems);
	/* both sizes in any case, the one for axe last */
	const sizes = Object.keys(SIZES).sort(size => size === looks[0][0] ? 1 : -1);
	for (const size of sizes) {
		await page.setViewportSize(SIZES[size]);
		const over = await too_wide(page);
		if (over) wrong.push(`${size}: ${over}`);
	}
	for (const [size, scheme] of looks) {
		await page.setViewportSize(SIZES[size]);
		await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
		await page.evaluate(() => Promise.all(document.getAnimations().map(a => a.finished.catch(() => 0))));  /* until no colour is changing */
		const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
		for (const v of found.violations)
			wrong.push(`axe ${size} ${scheme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => `${n.html.slice(0, 120)} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
		if (shoots) await shot(window, `${name}-${size}-${scheme}`);
	}
	return wrong;
}

async function look_at_all(role, lang) {
	const window = await open_window(browser, stack, { lang }), results = [];
	await window.context.addInitScript({ content: axe });   /* loaded with each page; injecting it later took as long as running it */
	if (who[role]) await sign_in(window, who[role]);
	if (who[role] && await window.page.locator('html').getAttribute('lang') !== lang) {
		await window.page.goto('/account');
		await Promise.all([window.page.waitForNavigation(), window.page.locator(`header button[value=${lang}]`).click()]);
	}
	/* problems are asserted at the end; the pictures are saved now */
	const take = async (what, name, run) => {
		const wrong = await run(window, name).catch(e => [e.message]);
		if (wrong.length) await keep_window(window, name).catch(() => 0);
		results.push([`${role}, ${lang}: ${what}`, wrong]);
	};
	for (const [address, status] of pages_of(role))
		await take(address.replace(/\d{4}-\d\d-\d\d/g, 'DAY').replace(/MP-\w+/g, 'CODE').replace(stack.port, 'PORT').slice(0, 90), name_of(role, address, lang),
			(window, name) => look(window, name, address, status));
	for (const address of forms[role])
		await take(`${address.replace(/\?.*/, '')} refused`, name_of(role, `${address.replace(/\?.*/, '')}/refused`, lang), (window, name) => look_at_refusal(window, name, address));
	await window.context.close();
	return results;
}

/* Two windows at a time, for two cores. A signed-in user has one language in all windows, so both languages run one after the other. */
const queue = [['manager', 'en', 'ko'], ['customer', 'en', 'ko'], ['admin', 'en', 'ko'], ['courier', 'en', 'ko'], ['examiner', 'en', 'ko'], ['employee', 'en', 'ko'], ['visitor', 'en'], ['visitor', 'ko']];
const results = [];
await Promise.all([1, 2].map(async () => {
	for (let task; (task = queue.shift());)
		for (const lang of task.slice(1))
			results.push(...await look_at_all(task[0], lang));
}));
for (const [what, wrong] of results)
	await test(`page ${what}`, () => assert.deepEqual(wrong, []));
await test('there were pages to test', () => assert.ok(results.length > 120, `only ${results.length}`));
console.log(`#   the heaviest page with its style sheet: ${Math.ceil(heaviest[0] / KB)} KB, ${heaviest[1].replace(/\?.*/, '?…')}`);

/* --- the Nu checker, once over all of them ------------------------------------------------------------------------------------------ */

await test('the Nu checker finds no error in any page, nor in the style sheet', async () => {
	fs.copyFileSync(path.join(root, 'static/motorpool.css'), path.join(saved, 'motorpool.css'));
	for (const file of fs.readdirSync(path.join(root, 'static')).filter(f => f.endsWith('.svg'))) fs.copyFileSync(path.join(root, 'static', file), path.join(saved, file));
	const jar = path.join(root, 'tests/browser/node_modules/vnu-jar/build/dist/vnu.jar');
	const { stdout } = await promisify(execFile)('java', ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xss4m', '-jar', jar, '--format', 'json', '--stdout', '--exit-zero-always', '--also-check-css', '--also-check-svg', saved], { maxBuffer: 64 << 20 });
	const found = JSON.parse(stdout).messages.filter(m => m.type === 'error' || m.type === 'non-document-error').map(m => `${path.basename(m.url)}:${m.lastLine}: ${m.message} ${m.extract ?? ''}`.slice(0, 300));
	assert.equal(found.length, 0, `${found.length}: ${[...new Map(found.map(f => [f.replace(/^[^:]*:\d+/, ''), f])).values()].slice(0, 15).join('\n')}`);
	assert.ok(fs.readdirSync(saved).length > 100);
});
await finish();
