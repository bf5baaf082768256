//! What a service says of those who sign in: its sentences, as data.

/// What a sentence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// Somebody could not sign in.
    Failed,
    /// Somebody could not sign in to what is asked over HTTP.
    FailedWeb,
    /// Somebody is let in no more after too many failures, to what is asked over HTTP.
    Barred,
    /// Somebody signed in.
    In,
    /// Somebody failed to sign in over SSH, by the word of a program other than sshd.
    FailedSsh,
    /// Somebody who no user is spoke to what stands in the place of an SSH server.
    ProbedSsh,
    /// Somebody was denied what they asked for, without a sign-in.
    Denied,
}

/// The sentences of a service, and the programs that write them where lines name one.
pub(super) struct Service {
    pub(super) programs: &'static [&'static str],
    pub(super) phrases: &'static [(Means, &'static str)],
}
