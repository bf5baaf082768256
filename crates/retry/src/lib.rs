//! When to try again what failed: pauses that grow ([`Backoff`]), and whether to try at all ([`Breaker`]).
//!
//! A pause is drawn evenly from nothing to a bound that doubles with each failure ("full jitter", M. Brooker,
//! "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that many who lost the same service do not
//! come back to it together.
//!
//! Nothing here reads a clock, sleeps or knows what is tried: whoever asks says what time it is, waits, and decides
//! which failures count.

mod backoff;
mod breaker;

pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerConfig};
