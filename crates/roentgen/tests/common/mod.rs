//! Runs the program as users do, in a temporary folder.

#![allow(dead_code, reason = "each test file uses what it needs of this")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A temporary folder to run the program in.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Makes a place with sixty phantom films in `films`, prepared in `prepared`, a model of one epoch in
    /// `run`, and one of the films in `film.png`.
    ///
    /// The program runs once for all tests of a file; each test gets a copy.
    pub(crate) fn trained() -> Self {
        static FILES: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
        let files = FILES.get_or_init(|| {
            let place = Self::new();
            place.ok("phantom --films 60 --size 64 --out films");
            place.ok("prepare films --out prepared --size 32");
            place.write("experiment.toml", EXPERIMENT);
            place.ok("train experiment.toml --out run --set train.epochs=1");
            let film = find(&place.at("films"), "00000001_000.png");
            fs::copy(film, place.at("film.png")).unwrap();
            files_below(place.0.path())
        });
        let place = Self::new();
        for (name, content) in files {
            place.write(name.to_str().unwrap(), content);
        }
        // The run knows where its data set was.
        let moved = toml::Value::String(place.at("prepared").to_str().unwrap().to_owned());
        let text = place.text("run/data.toml");
        let lines = text.lines().map(|line| match line.strip_prefix("prepared = ") {
            Some(_) => format!("prepared = {moved}\n"),
            None => format!("{line}\n"),
        });
        place.write("run/data.toml", lines.collect::<String>());
        place
    }

    /// Makes two runs of one shape on the same films, `a` and `b`, with their findings in another
    /// order, and score tables of their test films.
    pub(crate) fn with_two_models() -> Self {
        let place = Self::new();
        place.ok("phantom --films 60 --size 64 --out films");
        place.ok("prepare films --out prepared --size 32");
        place.write("a.toml", EXPERIMENT);
        let settings = "--set train.epochs=1 --set findings=";
        place.ok(&format!("train a.toml --out a {settings}[\"Mass\",\"Nodule\"]"));
        place.ok(&format!("train a.toml --out b {settings}[\"Nodule\",\"Mass\"]"));
        for run in ["a", "b"] {
            place.ok(&format!("predict {run} prepared --split test --out {run}.csv"));
        }
        place
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roentgen"));
        command.args(args).current_dir(self.0.path()).env_remove("RAYON_NUM_THREADS");
        command
    }

    /// Runs a command line whose words are separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line.split(' ')).output().unwrap()
    }

    /// Runs a command line that must succeed, and returns its standard output.
    pub(crate) fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command line that must fail with exit code 1, and returns its standard error.
    pub(crate) fn fails(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}\n{}", stderr(&output));
        stderr(&output)
    }

    /// Runs a command line with `--json` that must succeed, and returns the document.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&format!("{line} --json"))).unwrap()
    }

    /// Writes a table like `from` with forty films of forty patients that are not in any data set, of
    /// which every third has Mass and Nodule.
    pub(crate) fn made_up_films(&self, from: &str, to: &str) {
        let text = self.text(from);
        let mut lines =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let (header, row) = (lines.next().unwrap(), lines.next().unwrap());
        let mut table = header.join(",");
        for film in 0..40 {
            let cells = header.iter().zip(&row).map(|(name, cell)| match name.as_str() {
                "image" => format!("made-up-{film}.png"),
                "patient" => format!("{}", 900_000 + film),
                "Mass" | "Nodule" => format!("{}", 0.1 + f64::from(film * 7 % 40) / 50.0),
                "Mass.truth" | "Nodule.truth" => {
                    u8::from(film * 7 % 40 > 20 || film % 3 == 0).to_string()
                }
                _ => cell.clone(),
            });
            table += &format!("\n{}", cells.collect::<Vec<_>>().join(","));
        }
        self.write(to, table + "\n");
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A tiny experiment on the folder `prepared`.
pub(crate) const EXPERIMENT: &str = "seed = 5\n[data]\nprepared = \"prepared\"\n\
    [model]\nwidth = 0.0625\npool = \"attention\"\n\
    [train]\nepochs = 2\nbatch_size = 16\n";

/// The header of NIH's label file.
pub(crate) const HEADER: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
    View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n";

/// Makes a row of NIH's label file.
pub(crate) fn label_row(image: &str, labels: &str, patient: u32) -> String {
    format!("{image},{labels},0,{patient},50,M,PA,2500,2048,0.143,0.143\n")
}

/// Makes a small PNG of size `[height, width]`.
pub(crate) fn png(size: [u32; 2]) -> Vec<u8> {
    let film =
        image::GrayImage::from_fn(size[1], size[0], |x, y| image::Luma([(x * 5 + y * 3) as u8]));
    encode(film.into())
}

pub(crate) fn encode(film: image::DynamicImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    film.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Reads the files below a folder, with their paths in it.
fn files_below(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut folders, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files
}

/// Finds the file with this name below a folder.
pub(crate) fn find(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| file == name) {
                return path;
            }
        }
    }
    panic!("no {name}");
}
