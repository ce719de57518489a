//! Opens a DICOM file in little memory.
//!
//! The reader of the crate `dicom-object` reserves what a file claims, up to 4 GiB for an element of
//! a file of a few bytes, unpacks a deflated data set whatever its size, and recurses into nested
//! sequences. So lengths and depths are checked against the file before anything is read.

use std::error::Error as StdError;
use std::io::{Cursor, Read, Seek, SeekFrom};

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::transfer_syntax::{TransferSyntax, TransferSyntaxIndex};
use dicom_object::{FileDicomObject, FileMetaTable, InMemDicomObject, OpenFileOptions};
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::stateful::decode::StatefulDecode;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use flate2::read::DeflateDecoder;

use super::{MARK_START, damage, group};
use crate::pixels::{Error, budget};

pub(super) type Object = FileDicomObject<InMemDicomObject>;

/// The most elements and items that are read; each takes a few hundred bytes of memory.
const MAX_ELEMENTS: usize = 100_000;
/// The deepest nesting of sequences that is read.
const MAX_DEPTH: usize = 32;
/// The most bytes that a deflated data set may unpack to.
const MAX_INFLATED: u64 = 128 << 20;

/// What to read of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What precedes the pixels.
    Header,
    /// All of it.
    Whole,
}

/// Returns the bytes of memory that reading a file whole takes, once as bytes and once as elements.
pub(super) fn memory(mut file: impl Read + Seek) -> Result<u64, Error> {
    let meta = meta(&mut file)?;
    let length = file.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    Ok(2 * if is_deflated(&meta) { MAX_INFLATED } else { length })
}

/// Reads a file; if it is read whole, the caller has borrowed the memory.
pub(super) fn open(mut file: impl Read + Seek, part: Part) -> Result<Object, Error> {
    let meta = meta(&mut file)?;
    let until = if part == Part::Header { Until::Pixels } else { Until::End };
    if is_deflated(&meta) {
        let loan = (part == Part::Header).then(|| budget::borrow(2 * MAX_INFLATED));
        let _loan = loan.transpose()?;
        return deflated(file, meta, until);
    }
    let start = file.stream_position().map_err(Error::Read)?;
    let length = file.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    file.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
    check(&mut file, length, &trim(meta.transfer_syntax()), until)?;
    file.rewind().map_err(Error::Read)?;
    let options = match part {
        Part::Header => OpenFileOptions::new().read_until(tags::PIXEL_DATA),
        Part::Whole => OpenFileOptions::new(),
    };
    options.from_reader(file).map_err(|error| describe_failure(&error))
}

/// Reads the group of the file and leaves the reader where the data set begins.
fn meta(mut file: impl Read + Seek) -> Result<FileMetaTable, Error> {
    let length = file.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    let start = MARK_START as u64;
    // It is always in this syntax, whatever the data set is in.
    file.seek(SeekFrom::Start(start + 4)).map_err(Error::Read)?;
    check(&mut file, length, uids::EXPLICIT_VR_LITTLE_ENDIAN, Until::DataSet)?;
    file.seek(SeekFrom::Start(start + 4)).map_err(Error::Read)?;
    group::check(&mut file, length)
        .map_err(|_| damage("the elements before its data set are cut off"))?;
    file.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
    FileMetaTable::from_reader(&mut file).map_err(|error| describe_failure(&error))
}

fn is_deflated(meta: &FileMetaTable) -> bool {
    trim(meta.transfer_syntax()) == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
}

/// Unpacks a deflated data set; the object is then one that was never packed.
fn deflated(file: impl Read, mut meta: FileMetaTable, until: Until) -> Result<Object, Error> {
    let mut bytes = Vec::new();
    DeflateDecoder::new(file)
        .take(MAX_INFLATED + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damage(format!("it cannot be unpacked: {error}")))?;
    let length = bytes.len() as u64;
    if length > MAX_INFLATED {
        return Err(Error::Memory { mib: length >> 20, limit: MAX_INFLATED >> 20 });
    }
    let plain = uids::EXPLICIT_VR_LITTLE_ENDIAN;
    plain.clone_into(&mut meta.transfer_syntax);
    check(Cursor::new(&bytes), length, plain, until)?;
    let data = InMemDicomObject::read_dataset_with_ts(&bytes[..], syntax_of(plain)?)
        .map_err(|error| describe_failure(&error))?;
    Ok(data.with_exact_meta(meta))
}

/// Returns a file's transfer syntax.
pub(super) fn syntax(object: &Object) -> String {
    trim(object.meta().transfer_syntax())
}

/// Returns the name of a transfer syntax, or its number.
pub(super) fn syntax_name(uid: &str) -> String {
    TransferSyntaxRegistry.get(uid).map_or(uid, |syntax| syntax.name()).to_owned()
}

pub(super) fn trim(uid: &str) -> String {
    uid.trim_end_matches(['\0', ' ']).to_owned()
}

fn syntax_of(uid: &str) -> Result<&'static TransferSyntax, Error> {
    TransferSyntaxRegistry
        .get(uid)
        .ok_or_else(|| damage(format!("its transfer syntax `{uid}` is unknown")))
}

fn describe_failure(error: &dyn StdError) -> Error {
    damage(with_causes(error))
}

/// Writes an error and its causes on one line.
pub(super) fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Where a check of lengths ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// After the group of the file.
    DataSet,
    Pixels,
    End,
}

/// Returns the bytes of a number of a value representation; 1 if it has none.
fn number_length(vr: VR) -> u32 {
    match vr {
        VR::US | VR::SS | VR::OW => 2,
        VR::AT | VR::UL | VR::SL | VR::FL | VR::OL | VR::OF => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

/// Checks that the elements from here on are in the file, and that they are not too many or nested
/// too deep.
fn check(file: impl Read + Seek, length: u64, syntax: &str, until: Until) -> Result<(), Error> {
    let mut reader = LazyDataSetReader::new_with_ts(file, syntax_of(syntax)?)
        .map_err(|error| describe_failure(&error))?;
    let mut depth = 0_usize;
    for _ in 0..MAX_ELEMENTS {
        let Some(token) = reader.advance() else { return Ok(()) };
        let token = match token {
            Ok(token) => token,
            // What follows the group of the file may be in any syntax.
            Err(_) if until == Until::DataSet => return Ok(()),
            Err(error) => return Err(describe_failure(&error)),
        };
        match &token {
            LazyDataToken::ElementHeader(header) => {
                let is_over = match until {
                    Until::DataSet => header.tag.group() > 2,
                    Until::Pixels => depth == 0 && header.tag >= tags::PIXEL_DATA,
                    Until::End => false,
                };
                if is_over {
                    return Ok(());
                }
            }
            LazyDataToken::PixelSequenceStart if until == Until::Pixels => return Ok(()),
            LazyDataToken::SequenceStart { .. } if until == Until::DataSet => return Ok(()),
            LazyDataToken::SequenceStart { .. }
            | LazyDataToken::PixelSequenceStart
            | LazyDataToken::ItemStart { .. } => depth += 1,
            LazyDataToken::SequenceEnd | LazyDataToken::ItemEnd => {
                depth = depth.saturating_sub(1);
            }
            LazyDataToken::LazyValue { header, decoder } => {
                let left = length.saturating_sub(decoder.position());
                if header.len.get().is_none_or(|bytes| u64::from(bytes) > left) {
                    return Err(damage(format!("the element {} is cut off", header.tag)));
                }
                // The reader would take the bytes that are left over for the next element.
                if header.len.get().is_some_and(|bytes| bytes % number_length(header.vr) != 0) {
                    return Err(damage(format!("the element {} ends within a number", header.tag)));
                }
            }
            LazyDataToken::LazyItemValue { len, decoder }
                if u64::from(*len) > length.saturating_sub(decoder.position()) =>
            {
                return Err(damage("its pixels are cut off"));
            }
            _ => {}
        }
        if depth > 2 * MAX_DEPTH {
            return Err(damage(format!("its sequences are nested more than {MAX_DEPTH} deep")));
        }
        token.skip().map_err(|error| describe_failure(&error))?;
    }
    Err(damage(format!("it has more than {MAX_ELEMENTS} elements")))
}
