"""The registry entries, bundled and official, read as the suite reads them."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from suite_vibechecker.rows import BigRow, LiveRow
from suite_vibechecker.task import Big, Live

PACKAGE = Path(str(files("suite_vibechecker")))
REGISTRY = Path(__file__).parents[3] / "registry"


@pytest.mark.parametrize("kind", ["big", "live"])
def test_mini_rows_fit_the_schema_of_the_published_data(kind: str) -> None:
    entry = yaml.safe_load((PACKAGE / f"registry/datasets/vibechecker-{kind}-mini.yaml").read_text("utf-8"))
    schema = json.loads((REGISTRY / "schemas" / f"vibechecker-{kind}.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    text = (PACKAGE / entry["source"]["folder"] / entry["parts"]["train"]["pattern"]).read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == entry["parts"]["train"]["rows"] == 11
    for row in rows:
        validator.validate(row)
        (BigRow if kind == "big" else LiveRow).model_validate(row)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**rows[0], "instruction_list": [{"instruction_idx": ""}]})


@pytest.mark.parametrize("task", [Big, Live])
def test_tasks_name_entries_that_exist(task: type[Big] | type[Live]) -> None:
    for name in task.info.datasets:
        assert (REGISTRY / "datasets" / f"{name}.yaml").is_file()
        assert (PACKAGE / "registry" / "datasets" / f"{task.info.mini[name]}.yaml").is_file()


@pytest.mark.parametrize("name", ["vibechecker-big", "vibechecker-live", "vericode"])
def test_official_entries_say_how_many_rows_are_published(name: str) -> None:
    text = yaml.safe_load((REGISTRY / "datasets" / f"{name}.yaml").read_text("utf-8"))
    rows = {"vibechecker-big": 1140, "vibechecker-live": 1055, "vericode": 30}
    assert text["parts"]["train"]["rows"] == rows[name]
    assert text["source"]["repo"] == "MingZhong/SWE-IF"
