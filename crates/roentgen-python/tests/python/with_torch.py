"""What needs PyTorch; not among the tests that every run collects."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import roentgen
from roentgen.torch import FilmDataset, XrvModel


def test_a_data_set_has_films_and_labels_of_a_split(place):
    dataset = FilmDataset(place.prepared, "train", findings=["Effusion", "Hernia"], seed=3)
    prepared = roentgen.Prepared(place.prepared)
    rows = prepared.rows("train", seed=3)

    film, labels = dataset[5]
    assert len(dataset) == len(rows) and film.shape == (1, 64, 64)
    assert film.dtype == torch.float32 and labels.shape == (2,)
    assert torch.equal((film[0] * 255).round().byte(), torch.tensor(prepared.images[rows[5]]))
    with pytest.raises(ValueError, match="Cough"):
        FilmDataset(place.prepared, findings=["Cough"])


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_of_a_loader_share_the_films(place, context):
    dataset = FilmDataset(place.prepared)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=32, num_workers=2, multiprocessing_context=context
    )
    films = torch.cat([films for films, _ in loader])
    expected = torch.tensor(np.asarray(dataset.prepared.images)).float().div(255).unsqueeze(1)
    assert torch.equal(films, expected)


def test_an_xrv_model_has_the_numbers_of_predict(place, model):
    arrays = np.asarray(roentgen.Prepared(place.prepared).images[:4])
    films = torch.tensor(arrays).float().unsqueeze(1) / 255 * 2048 - 1024
    door = XrvModel(place.run)

    found = door(films)
    expected = roentgen.load(place.run, gate="off").predict(arrays)
    assert found.dtype == torch.float32 and door.pathologies == list(model.findings)
    assert np.array_equal(found.numpy(), expected.view(np.ndarray).astype(np.float32))
    with pytest.raises(ValueError, match="-1024..1024"):
        door(films * 2)
    with pytest.raises(ValueError, match=r"\[films, 1, height, width\]"):
        door(films[:, 0])
    with pytest.raises(ValueError, match="not finite"):
        door(torch.where(films > 500, torch.nan, films))


@pytest.mark.parametrize("high", ["0..1", "0..255"])
def test_films_of_another_scale_are_warned_of(place, high):
    arrays = np.asarray(roentgen.Prepared(place.prepared).images[:2])
    films = torch.tensor(arrays).float().unsqueeze(1)

    with pytest.warns(UserWarning, match=f"scale of films in {high}$"):
        XrvModel(place.run)(films / 255 if high == "0..1" else films)
