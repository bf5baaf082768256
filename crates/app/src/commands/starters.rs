//! `log-sentinel starters`: what other logs taught, for a service that has not yet learned from its own.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{models::card, read, show};
use crate::{
    AppError,
    cli::{Output, StartersAction},
    client::Client,
    wording::{count, each, grouped, plain, table, text, texts},
};

/// Those that come along: name and file.
const SHIPPED: [(&str, &[u8]); 2] = [
    ("sshd-auth", include_bytes!("../../../../models/sshd-auth.starter")),
    ("web-access", include_bytes!("../../../../models/web-access.starter")),
];

/// Lists starters or takes one in.
///
/// # Errors
/// When the service does not answer or refuses it, or there is no such starter.
pub(crate) async fn run(client: &Client, action: &StartersAction, output: Output) -> Result<(), AppError> {
    match action {
        StartersAction::List => {
            let mut answer = client.get_json("/starters", &[]).await?;
            answer["shipped"] = SHIPPED.iter().map(|(name, _)| json!(name)).collect();
            show(output, &answer, Some("starters"), list)
        }
        StartersAction::Add { starter } => {
            let header = ("content-type", "application/octet-stream");
            let answer = client.post("/starters", &[], &[header], bytes(starter)?).await?;
            show(output, &answer, None, |model| {
                format!("the starter is known from now on\n\n{}", card(model))
            })
        }
    }
}

fn bytes(starter: &Path) -> Result<Vec<u8>, AppError> {
    if let Some((_, bytes)) = SHIPPED.iter().find(|(name, _)| starter == Path::new(name)) {
        return Ok(bytes.to_vec());
    }
    read(starter).map_err(|error| match error {
        AppError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            let shipped = SHIPPED.map(|(name, _)| name).join(", ");
            AppError::NoStarter { starter: PathBuf::from(starter), shipped }
        }
        error => error,
    })
}

fn list(answer: &Json) -> String {
    let taken_in = each(answer, "starters");
    let mut rows: Vec<[String; 4]> = taken_in
        .iter()
        .map(|starter| {
            let (events, templates) = (count(starter, "events"), count(starter, "templates"));
            [text(starter, "name"), "taken in".to_owned(), grouped(events), grouped(templates)]
        })
        .collect();
    for name in texts(answer, "shipped") {
        if !taken_in.iter().any(|starter| starter["name"] == name.as_str()) {
            rows.push([name, "comes along".to_owned(), String::new(), String::new()]);
        }
    }
    let mut said = table(["NAME", "STATE", "EVENTS", "TEMPLATES"], &rows);
    for problem in each(answer, "problems").iter().filter_map(Json::as_str) {
        said.push_str(&format!("not taken in: {}\n", plain(problem)));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_come_along_are_listed_until_they_are_taken_in() {
        let answer = json!({
            "starters": [{"name": "sshd-auth", "events": 86_839, "templates": 42}, {"name": "own", "events": 900, "templates": 3}],
            "problems": ["old.starter is of another version"], "shipped": ["sshd-auth", "web-access"]
        });
        assert_eq!(
            list(&answer),
            "NAME        STATE        EVENTS  TEMPLATES\n\
             sshd-auth   taken in     86,839  42\n\
             own         taken in     900     3\n\
             web-access  comes along\n\
             not taken in: old.starter is of another version\n"
        );
    }

    #[test]
    fn a_starter_is_one_that_comes_along_or_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("own.starter");
        std::fs::write(&file, b"own").unwrap();
        assert_eq!(bytes(&file).unwrap(), b"own");
        assert_eq!(bytes(Path::new("web-access")).unwrap(), SHIPPED[1].1);
        assert!(SHIPPED.iter().all(|(_, bytes)| bytes.len() > 1_000));
        let missing = bytes(&dir.path().join("sshd")).unwrap_err().to_string();
        assert!(missing.contains("sshd-auth, web-access"), "{missing}");
    }
}
