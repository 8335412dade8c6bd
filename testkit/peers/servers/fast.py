"""A server written with fastmcp, on standard input and output: it speaks both eras."""

from fastmcp import Context, FastMCP

server = FastMCP("fast")


@server.tool
def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@server.tool
async def count(context: Context) -> str:
    """Tells how far it has come."""
    for done in range(3):
        await context.report_progress(done + 1, 3)
    return "counted"


@server.resource("demo://note")
def note() -> str:
    """A note."""
    return "a note"


server.run(show_banner=False)
