// A real MCP client (the TypeScript SDK) that does what it is told and prints one JSON line a step.
//   client.mjs MODE STEPS URL      MODE is default or auto (version 2 of the SDK) or v1 (version 1); STEPS as for client.py:
//                                  tools, definitions, instructions, call, resources, read, prompt, answer, watch
// With an `answer` among the steps it can ask a person. `LOCKGATE_E2E_TOKEN` is its bearer token, if it has one.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [mode, steps, url] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${process.env.LOCKGATE_PEERS}/package.json`));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const old = mode === 'v1';
const v1 = (name) => load(`@modelcontextprotocol/sdk/${name}.js`);
const { Client, StreamableHTTPClientTransport } = old
  ? { ...(await v1('client/index')), ...(await v1('client/streamableHttp')) }
  : await load('@modelcontextprotocol/client');
const schemas = old ? await v1('types') : {};
/** What a message is told apart by: its method, in version 1 its schema. */
const of = (method, schema) => (old ? schemas[schema] : method);
let handle = '';
const say = (fields) => {
  const text = JSON.stringify(fields);
  handle = text.match(/lockgate-[\w-]+-[\w-]{22}/g)?.at(-1) ?? handle;
  console.log(text);
};
const handed = (args) => JSON.parse(JSON.stringify(args).replaceAll('$handle', handle));
const options = mode === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {};
const plan = JSON.parse(steps);
const capabilities = plan.some(([step]) => step === 'answer') ? { elicitation: {} } : {};
const client = new Client({ name: 'lockgate-e2e', version: '1.0.0' }, { capabilities, ...options });
let answer = 'decline';
if (capabilities.elicitation) {
  client.setRequestHandler(of('elicitation/create', 'ElicitRequestSchema'), async (request) => {
    say({ asked: request.params.message });
    if (answer === 'late') await new Promise((resolve) => setTimeout(resolve, 8000));
    const { properties, required = [] } = request.params.requestedSchema;
    const filled = required.map((name) => [name, properties[name].type === 'boolean' ? true : 'x']);
    return answer === 'decline' ? { action: answer } : { action: 'accept', content: Object.fromEntries(filled) };
  });
}
let seen = 0;
let change = () => {};
client.setNotificationHandler(of('notifications/tools/list_changed', 'ToolListChangedNotificationSchema'), () => change('tools'));
client.setNotificationHandler(of('notifications/resources/updated', 'ResourceUpdatedNotificationSchema'), (message) => change(message.params.uri));
/** Calls the tool while changes are waited for, as they are in the era. */
async function watch(what, name, args) {
  const waited = new Promise((resolve, reject) => {
    change = (changed) => changed === what && resolve(changed);
    setTimeout(() => reject(new Error('nothing has changed')), 60000).unref();
  });
  const modern = client.getProtocolEra?.() === 'modern';
  if (modern) await client.listen(what === 'tools' ? { toolsListChanged: true } : { resourceSubscriptions: [what] });
  else if (what !== 'tools') await client.subscribeResource({ uri: what });
  say({ result: await client.callTool({ name, arguments: args }) });
  say({ changed: await waited });
}
const token = process.env.LOCKGATE_E2E_TOKEN;
const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
say({ connected: client.getServerVersion?.()?.name ?? null, era: client.getProtocolEra?.() ?? 'legacy' });
// Of rounds of questions the client tells itself, without a total.
const onprogress = ({ total }) => { seen += total === undefined ? 0 : 1; };
const progress = old ? [undefined, { onprogress }] : [{ onprogress }];
for (const [step, ...rest] of plan) {
  try {
    if (step === 'answer') answer = rest[0];
    if (step === 'tools') say({ tools: (await client.listTools()).tools.map((tool) => tool.name) });
    if (step === 'call') say({ result: await client.callTool({ name: rest[0], arguments: handed(rest[1]) }, ...progress) });
    if (step === 'definitions') say({ definitions: (await client.listTools()).tools });
    if (step === 'instructions') say({ instructions: client.getInstructions() ?? null });
    if (step === 'prompt') say({ prompt: await client.getPrompt({ name: rest[0], arguments: rest[1] }) });
    if (step === 'watch') await watch(...rest);
    if (step === 'resources') say({ resources: (await client.listResources()).resources.map((resource) => resource.uri) });
    if (step === 'read') say({ read: await client.readResource({ uri: rest[0] }) });
  } catch (error) {
    say({ error: String(error.message), code: error.code ?? null });
  }
}
say({ seen: { progress: seen } });
await client.close();
process.exit(0);
