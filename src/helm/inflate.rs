//! Decompression of foreign gzip with a cap: a few kilobytes can claim to be a gigabyte.
use std::io::Read;

use flate2::read::MultiGzDecoder;

/// The largest record that is decompressed, in bytes.
///
/// The API server stores at most 1 MiB of data in one Secret, which is 768 KiB of gzip. Charts compress about 5 to 15
/// times, so real records end near 12 MiB; five times that leaves room, and one record still cannot take a worker's memory.
pub const INFLATED_MAX: usize = 64 * 1024 * 1024;

/// Why bytes could not be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum InflateError {
    /// The stream goes on past the cap. Nothing beyond it was read.
    #[error("compressed data inflates to more than {cap} bytes")]
    TooLarge {
        /// The cap, in bytes.
        cap: usize,
    },
    /// Not gzip, cut short, or the checksum is wrong.
    #[error("compressed data is damaged")]
    Damaged(#[source] std::io::Error),
}

/// The decompressed bytes of `gzip`, if they are at most `cap` bytes.
///
/// Concatenated gzip members are read as one stream, as Go's reader does. Memory stays below `2 * cap`, and below
/// `gzip.len() * 1032` (the largest ratio of deflate); a bomb costs the time to inflate `cap` bytes and no more.
pub fn inflate(gzip: &[u8], cap: usize) -> Result<Vec<u8>, InflateError> {
    let one_more = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Vec::new();
    MultiGzDecoder::new(gzip)
        .take(one_more)
        .read_to_end(&mut plain)
        .map_err(InflateError::Damaged)?;
    if plain.len() > cap {
        return Err(InflateError::TooLarge { cap });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::best());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn the_cap_is_exact() {
        let packed = gzip(&[7; 1000]);
        assert_eq!(inflate(&packed, 1000).unwrap(), [7; 1000]);
        assert!(matches!(
            inflate(&packed, 999),
            Err(InflateError::TooLarge { cap: 999 })
        ));
    }

    #[test]
    fn a_bomb_of_one_gibibyte_is_refused_within_the_cap() {
        let bomb = gzip(&vec![0; 1 << 20]).repeat(1024);
        assert!(
            bomb.len() < 2 << 20,
            "the bomb itself is small: {}",
            bomb.len()
        );
        assert!(matches!(
            inflate(&bomb, INFLATED_MAX),
            Err(InflateError::TooLarge { .. })
        ));
    }

    #[test]
    fn members_are_joined_and_damage_is_seen() {
        let mut two = gzip(b"one ");
        two.extend(gzip(b"two"));
        assert_eq!(inflate(&two, 100).unwrap(), b"one two");
        two.truncate(two.len() - 3);
        assert!(matches!(inflate(&two, 100), Err(InflateError::Damaged(_))));
        two.extend(b"trailing rubbish");
        assert!(matches!(inflate(&two, 100), Err(InflateError::Damaged(_))));
        assert!(matches!(
            inflate(b"", 100),
            Err(InflateError::Damaged(_)) | Ok(_)
        ));
    }
}
