/*
 * browser.mjs - Debian's Chromium against a stack with demo data. Every page is monitored: console messages, violations of the content
 * security policy, failed loads and script errors fail the test that opened it.
 *
 * When a test fails, a screenshot, the HTML and the console of each open window are saved in build/asan/test-logs/NAME, where NAME is
 * the name of the stack; the server logs are there too (stack.mjs).
 */
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { assert, at_end, on_failure, patience_ms, patient, sleep, until } from '../story/check.mjs';
import { Stack, build, root } from '../story/stack.mjs';

export const shots = path.join(root, 'build', 'shots');
fs.mkdirSync(shots, { recursive: true });

const ARGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync', '--disable-quic', '--disable-dev-shm-usage', '--disable-default-apps', '--font-render-hinting=none'];

export async function open_chromium() {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
	at_end(() => browser.close());
	return browser;
}

/* --- saved when a test fails --- */
const open_windows = new Set();
let n_kept = 0;

/* Saves the page of a window as NN-what.png, .html and .txt. */
export async function keep_window({ page, stack, said, problems }, what) {
	const folder = path.join(build, 'test-logs', stack.name);
	const file = path.join(folder, `${String(++n_kept).padStart(2, '0')}-${what.replace(/[^\w가-힣]+/g, '-').slice(0, 60)}`);
	fs.mkdirSync(folder, { recursive: true });
	fs.writeFileSync(`${file}.txt`, [page.url(), ...said, ...problems.map(problem => `problem: ${problem}`)].join('\n') + '\n');
	console.log(`#   the page: ${path.relative(root, file)}.png .html .txt`);
	fs.writeFileSync(`${file}.html`, await page.content());
	await page.screenshot({ path: `${file}.png`, fullPage: true, animations: 'disabled' });
}
on_failure(async sentence => {
	for (const window of open_windows) await keep_window(window, sentence);
});

/* --- a stack and its windows --- */

/* A stack with demo data: stack.log_ins.manager[0] is { email, password }. */
export async function demo_stack(name, env = {}) {
	fs.rmSync(path.join(build, 'test-logs', name), { recursive: true, force: true });
	const stack = await Stack.start({ empty: false, name, env });
	stack.log_ins = {};
	for (const line of fs.readFileSync(`${stack.var}/demo-logins.txt`, 'utf8').trim().split('\n')) {
		const [role, email, password] = line.split(' ');
		(stack.log_ins[role] ??= []).push({ email, password });
	}
	return stack;
}

/* A window with its own cookies. problems: all problems so far. */
export async function open_window(browser, stack, { lang = 'en', width = 1280, height = 860, scheme = 'light', scripts = true } = {}) {
	const context = await browser.newContext({
		baseURL: stack.base, locale: lang === 'ko' ? 'ko-KR' : 'en-US', timezoneId: 'Asia/Seoul', colorScheme: scheme,
		viewport: { width, height }, javaScriptEnabled: scripts, reducedMotion: 'reduce',
	});
	context.setDefaultTimeout(Math.min(60000, patience_ms));        /* for elements of a loaded page */
	context.setDefaultNavigationTimeout(patient(30000));
	stack.ended.then(() => context.close().catch(() => 0));         /* pending waits end at once */
	const problems = [], said = [];
	/* violations by the page, not by axe later on */
	if (scripts)
		await context.addInitScript(() => {
			window.broken_policy = [];
			addEventListener('securitypolicyviolation', e => window.broken_policy.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
		});
	const page = await context.newPage();
	page.on('pageerror', e => problems.push(`script: ${e.message}`));
	page.on('console', message => {
		said.push(`${message.type()}: ${message.text()}`);
		/* Chromium itself reports error statuses on the console */
		if (['error', 'warning'].includes(message.type()) && !/Failed to load resource.*status of (4\d\d|503)/.test(message.text()))
			problems.push(`console: ${message.text()}`);
	});
	page.on('requestfailed', request => { if (!/ERR_ABORTED/.test(request.failure()?.errorText)) problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`); });
	page.on('response', response => {
		const kind = response.request().resourceType();
		if (response.status() >= 400 && kind !== 'document') problems.push(`${response.status()}: ${kind} ${response.url()}`);
		if (new URL(response.url()).origin !== stack.base && !response.url().startsWith('data:')) problems.push(`another site was asked: ${response.url()}`);
	});
	const window = { context, page, problems, said, lang, stack };
	open_windows.add(window);
	context.on('close', () => open_windows.delete(window));
	return window;
}

export function no_problems(window) {
	assert.deepEqual(window.problems, []);
}

export async function sign_in({ page }, { email, password }) {
	await page.goto('/account/sign-in');
	await page.locator('[name=email]').fill(email);
	await page.locator('[name=password]').fill(password);
	await Promise.all([page.waitForURL(url => !url.pathname.includes('sign-in')), page.locator('main form button').click()]);
}

/* What people do on a page: press a button or link of its main part, and reload it until it says so. */
export async function press(page, name, role = 'button') {
	const target = page.locator('main').getByRole(role, { name }).first();
	await Promise.all([page.waitForNavigation(), target.click()]);
}
export const main_text = page => page.locator('main').innerText();
export const code_in = page => /\/bookings\/(MP-\w+)/.exec(page.url())?.[1];
export async function asks_until(page, words) {
	await until(`the page says ${words}`, async () => {
		if (words.test(await main_text(page))) return true;
		await sleep(200);
		await page.reload();
		return false;
	});
}
export const shot = ({ page }, name, whole = true) => page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: whole, animations: 'disabled' });
export { build, root };
