"""WebArena-Lite's own tasks: read without a download, and refused in a sentence where no deployment is named."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable

import gymnasium as gym
import pytest
from browsers import needs_browser

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.webarena.official import VARIABLES, deployment
from dreamgym_env.errors import KeywordError, MissingDependencyError, UnknownTaskError


def installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


needs_lite = pytest.mark.skipif(not installed("browsergym.webarenalite"), reason="needs browsergym-webarenalite")
needs_evaluators = pytest.mark.skipif(not installed("webarena"), reason="needs libwebarena, and what it imports")


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, f"http://{name.lower().replace('_', '-')}.test/")


@pytest.fixture
def unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@needs_lite
def test_there_are_165_and_they_keep_their_ids():
    domain = load_domain("webarena", sites="webarena")
    assert domain.splits() == ("test",)
    ids = domain.task_ids("test")
    assert len(ids) == 165 and ids[0] == "webarenalite.4"
    task = domain.task("webarenalite.4")
    assert task.instruction == "What are the top-3 best-selling product in Jan 2023"
    assert task.goal["task_id"] == 4 and task.goal["eval"]["eval_types"] == ["string_match"]
    assert "URL: __SHOPPING_ADMIN__" in task.initial_state
    with pytest.raises(UnknownTaskError, match=r"there are 165, such as 'webarenalite\.4'"):
        domain.task("webarena/test/0")


@needs_lite
def test_reading_them_imports_and_downloads_nothing():
    code = (
        "import sys\n"
        "from dreamgym_env.domains import load_domain\n"
        "load_domain('webarena', sites='webarena').task_ids('test')\n"
        "print(*(name for name in sys.modules if name.startswith(('nltk', 'browsergym.', 'playwright'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.usefixtures("unnamed")
def test_a_missing_variable_is_an_error_that_lists_all_seven(monkeypatch: pytest.MonkeyPatch):
    for given in range(len(VARIABLES)):
        with pytest.raises(MissingDependencyError) as caught:
            deployment()
        message = str(caught.value)
        assert f"of which {', '.join(VARIABLES[given:])} {'is' if given == 6 else 'are'} missing" in message
        assert f"set {', '.join(VARIABLES)} to" in message
        monkeypatch.setenv(VARIABLES[given], "http://x.test/")
    assert deployment()["__MAP__"] == "http://x.test"


@needs_browser
@pytest.mark.usefixtures("unnamed")
def test_making_the_environment_without_a_deployment_says_so():
    with pytest.raises(MissingDependencyError, match="seven environment variables"):
        gym.make("DreamGymReal/WebArenaLite-v0", sites="webarena")


def test_sites_that_are_none_are_refused():
    with pytest.raises(KeywordError, match="sites takes 'bundled' or 'webarena', not 'shopping'"):
        load_domain("webarena", sites="shopping")


@pytest.fixture
def page_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], object]:
    """Return what makes a task as the browser's process does, in this process."""
    from dreamgym_env.domains.webarena.official_page import OfficialPage

    def no_download(*arguments: object, **keywords: object) -> None:
        raise AssertionError("nothing may be downloaded")

    nltk = pytest.importorskip("nltk")
    monkeypatch.setattr(nltk, "download", no_download)
    return OfficialPage


@needs_lite
@needs_evaluators
@pytest.mark.usefixtures("named")
@pytest.mark.filterwarnings("ignore")
def test_its_evaluators_judge_recorded_answers_without_a_download(page_of: Callable[[int], object]):
    page = page_of(4)
    assert page.sites["__GITLAB__"] == "http://wa-gitlab.test"  # type: ignore[attr-defined]
    from browsergym.webarenalite.evaluators import StringEvaluator

    reference = load_domain("webarena", sites="webarena").task("webarenalite.4").goal["eval"]["reference_answers"]
    for answer, expected in (
        ("Impulse Duffle, Overnight Duffle and Hawkeye Yoga Short-32-Blue", 1.0),
        ("Impulse Duffle and Overnight Duffle", 0.0),
    ):
        scores = [StringEvaluator.must_include(ref=ref, pred=answer) for ref in reference["must_include"]]
        assert min(scores) == expected
    assert StringEvaluator.must_include(ref="4", pred="It is 14", tokenize=True) == 0.0
