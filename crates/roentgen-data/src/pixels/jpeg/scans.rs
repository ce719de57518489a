//! Whether the scans of a JPEG have all blocks of the picture.
//!
//! A decoder continues with zeros where a scan ends too early, so a film that was cut off and given
//! an end, or a hole of zeros in a download, decodes to something gray without an error. So the codes
//! are counted: each scan must have the codes of its blocks and nothing more, and all scans together
//! all bits of the coefficients. Sequential and progressive Huffman coding (ITU T.81, annexes F and
//! G); of any other coding nothing is known.

use super::coefficients::{self, Scan};
use super::huffman::{Bits, Table};
use super::segments::{EOI, SOI, SOS, segment};

const DHT: u8 = 0xc4;
const DRI: u8 = 0xdd;
/// Bytes that may be left over after a scan; some encoders align its end.
const SURPLUS: usize = 64;
/// The place of a coefficient of which no bit has been read yet.
const UNREAD: u8 = u8::MAX;

/// A component of the picture.
struct Component {
    id: u8,
    /// Blocks of it in an MCU, `[height, width]`.
    blocks: [usize; 2],
    /// Its blocks in a scan of its own, `[height, width]`.
    own: [usize; 2],
    /// Blocks in a row of a scan of all components.
    stride: usize,
    /// For each coefficient the lowest bit that has been read.
    read: [u8; 64],
    /// The coefficients of each block that are not zero, of progressive pictures.
    nonzero: Vec<u64>,
}

/// A picture, as its frame describes it.
struct Frame {
    is_progressive: bool,
    /// MCUs of a scan of all components, `[height, width]`.
    mcus: [usize; 2],
    components: Vec<Component>,
}

/// Whether the file has all blocks of its picture; also `true` if its coding is not known here.
pub(in crate::pixels) fn are_complete(bytes: &[u8]) -> bool {
    walk(bytes).unwrap_or(false)
}

/// Walks over all segments and scans; `None` if something is missing.
fn walk(bytes: &[u8]) -> Option<bool> {
    let mut tables: [[Option<Table>; 4]; 2] = Default::default();
    let mut restart_interval = 0;
    let mut frame: Option<Frame> = None;
    let mut at = 2;
    loop {
        let found = segment(bytes, at)?;
        at = found.end;
        match found.marker {
            EOI => return frame.map(|frame| frame.is_complete()),
            SOI => {}
            // A file has one frame.
            0xc0..=0xc2 if frame.is_some() => return None,
            0xc0..=0xc2 => match Frame::read(found.marker, found.body)? {
                Some(read) => frame = Some(read),
                None => return Some(true),
            },
            DHT => read_tables(found.body, &mut tables)?,
            // Lossless and arithmetic coding.
            0xc3..=0xcf => return Some(true),
            DRI => restart_interval = usize::from(u16::from_be_bytes(*found.body.first_chunk()?)),
            SOS => {
                let frame = frame.as_mut()?;
                at = frame.scan(bytes, at, found.body, &tables, restart_interval)?;
            }
            _ => {}
        }
    }
}

/// Reads the tables of a segment DHT.
fn read_tables(mut body: &[u8], tables: &mut [[Option<Table>; 4]; 2]) -> Option<()> {
    while let Some((&place, rest)) = body.split_first() {
        let counts: &[u8; 16] = rest.first_chunk()?;
        let symbols = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
        let symbols = rest.get(16..16 + symbols)?;
        let class = tables.get_mut(usize::from(place >> 4))?;
        *class.get_mut(usize::from(place & 15))? = Some(Table::new(counts, symbols)?);
        body = &rest[16 + symbols.len()..];
    }
    Some(())
}

impl Frame {
    /// Reads a segment SOF; `Some(None)` if its picture is of a kind that is not known here.
    fn read(marker: u8, body: &[u8]) -> Option<Option<Self>> {
        let (&[bits, height0, height1, width0, width1, count], rest) = body.split_first_chunk()?;
        let [height, width] = [[height0, height1], [width0, width1]]
            .map(|pair| usize::from(u16::from_be_bytes(pair)));
        if bits != 8 || height == 0 || width == 0 {
            return Some(None);
        }
        let (parts, _) = rest.as_chunks::<3>();
        let parts = parts.get(..usize::from(count))?;
        let factors = |&[_, both, _]: &[u8; 3]| [both & 15, both >> 4].map(usize::from);
        let most = |axis: usize| parts.iter().map(|part| factors(part)[axis]).max();
        let most = [most(0)?, most(1)?];
        if parts.iter().any(|part| factors(part).iter().any(|factor| !(1..=4).contains(factor))) {
            return None;
        }
        let sizes = [height, width];
        let mcus = [0, 1].map(|axis| sizes[axis].div_ceil(8 * most[axis]));
        let is_progressive = marker == 0xc2;
        let component = |part: &[u8; 3]| {
            let blocks = factors(part);
            let own = [0, 1].map(|axis| (sizes[axis] * blocks[axis]).div_ceil(8 * most[axis]));
            let all = if is_progressive { mcus[0] * blocks[0] * mcus[1] * blocks[1] } else { 0 };
            Component {
                id: part[0],
                blocks,
                own,
                stride: mcus[1] * blocks[1],
                read: [UNREAD; 64],
                nonzero: vec![0; all],
            }
        };
        let components = parts.iter().map(component).collect();
        Some(Some(Self { is_progressive, mcus, components }))
    }

    /// Whether all bits of all coefficients have been read.
    fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.read == [0; 64])
    }

    /// Walks over a scan that begins at `at`; returns the position of the marker after it.
    fn scan(
        &mut self,
        bytes: &[u8],
        at: usize,
        body: &[u8],
        tables: &[[Option<Table>; 4]; 2],
        restart_interval: usize,
    ) -> Option<usize> {
        let (&count, rest) = body.split_first()?;
        let (parts, _) = rest.as_chunks::<2>();
        let parts = parts.get(..usize::from(count))?;
        let &[first, last, bits] = rest.get(2 * parts.len()..)?.first_chunk()?;
        let (first, last, high, low) =
            if self.is_progressive { (first, last, bits >> 4, bits & 15) } else { (0, 63, 0, 0) };
        if last > 63 || first > last || parts.is_empty() {
            return None;
        }
        let mut order = Vec::new();
        for part in parts {
            order.push(self.components.iter().position(|component| component.id == part[0])?);
        }
        let table = |class: usize, place: u8| tables[class].get(usize::from(place))?.as_ref();
        let scan = Scan {
            dc: parts.iter().map(|part| table(0, part[1] >> 4)).collect(),
            ac: parts.iter().map(|part| table(1, part[1] & 15)).collect(),
            first,
            last,
            is_refining: high > 0,
            restart_interval,
        };
        let end = if self.is_progressive {
            self.progressive(Bits::new(bytes, at), &scan, &order)?
        } else {
            self.blocks(Bits::new(bytes, at), &scan, &order, |bits, part, _, _| {
                coefficients::all(bits, scan.dc[part]?, scan.ac[part]?)
            })?
        };
        for &number in &order {
            let read = &mut self.components[number].read;
            read[usize::from(first)..=usize::from(last)].fill(low);
        }
        Some(end)
    }

    fn progressive(&mut self, bits: Bits<'_>, scan: &Scan<'_>, order: &[usize]) -> Option<usize> {
        if scan.first == 0 {
            return self
                .blocks(bits, scan, order, |bits, part, _, _| coefficients::dc(bits, scan, part));
        }
        // Only one component has AC coefficients in a scan.
        let [_] = order else { return None };
        if scan.is_refining {
            self.blocks(bits, scan, order, |bits, _, run, nonzero| {
                coefficients::refine(bits, scan, run, nonzero)
            })
        } else {
            self.blocks(bits, scan, order, |bits, _, run, nonzero| {
                coefficients::first(bits, scan, run, nonzero)
            })
        }
    }

    /// Calls `block` for each block of a scan, with the bits, the number of its component in the
    /// scan, the blocks of a run that is not over, and its coefficients that are not zero; returns
    /// where the marker after the scan is.
    fn blocks(
        &mut self,
        mut bits: Bits<'_>,
        scan: &Scan<'_>,
        order: &[usize],
        mut block: impl FnMut(&mut Bits<'_>, usize, &mut u32, &mut u64) -> Option<()>,
    ) -> Option<usize> {
        let is_alone = order.len() == 1;
        let [rows, columns] = if is_alone { self.components[order[0]].own } else { self.mcus };
        let mut run = 0;
        let mut unused = 0;
        for mcu in 0..rows * columns {
            if scan.restart_interval > 0 && mcu > 0 && mcu % scan.restart_interval == 0 {
                bits.restart()?;
                run = 0;
            }
            let [row, column] = [mcu / columns, mcu % columns];
            for (part, &number) in order.iter().enumerate() {
                let component = &mut self.components[number];
                let [height, width] = if is_alone { [1, 1] } else { component.blocks };
                for y in 0..height {
                    for x in 0..width {
                        let at = (row * height + y) * component.stride + column * width + x;
                        let nonzero = component.nonzero.get_mut(at).unwrap_or(&mut unused);
                        block(&mut bits, part, &mut run, nonzero)?;
                    }
                }
            }
        }
        bits.end(SURPLUS)
    }
}
