//! Lines a second over the lines of a file, in several passes after one that learns them.

use std::time::Instant;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let mut miner = template::Miner::new(template::Config::default());
    let mut variables = Vec::new();
    for pass in 0..6 {
        let (start, mut found) = (Instant::now(), 0);
        for line in &lines {
            variables.clear();
            miner.mine(line, &mut variables);
            found += variables.len();
        }
        let rate = lines.len() as f64 / start.elapsed().as_secs_f64();
        let (templates, shapes) = (miner.len(), miner.shapes());
        println!("pass {pass}: {rate:.0} lines/s, {found} variables, {templates} templates, {shapes} shapes");
    }
    Ok(())
}
