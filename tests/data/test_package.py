"""The package's names, each imported when it is asked for."""

import subprocess
import sys

import pytest

import facesr_lib.data


def test_every_name_of_the_stub_is_there_and_comes_from_the_package() -> None:
    names = dir(facesr_lib.data)
    assert {"ImageSet", "load_faces", "FREE_STYLES"} <= set(names)
    found = [getattr(facesr_lib.data, name) for name in names]
    assert all(getattr(thing, "__module__", "facesr_lib.data").startswith("facesr_lib.data") for thing in found)


def test_an_unknown_name_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match=r"module 'facesr_lib\.data' has no attribute 'load_cats'"):
        facesr_lib.data.load_cats  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="load_cats"):
        from facesr_lib.data import load_cats  # type: ignore[attr-defined]  # noqa: F401


def test_a_single_module_comes_without_torch() -> None:
    script = "import sys; from facesr_lib.data import PackedWriter; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
