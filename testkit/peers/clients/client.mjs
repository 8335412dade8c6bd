// A real MCP client (the TypeScript SDK) that does what it is told and prints one JSON line a step.
//   client.mjs MODE STEPS (URL | COMMAND…)
// MODE is v1 (version 1 of the SDK), or for version 2 default or auto. STEPS are those of client.py.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [mode, steps, ...target] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${process.env.LOCKGATE_PEERS}/package.json`));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const old = mode === 'v1';
const [{ Client }, { StreamableHTTPClientTransport }, { StdioClientTransport }] = await Promise.all(
  old
    ? ['index', 'streamableHttp', 'stdio'].map((part) => load(`@modelcontextprotocol/sdk/client/${part}.js`))
    : ['client', 'client', 'client/stdio'].map((part) => load(`@modelcontextprotocol/${part}`)),
);
// Version 1 names a method by its schema.
const schemas = old ? await load('@modelcontextprotocol/sdk/types.js') : null;
const named = (method, schema) => (old ? schemas[schema] : method);

const say = (fields) => console.log(JSON.stringify(fields));
const seen = { progress: 0, log: 0, updated: 0, elicitation: 0, sampling: 0, roots: 0 };
let answer = 'decline';
let came = () => {};
const count = (kind) => {
  seen[kind] += 1;
  came();
};
const until = async (done) => {
  while (!done()) await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('waited in vain')), 30_000);
    came = () => { clearTimeout(late); resolve(); };
  });
};

const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const options = mode === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {};
const client = new Client({ name: `lockgate-e2e-${mode}`, version: '1.0.0' }, { capabilities, ...options });
client.setRequestHandler(named('elicitation/create', 'ElicitRequestSchema'), async ({ params }) => {
  count('elicitation');
  say({ asked: params.message });
  if (answer !== 'accept') return { action: answer };
  const blank = { string: 'x', integer: 1, number: 1, boolean: true, array: [] };
  const fill = ([name, schema]) => [name, schema.enum?.[0] ?? schema.default ?? blank[schema.type] ?? 'x'];
  return { action: 'accept', content: Object.fromEntries(Object.entries(params.requestedSchema?.properties ?? {}).map(fill)) };
});
client.setRequestHandler(named('sampling/createMessage', 'CreateMessageRequestSchema'), async ({ params }) => {
  count('sampling');
  const asked = params.messages.map((message) => message.content.text).join(' ');
  return { role: 'assistant', content: { type: 'text', text: `sampled: ${asked}` }, model: 'test', stopReason: 'endTurn' };
});
client.setRequestHandler(named('roots/list', 'ListRootsRequestSchema'), async () => {
  count('roots');
  return { roots: [{ uri: 'file:///tmp', name: 'tmp' }] };
});
client.setNotificationHandler(named('notifications/message', 'LoggingMessageNotificationSchema'), () => count('log'));
client.setNotificationHandler(named('notifications/resources/updated', 'ResourceUpdatedNotificationSchema'), () => count('updated'));

const call = (params) => {
  const heard = { onprogress: () => count('progress') };
  return old ? client.callTool(params, undefined, heard) : client.callTool(params, heard);
};
const does = {
  tools: async () => (({ tools }) => ({ tools: tools.map((tool) => tool.name), full: tools }))(await client.listTools()),
  call: async (name, given) => ({ result: await call({ name, arguments: given }) }),
  resources: async () => (({ resources }) => ({ resources: resources.map((item) => item.uri), full: resources }))(await client.listResources()),
  templates: async () => ({ templates: (await client.listResourceTemplates()).resourceTemplates.map((item) => item.uriTemplate) }),
  read: async (uri) => ({ read: await client.readResource({ uri }) }),
  prompts: async () => (({ prompts }) => ({ prompts: prompts.map((prompt) => prompt.name), full: prompts }))(await client.listPrompts()),
  prompt: async (name, given) => ({ prompt: await client.getPrompt({ name, arguments: given }) }),
  complete: async (name, argument, value) => ({ complete: await client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } }) }),
  subscribe: async (uri) => (await client.subscribeResource({ uri }), { subscribed: uri }),
  level: async (level) => (await client.setLoggingLevel(level), { level }),
  answer: async (action) => void (answer = action),
  wait: async (kind, number) => (await until(() => seen[kind] >= number), { waited: kind }),
};

const [program, ...given] = target;
const transport = /^https?:/.test(program)
  ? new StreamableHTTPClientTransport(new URL(program))
  : new StdioClientTransport({ command: program, args: given, stderr: 'inherit' });
await client.connect(transport);
say({ connected: (old ? transport.protocolVersion : client.getNegotiatedProtocolVersion()) ?? null });
for (const [step, ...rest] of JSON.parse(steps)) {
  try {
    const said = await does[step](...rest);
    if (said) say(said);
  } catch (error) {
    // What the client makes of a refusal is what is tested.
    say({ error: String(error.message), code: error.code ?? null, data: error.data ?? null });
  }
}
say({ seen });
await client.close();
process.exit(0);
