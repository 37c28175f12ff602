"""`suite submit place`: a bundle put where its board's repository takes it, as a pull request brings it.

One new folder with what a submitter may write there and nothing else: submission.json, the bundle or where it
lies, a README. What verification leaves is written by `accepting`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from suite.board.accepting import check_room, keep_bundle, open_submission, shelf_for
from suite.board.entry import RECORD
from suite.board.fetching import check_urls
from suite.board.submission import README, SUBMISSION
from suite.errors import ConfigError
from suite.files import write_whole


def place(bundle: Path, root: Path, *, board: str = "", urls: Sequence[str] = ()) -> Path:
    """Write the folder of a submission into a clone of the board's repository; the folder.

    urls: where the bundle lies, needed for one that is too large to be kept. Raises BundleError for no
    bundle, ConfigError for another board's, an address that the board does not fetch from, or a folder that
    exists.
    """
    opened = open_submission(bundle)
    shelf = shelf_for(root, board, opened.board)
    folder = shelf.submissions / opened.folder
    if folder.exists():
        known = "it is on the board" if (folder / RECORD).exists() else "remove it to write it anew"
        raise ConfigError(f"{folder.name} exists", where=str(folder), fix=known)
    check_urls(urls, shelf.board.hosts)
    check_room(bundle, urls)
    folder.mkdir(parents=True)
    try:
        write_whole(folder / SUBMISSION, [opened.raw])
        if opened.readme:
            write_whole(folder / README, [opened.readme.encode()])
        keep_bundle(bundle, folder, urls)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder
