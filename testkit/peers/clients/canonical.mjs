// The canonical form of RFC 8785 by the package of its author, of texts in Unicode normal form C.
//   canonical.mjs FILE     FILE has a JSON text on each line; for each, its SHA-256 and its canonical form are printed
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const library = `${process.env.LOCKGATE_PEERS}/node_modules/canonicalize/lib/canonicalize.js`;
const { default: canonicalize } = await import(pathToFileURL(library).href);

/** The same value with all texts composed, and names too where none of an object becomes another's. */
function composed(value) {
  if (typeof value === 'string') return value.normalize('NFC');
  if (Array.isArray(value)) return value.map(composed);
  if (value === null || typeof value !== 'object') return value;
  const names = Object.keys(value).map((name) => name.normalize('NFC'));
  const lost = new Set(names).size < names.length;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner], index) => [lost ? name : names[index], composed(inner)]),
  );
}

for (const line of readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean)) {
  const text = canonicalize(composed(JSON.parse(line)));
  const digest = createHash('sha256').update(text).digest('hex');
  console.log(JSON.stringify({ digest: `sha256:${digest}`, text }));
}
