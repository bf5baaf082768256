//! Silence over ordinary work: builds, packages, scripts. Once with the other tests, three minutes in CI by `infra/test/quiet`, an hour by
//! `just quiet-processes`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[expect(dead_code, reason = "what this test does not need of it others do")]
mod machine;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use machine::Machine;

const CONTROL: &str = "Package: quiet\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n\
                       Description: a package of a test\n";

/// Runs a script of a shell, which must succeed.
fn run(folder: &Path, script: &str) {
    let output =
        Command::new("sh").args(["-ec", script]).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A build, a package with a script of its own, and what administrators' scripts do.
fn work(folder: &Path) {
    fs::create_dir_all(folder.join("crate/src")).unwrap();
    fs::write(
        folder.join("crate/Cargo.toml"),
        "[package]\nname = \"quiet\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    )
    .unwrap();
    fs::write(folder.join("crate/build.rs"), "fn main() { println!(\"cargo:rerun-if-changed=build.rs\"); }")
        .unwrap();
    fs::write(
        folder.join("crate/src/main.rs"),
        "fn main() { println!(\"quiet\"); }\n#[test]\nfn works() {}\n",
    )
    .unwrap();
    run(
        folder,
        "cd crate && cargo build --offline -q --target-dir ../target && cargo test --offline -q --target-dir ../target && ../target/debug/quiet",
    );
    fs::create_dir_all(folder.join("package/DEBIAN")).unwrap();
    fs::write(folder.join("package/DEBIAN/control"), CONTROL).unwrap();
    run(
        folder,
        "printf '#!/bin/sh\\nset -e\\nls / | sort > /dev/null\\n' > package/DEBIAN/postinst; chmod 755 package/DEBIAN/postinst",
    );
    // Into a root of its own: what is installed here stays as it is.
    run(
        folder,
        "command -v dpkg-deb > /dev/null || exit 0; dpkg-deb --root-owner-group -b package quiet.deb > /dev/null; \
                 dpkg-deb -x quiet.deb out; sh package/DEBIAN/postinst; dpkg -l > /dev/null",
    );
    run(
        folder,
        "command -v dpkg > /dev/null || exit 0; mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates root/var/lib/dpkg/triggers; \
                 : > root/var/lib/dpkg/status; \
                 dpkg --root=\"$PWD/root\" --force-not-root,script-chrootless --log=/dev/null -i quiet.deb > /dev/null; \
                 grep -q 'install ok installed' root/var/lib/dpkg/status",
    );
    run(
        folder,
        "tar cf a.tar crate && gzip a.tar && tar xzf a.tar.gz && find crate -type f | xargs cat | sort | uniq -c | awk '{print $1}' > /dev/null",
    );
    run(
        folder,
        "python3 -c 'import subprocess; subprocess.run([\"sh\", \"-c\", \"id; ps; date\"], stdout=subprocess.DEVNULL)' || true",
    );
    run(
        folder,
        "for n in 1 2 3 4 5; do (ls -l /usr/bin | grep sh | head -n 3) > /dev/null; done; command -v git > /dev/null && git --version || true",
    );
}

/// Works for at least so long, and looks meanwhile.
fn quiet_for(time: Duration) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut machine = Machine::new();
    let (is_over, began) = (AtomicBool::new(false), Instant::now());
    let (mut hits, mut looks) = (Vec::new(), 0);
    thread::scope(|scope| {
        let working = thread::Builder::new().name("work".to_owned());
        let working = working.spawn_scoped(scope, || {
            let mut round = 0;
            while round == 0 || began.elapsed() < time {
                let of_round = folder.path().join(round.to_string());
                fs::create_dir(&of_round).unwrap();
                work(&of_round);
                fs::remove_dir_all(&of_round).unwrap();
                round += 1;
            }
            is_over.store(true, Ordering::Release);
        });
        let working = working.unwrap();
        while !is_over.load(Ordering::Acquire) && !working.is_finished() {
            hits.extend(machine.hits());
            looks += 1;
        }
        working.join().unwrap();
    });
    eprintln!("{looks} looks in {:?}, {} hits", began.elapsed(), hits.len());
    let told: Vec<String> =
        hits.iter().map(|hit| format!("{} {:?}", hit.finding.rule, hit.finding.facts)).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(looks > 3, "{looks} looks");
}

#[test]
fn ordinary_work_is_told_of_nothing() {
    quiet_for(Duration::ZERO);
}

#[test]
#[ignore = "an hour: `just quiet-processes`"]
fn an_hour_of_ordinary_work_is_told_of_nothing() {
    let seconds = option_env!("QUIET_SECONDS").and_then(|text| text.parse().ok()).unwrap_or(3_600);
    quiet_for(Duration::from_secs(seconds));
}
