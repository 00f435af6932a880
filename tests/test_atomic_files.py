"""Promises of files that are written wholly or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dreamgym_env.atomic_files import write_atomically


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_into_a_new_folder_and_over_an_old_one(tmp_path):
    path = tmp_path / "deep" / "out.txt"
    for text in ("one", "zwei: \u00fc"):
        write_atomically(path, text)
        assert path.read_text(encoding="utf-8") == text
    path.chmod(0o640)
    write_atomically(path, "three")
    assert path.stat().st_mode & 0o777 == 0o640
    assert names_in(path.parent) == ["out.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_breaks_off_leaves_the_old_file(tmp_path, monkeypatch, error):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def broken(self, target):
        raise error

    monkeypatch.setattr("pathlib.Path.replace", broken)
    with pytest.raises(error):
        write_atomically(path, "new")
    assert path.read_text() == "old" and names_in(tmp_path) == ["out.txt"]


def test_links_and_pipes_stay_what_they_are(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink() and target.read_text() == "new"
    reader, writer = os.pipe()
    with os.fdopen(reader) as read:
        write_atomically(Path(f"/dev/fd/{writer}"), "through")
        os.close(writer)
        assert read.read() == "through"


def test_halves_of_characters_are_what_json_calls_them(tmp_path):
    path = tmp_path / "out.json"
    write_atomically(path, json.dumps({"page": "\ud800"}, ensure_ascii=False))
    assert json.loads(path.read_text(encoding="utf-8")) == {"page": "\ud800"}
