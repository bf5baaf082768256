//! Prints `LineId,TemplateId` for the lines of a file, by the template each belongs to at its end;
//! with a second argument, the template's text instead.

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    let mut miner = template::Miner::new(template::Config::default());
    let mut variables = Vec::new();
    let mut ids = Vec::new();
    for line in text.lines() {
        variables.clear();
        ids.push(miner.mine(line, &mut variables).template.id);
    }
    let texts = std::env::args().nth(2).is_some();
    for (line, id) in ids.into_iter().enumerate() {
        match miner.template(id) {
            Some(template) if texts => println!("{}", template.text),
            _ => println!("{},{}", line + 1, miner.current(id)),
        }
    }
    Ok(())
}
