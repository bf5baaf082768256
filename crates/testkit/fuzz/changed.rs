// What several fuzz targets do with their inputs. The fuzz packages lie outside the workspace, so it is shared as a file.

/// The bytes of something whole with changes: each four bytes of `changes` say where and what.
pub(crate) fn changed(whole: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % (bytes.len() + 1);
        match change[2] % 4 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, change[3]),
            2 => bytes.extend_from_slice(&[change[3]; 7]),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = change[3];
                }
            }
        }
    }
    bytes
}
