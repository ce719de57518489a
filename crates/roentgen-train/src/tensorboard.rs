//! TensorBoard event files: scalars and images, one step per epoch; the experiment as text, and its
//! settings as hyper-parameters.
//!
//! An event file consists of TFRecords: length, its checksum, data, its checksum. A resumed run
//! opens a new file that begins with a session start, at which TensorBoard discards the events that
//! the killed run wrote after its last checkpoint.

mod messages;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prost::Message;
use roentgen_data::files::WriteError;

use messages::{
    Content, End, Event, Hyper, HyperData, Image, Metadata, Plugin, SessionLog, Setting,
    SettingKind, Shape, Start, Summary, Tensor, Value, What,
};

/// Writes the events of one run.
#[derive(Debug)]
pub(crate) struct Events {
    file: File,
    path: PathBuf,
}

/// An image to show, encoded as PNG.
#[derive(Clone, Debug)]
pub(crate) struct EventImage {
    /// Its tag in TensorBoard.
    pub(crate) tag: String,
    /// `[height, width]` in pixels.
    pub(crate) size: [usize; 2],
    /// The PNG file.
    pub(crate) png: Vec<u8>,
}

impl Events {
    /// Opens the next event file in `folder`; a resumed run starts at `step`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn open(folder: &Path, step: usize, seconds: f64) -> Result<Self, WriteError> {
        let failed = |path: &Path, source| WriteError { path: path.to_owned(), source };
        let number = fs::read_dir(folder)
            .map_err(|source| failed(folder, source))?
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().contains("tfevents"))
            .count();
        // TensorBoard reads the files of a folder in the order of their names.
        let path = folder.join(format!("events.out.tfevents.{number:010}.roentgen"));
        let file = File::create(&path).map_err(|source| failed(&path, source))?;
        let mut events = Self { file, path };
        events.write(seconds, 0, What::FileVersion("brain.Event:2".to_owned()))?;
        events.write(seconds, step, What::SessionLog(SessionLog { status: 1 }))?;
        Ok(events)
    }

    /// Writes scalars and images of one step.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn step(
        &mut self,
        seconds: f64,
        step: usize,
        scalars: &[(&str, f64)],
        pictures: Vec<EventImage>,
    ) -> Result<(), WriteError> {
        let scalars = scalars.iter().map(|&(tag, value)| Value {
            tag: tag.to_owned(),
            content: Some(Content::Scalar(value as f32)),
            metadata: None,
        });
        let pictures = pictures.into_iter().map(|picture| Value {
            tag: picture.tag,
            content: Some(Content::Image(Image {
                height: picture.size[0] as i32,
                width: picture.size[1] as i32,
                colours: 3,
                png: picture.png,
            })),
            metadata: None,
        });
        let summary = Summary { values: scalars.chain(pictures).collect() };
        self.write(seconds, step, What::Summary(summary))
    }

    /// Writes an experiment, before its first step: as text, and its settings by key so that runs
    /// can be sorted by them.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn experiment(
        &mut self,
        seconds: f64,
        text: &str,
        settings: &[(String, String)],
    ) -> Result<(), WriteError> {
        // The text plugin renders Markdown, which shows an indented block verbatim.
        let block = text.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let text = Value {
            tag: "experiment".to_owned(),
            content: Some(Content::Tensor(Tensor {
                kind: 7,
                shape: Some(Shape {}),
                floats: Vec::new(),
                strings: vec![block.into_bytes()],
            })),
            metadata: Some(plugin("text", Vec::new())),
        };
        let settings = settings.iter().map(|(key, value)| (key.clone(), setting(value)));
        let start = HyperData::Start(Start { settings: settings.collect(), seconds });
        let values = vec![text, hyper("_hparams_/session_start_info", start)];
        self.write(seconds, 0, What::Summary(Summary { values }))
    }

    /// Writes that the run has finished.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn finished(&mut self, seconds: f64) -> Result<(), WriteError> {
        let end = HyperData::End(End { status: 1, seconds });
        let values = vec![hyper("_hparams_/session_end_info", end)];
        self.write(seconds, 0, What::Summary(Summary { values }))
    }

    fn write(&mut self, seconds: f64, step: usize, what: What) -> Result<(), WriteError> {
        let event = Event { wall_time: seconds, step: step as i64, what: Some(what) };
        let written = self.file.write_all(&record(&event.encode_to_vec()));
        written.map_err(|source: io::Error| WriteError { path: self.path.clone(), source })
    }
}

fn plugin(name: &str, content: Vec<u8>) -> Metadata {
    Metadata { plugin: Some(Plugin { name: name.to_owned(), content }) }
}

/// Makes the value that the hyper-parameter plugin reads: an empty tensor with the data next to it.
fn hyper(tag: &str, data: HyperData) -> Value {
    let content = Hyper { data: Some(data) }.encode_to_vec();
    let nothing = Tensor { kind: 1, shape: Some(Shape {}), floats: vec![0.0], strings: Vec::new() };
    Value {
        tag: tag.to_owned(),
        content: Some(Content::Tensor(nothing)),
        metadata: Some(plugin("hparams", content)),
    }
}

/// Converts a number to a number, so that runs can be plotted over it.
fn setting(value: &str) -> Setting {
    let kind = match (value.parse(), value) {
        (Ok(number), _) => SettingKind::Number(number),
        (Err(_), "true") => SettingKind::Switch(true),
        (Err(_), "false") => SettingKind::Switch(false),
        (Err(_), text) => SettingKind::Text(text.to_owned()),
    };
    Setting { kind: Some(kind) }
}

/// Frames bytes as a TFRecord.
fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(bytes.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&masked(&length).to_le_bytes());
    record.extend_from_slice(bytes);
    record.extend_from_slice(&masked(bytes).to_le_bytes());
    record
}

/// Computes TFRecord's checksum: CRC-32C, rotated and offset so that it differs from that of its
/// own bytes.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_row_of_records_with_right_checksums() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = Events::open(folder.path(), 0, 5.0).unwrap();
        events.step(6.0, 1, &[("loss/train", 0.5)], Vec::new()).unwrap();
        let bytes = fs::read(&events.path).unwrap();

        let mut rest = &bytes[..];
        let mut read = Vec::new();
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(&rest[..8]).to_le_bytes());
            let body = &rest[12..12 + length];
            assert_eq!(rest[12 + length..16 + length], masked(body).to_le_bytes());
            read.push(Event::decode(body).unwrap());
            rest = &rest[16 + length..];
        }
        assert_eq!(read.len(), 3);
        assert!(matches!(&read[0].what, Some(What::FileVersion(text)) if text == "brain.Event:2"));
        assert!(matches!(&read[2].what, Some(What::Summary(summary)) if summary.values.len() == 1));
    }

    #[test]
    fn the_checksum_is_that_of_a_known_record() {
        // CRC-32C of "123456789" is e3069283.
        assert_eq!(
            masked(b"123456789"),
            0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8)
        );
    }
}
