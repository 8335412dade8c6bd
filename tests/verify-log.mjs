// Verifies a log of Lockgate, or a proof out of it, with nothing but the hashes and signatures of Node: written from
// RFC 9162, c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature and c2sp.org/tlog-tiles alone.
//
//     node tests/verify-log.mjs log FOLDER VKEY        all records against the checkpoint, and every whole tile of hashes
//     node tests/verify-log.mjs proof FILE VKEY        one record against the checkpoint in the proof
//     node tests/verify-log.mjs witnessed FOLDER VKEY WITNESS   what a witness has signed, against all records
//     node tests/verify-log.mjs receipt FILE VKEY      a result, as the agent's host got it, against the receipt in its `_meta`
import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const leaf = (record) => sha256(Buffer.of(0), record);
const pair = (left, right) => sha256(Buffer.of(1), left, right);
const fail = (why) => { console.log(why); process.exit(1); };

// RFC 9162, 2.1.1, in one pass: subtrees that are complete wait for their right neighbour.
function root(leaves) {
  const waiting = [];
  leaves.forEach((hash, number) => {
    for (let n = number; n % 2 === 1; n = (n - 1) / 2) hash = pair(waiting.pop(), hash);
    waiting.push(hash);
  });
  return waiting.length ? waiting.reduceRight((right, left) => pair(left, right)) : sha256();
}

// The text of a note, if its signature is right: that of a log (1), or of a witness (4).
function signed(note, vkey, kind = 1) {
  // The key in Base64 may have a `+` of its own.
  const [, name, id, key] = vkey.trim().match(/^([^+]+)\+([0-9a-f]{8})\+(.+)$/);
  const raw = Buffer.from(key, "base64");
  if (raw[0] !== kind) fail("not an Ed25519 key of this kind");
  if (sha256(name, "\n", raw).subarray(0, 4).toString("hex") !== id) fail("the key has another id");
  const at = note.lastIndexOf("\n\n");
  const text = note.slice(0, at + 1);
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw.subarray(1)]);
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  const right = note.slice(at + 2).trimEnd().split("\n").some((line) => {
    const [dash, who, bytes] = line.split(" ");
    const signature = Buffer.from(bytes, "base64");
    if (dash !== "\u2014" || who !== name || signature.subarray(0, 4).toString("hex") !== id) return false;
    if (kind === 1) return verify(null, Buffer.from(text), publicKey, signature.subarray(4));
    const head = `cosignature/v1\ntime ${signature.readBigUInt64BE(4)}\n`;
    return verify(null, Buffer.from(head + text), publicKey, signature.subarray(12));
  });
  if (!right) fail("it is not signed with this key");
  return text;
}

function checkpoint(note, vkey, kind) {
  const [origin, size, hash] = signed(note, vkey, kind).split("\n");
  return { origin, size: Number(size), root: Buffer.from(hash, "base64") };
}

const tile = (kind, number, width) => {
  const digits = String(number).padStart(Math.ceil(String(number).length / 3) * 3, "0").match(/.../g);
  const path = digits.map((group, at) => (at < digits.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${kind}/${path}${width < 256 ? `.p/${width}` : ""}`;
};

function log(folder, vkey) {
  const { origin, size, root: expected } = checkpoint(readFileSync(join(folder, "checkpoint"), "utf8"), vkey);
  const leaves = [];
  for (let number = 0; number * 256 < size; number++) {
    const width = Math.min(256, size - number * 256);
    const bytes = readFileSync(join(folder, tile("entries", number, width)));
    const hashes = readFileSync(join(folder, tile(0, number, width)));
    for (let at = 0, inside = 0; inside < width; inside++) {
      const length = bytes.readUInt16BE(at);
      const hash = leaf(bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
      if (!hash.equals(hashes.subarray(32 * inside, 32 * inside + 32))) fail(`record ${leaves.length} is not the one in the tile of hashes`);
      leaves.push(hash);
    }
  }
  if (!root(leaves).equals(expected)) fail("the records are not those that were signed");
  for (let number = 0; (number + 1) * 256 <= Math.floor(size / 256); number++) {
    const above = readFileSync(join(folder, tile(1, number, 256)));
    for (let inside = 0; inside < 256; inside++) {
      const first = (number * 256 + inside) * 256;
      if (!root(leaves.slice(first, first + 256)).equals(above.subarray(32 * inside, 32 * inside + 32))) fail("a tile of hashes is wrong");
    }
  }
  console.log(`${size} records of ${origin} are as they were signed`);
  return leaves;
}

// What a witness has signed is what the log has signed, and the log of today continues it.
function witnessed(folder, vkey, witness) {
  const leaves = log(folder, vkey);
  const note = readFileSync(join(folder, "checkpoint.witnessed"), "utf8");
  checkpoint(note, vkey);
  const { size, root: expected } = checkpoint(note, witness, 4);
  if (size > leaves.length || !root(leaves.slice(0, size)).equals(expected)) fail("the log does not continue what was witnessed");
  console.log(`the first ${size} are signed by ${witness.split("+")[0]}`);
}

// RFC 9162, 2.1.3.2.
function proof(file, vkey) {
  const { checkpoint: note, number, record, hashes } = JSON.parse(readFileSync(file, "utf8"));
  const { size, root: expected } = checkpoint(note, vkey);
  let [fn, sn, hash] = [number, size - 1, leaf(Buffer.from(record))];
  if (fn > sn) fail("there is no such record");
  for (const step of hashes.map((text) => Buffer.from(text, "base64"))) {
    if (sn === 0) fail("the proof is too long");
    if (fn % 2 === 1 || fn === sn) {
      hash = pair(step, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      hash = pair(hash, step);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  if (sn !== 0 || !hash.equals(expected)) fail("the record is not in the log");
  console.log(`record ${number} is in the log`);
}

// RFC 8785: members in the order of their UTF-16 units; numbers and texts are written as JavaScript writes them.
const canonical = (value) =>
  Array.isArray(value) ? `[${value.map(canonical).join(",")}]`
    : value && typeof value === "object" ? `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`
      : JSON.stringify(value);

function receipt(file, vkey) {
  const { _meta, ...result } = JSON.parse(readFileSync(file, "utf8"));
  const [kind, ...lines] = signed(_meta["io.lockgate/receipt"], vkey).trimEnd().split("\n");
  if (kind !== "io.lockgate/receipt/v1") fail("it is not a receipt");
  const says = Object.fromEntries(lines.map((line) => [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]));
  if (sha256(canonical(result)).toString("hex") !== says["result-sha256"]) fail("the result is another one");
  console.log(`${says.time} ${says.verdict} ${says.method} ${says.target} on ${says.server}`);
}

const [what, path, ...keys] = process.argv.slice(2);
({ log, proof, receipt, witnessed })[what](path, ...keys.map((key) => (existsSync(key) ? readFileSync(key, "utf8") : key)));
