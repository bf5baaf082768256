//! The known template that a message of no known template is most like: that with the largest share of words in
//! common.
//!
//! Templates are found by their words, the rarest first, and no message looks at more than [`LOOKED_AT`] entries: so
//! a message costs the same however many templates there are. What only common words lead to may be passed over
//! then, and is counted.

use std::sync::Arc;

use arithmetic::hash;
use event::{Template, TemplateId};
use hashbrown::HashMap;
use template::Miner;

const WORDS_MAX: usize = 64;
const BYTES_MAX: usize = 4096;
/// Entries looked at for one message.
const LOOKED_AT: usize = 1_024;
/// Templates compared word by word, and those that are as alike as the last of them.
const COMPARED: usize = 16;
/// Less is no likeness.
const LIKENESS_MIN: f32 = 0.2;

type FixedMap<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A template and its words.
#[derive(Debug)]
struct Known {
    template: Arc<Template>,
    /// Rising.
    words: Vec<u32>,
    /// The latest revision that it was part of.
    revision: u64,
}

/// The templates of a miner by their words.
#[derive(Debug, Default)]
pub(crate) struct WordIndex {
    /// The miner's revision that this one is of.
    revision: Option<u64>,
    known: Vec<Known>,
    places: FixedMap<TemplateId, u32>,
    /// Where each word stands, by rising place.
    words: FixedMap<u32, Vec<u32>>,
    /// By place: words in common with the message that is looked at.
    shared: Vec<u16>,
}

/// Hashes of the words, rising, each once.
fn words(text: &str) -> Vec<u32> {
    let end = (0..=text.len().min(BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let words = text[..end].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut hashes: Vec<u32> = words
        .take(WORDS_MAX)
        .map(|word| match word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            true => hash(word.as_bytes()) as u32,
            false => hash(word.to_lowercase().as_bytes()) as u32,
        })
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn likeness(one: &[u32], other: &[u32]) -> f32 {
    let shared = one.iter().filter(|word| other.binary_search(word).is_ok()).count();
    if shared == 0 { 0.0 } else { shared as f32 / (one.len() + other.len() - shared) as f32 }
}

impl WordIndex {
    /// Takes over what has changed in the miner since the last time.
    pub(crate) fn follow(&mut self, miner: &Miner) {
        let revision = miner.revision();
        if self.revision == Some(revision) {
            return;
        }
        let mut current = 0;
        for template in miner.templates() {
            current += 1;
            match self.places.get(&template.id) {
                Some(place) => self.known[*place as usize].revision = revision,
                None => self.add(template, revision),
            }
        }
        if self.known.len() > 2 * current + COMPARED {
            *self = Self::default();
            miner.templates().for_each(|template| self.add(template, revision));
        }
        self.revision = Some(revision);
    }

    fn add(&mut self, template: &Arc<Template>, revision: u64) {
        let (place, words) = (self.known.len() as u32, words(&template.text));
        words.iter().for_each(|word| self.words.entry(*word).or_default().push(place));
        self.places.insert(template.id, place);
        self.known.push(Known { template: template.clone(), words, revision });
        self.shared.push(0);
    }

    /// The most alike, of several the one whose text comes first.
    pub(crate) fn find(&mut self, message: &str) -> Option<Arc<Template>> {
        let wanted = words(message);
        let mut lists: Vec<&Vec<u32>> = wanted.iter().filter_map(|word| self.words.get(word)).collect();
        lists.sort_by_key(|list| list.len());
        let (mut left, mut met) = (LOOKED_AT, Vec::new());
        if lists.iter().map(|list| list.len()).sum::<usize>() > LOOKED_AT {
            metrics::counter!(telemetry::metric::NEAREST_TEMPLATE_CUT).increment(1);
        }
        for list in lists {
            for place in list.iter().take(left) {
                let shared = &mut self.shared[*place as usize];
                if *shared == 0 {
                    met.push(*place);
                }
                *shared += 1;
            }
            left = left.saturating_sub(list.len());
        }
        let current = |place: &u32| Some(self.known[*place as usize].revision) == self.revision;
        let mut ranked: Vec<(f32, u32)> = met
            .iter()
            .filter(|place| current(place))
            .map(|place| {
                let (shared, has) =
                    (self.shared[*place as usize] as usize, self.known[*place as usize].words.len());
                (shared as f32 / (wanted.len() + has - shared) as f32, *place)
            })
            .collect();
        met.iter().for_each(|place| self.shared[*place as usize] = 0);
        // Comparing texts costs more than numbers: those that are as alike as the last one taken all go on.
        if ranked.len() > COMPARED {
            let (_, last, _) = ranked.select_nth_unstable_by(COMPARED - 1, |a, b| b.0.total_cmp(&a.0));
            let least = last.0;
            ranked.retain(|(share, _)| *share >= least);
        }
        for (share, place) in &mut ranked {
            *share = likeness(&wanted, &self.known[*place as usize].words);
        }
        ranked.retain(|(share, _)| *share > LIKENESS_MIN);
        let text = |place: u32| &self.known[place as usize].template.text;
        let best_first =
            |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then_with(|| text(a.1).cmp(text(b.1)));
        let best = ranked.into_iter().min_by(best_first)?;
        Some(self.known[best.1 as usize].template.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miner(messages: impl IntoIterator<Item = String>) -> Miner {
        let mut miner = Miner::new(template::Config::default());
        for message in messages {
            miner.mine(&message, &mut Vec::new());
        }
        miner
    }

    /// By comparison with each.
    fn scanned(miner: &Miner, message: &str) -> Option<Arc<Template>> {
        let wanted = words(message);
        let ranked = miner.templates().map(|template| (likeness(&wanted, &words(&template.text)), template));
        let best = ranked
            .filter(|(share, _)| *share > LIKENESS_MIN)
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.text.cmp(&a.1.text)));
        best.map(|(_, template)| template.clone())
    }

    const NOUNS: [&str; 12] = [
        "disk", "Session", "user", "fan", "cache", "lease", "route", "token", "queue", "bond", "mount",
        "lock",
    ];
    const VERBS: [&str; 6] = ["opened", "closed", "lost", "failed", "was renewed", "timed out"];

    fn sentence(n: usize) -> String {
        format!(
            "{} {} {} by {}",
            NOUNS[n % 12],
            NOUNS[n / 12 % 12],
            VERBS[n / 144 % 6],
            NOUNS[(n * 7 + n / 12) % 12]
        )
    }

    #[test]
    fn it_is_the_one_that_a_comparison_with_all_finds() {
        let mut miner = miner((0..300).map(sentence));
        let mut index = WordIndex::default();
        for n in 0..600 {
            if n % 50 == 0 {
                miner.mine(&format!("{} again", sentence(n + 1_000)), &mut Vec::new());
            }
            let message = format!("{} {}", sentence(n * 31), NOUNS[n % 7]);
            index.follow(&miner);
            assert_eq!(index.find(&message), scanned(&miner, &message), "{message}");
        }
        assert_eq!(index.find(""), None);
        assert_eq!(index.find("nothing of this is anywhere"), None);
    }

    #[test]
    fn templates_that_are_gone_are_not_found() {
        let mut index = WordIndex::default();
        index.follow(&miner(["the old pump stopped".to_owned()]));
        assert!(index.find("the old pump").is_some());
        index.follow(&miner(["a new valve opened".to_owned()]));
        assert_eq!(index.find("the old pump"), None);
        assert!(index.find("a new valve").is_some());
    }

    #[test]
    fn what_it_looks_at_is_bounded() {
        let mut index = WordIndex::default();
        for n in 0..30_000 {
            let template = Arc::new(Template::new(format!("common words in every one of them {n}x")));
            index.add(&template, 1);
        }
        index.revision = Some(1);
        let found = index.find("common words in every one of them 29999x");
        assert_eq!(found.unwrap().text, "common words in every one of them 29999x", "by its rarest word");
        assert!(index.find("common words in every one of them, and so on").is_some());
        assert!(index.shared.iter().all(|shared| *shared == 0), "nothing is left of a question");
    }
}
