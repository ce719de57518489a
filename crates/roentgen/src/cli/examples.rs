//! Two examples for the help of each command.

pub(super) const PROGRAM: &str = "\
Examples:
  roentgen quickstart
  roentgen help train

The files that the commands read and write are in docs/formats.md.";
pub(super) const QUICKSTART: &str = "\
Examples:
  roentgen quickstart
  roentgen quickstart --out try --seed 7";
pub(super) const PHANTOM: &str = "\
Examples:
  roentgen phantom --films 600 --size 256 --out films
  roentgen phantom --films 60 --seed 2 --out other-films";
pub(super) const PREPARE: &str = "\
Examples:
  roentgen prepare data/nih --out data/nih-224 --size 224
  roentgen prepare films --labels labels.csv --any-size --out prepared";
pub(super) const DESCRIBE: &str = "\
Examples:
  roentgen describe data/nih-224 --out pictures
  roentgen describe data/nih/Data_Entry_2017_v2020.csv --split by-patient";
pub(super) const VERIFY: &str = "\
Examples:
  roentgen verify data/nih-224
  roentgen verify runs/nih data/nih-224 runs/nih/scores/test.csv";
pub(super) const INIT: &str = "\
Examples:
  roentgen init nih.toml --prepared data/nih-224
  roentgen init - | less

All keys of the experiment file are in docs/formats.md; `roentgen init` writes the common ones.";
pub(super) const TRAIN: &str = "\
Examples:
  roentgen train nih.toml --out runs/nih
  roentgen train nih.toml --out runs/nih-7 --seed 7 --set train.epochs=20

All keys of the experiment file are in docs/formats.md; `roentgen init` writes the common ones.";
pub(super) const RESUME: &str = "\
Examples:
  roentgen resume runs/nih
  roentgen resume runs/nih --epochs 20";
pub(super) const CALIBRATE: &str = "\
Examples:
  roentgen calibrate runs/nih
  roentgen calibrate runs/nih --isotonic";
pub(super) const SWEEP: &str = "\
Examples:
  roentgen sweep rates.toml --out sweeps/rates
  roentgen sweep rates.toml --out sweeps/rates --shard 2/8

All keys of the experiment file are in docs/formats.md; `roentgen init` writes the common ones.";
pub(super) const COMPARE: &str = "\
Examples:
  roentgen compare runs/a runs/b --out comparison
  roentgen compare sweeps/rates runs/nih --out comparison --title \"Rates\"";
pub(super) const SHOW: &str = "\
Examples:
  roentgen show nih.toml
  roentgen show nih.toml --set model.architecture=resnet50

All keys of the experiment file are in docs/formats.md; `roentgen init` writes the common ones.";
pub(super) const PREDICT: &str = "\
Examples:
  roentgen predict runs/nih film.png --picture answer.png
  roentgen predict runs/nih data/nih-224 --split test --out runs/nih/scores/test.csv

The columns of a score table are in docs/formats.md.";
pub(super) const EVALUATE: &str = "\
Examples:
  roentgen evaluate runs/nih/scores/test.csv --model runs/nih --out report
  roentgen evaluate a.csv b.csv --out reports

The columns of a score table are in docs/formats.md.";
pub(super) const ENSEMBLE: &str = "\
Examples:
  roentgen ensemble --rule mean a/test.csv b/test.csv --out mean.csv
  roentgen ensemble --fit model a/valid.csv b/valid.csv --apply a/test.csv b/test.csv --out fitted.csv

The columns of a score table are in docs/formats.md.";
pub(super) const EXPLAIN: &str = "\
Examples:
  roentgen explain runs/nih film.png --out maps
  roentgen explain runs/nih data/nih-224 --split test --method grad-cam --finding Mass --out maps";
pub(super) const SERVE: &str = "\
Examples:
  roentgen serve runs/nih
  roentgen serve a=runs/first b=runs/second --ensemble --address 0.0.0.0:8443 --token-file tokens --tls-cert cert.pem --tls-key key.pem

Routes, limits and security are in docs/serving.md.";
pub(super) const VIEW: &str = "\
Examples:
  roentgen view runs/nih
  roentgen view runs/nih data/nih-224 --split test --scores runs/nih/scores/test.csv

The page is described in docs/serving.md.";
pub(super) const JOIN: &str = "\
Examples:
  roentgen join part-1.csv part-2.csv part-3.csv --out scores.csv
  roentgen join part-1.csv part-2.csv --out - > scores.csv";
pub(super) const EXPORT: &str = "\
Examples:
  roentgen export runs/nih --out nih.onnx
  roentgen export runs/nih --format bundle --weights f16 --out nih.roentgen";
pub(super) const FETCH: &str = "\
Examples:
  roentgen fetch nih --out data/nih
  roentgen fetch chestmnist --size 64 --out data/chestmnist-64";
pub(super) const WEIGHTS: &str = "\
Examples:
  roentgen weights pull densenet121
  roentgen weights import chexnet.pth.tar --architecture densenet121 --findings chexnet --out chexnet";
pub(super) const BENCH: &str = "\
Examples:
  roentgen bench train --architecture resnet50 --batch 8
  roentgen bench input --films data/nih/images_001 --json";
pub(super) const DOCTOR: &str = "\
Examples:
  roentgen doctor
  roentgen doctor --device cuda";
pub(super) const FETCH_NIH: &str = "\
Examples:
  roentgen fetch nih --out data/nih
  roentgen fetch nih --only labels,lists,images_001 --out data/nih-part";
pub(super) const FETCH_CHESTMNIST: &str = "\
Examples:
  roentgen fetch chestmnist --size 64 --out data/chestmnist-64
  roentgen fetch chestmnist --size 224 --keep-archives --out data/chestmnist-224";
pub(super) const WEIGHTS_LIST: &str = "\
Examples:
  roentgen weights list
  roentgen weights list --json";
pub(super) const WEIGHTS_PULL: &str = "\
Examples:
  roentgen weights pull densenet121
  roentgen weights pull resnet50 vgg19";
pub(super) const WEIGHTS_IMPORT: &str = "\
Examples:
  roentgen weights import mobilenet_v2.pth --architecture mobilenet-v2
  roentgen weights import chexnet.pth.tar --architecture densenet121 --findings chexnet --out chexnet";
pub(super) const BENCH_INPUT: &str = "\
Examples:
  roentgen bench input
  roentgen bench input --films data/nih/images_001 --size 224";
pub(super) const BENCH_TRAIN: &str = "\
Examples:
  roentgen bench train --architecture resnet50 --batch 8
  roentgen bench train --size 128 --steps 20 --json";
pub(super) const BENCH_PREDICT: &str = "\
Examples:
  roentgen bench predict --architecture mobilenet-v2
  roentgen bench predict --model runs/nih --engine onnx";
pub(super) const BENCH_EVALUATE: &str = "\
Examples:
  roentgen bench evaluate --scores runs/nih/scores/test.csv
  roentgen bench evaluate --scores runs/nih/scores/test.csv --steps 3";
pub(super) const COMPLETIONS: &str = "\
Examples:
  roentgen completions bash > ~/.local/share/bash-completion/completions/roentgen
  roentgen completions fish > ~/.config/fish/completions/roentgen.fish";
pub(super) const MAN: &str = "\
Examples:
  roentgen man --out ~/.local/share/man/man1
  roentgen man --out man1 --json";
