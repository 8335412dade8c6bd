// Makes a server that speaks both eras of MCP speak one, refusing the other as servers of that era do. For the conformance
// run across eras.
//   node one-era.mjs legacy|modern http PORT URL      a proxy on 127.0.0.1:PORT (0: any) before the server of URL, paths as they are
//   node one-era.mjs legacy|modern stdio COMMAND…     a server on standard input and output
import http from 'node:http';
import { spawn } from 'node:child_process';

const [era, kind, ...rest] = process.argv.slice(2);
const MODERN = '2026-07-28';
const KEY = 'io.modelcontextprotocol/protocolVersion';

const isModern = (m, version) => m?.method === 'server/discover' || version === MODERN || m?.params?._meta?.[KEY] !== undefined;
const error = (m, code, message, data) => ({ jsonrpc: '2.0', id: m?.id ?? null, error: { code, message, ...(data ? { data } : {}) } });

/** What a server of the one era says to a message of the other; nothing where it is of its own. */
function refusal(m, version) {
  const request = m?.method !== undefined && m.id !== undefined;
  if (era === 'legacy' && isModern(m, version)) return request ? error(m, m.method === 'server/discover' ? -32601 : -32000, 'Bad Request: Server not initialized') : error(m, -32000, 'Bad Request');
  if (era === 'modern' && request && !isModern(m, version)) {
    return m.method === 'initialize'
      ? error(m, -32022, 'Unsupported protocol version', { supported: [MODERN], requested: m.params?.protocolVersion })
      : error(m, -32602, 'missing required _meta field');
  }
}

// The reference server's tools and prompt that ask for input give the results of the stateless era in any era. Restricted to
// the handshake era, they ask as servers of that era do: with requests of their own, while the call is open.
const PREFIX = 'test_input_required_result_';
const elicit = (message, properties) => ['elicitation/create', { message, requestedSchema: { type: 'object', properties, required: Object.keys(properties) } }];
const sample = (text) => ['sampling/createMessage', { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 100 }];
const name = elicit('What is your name?', { name: { type: 'string' } });
const text = (text) => ({ content: [{ type: 'text', text }] });
const FIXTURE = {
  elicitation: async (ask) => text(`Hello, ${(await ask(...name)).content.name}!`),
  sampling: async (ask) => text(`Model said: ${(await ask(...sample('What is the capital of France?'))).content.text}`),
  list_roots: async (ask) => text(`Roots: ${(await ask('roots/list', {})).roots.map((root) => root.uri).join(', ')}`),
  request_state: async (ask) => { await ask(...elicit('Please confirm', { ok: { type: 'boolean' } })); return text('state-ok'); },
  multiple_inputs: async (ask) => {
    const [user] = await Promise.all([ask(...name), ask(...sample('Generate a greeting')), ask('roots/list', {})]);
    return text(`All inputs received from ${user.content.name}`);
  },
  multi_round: async (ask) => {
    const first = await ask(...elicit('Step 1: What is your name?', { name: { type: 'string' } }));
    const second = await ask(...elicit('Step 2: What is your favorite color?', { color: { type: 'string' } }));
    return text(`${first.content.name} likes ${second.content.color}`);
  },
  tampered_state: async (ask) => { await ask(...elicit('Please confirm', { ok: { type: 'boolean' } })); return text('state verified'); },
  capabilities: async (ask, client) => {
    const asked = [];
    if (client.sampling) asked.push(ask(...sample('hi')));
    if (client.elicitation) asked.push(ask(...name));
    if (client.roots) asked.push(ask('roots/list', {}));
    await Promise.all(asked);
    return text(asked.length ? 'ok' : 'No input capability declared');
  },
};
const PROMPTS = {
  [`${PREFIX}prompt`]: async (ask) => {
    const answer = await ask(...elicit('What context should the prompt use?', { context: { type: 'string' } }));
    return { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${answer.content.context}` } }] };
  },
};
const waiting = new Map();
const clients = new Map();
let asked = 0;

/** What a message of a session is to the fixture: true where it is dealt with here, and `send` says what comes of it. */
function played(m, session, send, close) {
  if (era !== 'legacy') return false;
  if (m?.method === undefined && waiting.has(m?.id)) {
    const { done, failed } = waiting.get(m.id);
    waiting.delete(m.id);
    if (m.error) failed(new Error(m.error.message)); else done(m.result);
    close?.(202);
    return true;
  }
  const tool = m?.method === 'tools/call' && m.params?.name?.startsWith(PREFIX) && FIXTURE[m.params.name.slice(PREFIX.length)];
  const play = tool || (m?.method === 'prompts/get' && PROMPTS[m.params?.name]);
  if (!play) return false;
  const ask = (method, params) => new Promise((done, failed) => {
    const id = `fixture-${++asked}`;
    waiting.set(id, { done, failed });
    send({ jsonrpc: '2.0', id, method, params });
  });
  play(ask, clients.get(session) ?? {}).then((result) => send({ jsonrpc: '2.0', id: m.id, result }), (fault) => send(error(m, -32602, fault.message))).finally(() => close?.());
  return true;
}

function proxy(port, target) {
  const to = new URL(target);
  http.createServer((req, res) => {
    const parts = [];
    req.on('data', (part) => parts.push(part)).on('end', () => {
      const body = Buffer.concat(parts);
      let message;
      try { message = JSON.parse(body.toString('utf8')); } catch { message = undefined; }
      if (era === 'modern' && req.method !== 'POST') return res.writeHead(405).end();
      const refused = req.method === 'POST' && refusal(message, req.headers['mcp-protocol-version']);
      if (refused) return res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(refused));
      const event = (o) => {
        if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(`event: message\ndata: ${JSON.stringify(o)}\n\n`);
      };
      if (req.method === 'POST' && played(message, req.headers['mcp-session-id'], event, (status) => (status ? res.writeHead(status).end() : res.end()))) return;
      const onward = http.request({ host: to.hostname, port: to.port, path: req.url, method: req.method, headers: { ...req.headers, host: to.host } }, (answer) => {
        if (message?.method === 'initialize') clients.set(answer.headers['mcp-session-id'], message.params?.capabilities);
        res.writeHead(answer.statusCode, answer.headers);
        res.flushHeaders();
        answer.pipe(res);
      });
      onward.on('error', () => res.destroy());
      res.on('close', () => onward.destroy());
      onward.end(body);
    });
  }).listen(Number(port), '127.0.0.1');
}

function pipe(command) {
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'inherit', 'inherit'] });
  child.on('exit', (code) => process.exit(code ?? 1));
  let rest = '';
  process.stdin.setEncoding('utf8').on('data', (data) => {
    rest += data;
    for (let end; (end = rest.indexOf('\n')) >= 0; rest = rest.slice(end + 1)) {
      const line = rest.slice(0, end);
      let message;
      try { message = JSON.parse(line); } catch { message = undefined; }
      const refused = refusal(message);
      const say = (o) => process.stdout.write(`${JSON.stringify(o)}\n`);
      if (refused && message.id !== undefined) say(refused);
      if (message?.method === 'initialize') clients.set(undefined, message.params?.capabilities);
      if (!refused && !played(message, undefined, say)) child.stdin.write(`${line}\n`);
    }
  }).on('end', () => child.stdin.end());
}

if (kind === 'http') proxy(...rest); else pipe(rest);
