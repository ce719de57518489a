//! TensorBoard event files: scalars and pictures, one step an epoch.
//!
//! An event file is a TFRecord: length, its checksum, the bytes, theirs. A resumed run opens a new
//! file that begins with a session's start, at which TensorBoard forgets what the killed run wrote
//! after its last checkpoint. The messages are TensorFlow's `event.proto` and `summary.proto`, as
//! far as they are used here.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prost::Message;
use roentgen_data::files::WriteError;

/// Writes events of one run.
#[derive(Debug)]
pub struct Events {
    file: File,
    path: PathBuf,
}

#[derive(Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Message)]
struct SessionLog {
    /// 1 is a start.
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

#[derive(Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(oneof = "Content", tags = "2, 4")]
    content: Option<Content>,
}

#[derive(prost::Oneof)]
enum Content {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
}

#[derive(Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    /// 1 is gray, 3 is red, green, blue.
    #[prost(int32, tag = "3")]
    colours: i32,
    #[prost(bytes, tag = "4")]
    png: Vec<u8>,
}

/// A picture to show: an encoded PNG.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What it is called.
    pub tag: String,
    /// `[height, width]` in pixels.
    pub size: [usize; 2],
    /// The file.
    pub png: Vec<u8>,
}

impl Events {
    /// Opens the next event file in `folder`; a resumed run starts at `step`.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn open(folder: &Path, step: usize, seconds: f64) -> Result<Self, WriteError> {
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

    /// Writes scalars and pictures of one step.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn step(
        &mut self,
        seconds: f64,
        step: usize,
        scalars: &[(&str, f64)],
        pictures: Vec<Picture>,
    ) -> Result<(), WriteError> {
        let scalars = scalars.iter().map(|&(tag, value)| Value {
            tag: tag.to_owned(),
            content: Some(Content::Scalar(value as f32)),
        });
        let pictures = pictures.into_iter().map(|picture| Value {
            tag: picture.tag,
            content: Some(Content::Image(Image {
                height: picture.size[0] as i32,
                width: picture.size[1] as i32,
                colours: 3,
                png: picture.png,
            })),
        });
        let summary = Summary { values: scalars.chain(pictures).collect() };
        self.write(seconds, step, What::Summary(summary))
    }

    fn write(&mut self, seconds: f64, step: usize, what: What) -> Result<(), WriteError> {
        let event = Event { wall_time: seconds, step: step as i64, what: Some(what) };
        let written = self.file.write_all(&record(&event.encode_to_vec()));
        written.map_err(|source: io::Error| WriteError { path: self.path.clone(), source })
    }
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

/// TFRecord's checksum: CRC-32C, rotated and shifted so that it is not one of its own bytes.
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
