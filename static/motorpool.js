/*
 * motorpool.js - makes pages nicer that work without it. Keeps nothing, stores nothing, loads nothing from elsewhere.
 */

/* A form is sent once: the second click of a double click does nothing. The buttons go grey after the browser has read the form
 * (so the pressed button's own value is sent), and come back if nothing happened or the page is shown again. */
const buttons = form => [...form.elements].filter(e => e.type === 'submit');
const free = form => { delete form.dataset.sent; buttons(form).forEach(b => { b.disabled = false; }); };

document.addEventListener('submit', event => {
	const form = event.target;
	if (event.defaultPrevented || form.method !== 'post') return;
	if (form.dataset.sent) return event.preventDefault();
	form.dataset.sent = 1;
	setTimeout(() => buttons(form).forEach(b => { b.disabled = true; }));
	setTimeout(free, 20000, form);
});
addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach(free));

/* From and to: moving the start moves the end along, so that the end is never before the start. */
const pairs = [['from', 'to'], ['starts_at', 'ends_at']];
const minute = text => Date.parse(text + 'Z') / 60000;
const text = m => new Date(m * 60000).toISOString().slice(0, 16);

for (const form of document.forms) for (const [a, b] of pairs) {
	const from = form.elements[a], to = form.elements[b];
	if (from?.type !== 'datetime-local' || to?.type !== 'datetime-local') continue;
	let length = Math.max(minute(to.value) - minute(from.value), 0) || 1440;
	to.min = from.value;
	from.addEventListener('change', () => {
		if (!from.value) return;
		to.min = from.value;
		if (!to.value || to.value <= from.value) to.value = text(minute(from.value) + length);
	});
	to.addEventListener('change', () => {
		const now = minute(to.value) - minute(from.value);
		if (now > 0) length = now;
	});
}

/* Browsers show the dates of such fields in their own language; the hint below says them in the page's. */
const lang = document.documentElement.lang;
const day = lang === 'ko' ? { month: 'long', day: 'numeric', weekday: 'short' } : { weekday: 'short', day: 'numeric', month: 'short' };
const hour = lang === 'ko' ? { hour: 'numeric', minute: '2-digit' } : { hour: '2-digit', minute: '2-digit' };
const format = new Intl.DateTimeFormat(lang === 'ko' ? 'ko' : 'en-GB', { ...day, ...hour, timeZone: 'UTC' });
const hint = field => document.getElementById(`h-${field.name}`);
const inWords = field => {
	const at = Date.parse(field.value + 'Z');
	hint(field).textContent = at ? format.format(at).replace(' (', '(') : '';
};
const times = [...document.querySelectorAll('input[type=datetime-local]')].filter(field => hint(field)?.textContent === '');
times.forEach(inWords);
document.addEventListener('change', () => times.forEach(inWords));

/* <div id="progress" data-refresh="2">: fetched again every 2 s and replaced by the same id of the fresh page, until the fresh one
 * has no data-refresh. Rests while the tab is hidden; asks less and less often while the server does not answer. */
const watch = (id, tries) => {
	const seconds = +document.getElementById(id)?.dataset.refresh;
	if (seconds > 0) setTimeout(look, Math.min(seconds * 2 ** tries, 60) * 1000, id, tries);
};
const look = async (id, tries) => {
	if (document.hidden) return document.addEventListener('visibilitychange', () => look(id, 0), { once: true });
	try {
		const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-store' });
		if (!answer.ok) throw answer;
		const old = document.getElementById(id);
		const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(id);
		if (!fresh) return;
		if (old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
		if (!fresh.dataset.refresh) return old.removeAttribute('data-refresh');
		watch(id, 0);
	} catch {
		watch(id, tries + 1);
	}
};
document.querySelectorAll('[data-refresh][id]').forEach(e => watch(e.id, 0));

/* <form data-reprice="id id">: when something that costs is chosen, the parts with these ids come fresh from the server, as its button
 * "update" would bring them with the whole page. The button goes: it is not needed. Until the new price is shown the other button waits,
 * so that a customer pays only for what they have seen; without an answer it comes back beside [data-reprice-failed]. */
const REPRICE_MS = 15000;
for (const form of document.querySelectorAll('form[data-reprice]')) {
	const button = form.querySelector('button[name=update]'), pay = form.querySelector('button:not([name])');
	const failed = form.querySelector('[data-reprice-failed]');
	let last = 0;
	if (!button || !pay) continue;
	const wait = yes => {
		pay.disabled = yes;
		if (yes) pay.setAttribute('aria-busy', 'true'); else pay.removeAttribute('aria-busy');
	};
	button.closest('.actions').hidden = true;
	form.addEventListener('change', async event => {
		if (event.target.name === 'card_id' || event.target.type === 'text') return;
		const data = new URLSearchParams(new FormData(form)), mine = ++last;
		data.set('update', '1');
		wait(true);
		failed.hidden = true;
		try {
			const answer = await fetch(form.action, { method: 'POST', body: data, headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(REPRICE_MS) });
			const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
			if (mine !== last) return;
			const ids = form.dataset.reprice.split(' '), parts = ids.map(id => fresh.getElementById(id));
			if (!answer.ok || parts.includes(null)) throw answer;
			ids.forEach((id, i) => document.getElementById(id).replaceChildren(...parts[i].childNodes));
		} catch {
			if (mine !== last) return;
			failed.hidden = false;
		}
		wait(false);
	});
	form.addEventListener('submit', event => { if (pay.hasAttribute('aria-busy')) event.preventDefault(); }, true);
}

/* The account menu closes when something else is clicked, or with Escape. */
const close = keep => document.querySelectorAll('details.menu[open]').forEach(d => { if (!d.contains(keep)) d.open = false; });
document.addEventListener('click', event => close(event.target));
document.addEventListener('keydown', event => {
	if (event.key !== 'Escape') return;
	document.querySelector('details.menu[open] summary')?.focus();
	close();
});
