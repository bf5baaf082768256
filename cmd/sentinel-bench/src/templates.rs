//! `templates`: which lines belong together.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};
use template::{Config, Miner};

use crate::lines;

pub(crate) fn run(file: &Path, column: Option<&str>) -> Result<()> {
    let mut miner = Miner::new(Config::default());
    let (mut variables, mut ids) = (vec![], vec![]);
    let start = std::time::Instant::now();
    let mut mine = |message: &str| {
        variables.clear();
        ids.push(miner.mine(message, &mut variables).template.id);
    };
    match column {
        Some(column) => {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(lines::open(file)?);
            let place = reader.headers()?.iter().position(|name| name == column);
            let place = place.with_context(|| format!("{} has no column {column}", file.display()))?;
            for record in reader.byte_records() {
                let record = record?;
                mine(&String::from_utf8_lossy(record.get(place).unwrap_or_default()));
            }
        }
        None => lines::each(file, |line| {
            mine(line);
            Ok(())
        })?,
    }
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "LineId,TemplateId")?;
    // A line's template may have been merged into another one since; the groups are those of the end.
    for (line, id) in ids.iter().enumerate() {
        writeln!(out, "{},{}", line + 1, miner.current(*id))?;
    }
    out.flush()?;
    eprintln!("{} lines, {} templates, {:.2} s", ids.len(), miner.len(), start.elapsed().as_secs_f64());
    Ok(())
}
