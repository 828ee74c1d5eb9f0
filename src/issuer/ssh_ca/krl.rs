//! Key revocation lists in OpenSSH's binary format: written whole, read without trust.
//!
//! The format is OpenSSH's `PROTOCOL.krl`, version 1. A list of ours holds one certificate section:
//! the key ids (grant ids) that sshd must refuse, whichever CA signed, so that the CA's key can be
//! exchanged while certificates of the one before are valid. The reader knows every section
//! that OpenSSH writes, so that a list with anything of somebody else's is never taken for ours.

use std::collections::BTreeSet;

const MAGIC: &[u8; 8] = b"SSHKRL\n\0";
const FORMAT_VERSION: u32 = 1;

const SECTION_CERTIFICATES: u8 = 1;
const SECTION_EXPLICIT_KEY: u8 = 2;
const SECTION_FINGERPRINT_SHA1: u8 = 3;
const SECTION_SIGNATURE: u8 = 4;
const SECTION_FINGERPRINT_SHA256: u8 = 5;
const SECTION_EXTENSION: u8 = 255;

const CERT_SERIAL_LIST: u8 = 0x20;
const CERT_SERIAL_RANGE: u8 = 0x21;
const CERT_SERIAL_BITMAP: u8 = 0x22;
const CERT_KEY_ID: u8 = 0x23;
const CERT_EXTENSION: u8 = 0x39;

/// The largest list that is written or read, in bytes: over four million grants that ended early.
pub const KRL_MAX_BYTES: usize = 64 * 1024 * 1024;

/// A list as jitbot writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Krl {
    /// Grows with each list that differs from the one before.
    pub version: u64,
    /// When it was made, in seconds since 1970.
    pub generated_s: u64,
    /// Whose it is.
    pub comment: String,
    /// The public key, as the SSH protocol writes it, of the CA whose certificates are refused; empty
    /// where it is every CA's.
    pub ca_key: Vec<u8>,
    /// The key ids that are refused.
    pub key_ids: BTreeSet<String>,
}

/// What a list says, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its version number.
    pub version: u64,
    /// When it was made, in seconds since 1970.
    pub generated_s: u64,
    /// Its comment.
    pub comment: String,
    /// Key ids refused, each with the CA key that it belongs to; an empty key means every CA.
    pub key_ids: BTreeSet<(Vec<u8>, String)>,
    /// Whether it refuses anything else too: keys, fingerprints, serial numbers.
    pub refuses_more: bool,
}

impl Reading {
    /// Whether a certificate of this CA with this key id is refused.
    #[must_use]
    pub fn refuses(&self, ca_key: &[u8], key_id: &str) -> bool {
        [ca_key, &[]]
            .iter()
            .any(|ca| self.key_ids.contains(&(ca.to_vec(), key_id.to_owned())))
    }

    /// Whether every certificate with this key id is refused, whichever CA signed it.
    #[must_use]
    pub fn refuses_of_every_ca(&self, key_id: &str) -> bool {
        self.refuses(&[], key_id)
    }
}

/// Why bytes are not a list that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KrlError {
    /// Another kind of file.
    #[error("it is not a key revocation list")]
    NotAKrl,
    /// A format version that nobody has defined yet.
    #[error("its format version is {0}; only version 1 is known")]
    FormatVersion(u32),
    /// It ends too early, or a length in it is wrong.
    #[error("it is cut off or damaged in {0}")]
    Damaged(&'static str),
    /// A section that can't be understood, so that nothing can be said of the whole.
    #[error("it has a section of type {0} that is not known here")]
    Section(u8),
    /// Too much of it.
    #[error("it is larger than {KRL_MAX_BYTES} bytes")]
    TooLarge,
}

impl Krl {
    /// The list as sshd reads it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.key_ids.len() * 16);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.generated_s.to_be_bytes());
        out.extend_from_slice(&0_u64.to_be_bytes()); // flags: none are defined
        put_string(&mut out, &[]); // reserved
        put_string(&mut out, self.comment.as_bytes());
        if self.key_ids.is_empty() {
            return out;
        }
        let mut ids = Vec::with_capacity(self.key_ids.len() * 16);
        for id in &self.key_ids {
            put_string(&mut ids, id.as_bytes());
        }
        let mut section = Vec::with_capacity(self.ca_key.len() + ids.len() + 16);
        put_string(&mut section, &self.ca_key);
        put_string(&mut section, &[]); // reserved
        section.push(CERT_KEY_ID);
        put_string(&mut section, &ids);
        out.push(SECTION_CERTIFICATES);
        put_string(&mut out, &section);
        out
    }
}

/// Reads a list.
///
/// # Errors
/// [`KrlError`] when it is none, is damaged, or says something that is not known here.
pub fn read(bytes: &[u8]) -> Result<Reading, KrlError> {
    if bytes.len() > KRL_MAX_BYTES {
        return Err(KrlError::TooLarge);
    }
    let mut rest = Cursor(bytes);
    if rest.take(MAGIC.len()) != Some(MAGIC.as_slice()) {
        return Err(KrlError::NotAKrl);
    }
    let header = || KrlError::Damaged("its header");
    let format = rest.u32().ok_or_else(header)?;
    if format != FORMAT_VERSION {
        return Err(KrlError::FormatVersion(format));
    }
    let version = rest.u64().ok_or_else(header)?;
    let generated_s = rest.u64().ok_or_else(header)?;
    rest.u64().ok_or_else(header)?;
    rest.string().ok_or_else(header)?;
    let comment = rest.string().ok_or_else(header)?;
    let mut reading = Reading {
        version,
        generated_s,
        comment: String::from_utf8_lossy(comment).into_owned(),
        key_ids: BTreeSet::new(),
        refuses_more: false,
    };
    while let Some(kind) = rest.u8() {
        let section = rest.string().ok_or(KrlError::Damaged("a section"))?;
        match kind {
            SECTION_CERTIFICATES => read_certificates(section, &mut reading)?,
            SECTION_EXPLICIT_KEY | SECTION_FINGERPRINT_SHA1 | SECTION_FINGERPRINT_SHA256 => {
                reading.refuses_more |= !section.is_empty();
            }
            // Extensions may be critical, and signatures have a layout of their own: what the list
            // means for sshd can't be told.
            SECTION_SIGNATURE | SECTION_EXTENSION => return Err(KrlError::Section(kind)),
            other => return Err(KrlError::Section(other)),
        }
    }
    Ok(reading)
}

fn read_certificates(section: &[u8], reading: &mut Reading) -> Result<(), KrlError> {
    let damaged = || KrlError::Damaged("a certificate section");
    let mut rest = Cursor(section);
    let ca_key = rest.string().ok_or_else(damaged)?;
    rest.string().ok_or_else(damaged)?;
    while let Some(kind) = rest.u8() {
        let data = rest.string().ok_or_else(damaged)?;
        match kind {
            CERT_KEY_ID => {
                let mut ids = Cursor(data);
                while !ids.0.is_empty() {
                    let id = ids.string().ok_or_else(damaged)?;
                    let id = std::str::from_utf8(id).map_err(|_| damaged())?;
                    reading.key_ids.insert((ca_key.to_vec(), id.to_owned()));
                }
            }
            CERT_SERIAL_LIST | CERT_SERIAL_RANGE | CERT_SERIAL_BITMAP => {
                reading.refuses_more |= !data.is_empty();
            }
            CERT_EXTENSION => return Err(KrlError::Section(kind)),
            other => return Err(KrlError::Section(other)),
        }
    }
    Ok(())
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Everything that is written here stays far below 4 GiB: ids are short, and the whole list is
    // checked against KRL_MAX_BYTES before it leaves.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.take(len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(ids: &[&str]) -> Krl {
        Krl {
            version: 7,
            generated_s: 1_800_000_000,
            comment: "jitbot staging-ca".to_owned(),
            ca_key: b"a CA key".to_vec(),
            key_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let reading = read(&list(&["g0000000001", "g0000000002"]).to_bytes()).unwrap();
        assert_eq!((reading.version, reading.generated_s), (7, 1_800_000_000));
        assert_eq!(reading.comment, "jitbot staging-ca");
        assert!(!reading.refuses_more);
        assert!(reading.refuses(b"a CA key", "g0000000001"));
        assert!(!reading.refuses(b"a CA key", "g0000000003"));
        assert!(!reading.refuses(b"another CA", "g0000000001"));
        assert!(!reading.refuses_of_every_ca("g0000000001"));
    }

    #[test]
    fn an_empty_list_is_a_header_alone() {
        let bytes = list(&[]).to_bytes();
        assert_eq!(bytes.len(), 44 + "jitbot staging-ca".len());
        assert_eq!(read(&bytes).unwrap().key_ids.len(), 0);
    }

    #[test]
    fn a_key_id_without_a_ca_is_refused_for_every_ca() {
        let mut krl = list(&["g0000000001"]);
        krl.ca_key.clear();
        let reading = read(&krl.to_bytes()).unwrap();
        assert!(reading.refuses(b"whatever", "g0000000001"));
        assert!(reading.refuses_of_every_ca("g0000000001"));
    }

    #[test]
    fn what_somebody_else_refuses_is_noticed() {
        for kind in [2, 3, 5] {
            let mut bytes = list(&["g0000000001"]).to_bytes();
            bytes.push(kind);
            put_string(&mut bytes, b"their key");
            assert!(read(&bytes).unwrap().refuses_more, "section {kind}");
        }
        for kind in [4, 6, 255] {
            let mut bytes = list(&[]).to_bytes();
            bytes.push(kind);
            put_string(&mut bytes, b"whatever");
            assert_eq!(read(&bytes), Err(KrlError::Section(kind)));
        }
    }

    #[test]
    fn other_files_are_no_lists() {
        assert_eq!(read(b""), Err(KrlError::NotAKrl));
        assert_eq!(read(b"ssh-ed25519 AAAA bob"), Err(KrlError::NotAKrl));
        let mut later = list(&[]).to_bytes();
        later[11] = 2;
        assert_eq!(read(&later), Err(KrlError::FormatVersion(2)));
    }

    #[test]
    fn a_list_that_was_cut_off_is_never_taken_for_a_whole_one() {
        let bytes = list(&["g0000000001", "g0000000002"]).to_bytes();
        let header = list(&[]).to_bytes().len();
        for len in 0..bytes.len() {
            // Cut exactly behind the header it is an empty list: sshd can't tell either, which is
            // why files are renamed into place and never written there.
            assert_eq!(read(&bytes[..len]).is_err(), len != header, "cut at {len}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&bytes);
            let mut framed = list(&[]).to_bytes();
            framed.extend_from_slice(&bytes);
            let _ = read(&framed);
            framed.push(SECTION_CERTIFICATES);
            put_string(&mut framed, &bytes);
            let _ = read(&framed);
        }

        #[test]
        fn a_changed_byte_never_panics(at in 0_usize..150, to in any::<u8>()) {
            let mut bytes = list(&["g0000000001", "g0000000002", "g0000000003"]).to_bytes();
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = read(&bytes);
        }

        #[test]
        fn every_list_is_read_back(
            version in any::<u64>(),
            ids in proptest::collection::btree_set("g[0-9a-hjkmnp-tv-z]{10}", 0..50),
        ) {
            let krl = Krl { version, key_ids: ids.clone(), ..list(&[]) };
            let reading = read(&krl.to_bytes()).unwrap();
            prop_assert_eq!(reading.version, version);
            let found: BTreeSet<String> = reading.key_ids.into_iter().map(|(_, id)| id).collect();
            prop_assert_eq!(found, ids);
        }
    }
}
