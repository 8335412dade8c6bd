"""A real MCP client (the Python SDK) that does what it is told and prints one JSON line a step.

    client.py MODE STEPS (URL | COMMAND…)

MODE is auto, legacy or 2026-07-28. STEPS is a JSON list:
    ["tools"], ["call", NAME, ARGUMENTS], ["resources"], ["read", URI], ["prompts"], ["prompt", NAME, ARGUMENTS],
    ["subscribe", URI], ["answer", "accept" | "decline" | "late"] (to elicitations from now on; late: accepted after 8 s),
    ["log", LEVEL] (wants log messages from this level on), ["watch", URI | "tools", NAME, ARGUMENTS] (calls the tool while
    changes of the resource or of the list of tools are waited for, as they are in the era), ["anew"] (ends the session and
    begins another), ["definitions"] (of tools, whole), ["instructions"]
In arguments, `$handle` stands for the handle that came last.
"""

import asyncio
import json
import re
import sys

import mcp_types as types
from mcp import Client, StdioServerParameters

mode, steps, *target = sys.argv[1:]
answer = "decline"
handle = ""
changes = asyncio.Queue()
seen = {"progress": 0, "log": 0, "elicitation": 0, "sampling": 0, "roots": 0}


def say(**fields):
    global handle
    text = json.dumps(fields)
    handle = next(reversed(re.findall(r"lockgate-[\w-]+-[\w-]{22}", text)), handle)
    print(text, flush=True)


def handed(arguments):
    return json.loads(json.dumps(arguments).replace("$handle", handle))


async def elicit(context, params):
    seen["elicitation"] += 1
    say(asked=params.message)
    if answer == "late":
        await asyncio.sleep(8)
    if answer in ("accept", "late"):
        properties = getattr(params, "requested_schema", {}).get("properties", {})
        content = {}
        for name, schema in properties.items():
            kind = schema.get("type")
            content[name] = schema.get("default", {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": []}.get(kind, "x"))
            if "enum" in schema:
                content[name] = schema["enum"][0]
        return types.ElicitResult(action="accept", content=content)
    return types.ElicitResult(action=answer)


async def sample(context, params):
    seen["sampling"] += 1
    text = types.TextContent(type="text", text="sampled")
    return types.CreateMessageResult(role="assistant", content=text, model="test", stop_reason="endTurn")


async def roots(context):
    seen["roots"] += 1
    return types.ListRootsResult(roots=[types.Root(uri="file:///tmp", name="tmp")])


async def log(params):
    seen["log"] += 1


async def progress(done, total, message):
    seen["progress"] += 1


async def heard(message):
    """What a server of the handshake era says unasked."""
    match message:
        case types.ToolListChangedNotification():
            changes.put_nowait("tools")
        case types.ResourceUpdatedNotification():
            changes.put_nowait(str(message.params.uri))


async def watch(client, what, name, arguments):
    if client.protocol_version == "2026-07-28":
        wishes = {"tools_list_changed": True} if what == "tools" else {"resource_subscriptions": [what]}
        async with client.listen(**wishes) as listening:
            say(result=plain(await client.call_tool(name, arguments)))
            change = await anext(listening)
            say(changed=str(getattr(change, "uri", "tools")))
        return
    if what != "tools":
        await client.subscribe_resource(what)
    say(result=plain(await client.call_tool(name, arguments)))
    while (change := await changes.get()) != what:
        pass
    say(changed=change)


def plain(value):
    return json.loads(value.model_dump_json(by_alias=True, exclude_none=True))


async def main():
    server = target[0] if target[0].startswith("http") else StdioServerParameters(command=target[0], args=target[1:])
    wishes = {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots}
    if "--bare" in steps:
        wishes = {}
    sessions = [[]]
    for step in json.loads(steps.replace("--bare", "")):
        sessions.append([]) if step == ["anew"] else sessions[-1].append(step)
    for session in sessions:
        await run(server, wishes, session)
    say(seen=seen)


async def run(server, wishes, steps):
    global answer
    level = next((step[1] for step in steps if step[0] == "log"), None)
    handlers = {"logging_callback": log, "message_handler": heard, "log_level": level}
    async with Client(server, mode=mode, **handlers, **wishes) as client:
        say(connected=client.protocol_version)
        for step, *rest in steps:
            try:
                match step:
                    case "tools":
                        say(tools=[tool.name for tool in (await client.list_tools()).tools])
                    case "call":
                        say(result=plain(await client.call_tool(rest[0], handed(rest[1]), progress_callback=progress)))
                    case "definitions":
                        say(definitions=[plain(tool) for tool in (await client.list_tools()).tools])
                    case "instructions":
                        say(instructions=client.instructions)
                    case "resources":
                        say(resources=[str(resource.uri) for resource in (await client.list_resources()).resources])
                    case "read":
                        say(read=plain(await client.read_resource(rest[0])))
                    case "prompts":
                        say(prompts=[prompt.name for prompt in (await client.list_prompts()).prompts])
                    case "prompt":
                        say(prompt=plain(await client.get_prompt(rest[0], rest[1])))
                    case "subscribe":
                        await client.subscribe_resource(rest[0])
                        say(subscribed=rest[0])
                    case "log":
                        if client.protocol_version != "2026-07-28":
                            await client.set_logging_level(rest[0])
                    case "watch":
                        await asyncio.wait_for(watch(client, *rest), 60)
                    case "answer":
                        answer = rest[0]
            except Exception as error:  # what the client makes of a refusal is what is tested
                say(error=str(error), code=getattr(getattr(error, "error", None), "code", None))


asyncio.run(main())
