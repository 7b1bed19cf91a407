"""A sentence for every class and path; a heartbeat that is the entropy of the classes."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.accountant import Decision, EeFrame, Path, Stability, account
from entro_nb.entropy import shannon
from entro_nb.spokesperson import Heartbeat, sentence


def frame(stability: Stability, velocity: float | None = 0.1, confidence: float = 1.0) -> EeFrame:
    return EeFrame(9, 0.0, 3.0, 0.75, velocity, None, None, confidence, stability)


@pytest.mark.parametrize(("stability", "path"), list(itertools.product(Stability, Path)))
def test_every_class_and_path_is_one_plain_sentence(stability: Stability, path: Path) -> None:
    text = sentence("Wikipedia", frame(stability), Decision(path, "why"))
    assert text.startswith("Wikipedia ")
    assert text.endswith(".")
    assert text.count(".") == 1
    assert "75 %" in text
    for word in (stability.name, path.name, "entropy", "H", "None", "nan"):
        assert word not in text.split()


def test_no_two_classes_and_no_two_paths_sound_the_same() -> None:
    texts = {
        sentence("X", frame(s), Decision(p, "")) for s, p in itertools.product(Stability, Path)
    }
    assert len(texts) == len(Stability) * len(Path)


def test_direction_and_doubt_are_said_where_they_matter() -> None:
    def say(*arguments: object) -> str:
        return sentence("X", frame(*arguments), Decision(Path.PAUSE, ""))  # type: ignore[arg-type]

    assert "rising" in say(Stability.DRIFTING, 0.2)
    assert "falling" in say(Stability.DRIFTING, -0.2)
    assert "level" in say(Stability.DRIFTING, 0.0)
    assert "rising" not in say(Stability.STABLE, 0.2)
    assert "(confidence 40 %)" in say(Stability.UNKNOWN, None, 0.4)
    assert "confidence" not in say(Stability.STABLE, 0.2, 1.0)


def test_an_alarm_is_told_in_the_sentence() -> None:
    calm = replace(frame(Stability.STABLE), surprisal=3.0, p_value=0.4, score=0.0, alarm=False)
    loud = replace(calm, sequence=5000, surprisal=11.0, p_value=0.0005, score=12.0, alarm=True)
    go_on = Decision(Path.PROCEED, "")
    text = sentence("X", loud, go_on)
    assert "; alarm, a value so unlikely comes once in 2000; carry on." in text
    assert text.count(".") == 1
    assert sentence("X", calm, go_on) == sentence("X", frame(Stability.STABLE), go_on)


@given(st.lists(st.sampled_from(list(Stability)), max_size=60), st.integers(2, 20))
def test_heartbeat_is_the_entropy_of_the_recent_classes(
    labels: list[Stability], window: int
) -> None:
    heartbeat = Heartbeat(window=window, limit=1.0)
    for label in labels:
        heartbeat.hear(label)
    known = [label for label in labels if label is not Stability.UNKNOWN][-window:]
    if not known:
        assert heartbeat.beat.entropy == 0.0
        return
    counts = Counter(known)
    expected = shannon([counts[s] / len(known) for s in Stability])
    assert heartbeat.beat.entropy == pytest.approx(float(expected), abs=1e-12)
    assert heartbeat.beat.unsteady == (heartbeat.beat.entropy > 1.0)
    assert counts[heartbeat.beat.commonest] == max(counts.values())


def test_a_stationary_stream_keeps_a_steady_heartbeat() -> None:
    labels = account(np.random.default_rng(3).standard_normal(20_000)).stability.values
    heartbeat = Heartbeat()
    beats = [heartbeat.hear(Stability(int(s))) for s in labels]
    assert np.mean([beat.unsteady for beat in beats]) < 0.01
    assert heartbeat.beat.commonest is Stability.STABLE
