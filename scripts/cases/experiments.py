"""Lines that people carry over from PyTorch's and Keras' recipes into an experiment file.

https://github.com/ekagra-ranjan/AE-CNN/issues/4, https://github.com/sktime/pytorch-forecasting/pull/781
"""

REFUSED = {
    # What the program does not know, in tables with a name and in all others.
    "adam's lr": 'optimizer = { name = "adam", lr = 0.1 }',
    "a misspelled decay": 'optimizer = { name = "adam", wieght_decya = "yes" }',
    "adadelta's rho": 'optimizer = { name = "adadelta", rho = 0.5 }',
    "adagrad's decay": 'optimizer = { name = "adagrad", weight_decay = 0.1 }',
    "sgd's dampening": 'optimizer = { name = "sgd", momentum = 0.9, dampening = 0.1 }',
    "adamw's amsgrad": 'optimizer = { name = "adamw", amsgrad = true }',
    "nesterov without momentum": 'optimizer = { name = "sgd", nesterov = true }',
    "a third beta": 'optimizer = { name = "adamw", betas = [0.9, 0.99, 0.999] }',
    "a beta of 1": 'optimizer = { name = "adam", betas = [0.9, 1.0] }',
    "a negative decay": 'optimizer = { name = "adam", weight_decay = -0.1 }',
    "an epsilon of 0": 'optimizer = { name = "adam", epsilon = 0.0 }',
    "a decay that is nan": 'optimizer = { name = "sgd", momentum = 0.9, weight_decay = nan }',
    "a decay as text": 'optimizer = { name = "adam", weight_decay = "1e-4" }',
    "a name alone": 'optimizer = "adam"',
    "another optimizer": 'optimizer = { name = "lamb" }',
    "constant's warmup": 'schedule = { name = "constant", warmup = 0.3 }',
    "cosine's typing error": 'schedule = { name = "cosine", warm_up = 0.3 }',
    "plateau's mode": 'schedule = { name = "reduce-on-plateau", factor = 0.1, patience = 5, floor = 0.0, mode = "min" }',
    "plateau without a floor": 'schedule = { name = "reduce-on-plateau", factor = 0.1, patience = 5 }',
    "one-cycle's div_factor": 'schedule = { name = "one-cycle", div_factor = 25 }',
    "early stopping's mode": 'early_stopping = { patience = 3, mode = "min" }',
    "patience of 0": "early_stopping = { patience = 0 }",
    "a key twice": "epochs = 2",
    "lr": "lr = 0.1",
    "half an epoch": "micro_batch_size = 2.5",
    "a negative rate": "learning_rate = -1e-3",
    "a rate that is inf": "learning_rate = inf",
    "a phase's optimizer": '[[train.phases]]\nepochs = 1\noptimizer = { name = "sgd" }',
    "an augmentation's typing error": "[image]\naugment = { flips = true }",
    "a sample's seed": "[data2]\nx = 1",
    "a table that is not there": "[trian]\nepochs = 1",
}

TAKEN = {
    "adam": 'optimizer = { name = "adam" }',
    "adam's decay": 'optimizer = { name = "adam", weight_decay = 0.5 }',
    "adam's betas": 'optimizer = { name = "adam", betas = [0.9, 0.99], epsilon = 1e-8 }',
    "adamw's betas": 'optimizer = { name = "adamw", betas = [0.9, 0.99] }',
    "nesterov": 'optimizer = { name = "sgd", momentum = 0.9, nesterov = true }',
    "sgd's decay": 'optimizer = { name = "sgd", momentum = 0.9, weight_decay = 1e-4 }',
}


def check(program):
    program.films(60)
    for what, line in REFUSED.items():
        program.experiment("e.toml", line + "\n")
        for command in (["show", "e.toml"], ["train", "e.toml", "--out", "refused"]):
            program.refused(what, program.run(*command), "e.toml")
    program.expect("nothing was begun", not (program.folder / "refused").exists())

    losses = {}
    for number, (what, line) in enumerate(TAKEN.items()):
        program.experiment("e.toml", line + "\n")
        program.ok("train", "e.toml", "--out", f"run-{number}")
        (row,) = program.rows(f"run-{number}/epochs.csv")
        losses[what] = row["train_loss"], row["valid_loss"]
    program.expect("each setting has an effect", len(set(losses.values())) == len(TAKEN), losses)

    # A byte order mark, which Windows' editor leaves.
    program.experiment("e.toml")
    text = (program.folder / "e.toml").read_text()
    (program.folder / "bom.toml").write_text("\ufeff" + text, encoding="utf-8")
    (program.folder / "utf16.toml").write_text(text, encoding="utf-16")
    (program.folder / "crlf.toml").write_bytes(text.replace("\n", "\r\n").encode())
    shown = program.ok("show", "e.toml").out
    program.expect("a byte order mark changes nothing", program.ok("show", "bom.toml").out == shown)
    program.expect("line ends change nothing", program.ok("show", "crlf.toml").out == shown)
    program.refused("UTF-16", program.run("show", "utf16.toml"), "UTF-16")

    # A sweep over a key that is not there is refused before its first point.
    rest = "[sweep.product]\n"
    for what, line in [
        ("a sweep over adadelta's rho", "train.optimizer.rho = [0.1, 0.2]"),
        ("a sweep over a typing error", "train.learningrate = [0.1, 0.2]"),
    ]:
        program.experiment("s.toml", f'optimizer = {{ name = "adadelta" }}\n{rest}{line}\n')
        program.refused(what, program.run("sweep", "s.toml", "--out", "sweep"), "sweep")
        runs = list(program.folder.glob("sweep/points/*/run"))
        program.expect(f"{what} has run nothing", not runs, runs)
    program.experiment("s.toml", f'optimizer = {{ name = "adam" }}\n{rest}train.optimizer.weight_decay = [0.0, 0.9]\n')
    program.ok("sweep", "s.toml", "--out", "decays")
    rows = program.rows("decays/comparison.csv")
    program.expect("a sweep over adam's decay differs", len({row["valid_loss"] for row in rows}) == 2, rows)
