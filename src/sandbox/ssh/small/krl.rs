//! Reading what `RevokedKeys` may name: OpenSSH's binary revocation list, or a text file of public keys.
//!
//! The binary format is described in OpenSSH's `PROTOCOL.krl`; where that is silent this follows what sshd 9.2 does. What
//! cannot be read whole is an error, and then nobody may get in: half a list would let in whom the other half names.

use std::collections::HashSet;

use sha1::{Digest, Sha1};
use sha2::Sha256;
use ssh_key::PublicKey;

const MAGIC: &[u8] = b"SSHKRL\n\0";
const FORMAT_VERSION: u32 = 1;

// Sections of the list.
const CERTIFICATES: u8 = 1;
const EXPLICIT_KEY: u8 = 2;
const FINGERPRINT_SHA1: u8 = 3;
const SIGNATURE: u8 = 4;
const FINGERPRINT_SHA256: u8 = 5;

// Parts of a section of certificates.
const SERIAL_LIST: u8 = 0x20;
const SERIAL_RANGE: u8 = 0x21;
const SERIAL_BITMAP: u8 = 0x22;
const KEY_ID: u8 = 0x23;

/// The largest serial bitmap that sshd takes, in bytes.
const BITMAP_MAX: usize = 16_384 / 8;

/// Why a revocation list cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KrlError {
    #[error("it ends in the middle of {0}")]
    CutOff(&'static str),
    #[error("its format is version {0}, not 1")]
    Version(u32),
    #[error("it holds a section of kind {0}, which is unknown")]
    Section(u8),
    #[error("it is signed; signatures on revocation lists are not supported")]
    Signed,
    #[error("a section of certificates holds a part of kind {0:#x}, which is unknown")]
    Part(u8),
    #[error("it revokes serial numbers from {0} to {1}, which is no range")]
    Range(u64, u64),
    #[error("a bitmap of serial numbers is negative, too long or passes the largest number")]
    Bitmap,
    #[error("a key id is no UTF-8")]
    KeyId,
    #[error("a fingerprint has the wrong length")]
    Fingerprint,
    #[error("the key of an authority is unreadable")]
    Authority,
    #[error("line {0} of the text is no public key")]
    Line(usize),
}

/// What a login presents, as far as a revocation list can name it. Keys are in wire form (`string algorithm`, …).
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented<'a> {
    /// The person's plain public key.
    pub(super) key: &'a [u8],
    /// The public key of the authority that signed the certificate.
    pub(super) authority: &'a [u8],
    /// The certificate's serial number; 0 means that it has none.
    pub(super) serial: u64,
    /// The certificate's key id.
    pub(super) key_id: &'a str,
}

/// A revocation list.
#[derive(Debug, Default)]
pub(super) struct Krl {
    certificates: Vec<Certificates>,
    keys: HashSet<Vec<u8>>,
    sha1: HashSet<[u8; 20]>,
    sha256: HashSet<[u8; 32]>,
}

/// What is revoked of one authority's certificates.
#[derive(Debug)]
struct Certificates {
    /// The authority's key in wire form; empty means every authority.
    authority: Vec<u8>,
    /// First and last serial number of each revoked range.
    serials: Vec<(u64, u64)>,
    key_ids: HashSet<String>,
}

impl Krl {
    /// Reads a revocation list in either form.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KrlError> {
        match bytes.strip_prefix(MAGIC) {
            Some(rest) => Self::parse_binary(Reader(rest)),
            None => Self::parse_text(bytes),
        }
    }

    /// Why `presented` is revoked, if it is.
    pub(super) fn revokes(&self, presented: &Presented<'_>) -> Option<String> {
        if self.names(presented.key) {
            return Some("the key is revoked".into());
        }
        if self.names(presented.authority) {
            return Some("the authority's key is revoked".into());
        }
        let Presented {
            authority,
            serial,
            key_id,
            ..
        } = presented;
        for section in &self.certificates {
            if !section.authority.is_empty() && section.authority != *authority {
                continue;
            }
            if section.key_ids.contains(*key_id) {
                return Some(format!("the certificate with key id {key_id:?} is revoked"));
            }
            // A certificate without a serial number cannot be revoked by one.
            if *serial != 0
                && section
                    .serials
                    .iter()
                    .any(|(lo, hi)| (lo..=hi).contains(&serial))
            {
                return Some(format!("the certificate with serial {serial} is revoked"));
            }
        }
        None
    }

    fn names(&self, key: &[u8]) -> bool {
        self.keys.contains(key)
            || self.sha1.contains(&<[u8; 20]>::from(Sha1::digest(key)))
            || self.sha256.contains(&<[u8; 32]>::from(Sha256::digest(key)))
    }

    fn parse_text(bytes: &[u8]) -> Result<Self, KrlError> {
        let mut krl = Self::default();
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let wrong = || KrlError::Line(at + 1);
            let line = str::from_utf8(line).map_err(|_| wrong())?.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = PublicKey::from_openssh(line).map_err(|_| wrong())?;
            krl.keys.insert(key.to_bytes().map_err(|_| wrong())?);
        }
        Ok(krl)
    }

    fn parse_binary(mut list: Reader<'_>) -> Result<Self, KrlError> {
        let version = list.u32("the format's version")?;
        if version != FORMAT_VERSION {
            return Err(KrlError::Version(version));
        }
        // The list's own number, its date, flags and a reserved field say nothing about who is revoked.
        for header in ["the list's number", "the date", "the flags"] {
            list.u64(header)?;
        }
        list.string("the reserved field")?;
        list.string("the comment")?;
        let mut krl = Self::default();
        while !list.done() {
            let kind = list.u8("a section")?;
            if kind == SIGNATURE {
                return Err(KrlError::Signed);
            }
            let mut section = Reader(list.string("a section")?);
            match kind {
                CERTIFICATES => krl.certificates.push(certificates(section)?),
                EXPLICIT_KEY => {
                    while !section.done() {
                        krl.keys.insert(section.string("a key")?.to_vec());
                    }
                }
                FINGERPRINT_SHA1 => fingerprints(section, &mut krl.sha1)?,
                FINGERPRINT_SHA256 => fingerprints(section, &mut krl.sha256)?,
                unknown => return Err(KrlError::Section(unknown)),
            }
        }
        Ok(krl)
    }
}

fn fingerprints<const N: usize>(
    mut section: Reader<'_>,
    into: &mut HashSet<[u8; N]>,
) -> Result<(), KrlError> {
    while !section.done() {
        let hash = section.string("a fingerprint")?;
        into.insert(hash.try_into().map_err(|_| KrlError::Fingerprint)?);
    }
    Ok(())
}

fn certificates(mut section: Reader<'_>) -> Result<Certificates, KrlError> {
    let authority = section.string("an authority's key")?.to_vec();
    if !authority.is_empty() {
        PublicKey::from_bytes(&authority).map_err(|_| KrlError::Authority)?;
    }
    section.string("a reserved field")?;
    let mut found = Certificates {
        authority,
        serials: Vec::new(),
        key_ids: HashSet::new(),
    };
    while !section.done() {
        let kind = section.u8("a part of a section")?;
        let mut part = Reader(section.string("a part of a section")?);
        match kind {
            SERIAL_LIST => {
                while !part.done() {
                    let serial = part.u64("a serial number")?;
                    found.serials.push(range(serial, serial)?);
                }
            }
            SERIAL_RANGE => {
                let (lo, hi) = (part.u64("a range")?, part.u64("a range")?);
                found.serials.push(range(lo, hi)?);
            }
            SERIAL_BITMAP => {
                let first = part.u64("a bitmap")?;
                bitmap(first, part.string("a bitmap")?, &mut found.serials)?;
            }
            KEY_ID => {
                while !part.done() {
                    let id = str::from_utf8(part.string("a key id")?);
                    found
                        .key_ids
                        .insert(id.map_err(|_| KrlError::KeyId)?.to_owned());
                }
            }
            unknown => return Err(KrlError::Part(unknown)),
        }
        if !part.done() {
            return Err(KrlError::Part(kind));
        }
    }
    Ok(found)
}

fn range(lo: u64, hi: u64) -> Result<(u64, u64), KrlError> {
    if lo == 0 || lo > hi {
        Err(KrlError::Range(lo, hi))
    } else {
        Ok((lo, hi))
    }
}

/// Bit `i` of the big-endian number `bits` revokes the serial number `first + i`.
fn bitmap(first: u64, bits: &[u8], into: &mut Vec<(u64, u64)>) -> Result<(), KrlError> {
    let negative = bits.first().is_some_and(|byte| byte & 0x80 != 0);
    if negative || bits.len() > BITMAP_MAX + 1 {
        return Err(KrlError::Bitmap);
    }
    let mut offset = 0_u64;
    for byte in bits.iter().rev() {
        for bit in 0..8 {
            if byte & (1 << bit) != 0 {
                let serial = first.checked_add(offset).ok_or(KrlError::Bitmap)?;
                into.push(range(serial, serial)?);
            }
            offset += 1;
        }
    }
    Ok(())
}

/// Takes the wire format's values off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn done(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], KrlError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(KrlError::CutOff(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], KrlError> {
        let taken = self.take(N, what)?;
        taken.try_into().map_err(|_| KrlError::CutOff(what))
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, KrlError> {
        self.array(what).map(u8::from_be_bytes)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, KrlError> {
        self.array(what).map(u32::from_be_bytes)
    }

    fn u64(&mut self, what: &'static str) -> Result<u64, KrlError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// A length and as many bytes.
    fn string(&mut self, what: &'static str) -> Result<&'a [u8], KrlError> {
        let length = usize::try_from(self.u32(what)?).map_err(|_| KrlError::CutOff(what))?;
        self.take(length, what)
    }
}

#[cfg(test)]
mod tests;
