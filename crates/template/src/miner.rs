//! The miner: from a message to its shape, from the shape to its template.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use event::{Template, TemplateId, Variable};

use crate::{
    groups::{Group, Groups, Sought},
    hashed::Table,
    scan::scan,
    shape::{Mined, coarse, whole},
    skeleton::skeleton,
    user::{Shown, User},
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
    /// What people decided.
    pub(crate) user: User,
    revision: u64,
}

/// A number that no miner of this process had before.
fn revision() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
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
            user: User::default(),
            revision: revision(),
        }
    }

    /// Differs whenever templates may have come, gone or changed: from any earlier one of this and of any other
    /// miner of this process.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Says that templates may have come, gone or changed.
    pub(crate) fn revise(&mut self) {
        self.revision = revision();
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
            let owner = self.groups.get(group);
            if owner.view == 0 {
                return Mined { shape, template: owner.template.clone(), is_new: false };
            }
            return self.mine_viewed(group, message, from, (shape, variables));
        }
        self.mine_unknown(message, shape, from, variables)
    }

    #[cold]
    fn mine_unknown(
        &mut self,
        message: &str,
        shape: u64,
        from: usize,
        variables: &mut Vec<Variable>,
    ) -> Mined {
        let (shape, group, is_new) = self.learn(message, shape, from, variables);
        let Some(group) = group else { return Mined { shape, template: self.rest.clone(), is_new } };
        self.review(group);
        let owner = self.groups.get(group);
        if owner.view == 0 {
            return Mined { shape, template: owner.template.clone(), is_new };
        }
        self.mine_viewed(group, message, from, (shape, variables))
    }

    /// As [`Miner::mine`], but learns nothing; None for a message of no known template.
    pub fn find(&self, message: &str, variables: &mut Vec<Variable>) -> Option<Mined> {
        let from = variables.len();
        let shape = scan(message, variables);
        let answer = |group: u32, shape, variables: &mut Vec<Variable>| {
            Some(self.look_viewed(self.groups.resolve(group), message, from, (shape, variables)).0)
        };
        if let Some(known) = self.shapes.get(&shape) {
            return answer(known.group, shape, variables);
        }
        let sought = Sought::new(skeleton(message, &variables[from..]));
        match self.groups.find(&sought) {
            Some(group) if self.admits(group) => answer(group, shape, variables),
            Some(group) => {
                let shape = coarse(message, &sought, self.groups.get(group), from, variables);
                answer(group, shape, variables)
            }
            None => {
                variables.truncate(from);
                None
            }
        }
    }

    /// By id, following merges.
    pub fn template(&self, id: TemplateId) -> Option<Arc<Template>> {
        match self.shown(id) {
            Some(Shown::Part(part)) => Some(part.template.clone()),
            Some(Shown::View(view)) => Some(view.template.clone()),
            Some(Shown::Group(group)) => Some(group.template.clone()),
            None => (self.rest_used && id == self.rest.id).then(|| self.rest.clone()),
        }
    }

    /// The current id for one that may have been merged away; the id itself when it is not known.
    pub fn current(&self, id: TemplateId) -> TemplateId {
        match self.shown(id) {
            Some(Shown::View(view)) => view.template.id,
            Some(Shown::Group(group)) => group.template.id,
            Some(Shown::Part(_)) | None => id,
        }
    }

    /// For a query on one id: all ids whose stored rows belong to it, itself and those merged into it.
    /// Of those merged by itself a template remembers the latest 4,096.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        let (first, others) = match self.shown(id) {
            Some(Shown::View(view)) => (view.template.id, self.view_aliases(view)),
            Some(Shown::Group(group)) => {
                let others = group.aliases.iter().copied().filter(|id| !self.is_part(*id));
                (group.template.id, others.collect())
            }
            Some(Shown::Part(_)) | None => (id, Vec::new()),
        };
        std::iter::once(first).chain(others).collect()
    }

    /// All templates, in the order they were found; behind them those that people made.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        let apart = self.rest_used && self.groups.by_id(self.rest.id).is_none();
        let plain =
            self.groups.alive().filter(|(_, group)| group.view == 0 && !self.is_part(group.template.id));
        plain
            .map(|(_, group)| &group.template)
            .chain(self.user_templates())
            .chain(apart.then_some(&self.rest))
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
        let bare = |group: &Group| Group { open: group.open, ..Group::new(group.tokens.clone(), 0) };
        Self { groups: Groups::from_alive(kept.map(bare).collect()), ..Self::new(self.config.clone()) }
    }

    /// Takes in the templates of another miner, as far as there is room.
    pub fn adopt(&mut self, other: &Self) {
        self.revise();
        for (_, group) in other.groups.alive() {
            if self.groups.len() >= self.config.templates_max {
                break;
            }
            self.groups.adopt(group, self.clock);
        }
        for group in 0..self.groups.stored() as u32 {
            self.review(group);
        }
    }

    /// How many shapes are remembered.
    pub fn shapes(&self) -> usize {
        self.shapes.len()
    }

    /// A message of a shape not known: its shape, its group (None past the bounds), and whether that is new.
    fn learn(
        &mut self,
        message: &str,
        shape: u64,
        from: usize,
        variables: &mut Vec<Variable>,
    ) -> (u64, Option<u32>, bool) {
        let sought = Sought::new(skeleton(message, &variables[from..]));
        let (group, is_new) = match self.groups.find(&sought) {
            Some(group) => {
                self.groups.get_mut(group).used = self.clock;
                if self.groups.reread(group, &sought.tokens) {
                    self.revise();
                }
                (self.groups.resolve(group), false)
            }
            None => {
                if !self.room() {
                    let (shape, is_new) = self.overflow(message, from, variables);
                    return (shape, None, is_new);
                }
                self.revise();
                let before = self.groups.stored() as u32;
                let group = self.groups.add(Sought::new(sought.tokens.clone()), self.clock);
                (group, group >= before)
            }
        };
        if !self.admits(group) {
            let shape = coarse(message, &sought, self.groups.get(group), from, variables);
            return (shape, Some(group), is_new);
        }
        if self.shapes.len() >= self.config.shapes_max {
            self.age_shapes();
        }
        self.shapes.insert(shape, Shape { group, used: self.clock });
        self.groups.get_mut(group).shapes += 1;
        (shape, Some(group), is_new)
    }

    /// A message that no room is left for: it is one text.
    fn overflow(&mut self, message: &str, from: usize, variables: &mut Vec<Variable>) -> (u64, bool) {
        let is_new = !self.rest_used;
        if is_new {
            self.revise();
        }
        self.rest_used = true;
        variables.truncate(from);
        (whole(message, variables), is_new)
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

    /// Keeps at most so many templates: those that operations speak of, and those seen last.
    pub(crate) fn age_templates(&mut self, keep: usize) {
        self.aged[1] = self.clock;
        let mut used: Vec<u64> =
            (0..self.groups.stored() as u32).map(|group| self.groups.get(group).used).collect();
        for shape in self.shapes.values() {
            let group = self.groups.resolve(shape.group) as usize;
            used[group] = used[group].max(shape.used);
        }
        let mut order: Vec<(bool, u64, u32)> =
            self.groups.alive().map(|(at, group)| (group.kept, used[at as usize], at)).collect();
        order.sort_unstable_by(|one, other| other.cmp(one));
        let mut kept = vec![false; self.groups.stored()];
        for (_, _, group) in order.into_iter().take(keep) {
            kept[group as usize] = true;
        }
        self.keep(|group| kept[group as usize]);
    }

    /// Lets go of the other groups, and of the traces of those merged away.
    pub(crate) fn keep(&mut self, keep: impl Fn(u32) -> bool) {
        self.revise();
        let numbers = self.groups.compact(|group, _| keep(group));
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
