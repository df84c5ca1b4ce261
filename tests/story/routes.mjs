/*
 * routes.mjs - all routes and form fields of the programs, read from the source: the route tables in cgi-bin/NAME/main.c and the fields
 * that the pages read. So tests over all routes include new pages automatically.
 */
import fs from 'node:fs';
import path from 'node:path';
import { root } from './stack.mjs';

const contexts = fs.readdirSync(path.join(root, 'cgi-bin')).filter(name => fs.existsSync(path.join(root, 'cgi-bin', name, 'main.c')));
const read = (...names) => fs.readFileSync(path.join(root, ...names), 'utf8');

/* { program, method, path, handler, needs: ['SIGNED_IN', …] } for each method of each route */
export function routes() {
	const found = [];
	for (const program of contexts)
		for (const [, methods, address, handler, needs] of read('cgi-bin', program, 'main.c')
			.matchAll(/\{\s*([A-Z |]+?)\s*,\s*"([^"]+)"\s*,\s*(\w+)\s*,\s*([\w |]+?)\s*\}/g))
			for (const method of methods.split('|'))
				found.push({ program, method: method.trim(), path: address, handler, needs: needs.split('|').map(s => s.trim().replace(/^(ROUTE|ROLE)_/, '')).filter(s => s !== '0') });
	return found;
}

/* The names of all fields that the pages read. */
export function fields() {
	const names = new Set();
	for (const program of contexts)
		for (const file of fs.readdirSync(path.join(root, 'cgi-bin', program)))
			if (file.startsWith('pages') && file.endsWith('.c'))
				for (const [, name] of read('cgi-bin', program, file).matchAll(/\bform_(?!field|error|bad|problems|n_errors)\w+\(w, "(\w+)"/g)) names.add(name);
	return [...names].sort();
}
