"""Drives Chromium over its debugging socket: real keys and clicks, what the console says, pictures.

`chromium()` starts one browser for a module of tests, `tab()` opens a page of it; `browser()` does both for
one test. What every page promises is in `inspections.py`.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0",
)  # fmt: skip
PATIENCE_S = 120.0  # on a busy machine a browser is slow
KEYS = {
    "Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "/": 191,
}  # fmt: skip
# runs before a page's own script; the page's policy does not bind it
WATCH = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refusedByPolicy.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


class Page:
    """One page. said: messages of the console and violations of the policy; asked: addresses requested."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()
        self.said: list[str] = []
        self.asked: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            got = json.loads(message.data)
            if "id" in got:
                self._answers.pop(got["id"]).set_result(got)
            elif got["method"] == "Log.entryAdded":
                self.said.append(got["params"]["entry"]["text"])
            elif got["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.said.append(json.dumps(got["params"])[:500])
            elif got["method"] == "Network.requestWillBeSent":
                self.asked.append(got["params"]["request"]["url"])
            elif got["method"] == "Page.loadEventFired":
                self._loaded.set()

    async def send(self, method: str, **values: Any) -> Any:
        self._number += 1
        future = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": values})
        got = await asyncio.wait_for(future, PATIENCE_S)
        assert "error" not in got, (method, got)
        return got["result"]

    async def open(self, url: str) -> None:
        """Load a page anew, also where only the hash of its address is another."""
        if url.partition("#")[0] == (await self.run("location.href")).partition("#")[0]:
            await self._go("about:blank")
        await self._go(url)
        await asyncio.sleep(0.1)

    async def _go(self, url: str) -> None:
        self._loaded.clear()
        await self.send("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), PATIENCE_S)

    async def reload(self) -> None:
        """Load the page again, in the process that has it."""
        self._loaded.clear()
        await self.send("Page.reload")
        await asyncio.wait_for(self._loaded.wait(), PATIENCE_S)

    async def run(self, script: str) -> Any:
        got = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    async def until(self, script: str) -> None:
        for _ in range(int(PATIENCE_S / 0.05)):
            if await self.run(script):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {script}; console: {self.said}")

    async def violations(self) -> list[str]:
        """What the policy of this page refused since it was opened."""
        found: list[str] = await self.run("window.refusedByPolicy ?? []")
        return found

    async def press(self, key: str) -> None:
        """Press a key: one of KEYS or a letter."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        more = {"text": text} if text else {}
        code = KEYS.get(key) or ord(key.upper())
        for kind in ("keyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                **(more if kind == "keyDown" else {}),
            )  # fmt: skip

    async def type(self, text: str) -> None:
        await self.send("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        """Click where the first element that fits is drawn, as a hand would."""
        box = await self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            "found.scrollIntoView({block: 'center'}); const box = found.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1
            )

    async def picture(self, path: Path, most_height: int = 0, top: float = 0) -> None:
        """A picture of what is seen, or of the page from top pixels on, at most most_height of them."""
        more: dict[str, Any] = {}
        if most_height:
            size = (await self.send("Page.getLayoutMetrics"))["cssContentSize"]
            height = min(size["height"] - top, most_height)
            clip = {"x": 0, "y": top, "width": size["width"], "height": height, "scale": 1}
            more = {"captureBeyondViewport": True, "clip": clip}
        got = await self.send("Page.captureScreenshot", format="png", **more)
        path.write_bytes(base64.b64decode(got["data"]))

    async def look(
        self,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
        paper: bool = False,
    ) -> None:
        """How the page is looked at: the window, the colour scheme, without script, as it is printed."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", media="print" if paper else "", features=scheme)
        await self.send("Emulation.setScriptExecutionDisabled", value=not script)


@contextmanager
def chromium(profile: Path, more: Sequence[str] = ()) -> Iterator[int]:
    """A fresh browser, as the port of its debugging socket."""
    command = [str(CHROMIUM), *FLAGS, *more, f"--user-data-dir={profile}", "about:blank"]
    with TemporaryDirectory() as scratch:  # it leaves a socket there
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"TMPDIR": scratch},
        )
        try:
            yield _port(profile / "DevToolsActivePort")
        finally:
            process.terminate()
            process.wait()


@asynccontextmanager
async def tab(port: int) -> AsyncIterator[Page]:
    """A new page of a running browser, closed at the end."""
    address = f"http://127.0.0.1:{port}/json"
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{address}/new?about:blank") as answer:
            target = await answer.json(content_type=None)
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            page = Page(socket)
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.send(f"{domain}.enable")
            await page.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            await page.look()
            yield page
            page._reading.cancel()
        async with session.get(f"{address}/close/{target['id']}") as answer:
            await answer.read()


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """A page of a fresh browser."""
    with chromium(profile) as port:
        async with tab(port) as page:
            yield page


def _port(file: Path) -> int:
    for _ in range(int(PATIENCE_S / 0.05)):
        if file.is_file() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")
