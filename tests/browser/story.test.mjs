/*
 * story.test.mjs - the main story with real clicks: a manager registers a car; a customer signs up, searches, books and pays on the card
 * company's page, is confirmed, looks at my page, cancels and sees the refund. Also without JavaScript; a booking by keyboard only, double
 * clicks, declined cards, and the pages of managers and admins.
 */
import fs from 'node:fs';
import path from 'node:path';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { at } from '../story/stack.mjs';
import { asks_until, code_in, demo_stack, main_text, no_problems, open_chromium, open_window, press, root, shot, shots, sign_in } from './browser.mjs';

const stack = await demo_stack('browser-story');
const browser = await open_chromium();
const manager = stack.log_ins.manager[0], admin = stack.log_ins.admin[0];
const window_of = options => open_window(browser, stack, options);
const from = at(9), to = at(11, 13);
let cars = 0;

/* --- steps people take --------------------------------------------------------------------------------------------------------- */

async function registers_a_car(page, name, daily = '1000', hourly = '100') {
	await page.goto('/fleet/cars/new');
	const form = page.locator('form[action="/fleet/cars"]');
	await form.locator('[name=plate]').fill(`77하 ${1000 + cars++}`);
	await form.locator('[name=name]').fill(name);
	await form.locator('[name=body]').selectOption('ev');
	await form.locator('[name=fuel]').selectOption('electric');
	await form.locator('[name=seats]').fill('5');
	await form.locator('[name=daily_price]').fill(daily);
	await form.locator('[name=hourly_price]').fill(hourly);
	await Promise.all([page.waitForURL(/\/fleet\/cars\/\d+/), form.locator('button').click()]);
	return +/\/fleet\/cars\/(\d+)/.exec(page.url())[1];
}

/* In test mode "Check your mail" has the link of the mail. */
async function follows_the_link(page) {
	await press(page, 'Open the link', 'link');
	await press(page, 'Confirm and continue');
}

async function signs_up(page, name) {
	const email = `${name.toLowerCase()}.${Date.now()}@example.com`, password = 'a long enough sentence';
	await page.goto('/');
	await Promise.all([page.waitForNavigation(), page.locator('header').getByRole('link', { name: 'Sign in' }).click()]);
	await press(page, 'Create an account', 'link');
	await page.locator('[name=name]').fill(name);
	await page.locator('[name=email]').fill(email);
	await page.locator('[name=password]').fill(password);
	await page.locator('main [name=lang]').selectOption('en');
	await press(page, 'Create an account');
	await follows_the_link(page);
	return { email, password, name };
}

async function searches(page) {
	await page.goto('/');
	await page.locator('[name=from]').fill(from);
	await page.locator('[name=to]').fill(to);
	await press(page, 'Search cars');
}

async function fills_in_the_card(page, number) {
	await page.waitForURL(/\/sandbox\/(pay|card)/);
	await page.locator('[name=number]').fill(number);
	await page.locator('[name=expiry]').fill('12/30');
	await page.locator('[name=cvc]').fill('123');
	await Promise.all([page.waitForNavigation(), page.locator('main form button').first().click()]);
}
const bookings_of = async email => stack.sql(`SELECT code, state FROM booking WHERE customer_id = (SELECT user_id FROM person WHERE email = '${email}')`);

/* --- the story, with and without JavaScript ------------------------------------------------------------------------------------------ */

for (const scripts of [true, false]) {
	const how = scripts ? 'with JavaScript' : 'with JavaScript off';
	let car_name, desk, window, page, anna, code;

	await test(`${how}: a manager registers a car`, async () => {
		desk = await window_of({ scripts });
		await sign_in(desk, manager);
		await switch_language(desk.page, 'en');
		car_name = `Ioniq ${scripts ? 'One' : 'Two'}`;
		await registers_a_car(desk.page, car_name);
		assert.match(await main_text(desk.page), new RegExp(`${car_name}`));
		assert.match(await main_text(desk.page), /Available/);
		no_problems(desk);
	});
	await test(`${how}: a customer signs up and is signed in`, async () => {
		window = await window_of({ scripts });
		page = window.page;
		anna = await signs_up(page, scripts ? 'Anna' : 'Nora');
		assert.match(await page.locator('header').innerText(), /My bookings/);
	});
	await test(`${how}: the customer searches by dates and sees the car with its total price`, async () => {
		await searches(page);
		const card = page.locator('li.car').filter({ hasText: car_name });
		assert.match(await card.innerText(), /₩2,300/);
		await Promise.all([page.waitForNavigation(), card.getByRole('link', { name: car_name }).click()]);
		assert.match(await main_text(page), /Availability/);
		assert.match(await main_text(page), /₩2,300/);
	});
	await test(`${how}: the customer books with a new card on the card company's page and returns with a paid booking`, async () => {
		await press(page, 'Book this car', 'link');
		assert.ok(await page.locator('[name=card_id][value=new]').isChecked());
		await press(page, /Book and pay/);
		assert.match(page.url(), /\/sandbox\/pay/);
		await fills_in_the_card(page, '4242 4242 4242 4242');
		code = code_in(page);
		assert.ok(code, page.url());
		assert.match(await main_text(page), /Paid|Confirmed/);
	});
	await test(`${how}: the booking is confirmed${scripts ? ', and the page updates by itself' : ''}`, async () => {
		if (scripts) await page.waitForFunction(() => /Confirmed/.test(document.querySelector('main').innerText));
		else await asks_until(page, /Confirmed/);
		assert.equal((await bookings_of(anna.email))[0][1], 'CONFIRMED');
	});
	await test(`${how}: my page shows it, step by step`, async () => {
		await Promise.all([page.waitForNavigation(), page.locator('header').getByRole('link', { name: 'My bookings' }).click()]);
		await Promise.all([page.waitForNavigation(), page.locator('main').getByRole('link', { name: new RegExp(`${code}|${car_name}`) }).first().click()]);
		assert.match(page.url(), new RegExp(`/my/bookings/${code}`));
		for (const words of [car_name, 'History', '₩2,300', 'Visa', '4242']) assert.ok((await main_text(page)).includes(words), words);
	});
	await test(`${how}: the manager sees the car with its booking on the car screen, and the booking in the list`, async () => {
		await desk.page.goto('/view/cars?q=' + encodeURIComponent(car_name));
		assert.match(await main_text(desk.page), new RegExp(code));
		await desk.page.goto('/bookings?q=' + code);
		assert.match(await main_text(desk.page), /Confirmed/);
		no_problems(desk);
	});
	await test(`${how}: the customer cancels after seeing the refund, and sees it again when it is done`, async () => {
		await press(page, /Cancel this booking/, 'link');
		assert.match(await main_text(page), /Your refund/);
		await press(page, /Cancel and refund ₩2,300/);
		await asks_until(page, /₩2,300 was refunded to the card/);
		assert.equal(await stack.money_kept(code), 0);
		await page.goto(`/my/bookings/${code}`);
		await asks_until(page, /cancelled and ₩2,300 was refunded/);
		await searches(page);
		assert.equal(await page.locator('li.car').filter({ hasText: car_name }).count(), 1, 'the car is free again');
		no_problems(window);
	});
	await desk?.context.close();
	await window?.context.close();
}

async function switch_language(page, lang) {
	if (await page.locator('html').getAttribute('lang') === lang) return;
	await Promise.all([page.waitForNavigation(), page.locator(`header button[value=${lang}]`).click()]);
	assert.equal(await page.locator('html').getAttribute('lang'), lang);
}

/* The two pictures in README: made with UPDATE_SHOTS=1, or when they are missing. */
async function readme_shot(window, name) {
	await shot(window, name, false);
	const to = path.join(root, 'docs', `${name}.png`);
	assert.ok(fs.statSync(path.join(shots, `${name}.png`)).size < 200 * 1024, `${name} is too large`);
	if (process.env.UPDATE_SHOTS || !fs.existsSync(to)) fs.copyFileSync(path.join(shots, `${name}.png`), to);
}

/* --- one customer with a saved card, for the rest ------------------------------------------------------------------------------------- */

const desk = await window_of();
await sign_in(desk, manager);
await switch_language(desk.page, 'en');
const car = {};
for (const name of ['Keys', 'Double', 'Declined', 'EV3']) car[name] = await registers_a_car(desk.page, `Kia ${name}`, '50000', '5000');
const dana = await stack.payer('Dana');
const declined_card = await stack.card(dana, 'tok_declined');
await stack.program(dana.token).put('/account', { name: 'Dana', lang: 'en' });
const window = await window_of();
const { page } = window;
await sign_in(window, dana);
await switch_language(page, 'en');

await test('a card can be saved for later on the card company\'s page, and removed', async () => {
	await page.goto('/payments/cards');
	await press(page, /Add a/);
	await fills_in_the_card(page, '4242424242424242');
	assert.match(page.url(), /\/payments\/cards/);
	assert.match(await main_text(page), /The card is saved/);
	const kept = (await dana.get('/payments/cards')).json.cards.map(c => c.card_id), added = Math.max(...kept);
	assert.equal(kept.length, 3);
	await Promise.all([page.waitForNavigation(), page.locator(`main a[href="/payments/cards/${added}/remove"]`).click()]);
	await press(page, /Remove/);
	assert.match(await main_text(page), /The card is removed/);
	assert.deepEqual((await dana.get('/payments/cards')).json.cards.map(c => c.card_id).sort(), kept.filter(id => id !== added).sort());
});
await test('an invalid card number is refused at its field, on the card company\'s page', async () => {
	await page.goto('/payments/cards');
	await press(page, /Add a/);
	await fills_in_the_card(page, '1234 5678 9012 3456');
	assert.match(page.url(), /\/sandbox\/card/);
	assert.match(await main_text(page), /card number is not valid/);
	await press(page, /Cancel and go back/, 'link');
	assert.match(page.url(), /\/payments\/cards/);
	assert.match(await main_text(page), /No card was saved/);
});

/* --- keyboard --------------------------------------------------------------------------------------------------------------------------- */

const focused = () => page.evaluate(() => { const e = document.activeElement; return e && e !== document.body ? { tag: e.tagName, name: e.name ?? '', text: (e.innerText || e.value || '').trim(), href: e.getAttribute('href') ?? '', visible: getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e).boxShadow !== 'none' } : {}; });
async function tabs_to(what, matches) {
	for (let i = 0; i < 120; i++) {
		await page.keyboard.press('Tab');
		const at_it = await focused();
		if (at_it.tag && matches(at_it)) {
			assert.ok(at_it.visible, `the focus on ${what} can be seen`);
			return;
		}
	}
	throw new Error(`the keyboard does not reach ${what}`);
}
await test('a car is searched, booked and paid by keyboard only, with a visible focus at each step', async () => {
	await page.goto('/');
	await page.keyboard.press('Tab');
	assert.match((await focused()).text, /Skip to content/);
	await page.keyboard.press('Enter');
	await tabs_to('the search button', e => e.tag === 'BUTTON' && /Search cars/.test(e.text));
	await Promise.all([page.waitForURL(/\/cars\?/), page.keyboard.press('Enter')]);
	await page.goto(`/cars/${car.Keys}`);
	await tabs_to('the booking link', e => e.tag === 'A' && /Book this car/.test(e.text));
	await Promise.all([page.waitForURL(/\/bookings\/new/), page.keyboard.press('Enter')]);
	await tabs_to('the saved cards', e => e.name === 'card_id');
	for (let i = 0; i < 5 && (await focused()).text !== `${dana.card_id}`; i++) await page.keyboard.press('ArrowDown');
	assert.equal((await focused()).text, `${dana.card_id}`);
	await tabs_to('the booking button', e => e.tag === 'BUTTON' && /Book and pay/.test(e.text));
	await Promise.all([page.waitForURL(/\/bookings\/MP-/), page.keyboard.press('Enter')]);
	await page.waitForFunction(() => /Confirmed/.test(document.querySelector('main').innerText));
	await page.goto('/');
	await tabs_to('the account menu', e => e.tag === 'SUMMARY');
	await page.keyboard.press('Enter');
	await tabs_to('the profile', e => /Profile/.test(e.text));
	await page.keyboard.press('Escape');
	assert.equal((await focused()).tag, 'SUMMARY', 'Escape closes the menu and goes back to it');
});

/* --- double clicks ------------------------------------------------------------------------------------------------------------------------- */

for (const scripts of [true, false])
	await test(`a double click on Book ${scripts ? '' : 'without JavaScript '}is one booking and one charge`, async () => {
		const impatient = await window_of({ scripts });
		await sign_in(impatient, dana);
		const hours = scripts ? [at(30), at(31)] : [at(40), at(41)], before = (await bookings_of(dana.email)).length;
		await impatient.page.goto(`/bookings/new?car_id=${car.Double}&starts_at=${hours[0]}&ends_at=${hours[1]}`);
		await impatient.page.locator(`[name=card_id][value="${dana.card_id}"]`).check();
		const button = impatient.page.locator('#order-total');
		await button.click({ clickCount: 2, noWaitAfter: true });
		await impatient.page.waitForURL(/\/bookings\/MP-/);
		await sleep(1000);
		const made = (await bookings_of(dana.email)).slice(before).filter(([, state]) => state !== 'EXPIRED');
		assert.equal(made.length, 1, JSON.stringify(made));
		assert.equal(await stack.money_kept(made[0][0]), 50000);
		await impatient.context.close();
	});
await test('two cars of a model are chosen from the search, booked together, listed with both plates, and available again when cancelled', async () => {
	const clicks = await window_of({ scripts: false }), page = clicks.page, hours = `starts_at=${at(33)}&ends_at=${at(34)}`;
	const offer = async id => (await stack.program().get(`/models/${id}?${hours}`)).json.model;
	await sign_in(clicks, dana);
	const model = (await stack.program().get(`/models?${hours}`)).json.models.find(m => m.n_at_once >= 2);
	await page.goto(`/cars?from=${at(33)}&to=${at(34)}`);
	await press(page, 'Book several cars', 'link');
	await press(page, model.name, 'link');
	assert.ok((await main_text(page)).includes(`${model.n_free} of ${model.n_cars} available`));
	await page.locator('[name=qty]').selectOption('2');
	await press(page, 'Continue');
	assert.ok((await main_text(page)).includes(`2 × ${model.name}`));
	await page.locator(`[name=card_id][value="${dana.card_id}"]`).check();
	await press(page, /Book and pay/);
	await asks_until(page, /Confirmed/);
	const plates = await page.locator('main dd .chip').allInnerTexts();
	assert.equal(new Set(plates).size, 2, plates.join());
	assert.equal((await offer(model.model_id)).n_free, model.n_free - 2);
	await shot(clicks, 'two-of-a-model');
	await press(page, /Cancel this booking/, 'link');
	await press(page, /Cancel and refund/);
	await asks_until(page, /refunded to the card/);
	assert.equal((await offer(model.model_id)).n_free, model.n_free);
	no_problems(clicks);
	await clicks.context.close();
});
await test('the back button and sending the form again make no second booking', async () => {
	const before = (await bookings_of(dana.email)).length;
	await page.goto(`/bookings/new?car_id=${car.Double}&starts_at=${at(50)}&ends_at=${at(51)}`);
	await page.locator(`[name=card_id][value="${dana.card_id}"]`).check();
	const form = await page.locator('form[action="/bookings"]').evaluate(f => Object.fromEntries(new FormData(f)));
	await Promise.all([page.waitForURL(/\/bookings\/MP-/), page.locator('#order-total').click()]);
	const code = code_in(page);
	await page.goBack();
	await page.waitForURL(/\/bookings\/new/);
	assert.match(await main_text(page), /already booked/);
	assert.ok(await page.locator(`main a[href="/bookings/${code}"]`).count(), 'it links to the booking');
	const again = await page.request.post('/bookings', { form, maxRedirects: 0 });
	assert.equal(again.status(), 303);
	assert.match(again.headers().location, new RegExp(`/bookings/${code}$`));
	const made = (await bookings_of(dana.email)).slice(before).filter(([, state]) => state !== 'EXPIRED');
	assert.equal(made.length, 1, JSON.stringify(made));
});

/* --- errors ----------------------------------------------------------------------------------------------------------------------------------- */

await test('a declined card gets a message, the car stays held, and another card can pay', async () => {
	await page.goto(`/bookings/new?car_id=${car.Declined}&starts_at=${from}&ends_at=${to}`);
	await page.locator(`[name=card_id][value="${declined_card}"]`).check();
	await press(page, /Book and pay/);
	const code = code_in(page);
	assert.ok(code, page.url());
	assert.match(await main_text(page), /declined. Nothing was charged/);
	assert.ok(await page.locator(`[name=card_id][value="${dana.card_id}"]`).isChecked(), 'not the declined one');
	await press(page, /Pay/);
	await asks_until(page, /Paid|Confirmed/);
	assert.equal(code_in(page), code);
	no_problems(window);
});
await test('leaving the card company\'s page keeps the hold for its time, and it can still be paid', async () => {
	await page.goto(`/bookings/new?car_id=${car.Declined}&starts_at=${at(70)}&ends_at=${at(71)}`);
	await page.locator('[name=card_id][value=new]').check();
	await press(page, /Book and pay/);
	await press(page, /Cancel and go back/, 'link');
	assert.ok(code_in(page), page.url());
	assert.match(await main_text(page), /holding the car for you until/);
	await press(page, /Pay/);
	await fills_in_the_card(page, '4242 4242 4242 4242');
	await asks_until(page, /Paid|Confirmed/);
});
await test('an error summary takes the focus and links to its field', async () => {
	const visitor = await window_of();
	await visitor.page.goto('/account/sign-up');
	await visitor.page.locator('[name=name]').fill('Only a name');
	await press(visitor.page, 'Create an account');
	assert.ok(await visitor.page.evaluate(() => document.activeElement?.classList.contains('errors')), 'the focus is on the summary');
	assert.equal(await visitor.page.locator('[name=name]').inputValue(), 'Only a name');
	await visitor.page.locator('.errors a').first().click();
	const name = await visitor.page.evaluate(() => document.activeElement?.name);
	assert.equal(name, 'email');
	assert.equal(await visitor.page.locator('[name=email]').getAttribute('aria-invalid'), 'true');
	no_problems(visitor);
	await visitor.context.close();
});
await test('signing in returns to the requested page', async () => {
	const visitor = await window_of();
	await visitor.page.goto(`/bookings/new?car_id=${car.Keys}&starts_at=${at(80)}&ends_at=${at(81)}`);
	assert.match(visitor.page.url(), /sign-in/);
	await visitor.page.locator('[name=email]').fill(dana.email);
	await visitor.page.locator('[name=password]').fill(dana.password);
	await Promise.all([visitor.page.waitForURL(/\/bookings\/new\?car_id/), visitor.page.locator('main form button').click()]);
	await visitor.context.close();
});
await test('a newcomer who finds a car signs up, and the booking is kept', async () => {
	const visitor = await window_of();
	await visitor.page.goto(`/bookings/new?car_id=${car.Keys}&starts_at=${at(80)}&ends_at=${at(81)}`);
	const asked = new URL(visitor.page.url()).searchParams.get('next');
	await press(visitor.page, 'Create an account', 'link');
	await visitor.page.locator('[name=name]').fill('Newcomer');
	await visitor.page.locator('[name=email]').fill('newcomer@example.com');
	await visitor.page.locator('[name=password]').fill('a long enough sentence');
	await press(visitor.page, 'Create an account');
	assert.match(await main_text(visitor.page), /newcomer@example\.com/);
	await follows_the_link(visitor.page);
	assert.equal(visitor.page.url(), `${stack.base}${asked}`);
	assert.match(await main_text(visitor.page), /Book and pay/);
	no_problems(visitor);
	await visitor.context.close();
});
await test('a forgotten password is set with the link in the mail, by keyboard and without JavaScript', async () => {
	const visitor = await window_of({ scripts: false });
	await visitor.page.goto('/account/sign-in');
	await press(visitor.page, 'Forgot your password?', 'link');
	await visitor.page.locator('[name=email]').fill('newcomer@example.com');
	await Promise.all([visitor.page.waitForNavigation(), visitor.page.keyboard.press('Enter')]);
	await visitor.page.goto(await stack.mailed_link('newcomer@example.com', 'reset'));
	await visitor.page.locator('[name=new_password]').fill('a brand new sentence');
	await Promise.all([visitor.page.waitForNavigation(), visitor.page.keyboard.press('Enter')]);
	await visitor.page.goto('/account');
	assert.match(await main_text(visitor.page), /newcomer@example\.com/);
	no_problems(visitor);
	await visitor.context.close();
});
await test('the language can be switched on any page, signed in and out, and is kept', async () => {
	const visitor = await window_of({ lang: 'en' });
	await visitor.page.goto(`/cars?from=${from}&to=${to}`);
	await switch_language(visitor.page, 'ko');
	assert.match(visitor.page.url(), /\/cars\?from=/, 'on the same page');
	assert.match(await main_text(visitor.page), /[가-힣]{2,}/);
	await visitor.page.goto('/');
	assert.equal(await visitor.page.locator('html').getAttribute('lang'), 'ko');
	await switch_language(visitor.page, 'en');
	await visitor.context.close();
	const korean = await window_of({ lang: 'ko' });
	await korean.page.goto('/');
	assert.equal(await korean.page.locator('html').getAttribute('lang'), 'ko', 'the browser\'s language is asked first');
	await korean.context.close();
});
await test('times entered on a telephone: the end follows the start, and the page fits the screen', async () => {
	const phone = await window_of({ width: 390, height: 844, lang: 'ko' });
	await phone.page.goto('/');
	await phone.page.locator('[name=from]').fill(at(20));
	await phone.page.locator('[name=from]').dispatchEvent('change');
	assert.ok(await phone.page.locator('[name=to]').inputValue() > at(20));
	await sign_in(phone, dana);
	await switch_language(phone.page, 'ko');
	await phone.page.goto(`/bookings/new?car_id=${car.EV3}&starts_at=${from}&ends_at=${to}`);
	await phone.page.locator(`[name=card_id][value="${dana.card_id}"]`).check();
	await Promise.all([phone.page.waitForURL(/\/bookings\/MP-/), phone.page.locator('#order-total').click()]);
	const code = code_in(phone.page);
	await until('it is confirmed', async () => (await bookings_of(dana.email)).some(([c, state]) => c === code && state === 'CONFIRMED'));
	await phone.page.goto(`/my/bookings/${code}`);
	await readme_shot(phone, 'shot-progress');
	no_problems(phone);
	await phone.context.close();
});
await test('the search looks as README shows it', async () => {
	const visitor = await window_of();
	/* a list that begins with three kinds of cars, for the picture */
	let query;
	for (const sort of ['-price', 'seats', 'price', 'name'])
		for (let branch = 8; branch > 0 && !query; branch--) {
			const asked = `/cars?from=${from}&to=${to}&branch=${branch}&sort=${sort}`, { json } = await stack.program().get(asked);
			if (new Set(json.cars.slice(0, 3).map(c => c.body)).size === 3) query = asked;
		}
	await visitor.page.goto(query ?? `/cars?from=${from}&to=${to}`);
	assert.ok(await visitor.page.locator('li.car').count() >= 3);
	await readme_shot(visitor, 'shot-search');
	await visitor.context.close();
});
await test('a receipt prints without menu and buttons', async () => {
	const code = (await bookings_of(dana.email)).find(([, state]) => state === 'CONFIRMED')[0];
	await page.goto(`/bookings/${code}/receipt`);
	await page.emulateMedia({ media: 'print' });
	assert.equal(await page.locator('header.top').isVisible(), false);
	assert.equal(await page.locator('.receipt').isVisible(), true);
	await page.pdf({ path: path.join(shots, 'receipt.pdf') });
	await page.emulateMedia({ media: null });
});

/* --- managers and admins ------------------------------------------------------------------------------------------------------------------------ */

await test('a manager finds, sorts, pages through, changes, takes out of service and retires cars', async () => {
	const p = desk.page;
	await p.goto('/fleet/cars');
	await Promise.all([p.waitForNavigation(), p.locator('main').getByRole('link', { name: /Next/ }).first().click()]);
	assert.match(p.url(), /page=2/);
	await p.locator('[name=q]').fill('Kia Double');
	await Promise.all([p.waitForNavigation(), p.locator('[name=q]').press('Enter')]);
	assert.match(await main_text(p), /Kia Double/);
	await p.goto('/fleet/cars');
	await Promise.all([p.waitForNavigation(), p.locator('thead').getByRole('link', { name: /Plate|Name/ }).first().click()]);
	assert.ok(await p.locator('th[aria-sort]').count() >= 1);
	const id = await registers_a_car(p, 'Kia Short', '10000', '1000');
	await p.goto(`/fleet/cars/${id}/edit`);
	await p.locator('[name=name]').fill('Kia Renamed');
	await press(p, 'Save');
	assert.match(await main_text(p), /Your changes were saved/);
	assert.match(await main_text(p), /Kia Renamed/);
	await p.goto(`/fleet/cars/${id}/delete`);
	await press(p, /Delete/);
	assert.match(await main_text(p), /The car was deleted/);
	await p.goto(`/fleet/cars/${car.Declined}/retire`);
	await press(p, /Retire/);
	assert.match(await main_text(p), /(is being|was) retired/);
	no_problems(desk);
});
await test('a photo is uploaded and shown', async () => {
	const p = desk.page;
	await p.goto(`/fleet/cars/${car.Double}/photo`);
	await p.locator('input[type=file]').setInputFiles({ name: 'car.png', mimeType: 'image/png', buffer: await p.screenshot() });
	await press(p, /Save|Upload|Send/);
	assert.match(await main_text(p), /The photo was saved/);
	await p.goto(`/cars/${car.Double}`);
	const image = p.locator('main img').first();
	assert.ok(await image.evaluate(i => i.complete && i.naturalWidth > 0), 'the picture is there');
	no_problems(desk);
});
await test('a manager looks at the bookings of the day, the payments and the ledger, which balances', async () => {
	const p = desk.page;
	for (const address of ['/bookings?view=all', '/payments', '/payments/ledger', '/view/cars', '/fleet/models', '/fleet/branches']) {
		await p.goto(address);
		assert.ok(await p.locator('main table, main li').count() > 0, address);
	}
	await p.goto('/payments/ledger');
	assert.match(await main_text(p), /balance/i);
	no_problems(desk);
});
await test('an admin grants and removes roles, and sees the operations page', async () => {
	const office = await window_of(), p = office.page;
	await sign_in(office, admin);
	await switch_language(p, 'en');
	await p.goto('/account/users?q=' + encodeURIComponent(dana.email));
	await Promise.all([p.waitForNavigation(), p.locator('main').getByRole('link', { name: /Dana/ }).first().click()]);
	await Promise.all([p.waitForNavigation(), p.getByRole('button', { name: /Assign role.*Manager/i }).click()]);
	assert.equal((await dana.get('/fleet/cars')).status, 200);
	await Promise.all([p.waitForNavigation(), p.getByRole('button', { name: /Remove role.*Manager/i }).click()]);
	assert.equal((await dana.get('/fleet/cars')).status, 403);
	await p.goto('/ops');
	assert.match(await main_text(p), /booking/);
	no_problems(office);
	await office.context.close();
});
await test('signing out ends the session', async () => {
	await page.goto('/account');
	await Promise.all([page.waitForNavigation(), page.locator('main form[action="/account/sign-out"] button').click()]);
	await page.goto('/my/bookings');
	assert.match(page.url(), /sign-in/);
});

await test('after all this every invariant holds', async () => {
	await sleep(500);
	await stack.check();
});
await finish();
