/*
 * desks.test.mjs - delivery, equipment, review and message with real clicks, on telephones and desktops, with and without JavaScript: a car
 * delivered with a child seat, from the order to the handover; a rejected order; two cars of a model; the inbox. And the demo data.
 */
import fs from 'node:fs';
import path from 'node:path';
import { assert, finish, sleep, test, until } from '../story/check.mjs';
import { at } from '../story/stack.mjs';
import { asks_until, code_in, demo_stack, main_text, no_problems, open_chromium, open_window, press, root, shot, shots, sign_in } from './browser.mjs';

const stack = await demo_stack('browser-desks');
const browser = await open_chromium();
const axe = fs.readFileSync(path.join(root, 'tests/browser/node_modules/axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 390, height: 844 };
const window_of = options => open_window(browser, stack, options);
const { manager: [manager], courier: [courier], examiner: [examiner], employee: [employee], customer: [minji, junho] } = stack.log_ins;

/* --- steps people take --------------------------------------------------------------------------------------------------------- */

async function switch_language(page, lang) {
	if (await page.locator('html').getAttribute('lang') === lang) return;
	await Promise.all([page.waitForNavigation(), page.locator(`header button[value=${lang}]`).click()]);
}
async function comes_in(who, options = {}) {
	const window = Object.assign(await window_of(options), { has_scripts: options.scripts !== false });
	await sign_in(window, who);
	if (await window.page.locator('html').getAttribute('lang') !== (options.lang ?? 'en')) {
		await window.page.goto('/account');
		await switch_language(window.page, options.lang ?? 'en');
	}
	return window;
}
/* Every page of these stories fits its screen, and axe finds nothing. */
async function looks_well(window, name) {
	const { page } = window;
	await page.mouse.move(0, 0);
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} fits the screen`);
	await shot(window, `desks-${name}`);
	if (!window.has_scripts) return;        /* axe is a script */
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
	assert.deepEqual(found.violations.map(v => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`), [], name);
}
async function readme_shot(window, name) {
	await shot(window, name, false);
	const to = path.join(root, 'docs', `${name}.png`);
	assert.ok(fs.statSync(path.join(shots, `${name}.png`)).size < 250 * 1024, `${name} is too large`);
	if (process.env.UPDATE_SHOTS || !fs.existsSync(to)) fs.copyFileSync(path.join(shots, `${name}.png`), to);
}
const state_of = async code => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0];
const item_id = async name => Number((await stack.sql(`SELECT item_id FROM item WHERE name = '${name}'`))[0][0]);
/* A car that is free then, and at its branch now: a courier may leave with it at once. */
const free_car = async (from, to) => {
	const out = new Set((await stack.sql('SELECT car_id FROM custody WHERE to_at IS NULL')).map(([car_id]) => Number(car_id)));
	return (await stack.program().get(`/cars?from=${from}&to=${to}&sort=price`)).json.cars.find(car => !out.has(car.car_id));
};
/* The line of an item in the order form, whatever its number. */
async function takes(page, name, qty) {
	await page.locator('ul.items li').filter({ has: page.getByText(name, { exact: true }) }).locator('select').selectOption(String(qty));
}

/* --- the demo data ---------------------------------------------------------------------------------------------------------------- */

await test('the demo data has open work at every desk, and every invariant holds', async () => {
	const n = async sql => Number((await stack.sql(sql))[0][0]);
	assert.ok(await n(`SELECT COUNT(*) FROM delivery WHERE state = 'DELIVERED' AND odometer_km > 0`) > 300, 'hand-over records');
	assert.ok(await n(`SELECT COUNT(*) FROM delivery WHERE state = 'REQUESTED'`) > 0, 'unassigned jobs');
	assert.ok(await n(`SELECT COUNT(*) FROM delivery WHERE state = 'SCHEDULED'`) > 0, 'assigned jobs');
	assert.ok(await n(`SELECT COUNT(*) FROM delivery WHERE direction = 'collection' AND state = 'DELIVERED'`) > 100, 'collections');
	assert.ok(await n(`SELECT COUNT(*) FROM delivery WHERE ended_by = 'dispatcher'`) > 5, 'cancelled deliveries');
	assert.ok(await n(`SELECT COUNT(DISTINCT category) FROM item`) >= 4, 'every category');
	assert.ok(await n(`SELECT COUNT(*) FROM item WHERE is_low = 1`) > 0, 'an item that is low');
	assert.ok(await n(`SELECT COUNT(*) FROM stock_entry WHERE kind = 'loss'`) > 5, 'pieces lost');
	for (const [state, by] of [['APPROVED', `rule = 'auto'`], ['APPROVED', 'reviewer_id <> 0'], ['REJECTED', `reason <> ''`], ['ASSIGNED', '1']])
		assert.ok(await n(`SELECT COUNT(*) FROM review_case WHERE state = '${state}' AND ${by}`) > 0, `a case ${state} ${by}`);
	assert.ok(await n(`SELECT COUNT(*) FROM equipment_order WHERE booking_code = ''`) > 15, 'orders without a car');
	assert.ok(await n(`SELECT COUNT(*) FROM booking WHERE n_cars > 1`) > 50, 'bookings of several cars');
	assert.ok(await n(`SELECT COUNT(*) FROM message WHERE state = 'DEAD' AND (SELECT COUNT(*) FROM message_try t WHERE t.message_id = message.message_id) = 3`) === 1, 'a dead letter');
	assert.ok(await n(`SELECT COUNT(*) FROM message_preference`) > 0, 'a user with fewer mails');
	assert.ok(await n(`SELECT COUNT(*) FROM booking_extra WHERE state = 'ENDED' AND refund_state = 'DONE'`) > 10, 'refunded extras');
	await stack.check();
});

await test('the list of deliveries looks as README shows it', async () => {
	const desk = await comes_in(manager);
	await desk.page.goto('/deliveries');
	assert.ok(await desk.page.locator('li.job').count() > 5);
	await readme_shot(desk, 'shot-board');
	await desk.context.close();
});

/* --- a delivery with a child seat ---------------------------------------------------------------------------------------------------- */

for (const scripts of [true, false]) {
	const how = scripts ? 'with JavaScript' : 'with JavaScript off', days = scripts ? 4 : 6;
	let window, page, anna, code, desk, phone, car;

	await test(`${how}: a customer orders a car with delivery and a child seat, and sees each in the price`, async () => {
		anna = await stack.payer(scripts ? 'Anna' : 'Nora');
		car = await free_car(at(days, 9), at(days + 1, 9));
		window = await comes_in(anna, { scripts, ...scripts ? {} : PHONE });
		page = window.page;
		await page.goto(`/bookings/new?car_id=${car.car_id}&starts_at=${at(days, 9)}&ends_at=${at(days + 1, 9)}`);
		await page.locator('[name="delivery.wanted"]').check();
		await page.locator('[name="delivery.address"]').fill('123 Sejong-daero, Seoul');
		await page.locator('[name="delivery.place"]').fill('Main gate');
		await page.locator('[name="delivery.zone"]').selectOption('city');
		await page.locator('[name="delivery.collect"]').check();
		await takes(page, 'Child seat', 1);
		if (scripts) await page.waitForFunction(() => ['Delivery', 'Collection', 'Child seat'].every(word => document.querySelector('#order-price').innerText.includes(word)));
		else await press(page, 'Update the price');
		const price = await page.locator('#order-price').innerText();
		for (const words of ['Delivery', 'Collection', 'Child seat', '₩25,000', '₩7,000']) assert.ok(price.includes(words), `${words} in ${price}`);
		assert.equal(await page.locator('[name="delivery.address"]').inputValue(), '123 Sejong-daero, Seoul', 'the input is kept');
		await looks_well(window, `order${scripts ? '' : '-phone'}`);
	});
	await test(`${how}: the customer pays all of it at once, and the booking lists the extras`, async () => {
		const total = /₩[\d,]+/.exec(await page.locator('#order-total').innerText())[0];
		await page.locator(`[name=card_id][value="${anna.card_id}"]`).check();
		await press(page, /Book and pay/);
		code = code_in(page);
		assert.ok(code, page.url());
		await asks_until(page, /Confirmed/);
		const text = await main_text(page);
		for (const words of ['123 Sejong-daero', 'Child seat', total]) assert.ok(text.includes(words), words);
		assert.equal(await stack.money_kept(code), Number(total.replace(/[^\d]/g, '')));
		await looks_well(window, `booking${scripts ? '' : '-phone'}`);
	});
	await test(`${how}: my page shows the delivery and the seat`, async () => {
		await page.goto(`/my/bookings/${code}`);
		await asks_until(page, /Delivery[\s\S]*Child seat[\s\S]*Approved/);
		await looks_well(window, `my-page${scripts ? '' : '-phone'}`);
		no_problems(window);
	});
	await test(`${how}: the dispatcher finds the job among the unassigned ones, and assigns a courier there`, async () => {
		desk = await comes_in(manager, { scripts });
		await desk.page.goto('/deliveries');
		await looks_well(desk, `board${scripts ? '' : '-without-scripts'}`);
		const card = desk.page.locator('li.job').filter({ hasText: code });
		assert.match(await card.innerText(), /123 Sejong-daero/);
		await card.locator('select').selectOption({ label: '한지훈' });
		await Promise.all([desk.page.waitForNavigation(), card.getByRole('button', { name: 'Assign' }).click()]);
		await desk.page.goto(`/deliveries?q=${code}`);
		assert.match(await main_text(desk.page), /한지훈[\s\S]*Assigned/);
		no_problems(desk);
	});
	await test(`${how}: the courier, on a telephone, leaves with the car; from then on the booking cannot be cancelled`, async () => {
		phone = await comes_in(courier, { scripts, ...PHONE });
		await phone.page.goto('/deliveries');
		const mine = phone.page.locator('li.job').filter({ hasText: code });
		assert.match(await mine.innerText(), /123 Sejong-daero[\s\S]*Main gate/);
		await looks_well(phone, `mine${scripts ? '' : '-without-scripts'}`);
		await Promise.all([phone.page.waitForNavigation(), mine.getByRole('button', { name: /On my way/ }).click()]);
		await page.goto(`/bookings/${code}/cancel`);
		if (await page.locator('main form button').count()) await press(page, /Cancel and refund/);
		assert.match(await main_text(page), /cannot be cancelled|on (its|the) way/i);
		assert.equal(await state_of(code), 'CONFIRMED');
	});
	await test(`${how}: a handover that is too early is refused with a message, and the form keeps its input`, async () => {
		const job = (await stack.sql(`SELECT delivery_id FROM delivery WHERE booking_code = '${code}'`))[0][0];
		await phone.page.goto(`/deliveries/${job}`);
		await phone.page.locator('[name=odometer_km]').fill('12345');
		await phone.page.locator('[name=fuel_percent]').fill('90');
		await phone.page.locator('[name=received_by]').fill('Anna');
		await press(phone.page, 'Car delivered');
		assert.equal(await phone.page.locator('[name=odometer_km]').inputValue(), '12345');
		assert.ok(await phone.page.locator('.errors').count(), 'the page says why');
		assert.equal(await state_of(code), 'CONFIRMED');
		await looks_well(phone, `too-early${scripts ? '' : '-without-scripts'}`);
	});
	for (const w of [window, desk, phone]) await w?.context.close();
}

/* --- today: the handover --------------------------------------------------------------------------------------------------------------- */

/* The next half hour: a courier may hand the car over from the turnaround time before it. */
function soon() {
	const d = new Date(Math.ceil((Date.now() + 60e3) / 1800e3) * 1800e3 + 9 * 3600e3);
	return d.toISOString().slice(0, 16);
}

await test('the courier hands the car over, and it is out: for the customer, for the manager and in the job', async () => {
	const dana = await stack.payer('Dana'), from = soon(), to = at(2, 13), car = await free_car(from, to);
	const booked = await dana.post('/bookings', { car_id: car.car_id, starts_at: from, ends_at: to, card_id: dana.card_id, delivery: { address: '1 Test-ro, Seoul', zone: 'center', collect: true }, equipment: [{ item_id: await item_id('Booster seat'), qty: 1 }] });
	assert.equal(booked.status, 201, booked.text);
	const { code } = booked.json;
	const job = await until('there is a job', async () => (await stack.sql(`SELECT delivery_id FROM delivery WHERE booking_code = '${code}'`))[0]?.[0]);
	const boss = stack.program((await stack.must('token', manager.email)).trim());
	const courier_id = Number((await stack.sql(`SELECT user_id FROM person WHERE email = '${courier.email}'`))[0][0]);
	assert.equal((await boss.post(`/deliveries/${job}/assign`, { courier_id })).status, 200);
	const phone = await comes_in(courier, { ...PHONE, lang: 'ko' });
	await phone.page.goto(`/deliveries/${job}`);
	await press(phone.page, '출발');
	await phone.page.goto(`/deliveries/${job}`);
	await phone.page.locator('[name=odometer_km]').fill('20100');
	await phone.page.locator('[name=fuel_percent]').fill('95');
	await phone.page.locator('[name=received_by]').fill('Dana');
	await looks_well(phone, 'hand-over');
	await Promise.all([phone.page.waitForNavigation(), phone.page.locator('#hand-over button').click()]);
	await until('the booking is out', async () => await state_of(code) === 'OUT');
	const window = await comes_in(dana);
	await window.page.goto(`/my/bookings/${code}`);
	await asks_until(window.page, /Done[\s\S]*20,?100 km/);
	const desk = await comes_in(manager);
	await desk.page.goto(`/deliveries/${job}`);
	assert.match(await main_text(desk.page), /Handover record[\s\S]*20,?100 km/);
	await desk.page.goto(`/deliveries?q=${code}`);
	assert.match(await main_text(desk.page), /Collection/);
	await looks_well(desk, 'record');
	for (const w of [phone, window, desk]) { no_problems(w); await w.context.close(); }
});
await test('the day sheet of a courier can be printed, with room for signatures', async () => {
	const desk = await comes_in(manager);
	const [id] = (await stack.sql(`SELECT user_id FROM person WHERE email = '${courier.email}'`))[0];
	const [day] = (await stack.sql(`SELECT date(window_from + 32400, 'unixepoch') FROM delivery WHERE courier_id = ${id} AND state = 'SCHEDULED' LIMIT 1`))[0];
	await desk.page.goto(`/deliveries/sheet?courier_id=${id}&day=${day}`);
	assert.match(await main_text(desk.page), /Sejong-daero|서울|제주|인천/);
	await looks_well(desk, 'sheet');
	await desk.page.emulateMedia({ media: 'print' });
	assert.equal(await desk.page.locator('header.top').isVisible(), false);
	await desk.page.pdf({ path: path.join(shots, 'sheet.pdf') });
	await desk.context.close();
});

/* --- a rejected order -------------------------------------------------------------------------------------------------------------------- */

await test('the examiner rejects too many chairs with a reason; my page shows it, and their price is refunded', async () => {
	const eve = await stack.payer('Eve'), from = at(12, 9), to = at(13, 9), car = await free_car(from, to), window = await comes_in(eve, PHONE);
	await window.page.goto(`/bookings/new?car_id=${car.car_id}&starts_at=${from}&ends_at=${to}`);
	await takes(window.page, 'Two-way radio', 6);
	await window.page.locator(`[name=card_id][value="${eve.card_id}"]`).check();
	await press(window.page, /Book and pay/);
	const code = code_in(window.page), paid = await stack.money_kept(code);
	const desk = await comes_in(examiner);
	await desk.page.goto('/reviews');
	await asks_until(desk.page, /6 × Two-way radio[\s\S]*Eve/);
	await looks_well(desk, 'queue');
	await desk.page.goto(`/reviews?page=1`);
	await Promise.all([desk.page.waitForNavigation(), desk.page.locator('tr', { hasText: 'Eve' }).getByRole('link').first().click()]);
	await press(desk.page, 'Reject');
	assert.ok(await desk.page.locator('.errors').count(), 'a rejection needs a reason');
	await desk.page.locator('main [name=reason]').fill('All radios are at the harvest.');
	await looks_well(desk, 'case');
	await press(desk.page, 'Reject');
	assert.match(await main_text(desk.page), /Rejected/);
	await until('the money is refunded', async () => await stack.money_kept(code) === paid - 24000);
	await window.page.goto(`/my/bookings/${code}`);
	await asks_until(window.page, /All radios are at the harvest/);
	await asks_until(window.page, /₩24,000/);
	assert.equal(await state_of(code), 'CONFIRMED', 'the booking goes on');
	await looks_well(window, 'refused');
	no_problems(window);
	no_problems(desk);
	for (const w of [window, desk]) await w.context.close();
});
await test('an employee orders a projector without a car, and sees its state', async () => {
	const window = await comes_in(employee);
	await window.page.goto(`/equipment/orders/new?item_id=${await item_id('Projector')}`);
	await window.page.locator('[name=qty]').fill('1').catch(() => window.page.locator('[name=qty]').selectOption('1'));
	await window.page.locator('[name=starts_at]').fill(at(15, 10));
	await window.page.locator('[name=ends_at]').fill(at(15, 17));
	await looks_well(window, 'errand');
	await press(window.page, /Order/);
	assert.match(window.page.url(), /\/equipment\/orders\/\d+/);
	await asks_until(window.page, /Approved/);
	no_problems(window);
	await window.context.close();
});

/* --- two cars of a model -------------------------------------------------------------------------------------------------------------------- */

await test('two cars of a model are booked at once, and the booking shows both plates', async () => {
	const finn = await stack.payer('Finn'), from = at(20, 9), to = at(21, 9), window = await comes_in(finn);
	const models = (await finn.get(`/models?starts_at=${from}&ends_at=${to}`)).json.models;
	const model = models.find(m => m.n_at_once >= 2);
	await window.page.goto(`/models/${model.model_id}?starts_at=${from}&ends_at=${to}`);
	await looks_well(window, 'model');
	await window.page.goto(`/bookings/new?model_id=${model.model_id}&qty=2&starts_at=${from}&ends_at=${to}`);
	assert.match(await main_text(window.page), new RegExp(`2 × ${model.name}`));
	await window.page.locator(`[name=card_id][value="${finn.card_id}"]`).check();
	await press(window.page, /Book and pay/);
	const code = code_in(window.page);
	assert.ok(code, await main_text(window.page));
	await asks_until(window.page, /Confirmed/);
	const plates = (await stack.sql(`SELECT plate FROM booking WHERE code = '${code}' UNION SELECT c.plate FROM booking_car c JOIN booking USING (booking_id) WHERE code = '${code}'`)).map(r => r[0]);
	assert.equal(plates.filter(Boolean).length, 2);
	for (const plate of plates) assert.ok((await main_text(window.page)).includes(plate), plate);
	await looks_well(window, 'two-cars');
	no_problems(window);
	await window.context.close();
});

/* --- the price agreed is the price charged ------------------------------------------------------------------------------------------------ */

const amount_of = text => Number(/₩([\d,]+)/.exec(text)[1].replaceAll(',', ''));
const button_total = async page => amount_of(await page.locator('#order-total').innerText());
const n_bookings = async who => Number((await stack.sql(`SELECT COUNT(*) FROM booking WHERE customer_id = (SELECT user_id FROM person WHERE email = '${who.email}')`))[0][0]);
/* Opens the order form of a car, with a saved card chosen. */
async function begins_an_order(who, days, options) {
	const from = at(days, 9), to = at(days + 1, 9), car = await free_car(from, to), window = await comes_in(who, options), { page } = window;
	await page.goto(`/bookings/new?car_id=${car.car_id}&starts_at=${from}&ends_at=${to}`);
	await page.locator(`[name=card_id][value="${who.card_id}"]`).check();
	return { car, window, page };
}
await test('with JavaScript off, extras that are ticked after the price was shown are not charged until their total was shown', async () => {
	const ines = await stack.payer('Ines'), { window, page } = await begins_an_order(ines, 31, { scripts: false });
	const shown = await button_total(page);
	await page.locator('[name="delivery.wanted"]').check();
	await page.locator('[name="delivery.address"]').fill('123 Sejong-daero, Seoul');
	await page.locator('[name="delivery.zone"]').selectOption('city');
	await takes(page, 'Child seat', 1);
	await press(page, /Book and pay/);
	assert.equal(await n_bookings(ines), 0, 'nothing is held');
	const total = await button_total(page);
	assert.equal(total, shown + 25000 + 7000);
	assert.match(await page.locator('#e-agreed_amount').innerText(), new RegExp(`The total is now ₩${total.toLocaleString('en')}. Please check it and pay again`));
	assert.equal(await page.locator('[name="delivery.address"]').inputValue(), '123 Sejong-daero, Seoul');
	assert.ok(await page.locator(`[name=card_id][value="${ines.card_id}"]`).isChecked());
	await looks_well(window, 'price-changed-plain');
	await press(page, /Book and pay/);
	assert.ok(code_in(page), page.url());
	await asks_until(page, /Confirmed/);
	assert.equal(await stack.money_kept(code_in(page)), total);
	await window.context.close();
});
await test('an admin previews and publishes new terms; a customer whose order form was open is shown them before anything is booked', async () => {
	const zora = await stack.payer('Zora'), { window, page } = await begins_an_order(zora, 39, { scripts: false });
	const accepts = () => page.locator('#f-terms_version').innerText();
	assert.match(await accepts(), /By booking you accept the terms \(version 1\)/);
	const desk = await comes_in(stack.log_ins.admin[0], PHONE);
	await desk.page.goto('/terms');
	await press(desk.page, 'Publish a new version', 'link');
	await desk.page.locator('[name=text]').fill('# New terms\n\nBring <b>your</b> licence.\n\n- and a friend');
	await desk.page.locator('[name=text_ko]').fill('# 새 약관\n\n면허증을 지참해 주세요.');
	await press(desk.page, 'Preview');
	assert.match(await main_text(desk.page), /nothing has been published yet/);
	assert.equal(await desk.page.locator('.prose[lang=en] p').innerText(), 'Bring <b>your</b> licence.');
	await looks_well(desk, 'terms-preview');
	await press(desk.page, 'Publish');
	assert.match(await main_text(desk.page), /The new version has been published/);
	assert.equal(await desk.page.locator('.prose li').innerText(), 'and a friend');
	await looks_well(desk, 'terms-published');
	no_problems(desk);
	await desk.context.close();
	await takes(page, 'Child seat', 1);
	await press(page, /Book and pay/);
	assert.match(await main_text(page), /Our terms have changed. Nothing was booked or charged/);
	assert.equal(await n_bookings(zora), 0, 'nothing is held');
	assert.match(await accepts(), /version 2/);
	assert.match(await page.locator('#e-agreed_amount').innerText(), /The total is now/);
	assert.match(await page.locator('#e-terms_version').innerText(), /Version 2 of our terms now applies/);
	assert.ok(await page.locator(`[name=card_id][value="${zora.card_id}"]`).isChecked());
	await press(page, /Book and pay/);
	assert.ok(code_in(page), page.url());
	await asks_until(page, /Confirmed/);
	assert.equal(await page.locator('dd a[href^="/terms"]').getAttribute('href'), '/terms?version=2');
	await window.context.close();
});
await test('while a new price is on its way the button waits, and then charges the price that it shows', async () => {
	const jude = await stack.payer('Jude'), { window, page } = await begins_an_order(jude, 33), button = page.locator('#order-total');
	const shown = await button_total(page);
	await page.route('**/bookings', async route => { if (/update=1/.test(route.request().postData())) await sleep(2500); await route.continue(); });
	await takes(page, 'Child seat', 1);
	assert.ok(await button.isDisabled());
	assert.equal(await button.getAttribute('aria-busy'), 'true');
	await page.locator('[name=card_id]:checked').press('Enter');
	assert.match(page.url(), /\/bookings\/new/, 'Enter waits too');
	await press(page, /Book and pay/);
	assert.ok(code_in(page), page.url());
	await asks_until(page, /Confirmed/);
	assert.equal(await stack.money_kept(code_in(page)), shown + 7000);
	no_problems(window);
	await window.context.close();
});
await test('when the new price cannot be loaded, the button comes back with a message, and the old total is not charged', async () => {
	const kai = await stack.payer('Kai'), { window, page } = await begins_an_order(kai, 35), button = page.locator('#order-total');
	const shown = await button_total(page);
	await page.route('**/bookings', route => /update=1/.test(route.request().postData()) ? route.abort() : route.continue());
	await takes(page, 'Child seat', 1);
	await page.getByText('The new total could not be loaded').waitFor();
	assert.ok(await button.isEnabled());
	assert.equal(await button.getAttribute('aria-busy'), null);
	assert.equal(await button_total(page), shown);
	await looks_well(window, 'price-not-loaded');
	await press(page, /Book and pay/);
	assert.equal(await n_bookings(kai), 0);
	assert.equal(await button_total(page), shown + 7000);
	await window.context.close();
});
for (const scripts of [true, false])
	await test(`a price that a manager doubles while the order form is open is not charged unseen${scripts ? '' : ' (without JavaScript)'}`, async () => {
		const lena = await stack.payer(scripts ? 'Lena' : 'Mona'), { car, window, page } = await begins_an_order(lena, scripts ? 37 : 39, { scripts }), shown = await button_total(page);
		const of_model = Number((await stack.sql(`SELECT COALESCE(model_id, 0) FROM car WHERE car_id = ${car.car_id}`))[0][0]);
		const manages = await stack.person(scripts ? 'Doubler' : 'Raiser', 'manager'), { json: before } = await manages.get(`/fleet/cars/${car.car_id}`);
		assert.ok(before.daily_price, `the price of ${car.car_id} of model ${of_model}`);
		const put = await manages.put(`/fleet/cars/${car.car_id}`, { ...Object.fromEntries(['plate', 'name', 'body', 'seats', 'fuel', 'gearbox', 'branch_id', 'hourly_price', 'rev'].map(k => [k, before[k]])), daily_price: before.daily_price * 2 });
		assert.equal(put.status, 200, put.text);
		await press(page, /Book and pay/);
		assert.equal(await n_bookings(lena), 0);
		assert.equal(await button_total(page), shown * 2);
		assert.match(await main_text(page), /The total is now ₩/);
		await looks_well(window, `price-doubled${scripts ? '' : '-plain'}`);
		await press(page, /Book and pay/);
		await asks_until(page, /Confirmed/);
		assert.equal(await stack.money_kept(code_in(page)), shown * 2);
		await window.context.close();
	});

for (const scripts of [true, false])
	await test(`a customer who goes back from the card page and chooses other hours is led to their hold, and can give it up${scripts ? '' : ' (without JavaScript)'}`, async () => {
		const nils = await stack.payer(scripts ? 'Nils' : 'Otto'), { car, window, page } = await begins_an_order(nils, scripts ? 41 : 43, { scripts });
		await page.locator('[name=card_id][value=new]').check();
		await press(page, /Book and pay/);
		assert.match(page.url(), /\/sandbox\//);
		await page.goBack();
		await page.waitForURL(/\/bookings\/new/);
		assert.equal(await n_bookings(nils), 1);
		assert.match(await main_text(page), /You are holding this car until \d\d:\d\d. Pay for it, or give it up./);
		assert.equal(await page.locator('#order-total').count(), 0);
		assert.ok(await page.locator('main').getByRole('link', { name: 'Other cars available at that time' }).count());
		await looks_well(window, `own-hold${scripts ? '' : '-plain'}`);
		await page.goto(`/cars/${car.car_id}?from=${at(scripts ? 41 : 43, 12)}&to=${at(scripts ? 42 : 44, 12)}`);
		assert.match(await main_text(page), /You are holding this car until/);
		await looks_well(window, `own-hold-car${scripts ? '' : '-plain'}`);
		await press(page, /Go to booking/, 'link');
		assert.match(await main_text(page), /holding the car for you until/);
		await press(page, 'Cancel this booking', 'link');
		await press(page, 'Cancel this booking');
		await page.goto(`/bookings/new?car_id=${car.car_id}&starts_at=${at(scripts ? 41 : 43, 12)}&ends_at=${at(scripts ? 42 : 44, 12)}`);
		await page.locator(`[name=card_id][value="${nils.card_id}"]`).check();
		await press(page, /Book and pay/);
		await asks_until(page, /Confirmed/);
		assert.equal(await n_bookings(nils), 2);
		no_problems(window);
		await window.context.close();
	});

/* --- the inbox ---------------------------------------------------------------------------------------------------------------------------------- */

const unread_of = async page => Number((await page.locator('header a[href="/messages"] .badge').textContent().catch(() => '')) || 0);
const has_unread = page => page.locator('header a[href="/messages"] .badge').count();

await test('the header of every page has the number of unread messages, and opening a message marks it as read', async () => {
	const gina = await stack.payer('Gina'), from = at(24, 9), to = at(25, 9), car = await free_car(from, to), window = await comes_in(gina, PHONE), { page } = window;
	assert.equal(await has_unread(page), 0);
	const { code } = (await gina.post('/bookings', { car_id: car.car_id, starts_at: from, ends_at: to, card_id: gina.card_id, equipment: [{ item_id: await item_id('Infant seat'), qty: 1 }] })).json;
	await until('the customer has the messages', async () => (await gina.get('/messages')).json.n_unread >= 1);
	const told = (await gina.get('/messages')).json.n_unread;
	await until('every program counts them', async () => { await page.goto(['/', '/my/bookings', '/payments/cards', '/account', '/equipment/orders'][Math.floor(Math.random() * 5)]); return await has_unread(page) && await unread_of(page) >= told; });
	await page.goto('/messages');
	await looks_well(window, 'inbox');
	await Promise.all([page.waitForNavigation(), page.locator('.inbox li[data-unread]').filter({ hasText: code }).first().getByRole('button').click()]);
	assert.match(await main_text(page), new RegExp(code));
	assert.match(await main_text(page), /₩/);
	await looks_well(window, 'message');
	assert.equal((await gina.get('/messages')).json.n_unread, (await gina.get('/messages')).json.n_total - 1);
	await page.goto('/messages');
	if (await page.getByRole('button', { name: 'Mark all as read' }).count()) await press(page, 'Mark all as read');
	await until('nothing is unread', async () => { await page.goto('/messages'); return await has_unread(page) === 0; });
	no_problems(window);
	await window.context.close();
});
await test('a user who has switched off mails about bookings gets none, and the next message is in the language of the page', async () => {
	const hugo = await stack.payer('Hugo'), from = at(27, 9), to = at(28, 9), car = await free_car(from, to), window = await comes_in(hugo), { page } = window;
	await page.goto('/messages/preferences');
	assert.ok(await page.locator('[name=booking_email]').isChecked());
	assert.ok(await page.locator('[name=booking_inbox][type=hidden]').count(), 'booking messages in the inbox cannot be switched off');
	await page.locator('[name=booking_email]').uncheck();
	await looks_well(window, 'preferences');
	await press(page, 'Save');
	await page.goto('/messages/preferences');
	assert.equal(await page.locator('[name=booking_email]').isChecked(), false);
	await switch_language(page, 'ko');
	const { code } = (await hugo.post('/bookings', { car_id: car.car_id, starts_at: from, ends_at: to, card_id: hugo.card_id })).json;
	const [title, email] = await until('the customer has the message', async () => (await stack.sql(`SELECT title, email FROM message WHERE subject_id = '${code}' AND kind = 'booking_confirmed'`))[0]);
	assert.match(title, /예약/);
	assert.ok(!email, 'no mail');
	await page.goto('/messages');
	assert.equal(await page.locator('html').getAttribute('lang'), 'ko');
	assert.match(await main_text(page), /예약/);
	await looks_well(window, 'inbox-ko');
	no_problems(window);
	await window.context.close();
});
await test('a dead letter is in the mail log with its tries and replies, and can be sent again', async () => {
	const desk = await comes_in(manager), { page } = desk;
	await page.goto('/messages/log?state=DEAD');
	await looks_well(desk, 'log');
	await Promise.all([page.waitForNavigation(), page.locator('main tbody a').first().click()]);
	assert.match(await main_text(page), /450[\s\S]*550|550[\s\S]*450/);
	await looks_well(desk, 'log-entry');
	await press(page, /again/i);
	await until('it is sent', async () => (await stack.sql(`SELECT COUNT(*) FROM message WHERE state = 'DEAD'`))[0][0] === '0');
	no_problems(desk);
	await desk.context.close();
});
await test('the demo customers have read and unread messages', async () => {
	for (const who of [minji, junho]) {
		const window = await comes_in(who, { ...PHONE, lang: 'ko' });
		await window.page.goto('/messages');
		assert.ok(await window.page.locator('.inbox li').count() > 3);
		no_problems(window);
		await window.context.close();
	}
	const [read, unread] = (await stack.sql(`SELECT SUM(read_at > 0), SUM(read_at = 0) FROM message WHERE in_inbox = 1`))[0];
	assert.ok(+read > 500 && +unread > 20, `${read} read, ${unread} unread`);
});

await finish();
