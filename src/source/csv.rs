//! What the CSV reader does not tell: a quote that is still open where the text ends.

/// The line, from 1, of a quoted field that is never closed: every row behind it lies inside.
#[must_use]
pub fn open_quote(text: &[u8]) -> Option<u64> {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        FieldStart,
        Plain,
        Quoted,
        /// Behind a quote inside a quoted field: closing, or the first of two that stand for one.
        Quote,
    }
    let (mut at, mut line, mut opened) = (At::FieldStart, 1, 1);
    for byte in text {
        at = match (at, byte) {
            (At::FieldStart, b'"') => {
                opened = line;
                At::Quoted
            }
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) | (At::Quote, b'"') => At::Quoted,
            (_, b',' | b'\n' | b'\r') => At::FieldStart,
            _ => At::Plain,
        };
        line += u64::from(*byte == b'\n');
    }
    (at == At::Quoted).then_some(opened)
}

#[cfg(test)]
mod tests {
    use super::open_quote;

    #[test]
    fn only_a_quote_that_opens_a_field_can_be_left_open() {
        assert_eq!(open_quote(b"a,b\n1,\"x\n2,y\n"), Some(2));
        assert_eq!(open_quote(b"a,b\n1,\"x \"\"y\"\"\"\n"), None);
        assert_eq!(open_quote(b"a,b\n1,5\" disc\n"), None);
        assert_eq!(open_quote(b"\"a\nb\",c\n\"\"\"d"), Some(3));
    }
}
