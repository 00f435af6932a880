"""The errors that the library raises on purpose. Each message says what happened and what to do."""

from __future__ import annotations

from dreamgym_env.masking import mask_secrets

__all__ = [
    "BufferLockedError",
    "CollectionError",
    "ComparisonError",
    "CurriculumError",
    "DreamGymError",
    "ExperienceFormatError",
    "GameError",
    "InvalidActionError",
    "KeywordError",
    "MissingDependencyError",
    "PolicyError",
    "RecordingError",
    "ReplayBufferError",
    "ResetOptionError",
    "TrainingError",
    "UnknownDomainError",
    "UnknownTaskError",
    "WebTaskError",
    "WorldModelError",
    "WorldModelStringError",
]


class DreamGymError(Exception):
    """Base class of all of them; secrets in a message are masked (:func:`dreamgym_env.masking.mask_secrets`)."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(mask_secrets(arg) if isinstance(arg, str) else arg for arg in args))


class WorldModelError(DreamGymError):
    """The world model as a whole cannot answer: a server that stays away, a model that cannot be loaded."""


class WorldModelStringError(DreamGymError, ValueError):
    """A string that should name a world model or a text generator cannot be read; the message lists the forms."""


class CollectionError(DreamGymError):
    """Episodes cannot be collected: all who play them died, or nobody can be started; the message says what helps."""


class ComparisonError(DreamGymError, ValueError):
    """Two environments cannot be compared fairly; the message says why, and what to do."""


class CurriculumError(DreamGymError, ValueError):
    """A curriculum cannot be set up, told a result, or restored; the message says why, and what to do."""


class RecordingError(DreamGymError):
    """An environment cannot be recorded: its observations are no texts, or another recorder writes to the file."""


class PolicyError(DreamGymError):
    """A policy cannot be read, is one of another domain, or there is too little to learn it from."""


class ReplayBufferError(DreamGymError):
    """A replay buffer cannot be used: not a buffer, another schema version, another embedder, read-only."""


class BufferLockedError(ReplayBufferError):
    """Another process writes to the same folder."""


class ExperienceFormatError(DreamGymError):
    """A transitions file cannot be read; the message names the file and the line."""


class GameError(DreamGymError, ValueError):
    """A game of a real environment cannot be read or played; the message says which one, why, and what to do."""


class InvalidActionError(DreamGymError, TypeError):
    """An action is not a text, or not the number of a candidate where one is asked for."""


class KeywordError(DreamGymError, TypeError):
    """An environment was made with a keyword that it does not know, or with a value of the wrong type."""


class ResetOptionError(DreamGymError, ValueError):
    """``reset`` was given an option that it does not know or cannot read, such as a task whose goal lacks a member."""


class TrainingError(DreamGymError):
    """A model cannot be trained as asked; the message says why and which option helps."""


class UnknownDomainError(DreamGymError, ValueError):
    """No such domain; the message lists what there is."""


class UnknownTaskError(DreamGymError, ValueError):
    """No such task or split; the message lists what there is."""


class WebTaskError(DreamGymError, ValueError):
    """A task on web sites cannot be read; the message says what is missing or unknown."""


class MissingDependencyError(DreamGymError, ImportError):
    """An optional package is missing; the message says what to install."""
