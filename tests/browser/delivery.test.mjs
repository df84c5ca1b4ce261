/*
 * delivery.test.mjs - a delivery with real clicks: the dispatcher assigns couriers on the delivery page, a courier leaves and hands the
 * car over on a telephone, with a photo; the customer's booking follows, and the car is collected at the end. Also without JavaScript.
 */
import { assert, finish, test, until } from '../story/check.mjs';
import { at, new_car } from '../story/stack.mjs';
import { demo_stack, no_problems, open_chromium, open_window, shot, sign_in } from './browser.mjs';

const stack = await demo_stack('browser-delivery');
const browser = await open_chromium();
const dispatcher = stack.log_ins.manager[0], driver = stack.log_ins.courier[0];
const manager = stack.program((await stack.must('token', dispatcher.email)).trim());
const courier = stack.program((await stack.must('token', driver.email)).trim()), { name: driver_name, user_id: courier_id } = (await courier.get('/account')).json;
for (const who of [manager, courier]) await who.post('/account/language', { lang: 'en' });
const now = new Date(Date.now() + 9 * 3600e3), starts_at = `${now.toISOString().slice(0, 14)}${now.getUTCMinutes() < 30 ? '00' : '30'}`;
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAALklEQVQIHWP8zwAFCQxGCgwMcMTCqGUkD+PD1IBoFgZtZC6CzcKgheAgs0jXAQCtwQON9fSXiwAAAABJRU5ErkJggg==', 'base64');
const press = (page, button) => Promise.all([page.waitForNavigation(), button.click()]);
const state_of = async code => (await stack.sql(`SELECT state FROM booking WHERE code = '${code}'`))[0][0];

/* A booking with delivery, as the order form makes it. */
async function ordered(name) {
	const who = await stack.payer(name), { json: { car_id } } = await manager.post('/fleet/cars', new_car({ name: `Ioniq of ${name}` }));
	const { json: { code } } = await who.post('/bookings', { car_id, starts_at, ends_at: at(2), card_id: who.card_id,
		delivery: { zone: 'center', address: `${name}, 110 Sejong-daero`, place: 'Lobby', collect: true } });
	const job = await until('it has a job', async () => (await manager.get(`/deliveries?q=${code}`)).json.deliveries[0]);
	return { code, id: job.delivery_id, who };
}

for (const scripts of [true, false]) {
	const how = scripts ? '' : ' (without JavaScript)', name = scripts ? 'Suji' : 'Yuna';
	const job = await ordered(name);
	await test(`the dispatcher assigns a courier on the list of deliveries, and stays there${how}`, async () => {
		const window = await open_window(browser, stack, { scripts }), { page } = window;
		await sign_in(window, dispatcher);
		await page.goto('/deliveries?view=today');
		const card = page.locator('li.job').filter({ hasText: `${name}, 110 Sejong-daero` });
		await card.locator('select').selectOption({ label: driver_name });
		await press(page, card.getByRole('button', { name: 'Assign' }));
		assert.match(page.url(), /\/deliveries\?view=today$/);
		const scheduled = page.locator('section').filter({ has: page.getByRole('heading', { name: /^Assigned/ }) });
		await scheduled.locator('li.job').filter({ hasText: name }).waitFor();
		assert.ok((await scheduled.innerText()).includes(driver_name));
		await shot(window, `delivery-board${scripts ? '' : '-plain'}`);
		no_problems(window);
		await window.context.close();
	});
	await test(`the courier leaves and hands over on a telephone, with a photo; the booking is OUT${how}`, async () => {
		const window = await open_window(browser, stack, { scripts, width: 390, height: 844 }), { page } = window;
		await sign_in(window, driver);
		await page.goto('/deliveries');
		assert.equal(await page.getByRole('button', { name: 'Assign' }).count(), 0);
		const card = page.locator('li.job').filter({ hasText: `${name}, 110 Sejong-daero` });
		await press(page, card.getByRole('button', { name: 'On my way' }));
		await page.goto('/deliveries');
		await press(page, card.getByRole('link', { name: 'Hand over the car' }));
		assert.equal(await page.locator('[name=received_by]').inputValue(), name);
		await page.locator('[name=odometer_km]').fill('12345');
		await page.locator('[name=fuel_percent]').fill('101');
		await page.locator('[name=photo]').setInputFiles({ name: 'car.png', mimeType: 'image/png', buffer: png });
		await press(page, page.getByRole('button', { name: 'Car delivered' }));
		await page.locator('#e-fuel_percent').waitFor();
		assert.equal(await page.locator('[name=odometer_km]').inputValue(), '12345', 'the input is kept');
		await page.locator('[name=fuel_percent]').fill('80');
		await page.locator('[name=photo]').setInputFiles({ name: 'car.png', mimeType: 'image/png', buffer: png });
		await press(page, page.getByRole('button', { name: 'Car delivered' }));
		await page.getByRole('heading', { name: 'Handover record' }).waitFor();
		assert.ok(await page.locator('img.handover').evaluate(img => img.decode().then(() => img.naturalWidth > 0)).catch(() => !scripts), 'the photo shows');
		await shot(window, `delivery-handed-over${scripts ? '' : '-plain'}`);
		window.problems = window.problems.filter(p => !/^422/.test(p));
		no_problems(window);
		await until('the booking follows', async () => await state_of(job.code) === 'OUT');
		await window.context.close();
	});
	await test(`the collection is on the list of deliveries and on the printed day sheet${how}`, async () => {
		const window = await open_window(browser, stack, { scripts }), { page } = window;
		await sign_in(window, dispatcher);
		await page.goto(`/deliveries?q=${job.code}&view=open`);
		const card = page.locator('li.job').filter({ hasText: 'Collection' });
		await press(page, card.getByRole('link').first());
		await page.locator('[name=courier_id]').selectOption({ label: driver_name });
		await press(page, page.getByRole('button', { name: 'Assign' }));
		await page.goto('/deliveries/sheet');
		await page.locator('[name=courier_id]').selectOption({ label: driver_name });
		await page.locator('[name=day]').fill(at(2).slice(0, 10));
		await press(page, page.getByRole('button', { name: 'Show' }));
		await page.emulateMedia({ media: 'print' });
		assert.ok(await page.locator('.sheet > li').filter({ hasText: job.code }).isVisible());
		assert.ok(!await page.locator('header.top').isVisible() && !await page.locator('form.search').isVisible(), 'the print has no menus');
		no_problems(window);
		await window.context.close();
	});
}
await test('two clicks on "On my way" are one departure', async () => {
	const job = await ordered('Hana');
	await manager.post(`/deliveries/${job.id}/assign`, { courier_id });
	const window = await open_window(browser, stack, { width: 390, height: 844 }), { page } = window;
	await sign_in(window, driver);
	await page.goto(`/deliveries/${job.id}`);
	await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'On my way' }).dblclick()]);
	await page.goto(`/deliveries/${job.id}`);
	await page.getByRole('heading', { name: 'Hand over the car' }).waitFor();
	assert.equal(await stack.count('event', `subject_id = '${job.code}' AND type = 'delivery.shipped'`), 1);
	await window.context.close();
});
await test('every invariant holds', () => stack.check());
await finish();
