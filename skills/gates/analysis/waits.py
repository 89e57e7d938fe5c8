"""What a call waits for: the kinds, in words."""

from typing import TypeVar

from skills.record import record

About = TypeVar("About")


@record
class Waits:
    """What a call waits for, in words, and what to do instead. `minor` calls wait for a moment only."""

    what: str
    instead: str
    minor: bool = False


def each_of(module: str, names: str, about: About) -> dict[str, About]:
    """Dotted name → what is known about it, for the names of one module, with blanks between them."""
    return {f"{module}.{name}": about for name in names.split()}


HTTP = Waits("waits for another service", "use `httpx.AsyncClient` (or aiohttp), or `await asyncio.to_thread(…)`")
PROCESS = Waits("starts or awaits a process", "use `await asyncio.create_subprocess_exec(…)`")
FILE = Waits("waits for the disk", "use `await asyncio.to_thread(…)`, or aiofiles / `anyio.open_file`")
STAT = Waits("asks the file system", "use `await asyncio.to_thread(…)` or `anyio.Path`", minor=True)
TREE = Waits("works through files", "use `await asyncio.to_thread(…)`")
ARCHIVE = Waits("works through an archive", "use `await asyncio.to_thread(…)`")
TERMINAL = Waits("waits for a person", "use `await asyncio.to_thread(…)`")
DATABASE = Waits("waits for the database", "use the driver's asynchronous client, or a sync `def` with a thread")
NETWORK = Waits("waits for the network", "use an asynchronous client, or `await asyncio.to_thread(…)`")
THREAD = Waits("waits for another thread", "use the asyncio counterpart, or `await asyncio.to_thread(…)`")
