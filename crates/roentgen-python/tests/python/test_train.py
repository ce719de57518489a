"""Training tells what happens and can be stopped."""

from __future__ import annotations

import pytest

import roentgen


def test_progress_sees_every_step_and_epoch(place, tmp_path):
    events = []
    outcome = roentgen.train(
        place.experiment,
        tmp_path / "run",
        settings={"train.epochs": 2, "train.optimizer": {"name": "adam"}},
        progress=events.append,
    )

    kinds = [event.kind for event in events]
    assert kinds[0] == "started" and kinds[-1] == "epoch"
    started = events[0].values
    assert kinds.count("step") == 2 * started["steps"] and started["epochs"] == 2
    losses = {of.values["epoch"]: of.values["valid_loss"] for of in events if of.kind == "epoch"}
    assert outcome.finished and outcome.best["valid_loss"] == losses[outcome.best["epoch"]]
    assert roentgen.load(outcome.run).findings == ("Cardiomegaly", "Effusion", "Infiltration")


def test_a_run_that_was_stopped_resumes_to_the_same_weights(place, tmp_path):
    run = tmp_path / "run"

    def stop(event):
        return not (event.kind == "step" and event.values["step"] == 3)

    outcome = roentgen.train(place.experiment, run, progress=stop)
    assert not outcome.finished and outcome.best is None
    assert roentgen.train(place.experiment, run, resume=True).finished
    same = (run / "model.bpk").read_bytes() == (place.run / "model.bpk").read_bytes()
    assert same


def test_an_exception_of_progress_saves_the_run_and_is_raised(place, tmp_path):
    def fail(event):
        if event.kind == "step" and event.values["step"] == 2:
            raise ZeroDivisionError("enough")

    with pytest.raises(ZeroDivisionError, match="enough"):
        roentgen.train(place.experiment, tmp_path / "run", progress=fail)
    assert roentgen.train(place.experiment, tmp_path / "run", resume=True).finished


def test_a_wrong_experiment_names_its_key(place, tmp_path):
    with pytest.raises(roentgen.RoentgenError, match="train.epoch"):
        roentgen.train(place.experiment, tmp_path / "run", settings=["train.epoch=1"])
    with pytest.raises(roentgen.RoentgenError, match="absent.toml"):
        roentgen.train("absent.toml", tmp_path / "run")
    assert not (tmp_path / "run").exists()
