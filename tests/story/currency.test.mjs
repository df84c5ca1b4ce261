/*
 * currency.test.mjs - a firm whose currency has decimals: prices are typed in dollars and cents, every page and mail shows them so in both
 * languages, and the API, the ledger and the card company have whole cents.
 */
import { assert, finish, test, until } from './check.mjs';
import { Stack, at } from './stack.mjs';

const stack = await Stack.start({ name: 'story-currency', env: { MOTORPOOL_CURRENCY: 'USD' } });
const manager = await stack.person('Manager', 'manager', 'customer'), admin = await stack.person('Root', 'admin');
const anna = await stack.payer('Anna');
const desk = stack.browser(), browser = stack.browser();
const from = at(3), to = at(5, 13);             /* 2 days 3 hours */
/* What a person reads: without the addresses and values of links and hidden fields. */
const read = html => html.replace(/<(script|style)[\s\S]*?<\/\1>/g, '').replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const shows = async (who, page, ...texts) => {
	const answer = await who.get(page), text = read(answer.text);
	assert.equal(answer.status, 200, page);
	for (const part of texts) assert.ok(text.includes(part), `${page} lacks ${part}: ${text.slice(0, 3000)}`);
	for (const bad of ['₩', '원 ', '10350', '4500 ', '103.5 ']) assert.ok(!text.includes(bad), `${page} has ${bad}`);
	return answer.text;
};
const language = async (who, lang) => assert.equal((await who.post('/account/language', { lang })).status, 204);
await language(manager, 'en');
await language(anna, 'en');
await desk.sign_in(manager.email, manager.password);
await browser.sign_in(anna.email, anna.password);

let car_id, code;
await test('a manager types a price in dollars and cents, and the API has it in cents', async () => {
	await desk.get('/fleet/cars/new');
	const answer = await desk.post('/fleet/cars', { plate: 'USD 1', name: 'Kia Ray', name_ko: '', body: 'mini', seats: 4, fuel: 'petrol', gearbox: 'automatic',
		daily_price: '$45', hourly_price: '4.50', model_id: '' });
	assert.equal(answer.status, 303, answer.text);
	car_id = Number(/cars\/(\d+)/.exec(answer.headers.location)[1]);
	const { json } = await manager.get(`/fleet/cars/${car_id}`);
	assert.deepEqual([json.daily_price, json.hourly_price], [4500, 450]);
});
await test('a search and the car\'s page show dollars and cents in both languages', async () => {
	await shows(browser, `/cars?from=${from}&to=${to}&max_price=103.50`, '$103.50', '$45.00', '$4.50');
	assert.match(read((await browser.get(`/cars?from=${from}&to=${to}&max_price=103.49`)).text), /No available cars match/);
	await shows(browser, `/cars/${car_id}?from=${from}&to=${to}`, '$103.50', '$90.00', '$13.50');
	const korean = stack.browser();
	korean.language = 'ko';
	await shows(korean, `/cars/${car_id}?from=${from}&to=${to}`, '103.50달러', '13.50달러');
});
await test('a booking is charged in cents, and the card company has the same number', async () => {
	const answer = await anna.post('/bookings', { car_id, starts_at: from, ends_at: to, card_id: anna.card_id });
	assert.equal(answer.status, 201, answer.text);
	({ code } = answer.json);
	assert.equal(answer.json.amount, 10350);
	assert.equal(answer.json.currency, 'USD');
	assert.equal(await stack.money_kept(code), 10350);
	await until(`${code} is CONFIRMED`, async () => (await anna.get(`/bookings/${code}`)).json.state === 'CONFIRMED');
});
await test('the booking, its receipt and the payment pages show dollars and cents', async () => {
	await shows(browser, `/bookings/${code}`, '$103.50');
	await shows(browser, `/bookings/${code}/receipt`, '$103.50', '$9.41');
	await shows(browser, `/bookings/${code}/cancel`, '$103.50');
	await shows(desk, '/payments', '$103.50');
	await shows(desk, '/payments/ledger', '$103.50', '$94.09');
	await until('the confirmation is in the mail folder', async () => (await admin.get('/ops/mail')).json.letters?.length >= 1);
	await until('it is in the customer\'s own list', async () => (await anna.get('/my/bookings')).json.bookings.some(b => b.code === code));
	await shows(browser, '/my/bookings', '$103.50');
	await language(anna, 'ko');
	await shows(browser, `/bookings/${code}/receipt`, '103.50달러', '9.41달러');
});
await test('a refund and its mails have dollars and cents', async () => {
	assert.equal((await anna.post(`/bookings/${code}/cancel`)).json.refunded_amount, 10350);
	assert.equal(await stack.money_kept(code), 0);
	const letters = await until('the mails are in the folder', async () => {
		const { json } = await admin.get('/ops/mail');
		return json.letters?.length >= 2 && json.letters;
	});
	const texts = await Promise.all(letters.map(async l => (await admin.get(`/ops/mail/${l.message_id}`)).text));
	for (const part of ['$103.50', '$45.00', '103.50달러']) assert.ok(texts.some(text => text.includes(part)), `${part}: ${texts.join('\n')}`);
	assert.ok(!texts.some(text => /₩|10350/.test(text)), texts.join('\n'));
	await shows(browser, `/bookings/${code}`, '103.50달러');
});
await test('every invariant holds', async () => {
	await stack.must('check');
});

await finish();
