// A real MCP client (the TypeScript SDK, version 2) that does what it is told and prints one JSON line a step.
//   client.mjs MODE STEPS URL      MODE is default or auto; STEPS as for client.py: tools, call, resources, read, answer
// With an `answer` among the steps it can ask a person. `LOCKGATE_E2E_TOKEN` is its bearer token, if it has one.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [mode, steps, url] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${process.env.LOCKGATE_PEERS}/package.json`));
const { Client, StreamableHTTPClientTransport } = await import(pathToFileURL(require.resolve('@modelcontextprotocol/client')).href);
const say = (fields) => console.log(JSON.stringify(fields));
const options = mode === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {};
const plan = JSON.parse(steps);
const capabilities = plan.some(([step]) => step === 'answer') ? { elicitation: {} } : {};
const client = new Client({ name: 'lockgate-e2e', version: '1.0.0' }, { capabilities, ...options });
let answer = 'decline';
if (capabilities.elicitation) {
  client.setRequestHandler('elicitation/create', async (request) => {
    say({ asked: request.params.message });
    if (answer === 'late') await new Promise((resolve) => setTimeout(resolve, 8000));
    return answer === 'decline' ? { action: answer } : { action: 'accept', content: {} };
  });
}
const token = process.env.LOCKGATE_E2E_TOKEN;
const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
say({ connected: client.getServerVersion?.()?.name ?? null });
for (const [step, ...rest] of plan) {
  try {
    if (step === 'answer') answer = rest[0];
    if (step === 'tools') say({ tools: (await client.listTools()).tools.map((tool) => tool.name) });
    if (step === 'call') say({ result: await client.callTool({ name: rest[0], arguments: rest[1] }) });
    if (step === 'resources') say({ resources: (await client.listResources()).resources.map((resource) => resource.uri) });
    if (step === 'read') say({ read: await client.readResource({ uri: rest[0] }) });
  } catch (error) {
    say({ error: String(error.message), code: error.code ?? null });
  }
}
await client.close();
process.exit(0);
