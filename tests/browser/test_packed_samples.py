"""Bytes as they stand in a page's elements, read by Chromium: what HTML could change comes back as it was."""

import base64
from pathlib import Path

import pytest
from chromium import CHROMIUM, browser

from suite.report.viewer.embedding import OPENING, dense, viewer_script

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
READ = """window.packed = () => [...document.querySelectorAll("script[data-source]")].map(
  (one) => btoa(Array.from(fromDense(one.textContent), (byte) => String.fromCharCode(byte)).join("")));"""


async def test_every_pair_of_bytes_and_of_characters_comes_back(tmp_path: Path) -> None:
    sevens = "".join(f"{first:07b}{second:07b}" for first in range(128) for second in range(128))
    bodies = [
        bytes(byte for first in range(256) for second in range(256) for byte in (first, second)),
        int(sevens, 2).to_bytes(len(sevens) // 8, "big"),
        int(sevens[7:] + "0" * 7, 2).to_bytes(len(sevens) // 8, "big"),  # each at the other place
        *(bytes([last]) for last in range(256)),
        *(b"\xff" * 6 + bytes([last]) for last in range(256)),  # whole sevens, the last of each kind
    ]
    text = "".join(f'{OPENING}x">{dense(body)}</script>' for body in bodies)
    script = viewer_script(("source",), READ)
    path = tmp_path / "page.html"
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><body>{text}<script>{script}</script></body>'
    )
    path.write_bytes(html.encode())
    async with browser(tmp_path / "profile") as page:
        await page.open(path.as_uri())
        found = await page.run("window.packed()")
    assert [base64.b64decode(one) for one in found] == bodies
