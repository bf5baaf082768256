//! The body of the fuzz target on generated inputs, so that it runs everywhere.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

/// Pieces of text in one of the encodings, and what does not belong there.
fn pieces(encode: fn(&str) -> Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let texts = [
        "a",
        "line ",
        "Größe",
        "Ċ",
        "𐨀",
        "\n",
        "\n",
        "\r\n",
        "\u{feff}",
        "\0",
        "\0\0\0\0\0\0\0\0\0",
        "0123456789",
    ];
    let stray: [&[u8]; 6] = [b"\n", b"\0", b"\xff", b"\xd8\x00", b"\x00\xdc", b"\xfe\xff"];
    let piece = prop_oneof![
        20 => select(texts.to_vec()).prop_map(encode),
        1 => select(stray.to_vec()).prop_map(<[u8]>::to_vec),
        1 => (1..80usize).prop_map(move |length| encode(&"x".repeat(length))),
        1 => (1..80usize).prop_map(|length| vec![0; length]),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        pieces(|text| text.as_bytes().to_vec()),
        pieces(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        pieces(|text| text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        vec(any::<u8>(), 0..200),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_files(turn in 0..32usize, is_big_endian: bool, bytes in texts()) {
        body::text(turn, is_big_endian, &bytes);
    }
}
