//! Which agent this is.

/// A random id, as 32 hexadecimal digits.
///
/// # Errors
/// When the operating system gives no random bytes.
pub(crate) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
