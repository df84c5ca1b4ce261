/*
 * promises.mjs - writes the figures of the last run into docs/promises.md, between its two marks.
 *
 *	node tests/fault/promises.mjs [build/fault/test-logs/promises.jsonl]
 *
 * The newest value of each figure counts. Figures that are not in this run are removed, since they may be out of date.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const file = process.argv[2] ?? path.join(root, 'build/fault/test-logs/promises.jsonl');
const page = path.join(root, 'docs/promises.md');
const order = ['FX-1', 'FX-2', 'FX-3', 'FX-4', 'FX-5', 'FX-6', 'FX-7', 'FX-8', 'FX-12', 'FX-13', 'FX-14', 'FX-15', 'FX-16', 'FX-17'];

const newest = new Map();
for (const line of fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
	const f = JSON.parse(line);
	newest.set(`${f.experiment}\t${f.name}`, f);
}
const place = f => (order.indexOf(f.experiment) + 1 || order.length + 1);
const figures = [...newest.values()].sort((a, b) => place(a) - place(b) || a.experiment.localeCompare(b.experiment));
const limit = f => f.limit !== undefined ? `≤ ${f.limit}` : f.least !== undefined ? `≥ ${f.least}` : '';
const number = n => typeof n === 'number' ? n.toLocaleString('en') : n;

const text = [
	`Runs at full length of ${new Date(fs.statSync(file).mtimeMs).toISOString().slice(0, 10)} on ${os.cpus().length} cores; each figure is the newest of its experiment.`, '',
	'| experiment | figure | value | must be | holds |', '|---|---|---:|---:|---|',
	...figures.map(f => `| ${f.experiment} | ${f.name} | ${number(f.value)} ${f.unit} | ${limit(f)} | ${limit(f) ? f.holds ? 'yes' : '**no**' : ''} |`),
].join('\n');

const before = fs.readFileSync(page, 'utf8');
const [, head, tail] = /^([\s\S]*<!-- figures -->\n)[\s\S]*(\n<!-- end of figures -->[\s\S]*)$/.exec(before);
fs.writeFileSync(page, head + text + tail);
console.log(`${figures.length} figures, ${figures.filter(f => !f.holds).length} beyond their limit`);
