//! Computes the maps of films in batches and writes them as they are made, so that memory does not
//! grow with their number: `maps.safetensors` and `maps.csv`.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use roentgen_data::prepare::BadFilm;
use roentgen_data::rows::{RowStore, RowWriter};
use roentgen_eval::HeatMap;
use roentgen_models::explainer::WantedMap;
use roentgen_models::{Explainer, Method};

use super::wanted::ExplainRule;
use crate::listener::Listener;
use crate::predict::{CorrectedFilm, Exceptions, read};
use crate::sources::Sources;

/// File names of the maps and of the table that says which map is of what.
const MAPS: &str = "maps.safetensors";
const TABLE: &str = "maps.csv";

/// The maps of all films.
pub(super) struct Maps {
    /// The films that could be read, in order.
    pub(super) films: Vec<Seen>,
    /// What each map is of, in order.
    pub(super) maps: Vec<Map>,
    /// The films that could not be read.
    pub(super) bad: Vec<BadFilm>,
    pub(super) corrected: Vec<CorrectedFilm>,
    /// The written files.
    pub(super) file: PathBuf,
    pub(super) table: PathBuf,
}

/// A film that was predicted.
pub(super) struct Seen {
    /// Its number among the sources.
    pub(super) film: usize,
    /// One probability per finding.
    pub(super) probabilities: Vec<f32>,
    /// The numbers of its maps.
    pub(super) maps: Range<usize>,
}

/// What a map is of.
#[derive(Clone, Copy)]
pub(super) struct Map {
    /// The number of the film among the sources.
    film: usize,
    /// The output of the network.
    pub(super) output: usize,
    probability: f32,
    /// The lowest and the highest value of the map.
    range: [f32; 2],
}

/// What computes maps, and of what.
pub(super) struct Work<'a> {
    pub(super) explainer: &'a Explainer,
    pub(super) method: Method,
    pub(super) sources: &'a Sources,
    pub(super) rule: &'a ExplainRule,
    /// Films in a batch.
    pub(super) batch: usize,
}

/// A batch of films with its maps.
pub(super) struct Batch<'a> {
    /// The numbers of its films among the sources.
    pub(super) films: &'a [usize],
    /// Their pixels.
    pub(super) planes: &'a [&'a [u8]],
    /// What its maps are of.
    pub(super) wanted: &'a [WantedMap],
    pub(super) maps: Vec<HeatMap>,
}

impl Work<'_> {
    /// Computes the maps and writes them into the folder `out`; `take` gets each batch.
    ///
    /// # Errors
    ///
    /// Returns an error if no film can be read, if the device fails, or if a file cannot be written.
    pub(super) fn write(
        &self,
        out: &Path,
        listener: &dyn Listener,
        take: &mut dyn FnMut(Batch<'_>),
    ) -> anyhow::Result<Maps> {
        let Work { explainer, method, sources, rule, batch } = *self;
        let description = &explainer.description;
        let file = out.join(MAPS);
        let could_not = || format!("could not write `{}`", file.display());
        let mut growing: Option<RowWriter> = None;
        let (mut films, mut maps) = (Vec::new(), Vec::new());
        let mut exceptions = Exceptions::default();
        let numbers: Vec<usize> = (0..sources.films.len()).collect();
        let mut done = 0;
        for numbers in numbers.chunks(batch) {
            done += numbers.len();
            let good = read(sources, numbers, description.input.size, &mut exceptions);
            if good.is_empty() {
                continue;
            }
            let planes: Vec<&[u8]> = good.iter().map(|(_, plane)| plane.as_slice()).collect();
            let numbers: Vec<usize> = good.iter().map(|(number, _)| *number).collect();
            let look = explainer.look(&planes);
            let mut wanted = Vec::new();
            for (number, prediction) in look.predictions.iter().enumerate() {
                let film = numbers[number];
                let outputs = rule.outputs(&sources.films[film].image, prediction);
                let probabilities = prediction.probabilities.clone();
                let first = maps.len() + wanted.len();
                films.push(Seen { film, probabilities, maps: first..first + outputs.len() });
                wanted.extend(outputs.into_iter().map(|output| WantedMap { film: number, output }));
            }
            let computed = explainer.maps(method, &look, &wanted);
            for (wanted, map) in wanted.iter().zip(&computed) {
                let shape = [map.height, map.width];
                let rows = match &mut growing {
                    Some(rows) => rows,
                    none => none.insert(RowWriter::start(&file, &shape).with_context(could_not)?),
                };
                rows.append(&map.values).with_context(could_not)?;
                maps.push(Map {
                    film: numbers[wanted.film],
                    output: wanted.output,
                    probability: look.predictions[wanted.film].probabilities[wanted.output],
                    range: map.range(),
                });
            }
            take(Batch { films: &numbers, planes: &planes, wanted: &wanted, maps: computed });
            // A GPU that fails leaves unwritten memory behind, which must not become maps.
            if let Some(failure) = roentgen_kernels::failure() {
                bail!("the GPU failed: {failure}");
            }
            listener.predicted(done, sources.films.len());
        }
        let Exceptions { bad, corrected } = exceptions;
        let Some(growing) = growing else {
            for film in &bad {
                listener.note(&format!("skipped {}: {}", film.image, film.reason));
            }
            bail!("none of the {} films could be explained", sources.films.len());
        };
        growing.finish().with_context(could_not)?;
        let table = out.join(TABLE);
        let written = Maps { films, maps, bad, corrected, file, table };
        written.write_table(self)?;
        Ok(written)
    }
}

impl Maps {
    /// Writes which map is of what.
    fn write_table(&self, work: &Work<'_>) -> anyhow::Result<()> {
        let findings = &work.explainer.description.findings;
        roentgen_files::write_with(&self.table, |file| {
            let mut table = csv::Writer::from_writer(io::BufWriter::new(file));
            let header = ["image", "patient", "finding", "probability", "low", "high"];
            table.write_record(header)?;
            for map in &self.maps {
                let film = &work.sources.films[map.film];
                let [low, high] = map.range.map(|value| value.to_string());
                let probability = map.probability.to_string();
                // A mask is one for all findings.
                let finding = match work.method {
                    Method::Attention => "",
                    _ => findings[map.output].name(),
                };
                let row = [&film.image, &film.patient, finding, &probability, &low, &high];
                table.write_record(row)?;
            }
            table.flush()
        })?;
        Ok(())
    }

    /// Reads maps back from the file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub(super) fn read(&self, numbers: Range<usize>) -> anyhow::Result<Vec<HeatMap>> {
        let failed = || format!("could not read `{}`", self.file.display());
        let rows = RowStore::open(&self.file).with_context(failed)?.with_context(failed)?;
        let shape = rows.shape();
        let map = |number| {
            let mut values = Vec::new();
            rows.append(number, &mut values).with_context(failed)?;
            Ok(HeatMap { height: shape[0], width: shape[1], values })
        };
        numbers.map(map).collect()
    }
}
