"""The stories: each YAML file beside this one, played on both platforms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.document import read_story
from tests.stories.teller import tell

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_everybody_sees_what_the_story_says(path: Path, tmp_path: Path, sqlite_url: str) -> None:
    tell(read_story(path), tmp_path, sqlite_url)
