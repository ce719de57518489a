"""A sweep's journal, read and continued by Optuna.

https://github.com/optuna/optuna/issues/4485
"""

import datetime
import shutil
import warnings


def check(program):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    program.films()
    sweeps = {
        "grid": '[sweep]\ntitle = "Röntgen grid"\n[sweep.product]\ntrain.batch_size = [8, 16]\n'
                "image.augment = [{ flip = true }, { rotate = 5.0 }]\n",
        "random": '[sweep.search]\nmethod = "random"\npoints = 3\nseed = 3\n[sweep.search.space]\n'
                  "train.learning_rate = { low = 1e-5, high = 1e-2, log = true }\n"
                  'model.pool = ["average", "attention"]\n',
        "fails": "[sweep.product]\ntrain.learning_rate = [1e-3, 1e30]\n",
    }
    for name, rest in sweeps.items():
        program.experiment(f"{name}.toml", rest)
        began = datetime.datetime.now() - datetime.timedelta(seconds=2)
        answer = program.run("sweep", f"{name}.toml", "--out", name)
        program.expect(f"{name} ran", answer.code == (1 if name == "fails" else 0), answer)
        copy = program.folder / f"{name}.log"
        shutil.copy(program.folder / name / "optuna.log", copy)
        storage = JournalStorage(JournalFileBackend(str(copy)))
        (study,) = [optuna.load_study(study_name=one, storage=storage) for one in optuna.get_all_study_names(storage)]
        trials = study.trials
        times = [time for trial in trials for time in (trial.datetime_start, trial.datetime_complete) if time]
        program.expect(f"{name}: times are local, without an offset", all(time.tzinfo is None for time in times), times)
        now = datetime.datetime.now() + datetime.timedelta(seconds=2)
        program.expect(f"{name}: times are those of the run", all(began <= time <= now for time in times), times)
        complete = [trial for trial in trials if trial.value is not None]
        durations = [trial.duration.total_seconds() for trial in complete]
        program.expect(f"{name}: durations", all(0 < duration < 600 for duration in durations), durations)
        program.expect(f"{name}: best", study.best_trial.value == min(trial.value for trial in complete))
        if name == "fails":
            states = sorted(trial.state.name for trial in trials)
            program.expect("a failed point has failed", states == ["COMPLETE", "FAIL"], states)
        first = trials[0]

        def objective(trial):
            for key, distribution in first.distributions.items():
                trial._suggest(key, distribution)
            return 1.0

        study.optimize(objective, n_trials=2)
        program.expect(f"{name}: continued", len(study.trials) == len(trials) + 2)
        order = sorted(study.trials, key=lambda trial: trial.datetime_start)
        program.expect(f"{name}: new trials come last", order[-1].number == len(trials) + 1)
