"""Write the JSON Schemas that are made from types into `registry/schemas/`: `python .ci/own_schemas.py`.

Run it after a change to a document's type; tests hold the files to the types.
"""

import json
from pathlib import Path

from suite.board.bundle import submission
from suite.board.define import board
from suite.board.entry import verification
from suite.board.site import board_data
from suite.chat import Json
from suite.journal.schemas import own_schemas
from suite.models.prices import json_schema

SCHEMAS = Path(__file__).resolve().parents[1] / "registry" / "schemas"


def write(made: dict[str, Json]) -> None:
    """One schema, into the file that its `$id` names."""
    name = str(made["$id"]).removeprefix("suite:") + ".json"
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    if json.loads((SCHEMAS / name).read_text()) != made:
        (SCHEMAS / name).write_text(text)
        print(name)


if __name__ == "__main__":
    write(json_schema())
    for schema in own_schemas():
        write(schema)
    for module in (submission, verification, board, board_data):
        write(module.json_schema())
