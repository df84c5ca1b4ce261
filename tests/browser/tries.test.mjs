/*
 * tries.test.mjs - a declined card, with real clicks, with and without JavaScript: the car stays held with its delivery and equipment, the
 * page says why and for how long, and the next card pays for all of it. A card can be saved while paying. Or the hold is given up.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { at } from '../story/stack.mjs';
import { asks_until, code_in, demo_stack, main_text, no_problems, open_chromium, open_window, press, shot, sign_in } from './browser.mjs';

const stack = await demo_stack('browser-tries');
/* the third card's first answer is lost */
stack.allow(/"program":"sandbox".*"path":"\/sandbox\/v1\/.*"status":500/, /"program":"payment".*"what":"call","to":"provider".*"status":500/);
const browser = await open_chromium();

async function types_the_card(page, number, saves = false) {
	await page.waitForURL(/\/sandbox\/pay/);
	await page.locator('[name=number]').fill(number);
	await page.locator('[name=expiry]').fill('1230');
	await page.locator('[name=cvc]').fill('123');
	if (saves) await page.locator('[name=save_card]').check();
	await Promise.all([page.waitForURL(/\/bookings\/MP-/), page.locator('main form button').first().click()]);
}
const one = async statement => (await stack.sql(statement))[0]?.[0];
const held_until = code => one(`SELECT hold_until FROM booking WHERE code = '${code}'`);
const free_car = async (from, to) => (await stack.program().get(`/cars?from=${from}&to=${to}`)).json.cars[0];

for (const scripts of [true, false]) {
	const how = scripts ? 'with JavaScript' : 'with JavaScript off', day = scripts ? 12 : 14;
	const who = await stack.payer(scripts ? 'Iris' : 'Jona'), bad_card = await stack.card(who, 'tok_declined');
	await stack.program(who.token).put('/account', { name: who.name, lang: 'en' });
	const window = await open_window(browser, stack, scripts ? {} : { scripts: false, width: 390, height: 844 }), { page } = window;
	await sign_in(window, who);
	let code, total, until_then;

	async function orders(from, to, card) {
		const car = await free_car(from, to);
		await page.goto(`/bookings/new?car_id=${car.car_id}&starts_at=${from}&ends_at=${to}`);
		await page.locator('[name="delivery.wanted"]').check();
		await page.locator('[name="delivery.address"]').fill('123 Sejong-daero, Seoul');
		await page.locator('[name="delivery.zone"]').selectOption('city');
		await page.locator('ul.items li').filter({ has: page.getByText('Child seat', { exact: true }) }).locator('select').selectOption('1');
		await page.locator(`[name=card_id][value="${card}"]`).check();
		if (scripts) await page.waitForFunction(() => ['Delivery', 'Child seat'].every(word => document.querySelector('#order-price').innerText.includes(word))
			&& !document.querySelector('#order-total').disabled);
		else await press(page, 'Update the price');
		total = /₩[\d,]+/.exec(await page.locator('#order-total').innerText())[0];
		await press(page, /Book and pay/);
	}
	async function shows_the_hold(reason) {
		const text = await main_text(page);
		for (const words of [reason, 'Nothing was charged', '123 Sejong-daero', 'Child seat', total]) assert.ok(text.includes(words), `${words} in ${text}`);
		assert.match(text, /holding the car for you until/);
		assert.match(text, /\d+ minutes? left/);
		assert.equal(await held_until(code), until_then, 'no longer than it was');
	}

	await test(`${how}: a saved card is declined: the car stays held with its delivery and child seat, and the page says why`, async () => {
		await orders(at(day, 9), at(day + 1, 9), bad_card);
		code = code_in(page);
		assert.ok(code, page.url());
		until_then = await held_until(code);
		await shows_the_hold('Your card was declined.');
		assert.ok(!await page.locator(`[name=card_id][value="${bad_card}"]`).isChecked(), 'another card is chosen');
		await shot(window, `declined${scripts ? '' : '-phone'}`);
		no_problems(window);
	});
	await test(`${how}: a new card is declined too, typed on the card company's page; the hold is the same`, async () => {
		await page.locator('[name=card_id][value=new]').check();
		await press(page, /Pay/);
		await types_the_card(page, '4000 0000 0000 9995', true);
		assert.equal(code_in(page), code);
		await shows_the_hold('Your card has insufficient funds or credit.');
	});
	await test(`${how}: a third card pays for all of it, and is saved because that was ticked`, async () => {
		await page.locator('[name=card_id][value=new]').check();
		await press(page, /Pay/);
		await types_the_card(page, '3566 0020 2036 0505', true);
		await asks_until(page, /Confirmed/);
		assert.equal(code_in(page), code);
		for (const words of ['123 Sejong-daero', 'Child seat', total]) assert.ok((await main_text(page)).includes(words), words);
		assert.equal(await stack.money_kept(`${code}-3`), Number(total.replace(/[^\d]/g, '')));
		assert.equal(await one(`SELECT COUNT(*) FROM booking WHERE customer_id = (SELECT user_id FROM person WHERE email = '${who.email}')`), '1');
		await until('the card is saved', async () => (await who.get('/payments/cards')).json.cards.some(card => card.last4 === '0505'));
		assert.ok(!(await who.get('/payments/cards')).json.cards.some(card => card.last4 === '9995'), 'a declined card is not');
		no_problems(window);
	});
	await test(`${how}: after a declined card the hold can be given up`, async () => {
		await orders(at(day + 30, 9), at(day + 31, 9), bad_card);
		await press(page, 'Cancel this booking', 'link');
		await press(page, /Cancel|Give up|Yes/);
		assert.equal(await one(`SELECT state || ' ' || end_reason FROM booking WHERE code = '${code_in(page)}'`), 'EXPIRED given_up');
		no_problems(window);
	});
}
await test('the money is right, and every invariant holds', () => stack.check());
await finish();
