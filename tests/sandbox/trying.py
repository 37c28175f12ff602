"""Runs all hostile programs in the sandbox of the user who runs this; prints what came of them as JSON."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hostile_programs import HOSTILE, PRELUDE

from suite.sandbox import Program, open_sandbox

SECRET = "a-secret-nobody-inside-may-see"


async def try_all(folder: Path) -> dict[str, dict[str, object]]:
    """Name of a program -> its result, plus "facts"."""
    secret = folder / f"secret-{os.geteuid()}"
    secret.write_text(SECRET)
    name = f"suite-trying-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0" + name)
        abstract.listen()
        targets = {
            "SECRET": str(secret),
            "HOST_PID": str(os.getpid()),
            "PORT": str(server.getsockname()[1]),
            "NAME": name,
        }
        kept = os.environ.get("OPENAI_API_KEY")
        os.environ["OPENAI_API_KEY"] = SECRET
        sandbox = await open_sandbox(workers=2)
        found: dict[str, dict[str, object]] = {"facts": dict(sandbox.facts())}

        async def one(index: int) -> None:
            hostile = HOSTILE[index]
            files = {"program.py": PRELUDE + hostile.code}
            program = Program(("python3", "program.py"), files, env=targets, outputs=hostile.outputs)
            result = await sandbox.run(program, hostile.limits)
            found[hostile.name] = {
                "ended": result.ended,
                "code": result.exit_code,
                "signal": result.signal,
                "out": result.stdout[-4000:].decode("utf-8", "replace"),
                "err": result.stderr[-2000:].decode("utf-8", "replace"),
                "hits": list(result.hits),
                "leftovers": result.leftovers,
                "wall": result.wall_s,
                "cpu": result.cpu_s,
                "files": {key: len(value) for key, value in result.files_out.items()},
            }

        await asyncio.gather(*(one(index) for index in range(len(HOSTILE))))
        await sandbox.close()
        del os.environ["OPENAI_API_KEY"]
        if kept is not None:
            os.environ["OPENAI_API_KEY"] = kept
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(try_all(Path(sys.argv[1])))))
