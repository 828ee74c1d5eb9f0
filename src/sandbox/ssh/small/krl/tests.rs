//! The lists are written by `ssh-keygen -k`: OpenSSH's own writer is the judge of this reader.

use std::{fs, path::PathBuf, process::Command};

use ssh_key::{Algorithm, PrivateKey, rand_core::OsRng};

use super::*;

struct World {
    dir: tempfile::TempDir,
    ca: PrivateKey,
    alice: PrivateKey,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = |name: &str| {
            let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
            key.public_key()
                .write_openssh_file(&dir.path().join(name))
                .unwrap();
            key
        };
        let (ca, alice) = (key("ca.pub"), key("alice.pub"));
        Self { dir, ca, alice }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The list that `ssh-keygen -k` makes of `spec`; `with_ca` limits it to our authority's certificates.
    fn krl(&self, spec: &str, with_ca: bool) -> Vec<u8> {
        fs::write(self.path("spec"), spec).unwrap();
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-k", "-z", "7", "-f"])
            .arg(self.path("krl"));
        if with_ca {
            command.arg("-s").arg(self.path("ca.pub"));
        }
        run(command.arg(self.path("spec")));
        fs::read(self.path("krl")).unwrap()
    }

    fn revokes(&self, krl: &[u8], serial: u64, key_id: &str) -> Option<String> {
        let key = self.alice.public_key().to_bytes().unwrap();
        let authority = self.ca.public_key().to_bytes().unwrap();
        Krl::parse(krl).unwrap().revokes(&Presented {
            key: &key,
            authority: &authority,
            serial,
            key_id,
        })
    }
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .expect("ssh-keygen runs (Debian: openssh-client)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn serial_lists_ranges_and_bitmaps_of_openssh_are_understood() {
    let world = World::new();
    // Far apart numbers become a list, long runs a range, dense patterns a bitmap: ssh-keygen takes the shortest.
    let dense: Vec<u64> = (2_000..2_600).filter(|n| n % 3 != 0).collect();
    let mut spec =
        String::from("serial: 5\nserial: 900000\nserial: 100-1500\nserial: 18446744073709551615\n");
    for serial in &dense {
        spec.push_str(&format!("serial: {serial}\n"));
    }
    let krl = world.krl(&spec, true);
    let kinds: HashSet<u8> = part_kinds(&krl);
    assert_eq!(
        kinds,
        HashSet::from([SERIAL_LIST, SERIAL_RANGE, SERIAL_BITMAP]),
        "every kind is tried"
    );
    for serial in (1..3_000).chain([899_999, 900_000, 900_001, u64::MAX - 1, u64::MAX]) {
        let want = matches!(serial, 5 | 900_000 | 100..=1500 | u64::MAX) || dense.contains(&serial);
        assert_eq!(
            world.revokes(&krl, serial, "grant").is_some(),
            want,
            "serial {serial}"
        );
    }
    assert_eq!(
        world.revokes(&krl, 0, "grant"),
        None,
        "no serial number, not revoked by one"
    );
}

#[test]
fn key_ids_are_exact() {
    let world = World::new();
    let krl = world.krl("id: grant 7, für alice\nid: other\n", true);
    assert!(
        world
            .revokes(&krl, 1, "grant 7, für alice")
            .unwrap()
            .contains("key id")
    );
    assert!(world.revokes(&krl, 0, "other").is_some());
    assert_eq!(world.revokes(&krl, 1, "grant 7"), None);
    assert_eq!(world.revokes(&krl, 1, ""), None);
}

#[test]
fn a_list_for_another_authority_does_not_count_and_one_for_all_does() {
    let world = World::new();
    let krl = world.krl("serial: 5\nid: x\n", true);
    let mut elsewhere = World::new();
    elsewhere.alice = world.alice.clone();
    assert!(world.revokes(&krl, 5, "x").is_some());
    assert_eq!(elsewhere.revokes(&krl, 5, "x"), None);
    // `-s none` writes a section without an authority.
    let wild = {
        fs::write(world.path("spec"), "serial: 5\n").unwrap();
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-k", "-s", "none", "-f"])
            .arg(world.path("wild"));
        run(command.arg(world.path("spec")));
        fs::read(world.path("wild")).unwrap()
    };
    assert!(world.revokes(&wild, 5, "x").is_some());
    assert!(elsewhere.revokes(&wild, 5, "x").is_some());
    assert_eq!(elsewhere.revokes(&wild, 6, "x"), None);
}

#[test]
fn keys_and_fingerprints_are_revoked_in_every_way_that_openssh_writes() {
    let world = World::new();
    let other = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    let line = |key: &PrivateKey| key.public_key().to_openssh().unwrap();
    let print = |key: &PrivateKey| {
        key.public_key()
            .fingerprint(ssh_key::HashAlg::Sha256)
            .to_string()
    };
    for how in ["key: ", "sha1: ", "sha256: "] {
        let hit = world.krl(&format!("{how}{}\n", line(&world.alice)), false);
        assert_eq!(
            world.revokes(&hit, 1, "x").as_deref(),
            Some("the key is revoked"),
            "{how}"
        );
        let authority = world.krl(&format!("{how}{}\n", line(&world.ca)), false);
        assert!(
            world
                .revokes(&authority, 1, "x")
                .unwrap()
                .contains("authority"),
            "{how}"
        );
        let miss = world.krl(&format!("{how}{}\n", line(&other)), false);
        assert_eq!(world.revokes(&miss, 1, "x"), None, "{how}");
    }
    let hit = world.krl(&format!("hash: {}\n", print(&world.alice)), false);
    assert!(world.revokes(&hit, 1, "x").is_some());
    // A text file of public keys is a revocation list as well, and an empty one revokes nobody.
    let text = format!("# gone\n\n{}\n", line(&world.alice));
    assert!(world.revokes(text.as_bytes(), 1, "x").is_some());
    assert_eq!(world.revokes(b"", 1, "x"), None);
    assert_eq!(
        Krl::parse(b"# gone\nnonsense\n").unwrap_err(),
        KrlError::Line(2)
    );
}

#[test]
fn a_list_that_is_cut_off_anywhere_but_between_sections_is_an_error() {
    let world = World::new();
    let krl = world.krl("serial: 5\nid: x\n", true);
    // 44 bytes of header with empty fields, then one section.
    let header = MAGIC.len() + 4 + 3 * 8 + 4 + 4;
    for length in MAGIC.len()..krl.len() {
        let parsed = Krl::parse(&krl[..length]);
        assert_eq!(
            parsed.is_ok(),
            length == header,
            "cut to {length} bytes: {parsed:?}"
        );
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    let world = World::new();
    let krl = world.krl("serial: 5\n", true);
    let with = |tail: &[u8]| Krl::parse(&[&krl[..], tail].concat()).unwrap_err();
    assert_eq!(with(&[9, 0, 0, 0, 0]), KrlError::Section(9));
    assert_eq!(with(&[4, 0, 0, 0, 0]), KrlError::Signed);
    assert_eq!(with(&[3, 0, 0, 0, 5, 0, 0, 0, 1, 7]), KrlError::Fingerprint);
    let section = |parts: &[u8]| {
        let body = [&[0; 8], parts].concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        with(&[&[1][..], &length, &body].concat())
    };
    assert_eq!(section(&[0x24, 0, 0, 0, 0]), KrlError::Part(0x24));
    assert_eq!(
        section(&[0x20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
        KrlError::Range(0, 0)
    );
    assert_eq!(
        section(&[0x23, 0, 0, 0, 5, 0, 0, 0, 1, 0xff]),
        KrlError::KeyId
    );
    let negative = [0x22, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x80];
    assert_eq!(section(&negative), KrlError::Bitmap);
    let past_the_end = [
        0x22, 0, 0, 0, 13, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 2,
    ];
    assert_eq!(section(&past_the_end), KrlError::Bitmap);
    let mut version = krl.clone();
    version[MAGIC.len() + 3] = 2;
    assert_eq!(Krl::parse(&version).unwrap_err(), KrlError::Version(2));
}

/// The kinds of the parts in the list's sections of certificates.
fn part_kinds(krl: &[u8]) -> HashSet<u8> {
    let mut kinds = HashSet::new();
    let mut list = Reader(&krl[MAGIC.len() + 4 + 3 * 8 + 4 + 4..]);
    while !list.done() {
        list.u8("").unwrap();
        let mut section = Reader(list.string("").unwrap());
        section.string("").unwrap();
        section.string("").unwrap();
        while !section.done() {
            kinds.insert(section.u8("").unwrap());
            section.string("").unwrap();
        }
    }
    kinds
}
