# `just` lists these.
default:
    @just --list

# Everything in one process, with the embedded store.
run *ARGS:
    cargo run --release -- {{ARGS}}

# The tests of the README.
test:
    cargo test --workspace

# What has to be clean before a commit.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace

# The whole of continuous integration.
ci:
    bash .ci/run

# First figures of the store on this machine; SAMPLES is a folder with *_2k.log[.gz] files.
bench-store *ARGS:
    cargo build --release --workspace
    target/release/sentinel-bench store {{ARGS}}

# How long it takes to verify an audit record of so many lines.
bench-audit RECORDS="10000000":
    cargo run --release --locked -p audit --example verify -- {{RECORDS}}

# The tests that need a real server: all, or some of 8, 9, opensearch, outage. Needs Maven and Java.
elasticsearch *PARTS:
    infra/test/on-elasticsearch {{PARTS}}

# The agent for Windows under wine, against a collector. Needs gcc-mingw-w64-x86-64, wine and wine64 of Debian.
wine:
    cargo build --release --locked
    cargo build --locked -p log-sentinel-agent --target x86_64-pc-windows-gnu
    infra/test/wine.sh target/x86_64-pc-windows-gnu/debug/log-sentinel-agent.exe target/release/log-sentinel

# The dashboard in a real browser; --all: every size and theme, --pictures FOLDER: pictures of all. Needs chromium, nodejs and npm.
browser *OPTIONS:
    cargo build --release --locked --workspace
    infra/test/browser/run target/release/log-sentinel {{OPTIONS}}

# The dashboard's files as they are now, in front of a program that runs. Needs nodejs.
page AT="http://127.0.0.1:8080" PORT="8090":
    node infra/test/browser/serve.mjs {{AT}} {{PORT}}

# The compose stack but Kibana, where no image registry is reached. Needs docker, and root.
compose:
    infra/test/compose.sh

# Writes the types of proto/ anew.
proto:
    cargo test -p wire --test generated -- --ignored
    cargo test -p process --test generated -- --ignored

# Writes docs/formats.md anew from the samples of the formats.
formats:
    cargo test -p parse --lib write_the_page_of_formats -- --ignored

# What is read from real logs, held against a script for each format: DATA has labelled logs, DEBIAN is filled anew. Needs root.
eval-reading DATA DEBIAN:
    cargo build --workspace
    infra/eval/reading/debian {{DEBIAN}}
    infra/eval/reading/compare target/debug/log-sentinel {{DATA}} {{DEBIAN}}

# A fuzz target for so many seconds, such as `just fuzz parse json 60`. Needs cargo-fuzz; the stable toolchain will do.
fuzz CRATE TARGET SECONDS="60":
    cd crates/{{CRATE}} && RUSTC_BOOTSTRAP=1 cargo fuzz run {{TARGET}} -- -max_total_time={{SECONDS}}

# How many faults the tests notice, of a random sample of changes to CRATES. Needs cargo-mutants, and hours.
mutants SAMPLE="150" *CRATES="parse template query app":
    infra/test/mutants --sample {{SAMPLE}} {{CRATES}}

# Attacks on the built program, the long form, about an hour; PARTS of their names choose some. CI runs the short form.
attack *PARTS:
    cargo build --release --locked --workspace
    infra/attack/run --long target/release/log-sentinel {{PARTS}}

# Processor time of taking in and of queries against another build, in ten interleaved pairs.
cost BEFORE *ARGS:
    cargo build --release --locked --workspace
    infra/attack/cost {{BEFORE}} target/release/log-sentinel {{ARGS}}

# Alerts of the built program against real servers, over twenty kills. Needs aiosmtpd, rsyslog with rsyslog-openssl, openssl.
alerts *OPTIONS:
    cargo build --release --locked
    infra/test/alerts.py target/release/log-sentinel {{OPTIONS}}

# An agent in Python, then a fleet of such agents, against the release build; needs requests, psutil and pyyaml.
fleet *OPTIONS:
    infra/test/old_agent.py {{OPTIONS}} target/release/log-sentinel

# What keeping samples of hosts costs.
fleet-store:
    cargo run --release -p fleet --example store_bench

# From a line's arrival to its alert at a channel, under load: --rate lines a second, for --seconds.
alert-delay *OPTIONS:
    cargo build --release --locked
    infra/test/alert_delay.py target/release/log-sentinel {{OPTIONS}}

# Licences, bans and sources of all dependencies. Needs cargo-deny.
deny:
    cargo deny check licenses bans sources

# Write .env.sample anew after a setting changed.
env-sample:
    cargo run --quiet -- check --sample > .env.sample

# Every table of docs/detection.md in one run, beside peers from their registry; DATA as infra/eval/eval-anomaly says.
eval-anomaly DATA="../shared/data" *ARGS="":
    infra/eval/eval-anomaly {{DATA}} {{ARGS}}

# What is detected in the labelled lines, events, rules and streams below DATA.
eval-security DATA="../shared/data":
    cargo build --release --locked --workspace
    infra/eval/sigma.py target/release/sentinel-bench {{DATA}}/security --speed
    infra/eval/kinds.py {{DATA}}/security
    infra/eval/detectors.py {{DATA}}
    infra/eval/web.py {{DATA}}

# Events a second against the Linux and web rules, beside rsigma 0.26, three times in turns. Needs a nightly compiler of Rust.
eval-sigma-speed DATA="../shared/data":
    cargo build --release --locked --workspace
    CARGO_TARGET_DIR=target/rsigma cargo +nightly build --release --manifest-path infra/eval/rsigma/Cargo.toml
    set -e; for turn in 1 2 3; do \
        target/release/sentinel-bench sigma --speed \
            --rules {{DATA}}/security/sigma_rules_linux_web.jsonl --events {{DATA}}/security/sigma_cases_linux_web.jsonl; \
        target/rsigma/release/rsigma-speed \
            {{DATA}}/security/sigma_rules_linux_web.jsonl {{DATA}}/security/sigma_cases_linux_web.jsonl; \
    done

# How many signals days of real logs come to, and whether everybody is in one who has to be; --list names them.
eval-reduction DATA="../shared/data" *ARGS="":
    cargo build --release --locked
    infra/eval/reduction.py {{DATA}} {{ARGS}}

# Ten million random addresses through every detector: what is remembered, given up and resident. About a minute.
bench-flood:
    cargo test --release -p detect --test flood -- --ignored --nocapture

# Make the starters of models/ anew from the sample logs that come along; a test holds that they are what this makes.
starters:
    cargo run --release -p sentinel-bench -- starter --name sshd-auth --file auth.log --written 2017-04-20T23:59:59Z \
        --log crates/app/samples/auth_ec2_2017.log.gz --out models/sshd-auth.starter
    cargo run --release -p sentinel-bench -- starter --name web-access --file access.log --written 2017-04-20T23:59:59Z \
        --log crates/app/samples/apache_access_2015.log.gz --out models/web-access.starter

# The collector of processes, by hand: sudo just run-procmond run --once
run-procmond *ARGS:
    cargo run --release -p procmond -- {{ARGS}}

# What looking at ten thousand processes costs, beside `ps -ef`. As root, on a machine that does nothing else.
bench-processes *OPTIONS:
    cargo build --release -p procmond
    infra/test/processes.py target/release/procmond {{OPTIONS}}

# Questions in SQL, by hand: just run-sentinelcli query --sql "SELECT name FROM processes"
run-sentinelcli *ARGS:
    cargo run --release -- {{ARGS}}

# What runs on a watched host, by hand: just run-sentinelagent -url http://127.0.0.1:8080
run-sentinelagent *ARGS:
    cargo run --release -- agent {{ARGS}}

# Whether the rules over processes are silent over ordinary work, for an hour or so many SECONDS.
quiet-processes SECONDS="3600":
    infra/test/quiet {{SECONDS}}
