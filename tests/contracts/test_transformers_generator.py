"""The transformers generator keeps the contract of every generator: in one batch, in small ones, with a template."""

from __future__ import annotations

from pathlib import Path

import pytest

from dreamgym_env.testing.generator_contract import TextGeneratorContract
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE, save_tiny_model
from dreamgym_env.world_model.generators.hf import TransformersGenerator


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


class TestTransformersGenerator(TextGeneratorContract):
    @pytest.fixture(autouse=True)
    def _model(self, folder: Path) -> None:
        self.folder = folder

    def make_generator(self) -> TransformersGenerator:
        return TransformersGenerator(self.folder, device="cpu")


class TestSmallBatches(TestTransformersGenerator):
    def make_generator(self) -> TransformersGenerator:
        return TransformersGenerator(self.folder, device="cpu", batch_tokens=100, prefill_tokens=50)


class TestChatModel(TestTransformersGenerator):
    @pytest.fixture(autouse=True)
    def _model(self, tmp_path: Path) -> None:
        self.folder = save_tiny_model(tmp_path, chat_template=CHAT_TEMPLATE)
