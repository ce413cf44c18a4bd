"""Tests of files of Keras, where h5py is installed; Keras itself is not needed."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.cli import decode, encode
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import hdf5
from nnr_conformance.frameworks.description import from_json

h5py = pytest.importorskip("h5py", reason="needs the extra hdf5")

CONFIG = json.dumps({"class_name": "Sequential", "config": {"name": "net"}})


def weights_file() -> bytes:
    """Weights in the layout of Keras 3."""
    random = np.random.default_rng(0)
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("layers/dense/vars/0", data=random.standard_normal((3, 4)).astype(np.float32))
        file.create_dataset("layers/dense/vars/1", data=random.standard_normal(4).astype(np.float32))
        file.create_dataset("layers/norm/vars/0", data=random.standard_normal(4).astype(np.float16))
        file.create_dataset("optimizer/vars/0", data=np.int64(12))
        file.create_group("layers/dropout/vars")
        file["layers/dense"].attrs["name"] = "dense"
    return out.getvalue()


def old_file() -> bytes:
    """A model in the layout of Keras 2: the configuration in attributes, byte strings as names."""
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["model_config"] = CONFIG
        file.attrs["keras_version"] = np.bytes_(b"2.3.1")
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"dense", b"dropout"])
        group.attrs["texts"] = np.array(["a", "bc"], dtype=h5py.string_dtype())
        group.attrs["numbers"] = np.array([[1.5, 2.0]])
        group.create_dataset("dense/dense/kernel:0", data=np.arange(6, dtype=">f4").reshape(2, 3))
        group["dense"].attrs["weight_names"] = np.array([b"dense/kernel:0"])
    return out.getvalue()


def keras_file() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        archive.writestr("config.json", CONFIG)
        archive.writestr("model.weights.h5", weights_file())
        archive.writestr("assets/vocabulary.bin", b"\xff\x00")
    return out.getvalue()


def content(data: bytes) -> dict[str, object]:
    """Groups, variables and attributes of a file."""
    found: dict[str, object] = {}

    def note(path: str, item: object) -> None:
        value = item[()] if isinstance(item, h5py.Dataset) else None
        found[path] = (
            None if value is None else (np.asarray(value).dtype.newbyteorder("="), np.asarray(value).tolist()),
            {
                name: (type(one), np.asarray(one).dtype.kind, np.asarray(one).tolist())
                for name, one in item.attrs.items()
            },
        )

    with h5py.File(io.BytesIO(data)) as file:
        note("", file)
        file.visititems(note)
    return found


@pytest.mark.parametrize("make", [weights_file, old_file])
def test_groups_variables_and_attributes_come_back_exactly(make) -> None:
    parts = hdf5.split(make())
    again = hdf5.merge(parts.topology, parts.tensors, archive=False)
    assert content(again) == content(make())


def test_an_archive_comes_back_with_its_configuration() -> None:
    parts = hdf5.split(keras_file())
    again = hdf5.merge(parts.topology, parts.tensors, archive=True)
    with zipfile.ZipFile(io.BytesIO(again)) as new, zipfile.ZipFile(io.BytesIO(keras_file())) as old:
        assert new.namelist() == old.namelist()
        for name in old.namelist():
            if name != "model.weights.h5":
                assert new.read(name) == old.read(name)
        assert content(new.read("model.weights.h5")) == content(old.read("model.weights.h5"))


def test_variables_are_tensors_by_their_paths() -> None:
    parts = hdf5.split(weights_file())
    assert set(parts.tensors) == {"layers/dense/vars/0", "layers/dense/vars/1", "layers/norm/vars/0"}
    kept = {one.name for one in from_json("hdf5", parts.topology).arrays if one.data is not None}
    assert kept == {"optimizer/vars/0"}


def test_what_was_an_archive_is_written_as_one() -> None:
    for make, archive in ((keras_file, False), (weights_file, True)):
        parts = hdf5.split(make())
        with pytest.raises(UsageError, match="keras"):
            hdf5.merge(parts.topology, parts.tensors, archive=archive)


def test_variables_in_other_files_and_links_to_them_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    outside = tmp_path / "m.h5"
    with h5py.File(outside, "w") as file:
        file.create_dataset("w", (4,), "f4", external=[(str(tmp_path / "secret.bin"), 0, 16)])
    with pytest.raises(UsageError, match="other files"):
        hdf5.split(outside.read_bytes())
    with h5py.File(outside, "w") as file:
        file.create_dataset("w", data=np.zeros(3, np.float32))
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/w")
        file["soft"] = h5py.SoftLink("/w")
    assert set(hdf5.split(outside.read_bytes()).tensors) == {"w"}


def test_variables_larger_than_the_file_can_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(64, 64))
    with pytest.raises(UsageError, match="more than the file"):
        hdf5.split(path.read_bytes())


@pytest.mark.parametrize(
    "data",
    [b"", b"no file", weights_file()[:1000], keras_file()[:500], b"PK\x05\x06" + bytes(18)],
    ids=["nothing", "text", "cut", "cut archive", "empty archive"],
)
def test_what_is_no_model_is_refused_with_a_word(data: bytes) -> None:
    with pytest.raises(UsageError):
        hdf5.split(data)


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"attributes": 3},
        {"attributes": {"": {"a": {"dtype": "O", "shape": [], "data": ""}}}},
        {"attributes": {"": {"a": 3}}},
    ],
)
def test_a_topology_that_makes_no_file_is_refused(extra: dict) -> None:
    data = json.dumps({"nnr_topology": "hdf5", "version": 1, "arrays": [], **extra}).encode()
    with pytest.raises(UsageError):
        hdf5.merge(data, {}, archive=False)


@pytest.mark.parametrize(("name", "make"), [("m.h5", weights_file), ("m.keras", keras_file)])
def test_the_commands_take_and_give_files_of_keras(tmp_path: Path, name: str, make) -> None:
    model, stream, again = tmp_path / name, tmp_path / "s.nnr", tmp_path / f"again-{name}"
    model.write_bytes(make())
    assert encode.main([str(model), "-o", str(stream), "-q", "--raw"]) == 0
    assert decode.main([str(stream), "-o", str(again), "-q"]) == 0
    before, after = hdf5.split(make()), hdf5.split(again.read_bytes())
    assert after.topology == before.topology
    assert all(np.array_equal(after.tensors[one], before.tensors[one]) for one in before.tensors)
