//! The load file: signed envelopes, made before anything is measured, so that signing does not blur the measure.
//!
//! All integers big-endian. Written in one go under another name and renamed: a half-written file never gets its name.
//!
//! ```text
//! header    magic "CRLOAD01" ‖ chain id u64 ‖ contract 20 ‖ seed u64
//!           ‖ hospitals u32 ‖ practitioners u32 of each ‖ patients u32 of each ‖ sections u8
//! sections  for each: kind u8 ‖ envelopes u32 ‖ events u64
//! records   of each section in turn: lane u8 ‖ length u16 ‖ envelope
//! ```
//!
//! Kinds: 0 preparation (on one lane, in order), 1 full, 2 single, 3 mixed, 4 paced (full envelopes at a given rate).
//! A lane is a hospital's stream; its envelopes stand in the order of their nonces.

use crate::error::{LoadError, Result};
use crate::world::{Size, World};
use alloy_primitives::Address;
use chartroll_core::bytes::Reader;
use chartroll_core::eip712::Chain;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

const MAGIC: [u8; 8] = *b"CRLOAD01";
/// Sections of a file at most.
const SECTIONS_MAX: usize = 16;
const HEADER_BYTES: usize = 8 + 8 + 20 + 8 + 12 + 1;
const SECTION_BYTES: usize = 1 + 4 + 8;

/// What envelopes of a section are like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// Makes practitioners and patients.
    Preparation = 0,
    /// As many accesses as fit, up to 127.
    Full = 1,
    /// One access each: as many signatures as events.
    Single = 2,
    /// 1 to 127 accesses, small ones more often.
    Mixed = 3,
    /// Full envelopes for a run at a given rate.
    Paced = 4,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Preparation, Self::Full, Self::Single, Self::Mixed, Self::Paced];

    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preparation => "preparation",
            Self::Full => "full",
            Self::Single => "single",
            Self::Mixed => "mixed",
            Self::Paced => "paced",
        }
    }
}

/// Envelopes of one kind.
#[derive(Clone)]
pub struct Section {
    /// What they are like.
    pub kind: Kind,
    /// By lane, in the order in which they are sent.
    pub lanes: Vec<Vec<Vec<u8>>>,
    /// Events in all.
    pub events: u64,
}

impl core::fmt::Debug for Section {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Section({}, {} envelopes)", self.kind.name(), self.envelopes())
    }
}

impl Section {
    /// Envelopes in all.
    pub fn envelopes(&self) -> usize {
        self.lanes.iter().map(Vec::len).sum()
    }

    /// Bytes of all envelopes.
    pub fn bytes(&self) -> usize {
        self.lanes.iter().flatten().map(Vec::len).sum()
    }
}

/// A whole load.
#[derive(Clone, Debug)]
pub struct Load {
    /// Who is in it.
    pub world: World,
    /// In the order in which they are sent.
    pub sections: Vec<Section>,
}

impl Load {
    /// The section of a kind.
    ///
    /// # Errors
    /// [`LoadError::Settings`] where there is none.
    pub fn section(&self, kind: Kind) -> Result<&Section> {
        let found = self.sections.iter().find(|section| section.kind == kind);
        found.ok_or_else(|| LoadError::Settings(format!("the load file has no section {}", kind.name())))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`LoadError::File`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let fault = |source| LoadError::File { path: path.to_owned(), source };
        let part = path.with_extension("part");
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&part).map_err(fault)?);
        self.put(&mut out).and_then(|()| out.flush()).map_err(fault)?;
        std::fs::rename(&part, path).map_err(fault)
    }

    fn put(&self, out: &mut impl Write) -> std::io::Result<()> {
        let World { size, chain } = &self.world;
        out.write_all(&MAGIC)?;
        out.write_all(&chain.chain_id().to_be_bytes())?;
        out.write_all(chain.contract().as_slice())?;
        out.write_all(&size.seed.to_be_bytes())?;
        for number in [size.hospitals, size.practitioners, size.patients] {
            out.write_all(&number.to_be_bytes())?;
        }
        out.write_all(&[u8::try_from(self.sections.len()).unwrap_or(u8::MAX)])?;
        for section in &self.sections {
            let envelopes = u32::try_from(section.envelopes()).unwrap_or(u32::MAX);
            out.write_all(&[section.kind as u8])?;
            out.write_all(&envelopes.to_be_bytes())?;
            out.write_all(&section.events.to_be_bytes())?;
        }
        for section in &self.sections {
            for (lane, envelopes) in (0u8..).zip(&section.lanes) {
                for envelope in envelopes {
                    let length = u16::try_from(envelope.len()).unwrap_or(u16::MAX).to_be_bytes();
                    let [high, low] = length;
                    out.write_all(&[lane, high, low])?;
                    out.write_all(envelope)?;
                }
            }
        }
        Ok(())
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`LoadError::File`]; [`LoadError::LoadFile`] for anything that is no whole load file.
    pub fn read(path: &Path) -> Result<Self> {
        let fault = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => broken(path),
            _ => LoadError::File { path: path.to_owned(), source },
        };
        let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(fault)?);
        let mut header = [0; HEADER_BYTES];
        file.read_exact(&mut header).map_err(fault)?;
        let (world, count) = read_header(&header).ok_or_else(|| broken(path))?;
        let mut table = vec![0; count * SECTION_BYTES];
        file.read_exact(&mut table).map_err(fault)?;
        let mut sections = Vec::with_capacity(count);
        for entry in table.as_chunks::<SECTION_BYTES>().0 {
            let (kind, envelopes, events) = read_entry(entry).ok_or_else(|| broken(path))?;
            let lanes = read_records(&mut file, envelopes, &world.size).map_err(fault)?;
            sections.push(Section { kind, lanes, events });
        }
        Ok(Self { world, sections })
    }
}

fn broken(path: &Path) -> LoadError {
    LoadError::LoadFile { path: path.to_owned(), why: "it is damaged, or of another version" }
}

fn read_header(bytes: &[u8]) -> Option<(World, usize)> {
    let mut reader = Reader::new(bytes);
    if reader.array::<8>().ok()? != MAGIC {
        return None;
    }
    let (id, contract) = (reader.u64().ok()?, Address::from(reader.array::<20>().ok()?));
    let seed = reader.u64().ok()?;
    let (hospitals, practitioners, patients) = (reader.u32().ok()?, reader.u32().ok()?, reader.u32().ok()?);
    let count = usize::from(reader.u8().ok()?);
    if count > SECTIONS_MAX || hospitals == 0 || hospitals > crate::world::HOSPITALS_MAX {
        return None;
    }
    let size = Size { seed, hospitals, practitioners, patients };
    Some((World { size, chain: Chain::new(id, contract) }, count))
}

fn read_entry(bytes: &[u8]) -> Option<(Kind, u32, u64)> {
    let mut reader = Reader::new(bytes);
    let kind = reader.u8().ok()?;
    let kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind)?;
    Some((kind, reader.u32().ok()?, reader.u64().ok()?))
}

fn read_records(file: &mut impl Read, envelopes: u32, size: &Size) -> std::io::Result<Vec<Vec<Vec<u8>>>> {
    let mut lanes = vec![Vec::new(); size.hospitals as usize];
    for _ in 0..envelopes {
        let mut head = [0; 3];
        file.read_exact(&mut head)?;
        let [lane, high, low] = head;
        let mut envelope = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        file.read_exact(&mut envelope)?;
        let lane = lanes.get_mut(usize::from(lane)).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        lane.push(envelope);
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        let world = World { size: Size::new(9, 2, 3, 50).unwrap(), chain: Chain::new(5, Address::repeat_byte(6)) };
        let section = |kind, lanes| Section { kind, lanes, events: 8 };
        let first = section(Kind::Preparation, vec![vec![vec![1; 120], vec![2; 953]], vec![]]);
        Load { world, sections: vec![first, section(Kind::Full, vec![vec![vec![3; 7]], vec![vec![4; 8], vec![]]])] }
    }

    #[test]
    fn a_load_is_read_back_and_a_cut_or_foreign_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("load");
        load().write(&path).unwrap();
        let back = Load::read(&path).unwrap();
        assert_eq!((back.world.size, back.world.chain), (load().world.size, load().world.chain));
        assert_eq!(back.section(Kind::Full).unwrap().lanes, load().sections[1].lanes);
        assert_eq!(back.sections[0].lanes, load().sections[0].lanes);
        assert!(back.section(Kind::Single).is_err());
        let bytes = std::fs::read(&path).unwrap();
        for (cut, byte) in [(bytes.len() - 1, None), (HEADER_BYTES, None), (bytes.len(), Some(0))] {
            let mut changed = bytes[..cut].to_vec();
            if let Some(at) = byte {
                changed[at] ^= 1;
            }
            std::fs::write(&path, changed).unwrap();
            assert!(matches!(Load::read(&path), Err(LoadError::LoadFile { .. })));
        }
    }
}
