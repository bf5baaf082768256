//! The known template that a message of no known template is most like.

use std::{collections::HashSet, sync::Arc};

use event::Template;
use template::Miner;

/// The known template with the largest share of words in common with the message.
pub(crate) fn nearest(miner: &Miner, message: &str) -> Option<Arc<Template>> {
    const WORDS_MAX: usize = 64;
    const BYTES_MAX: usize = 4096;
    let words = |text: &str| -> HashSet<String> {
        let end = (0..=text.len().min(BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let words = text[..end].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.take(WORDS_MAX).map(str::to_lowercase).collect()
    };
    let wanted = words(message);
    let likeness = |template: &Arc<Template>| {
        let has = words(&template.text);
        let shared = wanted.intersection(&has).count();
        if shared == 0 { 0.0 } else { shared as f32 / (wanted.len() + has.len() - shared) as f32 }
    };
    let ranked = miner.templates().map(|template| (likeness(template), template));
    let best = ranked
        .filter(|(likeness, _)| *likeness > 0.2)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.text.cmp(&a.1.text)));
    best.map(|(_, template)| template.clone())
}
