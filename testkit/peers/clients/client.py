"""A real MCP client (the Python SDK) that does what it is told and prints one JSON line a step.

    client.py [--bare] MODE STEPS (URL | COMMAND…)

MODE is auto, legacy or 2026-07-28. With --bare the client cannot be asked anything. STEPS is a JSON list:
    ["tools"], ["call", NAME, ARGUMENTS], ["resources"], ["templates"], ["read", URI], ["prompts"],
    ["prompt", NAME, ARGUMENTS], ["complete", PROMPT, ARGUMENT, START], ["subscribe", URI], ["level", LEVEL],
    ["answer", "accept" | "decline"] (to elicitations from now on),
    ["wait", "log" | "updated" | "roots", COUNT] (until so many have come)
The last line counts what came from the server.
"""

import asyncio
import json
import sys

import mcp_types as types
from mcp import Client, StdioServerParameters

bare = sys.argv[1] == "--bare"
mode, steps, *target = sys.argv[2 if bare else 1 :]
answer = "decline"
seen = {"progress": 0, "log": 0, "updated": 0, "elicitation": 0, "sampling": 0, "roots": 0}
came = asyncio.Condition()


def say(**fields):
    print(json.dumps(fields), flush=True)


def plain(value):
    return json.loads(value.model_dump_json(by_alias=True, exclude_none=True))


def listed(items, key):
    """Names for looking at, and everything else for comparing."""
    return {key: [item.get("name") if key != "resources" else item["uri"] for item in items], "full": items}


async def count(kind):
    async with came:
        seen[kind] += 1
        came.notify_all()


async def elicit(context, params):
    await count("elicitation")
    say(asked=params.message)
    if answer != "accept":
        return types.ElicitResult(action=answer)
    content = {}
    for name, schema in getattr(params, "requested_schema", {}).get("properties", {}).items():
        kind = schema.get("type")
        default = {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": []}.get(kind, "x")
        content[name] = schema["enum"][0] if "enum" in schema else schema.get("default", default)
    return types.ElicitResult(action="accept", content=content)


async def sample(context, params):
    await count("sampling")
    asked = " ".join(message.content.text for message in params.messages)
    text = types.TextContent(type="text", text=f"sampled: {asked}")
    return types.CreateMessageResult(role="assistant", content=text, model="test", stop_reason="endTurn")


async def roots(context):
    await count("roots")
    return types.ListRootsResult(roots=[types.Root(uri="file:///tmp", name="tmp")])


async def log(params):
    await count("log")


async def progress(done, total, message):
    await count("progress")


async def message(item):
    if isinstance(item, types.ResourceUpdatedNotification):
        await count("updated")


async def do(client, step, rest):
    global answer
    match step:
        case "tools":
            say(**listed([plain(tool) for tool in (await client.list_tools()).tools], "tools"))
        case "call":
            say(result=plain(await client.call_tool(rest[0], rest[1], progress_callback=progress)))
        case "resources":
            say(**listed([plain(item) for item in (await client.list_resources()).resources], "resources"))
        case "templates":
            say(templates=[item.uri_template for item in (await client.list_resource_templates()).resource_templates])
        case "read":
            say(read=plain(await client.read_resource(rest[0])))
        case "prompts":
            say(**listed([plain(prompt) for prompt in (await client.list_prompts()).prompts], "prompts"))
        case "prompt":
            say(prompt=plain(await client.get_prompt(rest[0], rest[1])))
        case "complete":
            reference = types.PromptReference(type="ref/prompt", name=rest[0])
            say(complete=plain(await client.complete(reference, {"name": rest[1], "value": rest[2]})))
        case "subscribe":
            await client.subscribe_resource(rest[0])
            say(subscribed=rest[0])
        case "level":
            await client.set_logging_level(rest[0])
            say(level=rest[0])
        case "answer":
            answer = rest[0]
        case "wait":
            async with asyncio.timeout(30), came:
                await came.wait_for(lambda: seen[rest[0]] >= rest[1])
            say(waited=rest[0])


async def main():
    server = target[0] if target[0].startswith("http") else StdioServerParameters(command=target[0], args=target[1:])
    asks = {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots}
    async with Client(server, mode=mode, logging_callback=log, message_handler=message, **({} if bare else asks)) as client:
        say(connected=client.protocol_version)
        for step, *rest in json.loads(steps):
            try:
                await do(client, step, rest)
            except Exception as error:  # what the client makes of a refusal is what is tested
                error_of = getattr(error, "error", None)
                say(error=str(error), code=getattr(error_of, "code", None), data=getattr(error_of, "data", None))
        say(seen=seen)


asyncio.run(main())
