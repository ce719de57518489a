"""Heat maps are those of the program."""

from __future__ import annotations

import numpy as np
import pytest

import roentgen


def test_the_attention_mask_is_one_for_all_findings_and_drawn_over_the_film(place, model):
    explained = model.explain(place.paths[:3], ["Effusion", "Cardiomegaly"])

    assert [one.method for one in explained] == ["attention"] * 3
    first = explained[0]
    assert list(first.maps) == ["Effusion", "Cardiomegaly"]
    mask = first.maps["Effusion"]
    assert mask.dtype == np.float32 and mask.shape == (2, 2)
    assert (mask == first.maps["Cardiomegaly"]).all() and 0 <= mask.min() <= mask.max() <= 1
    assert first.film.shape == (64, 64)
    overlay = first.overlay("Effusion")
    assert overlay.shape == (64, 64, 3) and overlay.dtype == np.uint8
    assert (overlay != first.film[..., None]).any()
    found = model.predict(place.paths[:3])
    assert first.probabilities == dict(zip(model.findings, found[0]))


def test_a_method_of_one_finding_gives_each_its_own_map(place, model):
    findings = ["Effusion", "Infiltration"]
    explained = model.explain(place.paths[0], findings, method="occlusion")

    effusion, infiltration = explained[0].maps.values()
    assert (effusion != infiltration).any()
    grad_cam = model.explain(place.paths[:5], findings, method="grad-cam")
    assert all(heat.min() >= 0 for one in grad_cam for heat in one.maps.values())
    with pytest.raises(ValueError, match="name one of"):
        explained[0].overlay()


def test_without_findings_the_called_ones_are_explained_or_the_most_probable(place, model):
    films = place.paths[:24]
    found = model.predict(films)
    for row, one in enumerate(model.explain(films)):
        called = [f for f, call in zip(model.findings, found.calls[row]) if call == 1]
        assert list(one.maps) == (called or [model.findings[int(found[row].argmax())]])


def test_a_method_or_finding_that_the_model_does_not_have_is_refused(place, model):
    with pytest.raises(roentgen.RoentgenError, match="it allows `attention`"):
        model.explain(place.paths[0], method="cam")
    assert "cam" not in model.methods and "occlusion" in model.methods
    with pytest.raises(ValueError, match="no finding Hernia"):
        model.explain(place.paths[0], "Hernia")
    with pytest.raises(ValueError, match="unknown method `gradcam`"):
        model.explain(place.paths[0], method="gradcam")
    assert model.explain([]) == []
