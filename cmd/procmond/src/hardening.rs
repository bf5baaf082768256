//! Giving up what is not needed. The thread that reads keeps two capabilities and may open files for reading only. The thread that speaks
//! on the socket keeps none and reaches no file at all.
//!
//! Landlock holds the second thread only: a thread in a landlock domain may not look at processes outside of it
//! (`ptrace_access_check`), and looking at them is what the first one is for. Seccomp takes its place there: no file is opened for writing.

use std::{collections::BTreeMap, fmt::Display};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter,
};

/// What was done, and what could not be and why.
#[derive(Debug, Default)]
pub(crate) struct Level {
    pub(crate) measures: Vec<(&'static str, Result<String, String>)>,
}

impl Level {
    fn note(&mut self, measure: &'static str, result: Result<impl Display, impl Display>) {
        self.measures
            .push((measure, result.map(|reached| reached.to_string()).map_err(|reason| reason.to_string())));
    }

    /// What is lacking, in words.
    pub(crate) fn lacking(&self) -> Vec<String> {
        self.measures
            .iter()
            .filter_map(|(measure, result)| Some(format!("{measure}: {}", result.as_ref().err()?)))
            .collect()
    }

    pub(crate) fn print(&self) {
        for (measure, result) in &self.measures {
            match result {
                Ok(reached) => eprintln!("procmond: {measure}: {reached}"),
                Err(reason) => eprintln!("procmond: {measure} is lacking: {reason}"),
            }
        }
    }
}

/// Capabilities that reading takes: looking at processes of others, and at their files.
const KEPT: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH);

/// For the whole program, before it has a second thread.
pub(crate) fn program() -> Level {
    let mut level = Level::default();
    level.note("no new privileges", set_no_new_privs(true).map(|()| "set"));
    level.note("bounding set", bound());
    level
}

/// For the thread that reads processes; `renames` where a file that is open gets its name at the end.
pub(crate) fn reader(level: &mut Level, renames: bool) {
    level.note("capabilities of the reader", keep(KEPT));
    level.note(
        "system calls of the reader",
        filter(&[READING, if renames { RENAMING } else { &[] }].concat(), true),
    );
}

/// For the thread that speaks on the socket.
pub(crate) fn speaker(level: &mut Level) {
    level.note("capabilities of the speaker", keep(CapabilitySet::empty()));
    level.note("files and networks of the speaker", landlock());
    level.note("system calls of the speaker", filter(SPEAKING, false));
}

/// Takes what is not kept out of the bounding set; where that is not allowed, a service manager may have done it already.
fn bound() -> Result<String, String> {
    // Those that this kernel does not have are refused as invalid.
    let others = || {
        (0..u64::BITS).map(|bit| CapabilitySet::from_bits_retain(1 << bit)).filter(|one| !KEPT.contains(*one))
    };
    let dropped: Result<(), Errno> = others()
        .map(remove_capability_from_bounding_set)
        .filter(|result| *result != Err(Errno::INVAL))
        .collect();
    let left = others()
        .filter(|one| capability_is_in_bounding_set(*one) == Ok(true))
        .fold(CapabilitySet::empty(), CapabilitySet::union);
    match dropped {
        _ if left.is_empty() => Ok("CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH at most".to_owned()),
        _ if left == CapabilitySet::NET_ADMIN => {
            Ok("CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_NET_ADMIN at most".to_owned())
        }
        Ok(()) => Err("capabilities that should be gone are still in it".to_owned()),
        Err(error) => Err(format!("{error}; it takes CAP_SETPCAP, or a service manager that does it")),
    }
}

fn keep(wanted: CapabilitySet) -> Result<String, String> {
    let held = capabilities(None).map_err(|error| error.to_string())?.permitted;
    let kept = held & wanted;
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )
    .map_err(|error| error.to_string())?;
    if kept == wanted {
        return Ok(if kept.is_empty() {
            "none".to_owned()
        } else {
            "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH".to_owned()
        });
    }
    let missing: Vec<&str> = [
        (CapabilitySet::SYS_PTRACE, "CAP_SYS_PTRACE"),
        (CapabilitySet::DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"),
    ]
    .into_iter()
    .filter_map(|(one, name)| (!kept.contains(one)).then_some(name))
    .collect();
    Err(format!("without {} files and sockets of other users' processes are not seen", missing.join(" and ")))
}

fn landlock() -> Result<String, String> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok("landlock, all of it".to_owned()),
        RulesetStatus::PartiallyEnforced => Ok("landlock, what this kernel has of it".to_owned()),
        RulesetStatus::NotEnforced => Err("this kernel has no landlock, or it is switched off".to_owned()),
    }
}

/// What both need: memory, threads, time, signals, files that are open.
const BOTH: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_fcntl,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_ppoll,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_getrandom,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
];
const READING: &[i64] =
    &[libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_readlinkat, libc::SYS_getdents64, libc::SYS_pread64];
const RENAMING: &[i64] = &[
    libc::SYS_fsync,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
];
const SPEAKING: &[i64] =
    &[libc::SYS_accept4, libc::SYS_getsockopt, libc::SYS_setsockopt, libc::SYS_shutdown, libc::SYS_ioctl];

/// Only these calls; all others fail with EPERM. No memory becomes a program; files are opened for reading, where at all.
fn filter(allowed: &[i64], opens: bool) -> Result<&'static str, String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        BOTH.iter().chain(allowed).map(|call| (*call, Vec::new())).collect();
    let without = |argument: u8, bits: i32| {
        let condition = SeccompCondition::new(argument, Dword, MaskedEq(u64::from(bits.cast_unsigned())), 0)?;
        SeccompRule::new(vec![condition])
    };
    let program = (|| {
        rules.insert(libc::SYS_mmap, vec![without(2, libc::PROT_EXEC)?]);
        rules.insert(libc::SYS_mprotect, vec![without(2, libc::PROT_EXEC)?]);
        if opens {
            rules
                .insert(libc::SYS_openat, vec![without(2, libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC)?]);
        }
        let denied = SeccompAction::Errno(libc::EPERM.cast_unsigned());
        let filter =
            SeccompFilter::new(rules, denied, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
        BpfProgram::try_from(filter)
    })()
    .map_err(|error: seccompiler::BackendError| error.to_string())?;
    apply_filter(&program).map_err(|error| error.to_string())?;
    Ok("those that it needs")
}
