/*
 * client.mjs - HTTP clients of a stack: an API client (JSON, bearer token) and a plain browser (cookies, forms, CSRF token).
 * They follow no redirects and throw nothing: an answer is { status, headers, text, json, ms }.
 */
import http from 'node:http';
import { patient } from './check.mjs';

export function ask(base, method, path, { headers = {}, body, limit_ms = patient(30000) } = {}) {
	const began = performance.now();
	return new Promise((done, failed) => {
		const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
		const { host, port } = new URL(base);
		/* localhost does not resolve on every machine */
		const request = http.request({ host: '127.0.0.1', port, path, method, agent: false, headers: { Host: host, ...data && { 'Content-Length': data.length }, ...headers } });
		request.setTimeout(limit_ms, () => request.destroy(new Error(`${method} ${path}: no answer in ${limit_ms} ms`)));
		request.on('error', failed);
		request.on('response', response => {
			const parts = [];
			response.on('data', part => parts.push(part));
			response.on('error', failed);
			response.on('end', () => {
				const text = Buffer.concat(parts).toString('utf8');
				let json;
				try { json = JSON.parse(text); } catch { /* not JSON */ }
				done({ status: response.statusCode, headers: response.headers, text, json, ms: performance.now() - began });
			});
		});
		request.end(data);
	});
}

/* A program with a token, or without one. */
export class Program {
	constructor(base, token) { Object.assign(this, { base, token }); }
	ask(method, path, json, headers = {}) {
		const all = { Accept: 'application/json', ...headers };
		if (this.token) all.Authorization = `Bearer ${this.token}`;
		if (json !== undefined && !all['Content-Type']) all['Content-Type'] = 'application/json';
		const body = json === undefined ? (method === 'GET' ? undefined : '') : typeof json === 'string' || Buffer.isBuffer(json) ? json : JSON.stringify(json);
		return ask(this.base, method, path, { headers: all, body });
	}
	get(path, headers) { return this.ask('GET', path, undefined, headers); }
	post(path, json, headers) { return this.ask('POST', path, json ?? {}, headers); }
	put(path, json, headers) { return this.ask('PUT', path, json, headers); }
	delete(path, headers) { return this.ask('DELETE', path, undefined, headers); }
}

/* A browser without a screen: keeps cookies, and the CSRF token, the form key and the shown total of the last page. */
export class Browser {
	constructor(base) { Object.assign(this, { base, cookies: {}, csrf: '', form_key: '', agreed_amount: '', terms_version: '', language: 'en' }); }
	async ask(method, path, { headers = {}, body } = {}) {
		const jar = Object.entries(this.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
		const answer = await ask(this.base, method, path, {
			body, headers: { Accept: 'text/html', 'Accept-Language': this.language, ...(jar && { Cookie: jar }), ...headers },
		});
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
			if (/Max-Age=0/.test(line)) delete this.cookies[name]; else this.cookies[name] = value;
		}
		this.csrf = /name="csrf" value="([^"]*)"/.exec(answer.text)?.[1] ?? this.csrf;
		this.form_key = /name="form_key" value="([^"]*)"/.exec(answer.text)?.[1] ?? this.form_key;
		this.agreed_amount = /name="agreed_amount" value="([^"]*)"/.exec(answer.text)?.[1] ?? this.agreed_amount;
		this.terms_version = /name="terms_version" value="([^"]*)"/.exec(answer.text)?.[1] ?? this.terms_version;
		return answer;
	}
	get(path) { return this.ask('GET', path); }
	/* fields: an object; its csrf (undefined: none) overrides the page's. */
	post(path, fields = {}, headers = {}) {
		const all = { csrf: this.csrf, ...fields };
		const body = Object.entries(all).filter(([, value]) => value !== undefined).map(pair => pair.map(encodeURIComponent).join('=')).join('&');
		return this.send(path, body, headers);
	}
	send(path, body, headers = {}) {
		return this.ask('POST', path, { body, headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } });
	}
	/* Signs up and opens the link, which the answer shows in test mode; answers the one after confirming it. */
	async sign_up(who) {
		await this.get('/account/sign-up');
		return this.follow_link(await this.post('/account/sign-up', who));
	}
	async follow_link(answer) {
		const link = /href="(\/account\/(?:confirm|reset)\?token=[^"]*)"/.exec(answer.text)?.[1];
		if (!link) throw new Error(`${answer.status}: a page without a link\n${answer.text}`);
		await this.get(link);
		return this.post(link.split('?')[0], { token: link.split('token=')[1] });
	}
	async sign_in(email, password) {
		await this.get('/account/sign-in');
		return this.post('/account/sign-in', { email, password });
	}
}
