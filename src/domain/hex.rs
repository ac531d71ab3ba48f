//! Bytes as lower-case hexadecimal digits.

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    push_hex(&mut text, bytes);
    text
}

/// The same, at the end of a text: a plan has millions of them.
pub fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or_default();
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_two_digits() {
        let all: Vec<u8> = (0..=255).collect();
        let expected: Vec<String> = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex(&all), expected.concat());
        let mut text = "0x".to_owned();
        push_hex(&mut text, &[0, 171]);
        assert_eq!(text, "0x00ab");
    }
}
