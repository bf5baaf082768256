//! What detection costs an event: `cargo run --release -p detect --example cost -- FILE.ndjson`. The lines are analysed first; then
//! detectors see them: none (what the engine itself takes), each alone, and all together with the rules that come along.
//! Prints nanoseconds for each event, of the best of several passes; each pass begins with nothing seen.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{sync::Arc, time::Instant};

use detect::{
    Clocks, Config, Declared, Detector, Engine, Guessing, Logins, Patterns, SHIPPED, SigmaRules, Sources,
    Visitors, rules,
};
use event::{Analyzed, EventId, JournalId, Position, Timestamp};
use jiff::tz::TimeZone;
use parse::{Context, Format};

/// The best one is the least disturbed.
const PASSES: usize = 5;

type Make = fn(&Config) -> Box<dyn Detector>;

fn sigma(config: &Config) -> Box<dyn Detector> {
    Box::new(SigmaRules::new(rules::read(SHIPPED.iter().copied()).0, config))
}

const DETECTORS: &[Make] = &[
    |config| Box::new(Guessing::new(config)),
    |config| Box::new(Logins::new(config)),
    |config| Box::new(Declared::new(config)),
    |config| Box::new(Sources::new(config)),
    |config| Box::new(Clocks::new(config)),
    |config| Box::new(Patterns::new(config)),
    |config| Box::new(Visitors::new(config)),
    sigma,
];

fn main() {
    let text = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let (zone, mut miner) = (TimeZone::UTC, template::Miner::new(template::Config::default()));
    let context = Context::new(Timestamp::parse("2027-01-01T00:00:00Z").unwrap(), &zone, 1 << 20);
    let (mut events, mut variables) = (Vec::new(), Vec::new());
    parse::body(Format::Ndjson, &text, &context, |event| {
        let mut analyzed = Analyzed::unanalyzed(
            EventId { journal: JournalId(1), position: Position::default() },
            event.unwrap(),
        );
        variables.clear();
        let mined = miner.mine(&analyzed.event.message, &mut variables);
        (analyzed.shape, analyzed.template) = (mined.shape, Some(Arc::clone(&mined.template)));
        events.push(analyzed);
    });
    println!("{} events", events.len());

    let engine = nanoseconds(&events, &[]);
    println!("{:>10}: {engine:5}", "engine");
    for make in DETECTORS {
        let alone = nanoseconds(&events, &[*make]).saturating_sub(engine);
        println!("{:>10}: {alone:5}", make(&Config::default()).name());
    }
    println!("{:>10}: {:5}", "all", nanoseconds(&events, DETECTORS));
}

/// For each event.
fn nanoseconds(events: &[Analyzed<'_>], makers: &[Make]) -> u128 {
    let config = Config::default();
    let best = (0..PASSES).map(|_| {
        let mut engine = Engine::with(config.clone(), makers.iter().map(|make| make(&config)).collect());
        let start = Instant::now();
        for analyzed in events {
            engine.see_one(analyzed);
        }
        start.elapsed().as_nanos()
    });
    best.min().unwrap() / events.len() as u128
}
