//! The miner: from a message to its shape, from the shape to its template.

use std::sync::Arc;

use event::{Template, TemplateId, Variable, VariableKind};

use crate::{
    groups::{Group, Groups, Sought},
    hash::Hash,
    hashed::Table,
    scan::scan,
    skeleton::skeleton,
};

/// Shapes remembered for one template; messages of further ones get the template's own shape.
const SHAPES_PER_TEMPLATE_MAX: u32 = 4096;

/// Bounds.
#[derive(Debug, Clone)]
pub struct Config {
    /// Shapes remembered. About 40 bytes each.
    pub shapes_max: usize,
    /// Templates remembered. About 1 KiB each, 10 KiB when all are of the longest.
    pub templates_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { shapes_max: 100_000, templates_max: 20_000 }
    }
}

/// Where a message belongs.
#[derive(Debug, Clone)]
pub struct Mined {
    /// Hash of the literal text around the variables and of their kinds; the same everywhere.
    pub shape: u64,
    /// The template.
    pub template: Arc<Template>,
    /// First message of this template.
    pub is_new: bool,
}

/// What is known of a shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) group: u32,
    /// When it was last seen, in messages.
    pub(crate) used: u64,
}

/// Learns the templates of messages. Not synchronised: [`Miner::find`] takes `&self` and may be used
/// under a read lock.
#[derive(Debug)]
pub struct Miner {
    pub(crate) config: Config,
    pub(crate) shapes: Table<Shape>,
    pub(crate) groups: Groups,
    /// Messages seen: the clock that ageing goes by.
    pub(crate) clock: u64,
    /// When shapes and when templates were last let go.
    pub(crate) aged: [u64; 2],
    /// The template of messages past the bounds, and whether there were any.
    pub(crate) rest: Arc<Template>,
    pub(crate) rest_used: bool,
}

impl Miner {
    /// One that knows nothing. Bounds of 0 count as 1.
    pub fn new(config: Config) -> Self {
        let config = Config {
            shapes_max: config.shapes_max.max(1),
            templates_max: config.templates_max.clamp(1, 1 << 30),
        };
        Self {
            config,
            shapes: Table::default(),
            groups: Groups::default(),
            clock: 0,
            aged: [0; 2],
            rest: Arc::new(Template::new("<*>")),
            rest_used: false,
        }
    }

    /// Finds or makes the message's template; appends the variables of its shape to `variables`.
    ///
    /// They rise, do not overlap and lie on character boundaries.
    pub fn mine(&mut self, message: &str, variables: &mut Vec<Variable>) -> Mined {
        self.clock += 1;
        let from = variables.len();
        let shape = scan(message, variables);
        if let Some(known) = self.shapes.get_mut(&shape) {
            known.used = self.clock;
            let group = self.groups.resolve(known.group);
            return Mined { shape, template: self.groups.get(group).template.clone(), is_new: false };
        }
        self.learn(message, shape, from, variables)
    }

    /// As [`Miner::mine`], but learns nothing; None for a message of no known template.
    pub fn find(&self, message: &str, variables: &mut Vec<Variable>) -> Option<Mined> {
        let from = variables.len();
        let shape = scan(message, variables);
        let answer = |group: u32, shape| {
            let template = self.groups.get(self.groups.resolve(group)).template.clone();
            Some(Mined { shape, template, is_new: false })
        };
        if let Some(known) = self.shapes.get(&shape) {
            return answer(known.group, shape);
        }
        let sought = Sought::new(skeleton(message, &variables[from..]));
        match self.groups.find(&sought) {
            Some(group) if self.admits(group) => answer(group, shape),
            Some(group) => {
                let shape = coarse(message, &sought, self.groups.get(group), from, variables);
                answer(group, shape)
            }
            None => {
                variables.truncate(from);
                None
            }
        }
    }

    /// By id, following merges.
    pub fn template(&self, id: TemplateId) -> Option<Arc<Template>> {
        match self.groups.by_id(id) {
            Some(group) => Some(group.template.clone()),
            None => (self.rest_used && id == self.rest.id).then(|| self.rest.clone()),
        }
    }

    /// The current id for one that may have been merged away; the id itself when it is not known.
    pub fn current(&self, id: TemplateId) -> TemplateId {
        self.groups.by_id(id).map_or(id, |group| group.template.id)
    }

    /// For a query on one id: all ids whose stored rows belong to it, itself and those merged into it.
    /// A template remembers the latest 4,096 of them.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        match self.groups.by_id(id) {
            Some(group) => std::iter::once(group.template.id).chain(group.aliases.iter().copied()).collect(),
            None => vec![id],
        }
    }

    /// All templates, in the order they were found.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        let apart = self.rest_used && self.groups.by_id(self.rest.id).is_none();
        self.groups.alive().map(|(_, group)| &group.template).chain(apart.then_some(&self.rest))
    }

    /// How many templates there are.
    pub fn len(&self) -> usize {
        self.templates().count()
    }

    /// Whether nothing was mined yet.
    pub fn is_empty(&self) -> bool {
        self.groups.len() == 0 && !self.rest_used
    }

    /// The templates alone that are asked for: no shapes, no ids from before merges.
    pub fn distilled(&self, keep: impl Fn(TemplateId) -> bool) -> Self {
        let kept = self.groups.alive().map(|(_, group)| group).filter(|group| keep(group.template.id));
        let bare = |group: &Group| Group { aliases: Vec::new(), shapes: 0, used: 0, ..group.clone() };
        Self { groups: Groups::from_alive(kept.map(bare).collect()), ..Self::new(self.config.clone()) }
    }

    /// Takes in the templates of another miner, as far as there is room.
    pub fn adopt(&mut self, other: &Self) {
        for (_, group) in other.groups.alive() {
            if self.groups.len() >= self.config.templates_max {
                return;
            }
            self.groups.adopt(group, self.clock);
        }
    }

    /// How many shapes are remembered.
    pub fn shapes(&self) -> usize {
        self.shapes.len()
    }

    /// A message of a shape not known.
    #[cold]
    fn learn(&mut self, message: &str, shape: u64, from: usize, variables: &mut Vec<Variable>) -> Mined {
        let sought = Sought::new(skeleton(message, &variables[from..]));
        let (group, is_new) = match self.groups.find(&sought) {
            Some(group) => {
                self.groups.get_mut(group).used = self.clock;
                self.groups.reread(group, &sought.tokens);
                (self.groups.resolve(group), false)
            }
            None => {
                if !self.room() {
                    return self.overflow(message, from, variables);
                }
                let before = self.groups.stored() as u32;
                let group = self.groups.add(Sought::new(sought.tokens.clone()), self.clock);
                (group, group >= before)
            }
        };
        let template = self.groups.get(group).template.clone();
        if !self.admits(group) {
            let shape = coarse(message, &sought, self.groups.get(group), from, variables);
            return Mined { shape, template, is_new };
        }
        if self.shapes.len() >= self.config.shapes_max {
            self.age_shapes();
        }
        self.shapes.insert(shape, Shape { group, used: self.clock });
        self.groups.get_mut(group).shapes += 1;
        Mined { shape, template, is_new }
    }

    /// A message that no room is left for: it is one text.
    fn overflow(&mut self, message: &str, from: usize, variables: &mut Vec<Variable>) -> Mined {
        let is_new = !self.rest_used;
        self.rest_used = true;
        variables.truncate(from);
        let shape = whole(message, variables);
        Mined { shape, template: self.rest.clone(), is_new }
    }

    /// Whether a new shape of this template is remembered.
    fn admits(&self, group: u32) -> bool {
        self.groups.get(group).shapes < SHAPES_PER_TEMPLATE_MAX
            && (self.shapes.len() < self.config.shapes_max
                || self.clock - self.aged[0] >= self.config.shapes_max as u64)
    }

    /// Lets go of the quarter of the shapes that was not seen for longest.
    fn age_shapes(&mut self) {
        self.aged[0] = self.clock;
        let mut times: Vec<u64> = self.shapes.values().map(|shape| shape.used).collect();
        let quarter = (times.len() / 4).min(times.len().saturating_sub(1));
        let (_, &mut oldest, _) = times.select_nth_unstable(quarter);
        self.shapes.retain(|_, shape| shape.used > oldest);
        self.count_shapes();
    }

    /// Lets go of what is past the bounds, as after loading what was learned under wider ones.
    pub(crate) fn fit(&mut self) {
        if self.groups.len() > self.config.templates_max {
            self.age_templates(self.config.templates_max);
        }
        while self.shapes.len() > self.config.shapes_max {
            self.age_shapes();
        }
    }

    fn count_shapes(&mut self) {
        for group in 0..self.groups.stored() as u32 {
            self.groups.get_mut(group).shapes = 0;
        }
        for shape in self.shapes.values() {
            let group = self.groups.resolve(shape.group);
            self.groups.get_mut(group).shapes += 1;
        }
    }

    /// Whether there is room for one more template, or some could be made.
    fn room(&mut self) -> bool {
        let max = self.config.templates_max;
        if self.groups.len() >= max {
            if self.clock - self.aged[1] < max as u64 * 2 {
                return false;
            }
            self.age_templates(max - max.div_ceil(4));
        } else if self.groups.stored() >= max * 2 {
            self.age_templates(max);
        }
        true
    }

    /// Keeps at most so many templates: those seen last.
    pub(crate) fn age_templates(&mut self, keep: usize) {
        self.aged[1] = self.clock;
        let mut used: Vec<u64> =
            (0..self.groups.stored() as u32).map(|group| self.groups.get(group).used).collect();
        for shape in self.shapes.values() {
            let group = self.groups.resolve(shape.group) as usize;
            used[group] = used[group].max(shape.used);
        }
        let mut order: Vec<(u64, u32)> = self.groups.alive().map(|(at, _)| (used[at as usize], at)).collect();
        order.sort_unstable_by(|one, other| other.cmp(one));
        let mut kept = vec![false; self.groups.stored()];
        for (_, group) in order.into_iter().take(keep) {
            kept[group as usize] = true;
        }
        let numbers = self.groups.compact(|group, _| kept[group as usize]);
        self.shapes.retain(|_, shape| match numbers[shape.group as usize] {
            Some(group) => {
                shape.group = group;
                true
            }
            None => false,
        });
        self.count_shapes();
    }
}

/// The shape of a whole message as one text.
fn whole(message: &str, variables: &mut Vec<Variable>) -> u64 {
    let end = message.len().min(u32::MAX as usize) as u32;
    variables.push(Variable { kind: VariableKind::Text, start: 0, end });
    hash_of(message, &variables[variables.len() - 1..])
}

/// The shape in which every wildcard of the template is a text: for templates with too many shapes.
fn coarse(message: &str, sought: &Sought, group: &Group, from: usize, variables: &mut Vec<Variable>) -> u64 {
    variables.truncate(from);
    if sought.tokens.len() != group.tokens.len() {
        return whole(message, variables);
    }
    for (token, pattern) in sought.tokens.iter().zip(&group.tokens) {
        if pattern.wild {
            variables.push(Variable { kind: VariableKind::Text, start: token.start, end: token.end });
        }
    }
    hash_of(message, &variables[from..])
}

/// The hash of a message's literal text and variable kinds, as [`scan`] computes it on its way.
pub(crate) fn hash_of(message: &str, variables: &[Variable]) -> u64 {
    let (bytes, mut literal, mut hash) = (message.as_bytes(), 0, Hash::new());
    for variable in variables {
        hash.text(bytes.get(literal..variable.start as usize).unwrap_or_default());
        hash.number(variable.kind as u64);
        literal = variable.end as usize;
    }
    hash.text(bytes.get(literal..).unwrap_or_default());
    hash.finish()
}
