//! Templates as groups of skeletons, and how they merge.

use std::sync::Arc;

use event::{Template, TemplateId};

use crate::{
    hashed::Table,
    skeleton::{self, Token},
};

/// So many skeletons that differ at one place only are one template.
pub(crate) const VARIANTS: usize = 6;
/// Old ids a template remembers.
pub(crate) const ALIASES_MAX: usize = 4096;
/// Skeletons with more words than this are looked for with one word open, not with two or three.
const WORDS_MAX: usize = 20;

/// A template and the skeleton its messages share.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) tokens: Vec<Token>,
    pub(crate) template: Arc<Template>,
    /// Ids it had, or those merged into it had.
    pub(crate) aliases: Vec<TemplateId>,
    /// Where it was merged to.
    pub(crate) parent: Option<u32>,
    /// Whether a merge made it: then other words may stand at its wildcards.
    pub(crate) open: bool,
    /// Shapes remembered for it.
    pub(crate) shapes: u32,
    /// When it was last looked for by skeleton.
    pub(crate) used: u64,
    /// How operations want it shown: the number of a view from 1, or 0.
    pub(crate) view: u32,
    /// Whether operations keep it from merging and changing its text.
    pub(crate) frozen: bool,
    /// Whether operations keep it from ageing.
    pub(crate) kept: bool,
}

impl Group {
    pub(crate) fn new(tokens: Vec<Token>, used: u64) -> Self {
        let template = Arc::new(Template::new(skeleton::text(&tokens)));
        Self {
            tokens,
            template,
            aliases: Vec::new(),
            parent: None,
            open: false,
            shapes: 0,
            used,
            view: 0,
            frozen: false,
            kept: false,
        }
    }
}

/// Groups that differ at one place. The sixth makes them one, so five are kept.
#[derive(Debug, Clone, Copy, Default)]
struct Variants {
    count: u8,
    groups: [u32; VARIANTS - 1],
}

/// All templates.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    live: usize,
    /// From the key of a skeleton to its group.
    keys: Table<u32>,
    /// From the key of an open group's skeleton to it.
    open: Table<u32>,
    /// From every id, old ones too, to the group.
    ids: Table<u32>,
    /// From the key of a skeleton with one word taken out to the groups that have it.
    holes: Table<Variants>,
}

/// A skeleton with what is needed to look for it.
pub(crate) struct Sought {
    pub(crate) tokens: Vec<Token>,
    key: u64,
    /// For each place that may turn out to vary: what the key changes by when it is taken out.
    changes: Vec<(u32, u64)>,
}

impl Sought {
    pub(crate) fn new(tokens: Vec<Token>) -> Self {
        let (mut key, mut changes) = (0u64, Vec::new());
        for (at, token) in tokens.iter().enumerate() {
            let wild = skeleton::part(at, token.space, None);
            if token.wild {
                key = key.wrapping_add(wild);
            } else {
                let word = skeleton::part(at, token.space, Some(&token.text));
                key = key.wrapping_add(word);
                if skeleton::mergeable(token) {
                    changes.push((at as u32, wild.wrapping_sub(word)));
                }
            }
        }
        Self { tokens, key, changes }
    }
}

impl Groups {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Groups in memory, merged ones too.
    pub(crate) fn stored(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn get(&self, group: u32) -> &Group {
        &self.groups[group as usize]
    }

    pub(crate) fn get_mut(&mut self, group: u32) -> &mut Group {
        &mut self.groups[group as usize]
    }

    /// The group that a group was merged to, or itself.
    #[inline]
    pub(crate) fn resolve(&self, mut group: u32) -> u32 {
        while let Some(parent) = self.groups[group as usize].parent {
            group = parent;
        }
        group
    }

    /// The number of the group that an id stands for.
    pub(crate) fn number(&self, id: TemplateId) -> Option<u32> {
        self.ids.get(&id.0).map(|&group| self.resolve(group))
    }

    pub(crate) fn by_id(&self, id: TemplateId) -> Option<&Group> {
        self.number(id).map(|group| self.get(group))
    }

    /// The groups that are not merged into others, in the order they were made.
    pub(crate) fn alive(&self) -> impl Iterator<Item = (u32, &Group)> {
        self.groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.parent.is_none())
            .map(|(at, group)| (at as u32, group))
    }

    /// The group of a skeleton: with exactly its words, or an open one with up to three others.
    pub(crate) fn find(&self, sought: &Sought) -> Option<u32> {
        if let Some(&group) = self.keys.get(&sought.key) {
            return Some(self.resolve(group));
        }
        if self.open.is_empty() {
            return None;
        }
        let changes = &sought.changes;
        let at = |key: u64| self.open.get(&key).map(|&group| self.resolve(group));
        if let Some(group) = changes.iter().find_map(|&(_, change)| at(sought.key.wrapping_add(change))) {
            return Some(group);
        }
        if changes.len() > WORDS_MAX {
            return None;
        }
        for holes in 2..=3 {
            for (first, &(_, one)) in changes.iter().enumerate() {
                for (second, &(_, two)) in changes.iter().enumerate().skip(first + 1) {
                    let key = sought.key.wrapping_add(one).wrapping_add(two);
                    let found = if holes == 2 {
                        at(key)
                    } else {
                        changes.iter().skip(second + 1).find_map(|&(_, three)| at(key.wrapping_add(three)))
                    };
                    if found.is_some() {
                        return found;
                    }
                }
            }
        }
        None
    }

    /// Adds a group for a skeleton that has none, and merges it where it is one variant too many.
    pub(crate) fn add(&mut self, sought: Sought, used: u64) -> u32 {
        let (key, changes) = (sought.key, sought.changes);
        let group = self.insert(sought.tokens, key, false, used);
        let live = self.resolve(group);
        if live == group {
            self.merge(group, key, &changes);
        }
        self.resolve(group)
    }

    /// The group of exactly this skeleton, made where there is none.
    pub(crate) fn recall(&mut self, sought: Sought, used: u64) -> u32 {
        let known = self.keys.get(&sought.key).copied();
        let group = known.unwrap_or_else(|| self.insert(sought.tokens, sought.key, false, used));
        self.resolve(group)
    }

    fn insert(&mut self, tokens: Vec<Token>, key: u64, open: bool, used: u64) -> u32 {
        let group = self.groups.len() as u32;
        self.groups.push(Group { open, ..Group::new(tokens, used) });
        self.live += 1;
        self.keys.insert(key, group);
        if open {
            self.open.insert(key, group);
        }
        self.claim(group);
        group
    }

    /// Takes in a group of another miner; one that has its skeleton becomes as open as it.
    pub(crate) fn adopt(&mut self, other: &Group, used: u64) {
        let key = Sought::new(other.tokens.clone()).key;
        let group = match self.keys.get(&key).map(|&group| self.resolve(group)) {
            Some(group) => {
                if other.open && !self.get(group).open {
                    self.get_mut(group).open = true;
                    self.open.insert(key, group);
                }
                self.reread(group, &other.tokens);
                self.resolve(group)
            }
            None => self.insert(other.tokens.clone(), key, other.open, used),
        };
        let group = self.resolve(group);
        for &alias in &other.aliases {
            if !self.ids.contains_key(&alias.0) {
                self.alias(group, alias);
            }
        }
    }

    /// Makes the group the owner of its template's id; one that has the same text becomes one with it.
    fn claim(&mut self, group: u32) {
        let id = self.get(group).template.id;
        match self.ids.get(&id.0).map(|&owner| self.resolve(owner)) {
            Some(owner) if owner != group => self.unite(group, owner),
            _ => {
                self.ids.insert(id.0, group);
            }
        }
    }

    /// Makes `group` part of `target`.
    fn unite(&mut self, group: u32, target: u32) {
        // Its messages are found again through the target, as they are after saving and loading.
        let key = Sought::new(self.get(group).tokens.clone()).key;
        for table in [&mut self.keys, &mut self.open] {
            if table.get(&key) == Some(&group) {
                table.remove(&key);
            }
        }
        let merged = &mut self.groups[group as usize];
        merged.parent = Some(target);
        merged.tokens = Vec::new();
        let (shapes, used) = (merged.shapes, merged.used);
        let mut aliases = std::mem::take(&mut merged.aliases);
        aliases.push(merged.template.id);
        self.live -= 1;
        let target_group = self.get_mut(target);
        target_group.shapes = target_group.shapes.saturating_add(shapes);
        target_group.used = target_group.used.max(used);
        for alias in aliases {
            self.alias(target, alias);
        }
    }

    /// Lets an id stand for a group.
    pub(crate) fn alias(&mut self, group: u32, id: TemplateId) {
        let owner = self.get_mut(group);
        if owner.template.id == id || owner.aliases.contains(&id) {
            return;
        }
        owner.aliases.push(id);
        if owner.aliases.len() > ALIASES_MAX {
            let forgotten = owner.aliases.remove(0);
            self.ids.remove(&forgotten.0);
        }
        self.ids.insert(id.0, group);
    }

    /// Lets the group's text say what its wildcards have in common with those of another skeleton.
    pub(crate) fn reread(&mut self, group: u32, tokens: &[Token]) -> bool {
        let owner = &mut self.groups[group as usize];
        if owner.frozen || owner.tokens.len() != tokens.len() {
            return false;
        }
        let mut changed = false;
        for (token, other) in owner.tokens.iter_mut().zip(tokens) {
            if token.wild && token.text != other.text && token.text != "<*>" {
                let joined = skeleton::join(&token.text, &other.text);
                changed |= joined != token.text;
                token.text = joined;
            }
        }
        if changed {
            self.rename(group);
        }
        changed
    }

    fn rename(&mut self, group: u32) {
        let owner = &mut self.groups[group as usize];
        let template = Template::new(skeleton::text(&owner.tokens));
        if template.id == owner.template.id {
            return;
        }
        let old = std::mem::replace(&mut owner.template, Arc::new(template)).id;
        self.alias(group, old);
        self.claim(group);
    }

    /// Merges groups that differ from this one at one place, if they are many.
    fn merge(&mut self, group: u32, key: u64, changes: &[(u32, u64)]) {
        if changes.len() < 2 || self.get(group).frozen {
            return;
        }
        for &(at, change) in changes {
            let holed = key.wrapping_add(change);
            let mut variants = self.holes.get(&holed).copied().unwrap_or_default();
            // Those merged elsewhere meanwhile, or frozen, count no more.
            let mut kept = Variants::default();
            for &other in &variants.groups[..usize::from(variants.count)] {
                if self.get(other).parent.is_none() && !self.get(other).frozen {
                    kept.groups[usize::from(kept.count)] = other;
                    kept.count += 1;
                }
            }
            variants = kept;
            if usize::from(variants.count) < VARIANTS - 1 {
                variants.groups[usize::from(variants.count)] = group;
                variants.count += 1;
                self.holes.insert(holed, variants);
                continue;
            }
            self.holes.remove(&holed);
            self.merge_at(group, at as usize, holed, &variants.groups);
            return;
        }
    }

    fn merge_at(&mut self, group: u32, at: usize, key: u64, others: &[u32]) {
        let used = self.get(group).used;
        let mut tokens = self.get(group).tokens.clone();
        tokens[at].wild = true;
        tokens[at].text = "<*>".to_owned();
        let members: Vec<Vec<Token>> = others.iter().map(|&other| self.get(other).tokens.clone()).collect();
        for member in &members {
            for (token, other) in tokens.iter_mut().zip(member) {
                if token.wild {
                    token.text = skeleton::join(&token.text, &other.text);
                }
            }
        }
        let target = match self.keys.get(&key).map(|&target| self.resolve(target)) {
            Some(target) => {
                self.get_mut(target).open = true;
                self.open.insert(key, target);
                self.reread(target, &tokens);
                self.resolve(target)
            }
            None => self.insert(tokens, key, true, used),
        };
        for &member in others.iter().chain([&group]) {
            let target = self.resolve(target);
            if self.get(member).parent.is_none() && member != target {
                self.unite(member, target);
            }
        }
        let target = self.resolve(target);
        if self.get(target).open && !self.get(target).tokens.is_empty() {
            let merged = Sought::new(self.get(target).tokens.clone());
            if merged.key == key {
                self.merge(target, merged.key, &merged.changes);
            }
        }
    }

    /// Builds everything from groups as [`Groups::alive`] gives them, without merging.
    pub(crate) fn from_alive(groups: Vec<Group>) -> Self {
        let mut all = Self { live: groups.len(), groups, ..Self::default() };
        for group in 0..all.groups.len() as u32 {
            let owner = all.get(group);
            let (open, id, aliases) = (owner.open, owner.template.id, owner.aliases.clone());
            let (sought, frozen) = (Sought::new(owner.tokens.clone()), owner.frozen);
            all.keys.insert(sought.key, group);
            if open {
                all.open.insert(sought.key, group);
            }
            all.ids.insert(id.0, group);
            for alias in aliases {
                all.ids.entry(alias.0).or_insert(group);
            }
            if sought.changes.len() < 2 || frozen {
                continue;
            }
            for (_, change) in sought.changes {
                let variants = all.holes.entry(sought.key.wrapping_add(change)).or_default();
                if usize::from(variants.count) < VARIANTS - 1 {
                    variants.groups[usize::from(variants.count)] = group;
                    variants.count += 1;
                }
            }
        }
        all
    }

    /// Keeps `keep` of the groups and lets go of those merged away; returns for each old number the new one.
    pub(crate) fn compact(&mut self, keep: impl Fn(u32, &Group) -> bool) -> Vec<Option<u32>> {
        let mut numbers = vec![None; self.groups.len()];
        let mut kept = Vec::new();
        for (at, group) in self.alive() {
            if keep(at, group) {
                numbers[at as usize] = Some(kept.len() as u32);
                kept.push(group.clone());
            }
        }
        for at in 0..self.groups.len() as u32 {
            numbers[at as usize] = numbers[self.resolve(at) as usize];
        }
        *self = Self::from_alive(kept);
        numbers
    }
}
