//! What people decide about templates, through the public interface.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::HashSet;

use event::{TemplateId, Timestamp, Variable};
use proptest::prelude::*;
use template::{
    Action, Config, LoadError, Miner, OPERATIONS_MAX, Operation, OperationError, Operations,
    PARTS_PER_TEMPLATE_MAX, Split,
};

const NOW: Timestamp = Timestamp::MIN;

fn mine(miner: &mut Miner, message: &str) -> TemplateId {
    miner.mine(message, &mut Vec::new()).template.id
}

fn text(miner: &Miner, id: TemplateId) -> String {
    miner.template(id).unwrap().text.clone()
}

fn mined(miner: &mut Miner, message: &str) -> String {
    miner.mine(message, &mut Vec::new()).template.text.clone()
}

fn act(miner: &mut Miner, ids: &[TemplateId], action: Action) -> Result<Operation, OperationError> {
    let operations = miner.plan(ids, action, NOW)?;
    miner.set_operations(operations);
    Ok(miner.operations().iter().last().unwrap().clone())
}

fn undo(miner: &mut Miner, id: u64) {
    let rest = miner.operations().without(id).unwrap();
    miner.set_operations(rest);
}

fn name(name: &str) -> Action {
    Action::Name(name.to_owned())
}

fn variable(number: usize) -> Action {
    Action::Split(Split::Variable(number))
}

fn example(line: &str) -> Action {
    Action::Split(Split::Example(line.to_owned()))
}

fn rebuilt(message: &str, variables: &[Variable]) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for variable in variables {
        let (start, end) = (variable.start as usize, variable.end as usize);
        assert!(at <= start && start <= end && end <= message.len(), "{variables:?} in {message:?}");
        out.push_str(&message[at..start]);
        out.push_str(variable.of(message));
        at = end;
    }
    out.push_str(&message[at..]);
    out
}

#[test]
fn a_pinned_template_is_not_merged_and_does_not_age() {
    let users = ["ann", "bob", "cyd", "dan", "eve", "fay", "gus"];
    let line = |user: &str| format!("session of {user} was closed");
    let mut miner = Miner::new(Config { shapes_max: 60, templates_max: 40 });
    let ann = mine(&mut miner, &line("ann"));
    let pin = act(&mut miner, &[ann], Action::Pin).unwrap();
    for user in users {
        mine(&mut miner, &line(user));
    }
    assert_eq!(miner.len(), 2, "six others merged");
    assert_eq!(mine(&mut miner, &line("ann")), ann);
    assert_eq!(mined(&mut miner, &line("hal")), "session of <*> was closed");
    let word = |n: usize| {
        [n / 400, n / 20 % 20, n % 20].map(|n| char::from(b'a' + n as u8)).iter().collect::<String>()
    };
    for n in 0..4_000 {
        mine(&mut miner, &format!("{} {} {}", word(n), word(n * 7 % 4_000), word(n * 31 % 4_000)));
        assert!(miner.template(ann).is_some(), "{n}");
    }
    let described = miner.describe(ann).unwrap();
    assert!(described.pinned && described.template.text == line("ann"), "{described:?}");
    assert_eq!(act(&mut miner, &[ann], Action::Pin), Err(OperationError::Pinned(ann)));
    // A widening value leaves its text alone, too; taken back, neither holds.
    let mut other = Miner::new(Config::default());
    let took = mine(&mut other, "request took 5 ms");
    let kept = act(&mut other, &[took], Action::Pin).unwrap();
    assert_eq!(mine(&mut other, "request took 5.5 ms"), took);
    undo(&mut other, kept.id);
    assert_eq!(mined(&mut other, "request took +1.5 ms"), "request took <num> ms");
    undo(&mut miner, pin.id);
    for user in users {
        mine(&mut miner, &line(user));
    }
    for n in 0..400 {
        mine(&mut miner, &format!("{} {} {}", word(n), word(n * 7 % 4_000), word(n * 31 % 4_000)));
    }
    assert_eq!(miner.template(ann), None, "aged");
}

#[test]
fn a_split_gives_each_value_a_template_and_is_undone() {
    let line = |code: u32, host: u32| format!("backend 10.0.0.{host} answered {code} in 12 ms");
    let mut miner = Miner::new(Config::default());
    let whole = mine(&mut miner, &line(200, 1));
    let described = miner.describe(whole).unwrap();
    assert_eq!(described.variables, ["<ip>", "<int>", "<int> ms"]);
    let operation = act(&mut miner, &[whole], variable(2)).unwrap();
    let mut variables = Vec::new();
    let mined = miner.mine(&line(200, 1), &mut variables);
    assert_eq!(mined.template.text, "backend <ip> answered 200 in <int> ms");
    assert_eq!(mined.template.id, TemplateId::of(&mined.template.text));
    assert_eq!(
        variables.iter().map(|v| v.of(&line(200, 1)).to_owned()).collect::<Vec<_>>(),
        ["10.0.0.1", "12"]
    );
    let other = miner.mine(&line(500, 1), &mut Vec::new());
    assert_eq!(other.template.text, "backend <ip> answered 500 in <int> ms");
    assert_ne!(other.shape, mined.shape);
    assert_eq!(miner.mine(&line(500, 9), &mut Vec::new()).shape, other.shape);
    let part = other.template.id;
    assert_eq!(miner.aliases(part), [part]);
    assert_eq!(miner.describe(part).unwrap().part_of, Some(whole));
    assert!(miner.describe(whole).unwrap().split && miner.forebears(part).contains(&whole));
    for (ids, action, error) in [
        (vec![part], variable(1), OperationError::Part(part)),
        (vec![part, whole], Action::Merge, OperationError::Part(part)),
        (vec![whole], variable(2), OperationError::SplitAlready(whole)),
        (vec![whole], variable(4), OperationError::Variable { template: whole, asked: 4, has: 3 }),
        (vec![whole], variable(0), OperationError::Variable { template: whole, asked: 0, has: 3 }),
    ] {
        assert_eq!(act(&mut miner, &ids, action), Err(error));
    }
    // Two splits hold together.
    let second = act(&mut miner, &[whole], variable(1)).unwrap();
    let both = mine(&mut miner, &line(500, 7));
    assert_eq!(text(&miner, both), "backend 10.0.0.7 answered 500 in <int> ms");
    undo(&mut miner, second.id);
    assert_eq!(mine(&mut miner, &line(500, 7)), part);
    assert_eq!(miner.current(both), whole, "its lines are those of the whole again");
    // Not without bound.
    for code in 0..2_000 {
        mine(&mut miner, &line(code, 3));
    }
    assert!(miner.len() <= PARTS_PER_TEMPLATE_MAX + 1);
    assert_eq!(mine(&mut miner, &line(1_999, 3)), whole, "no room for it");
    undo(&mut miner, operation.id);
    assert_eq!(mine(&mut miner, &line(500, 7)), whole);
    assert_eq!(miner.current(part), whole);
    assert!(miner.aliases(whole).contains(&part) && miner.len() == 1);
}

#[test]
fn an_example_gets_its_own_template() {
    let line = |user: &str, port: u32| format!("login of {user} refused at port {port}");
    let mut miner = Miner::new(Config::default());
    let mut whole = TemplateId(0);
    for user in ["ann", "bob", "cyd", "dan", "eve", "fay"] {
        whole = mine(&mut miner, &line(user, 22));
    }
    assert_eq!(text(&miner, whole), "login of <*> refused at port <int>");
    for (wrong, words) in [("something else", "another template"), (&*line("root", 22).repeat(400), "4,096")]
    {
        let error = act(&mut miner, &[whole], example(wrong)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let operation = act(&mut miner, &[whole], example(&line("root", 22))).unwrap();
    assert_eq!(mined(&mut miner, &line("root", 2222)), "login of root refused at port <int>");
    assert_eq!(mine(&mut miner, &line("ann", 22)), whole);
    assert_eq!(
        act(&mut miner, &[whole], example(&line("root", 1))),
        Err(OperationError::SplitAlready(whole))
    );
    undo(&mut miner, operation.id);
    assert_eq!(mine(&mut miner, &line("root", 22)), whole);
    // Where only values vary, the line has its own.
    let took = mine(&mut miner, "took 5 ms");
    act(&mut miner, &[took], example("took 0 ms")).unwrap();
    assert_eq!(mined(&mut miner, "took 0 ms"), "took 0 ms");
    assert_eq!(mined(&mut miner, "took 10 ms"), "took <int> ms");
}

#[test]
fn merged_templates_are_one_and_old_ids_follow() {
    let mut miner = Miner::new(Config::default());
    let ids = ["queue alpha is full", "queue beta is full", "queue gamma is full"]
        .map(|line| mine(&mut miner, line));
    let [alpha, beta, gamma] = ids;
    let elsewhere = mine(&mut miner, "queue beta is empty now");
    let marks = mine(&mut miner, "queue (beta is full");
    let numbers = mine(&mut miner, "disk sda at 5");
    for (ids, error) in [
        (vec![alpha], OperationError::Count),
        (vec![alpha, alpha], OperationError::Count),
        (vec![alpha, elsewhere], OperationError::Shape(alpha, elsewhere)),
        (vec![beta, marks], OperationError::Shape(beta, marks)),
        (vec![alpha, numbers], OperationError::NothingInCommon),
        (vec![alpha, TemplateId(7)], OperationError::UnknownTemplate(TemplateId(7))),
    ] {
        assert_eq!(act(&mut miner, &ids, Action::Merge), Err(error));
    }
    let first = act(&mut miner, &[alpha, beta], Action::Merge).unwrap();
    let merged = first.result.clone().unwrap();
    assert_eq!(merged.text, "queue <*> is full");
    for line in ["queue alpha is full", "queue gamma is full", "queue omega is full"] {
        assert_eq!(mine(&mut miner, line), merged.id, "{line}");
    }
    for id in ids {
        assert_eq!(miner.current(id), merged.id);
        assert!(miner.aliases(id).contains(&id) && miner.aliases(id)[0] == merged.id);
    }
    assert_eq!(miner.templates().filter(|template| template.id == merged.id).count(), 1);
    // A merge of a merge, a name on it, a split of it.
    let empty = mine(&mut miner, "queue delta is empty");
    let second = act(&mut miner, &[merged.id, empty], Action::Merge).unwrap();
    let wider = second.result.clone().unwrap();
    assert_eq!(wider.text, "queue <*> is <*>");
    act(&mut miner, &[alpha], name("queues")).unwrap();
    assert_eq!((miner.current(gamma), miner.name(merged.id)), (wider.id, Some("queues")));
    let split = act(&mut miner, &[wider.id], variable(1)).unwrap();
    assert_eq!(mined(&mut miner, "queue beta is full"), "queue beta is <*>");
    assert_eq!(act(&mut miner, &[wider.id, numbers], Action::Merge), Err(OperationError::IsSplit(wider.id)));
    undo(&mut miner, split.id);
    // The first taken back, the second still takes in what the first did.
    undo(&mut miner, first.id);
    assert_eq!(miner.current(alpha), wider.id);
    undo(&mut miner, second.id);
    assert_eq!(mine(&mut miner, "queue alpha is full"), alpha);
    assert_eq!(miner.current(beta), beta);
    assert_eq!((miner.name(wider.id), miner.name(alpha)), (None, None), "it was given for the wider one");
}

#[test]
fn a_merge_taken_back_lets_go_of_the_parts_that_a_split_of_it_made() {
    let mut miner = Miner::new(Config::default());
    let ids = ["user ann left 5", "user bob left 5"].map(|line| mine(&mut miner, line));
    let merge = act(&mut miner, &ids, Action::Merge).unwrap();
    act(&mut miner, &[ids[0]], example("user ann left 5")).unwrap();
    let part = mine(&mut miner, "user ann left 5");
    assert_eq!(miner.describe(part).unwrap().part_of, merge.result.map(|merged| merged.id));
    undo(&mut miner, merge.id);
    assert_eq!(mine(&mut miner, "user ann left 5"), ids[0]);
    assert_eq!(miner.describe(ids[0]).unwrap().part_of, None);
    assert_eq!(miner.templates().map(|template| template.id).collect::<Vec<_>>(), ids);
}

#[test]
fn names_and_bounds() {
    let mut miner = Miner::new(Config::default());
    let id = mine(&mut miner, "disk 5 is full");
    for wrong in ["", "  ", "a\nb", &"x".repeat(257)] {
        assert_eq!(act(&mut miner, &[id], name(wrong)), Err(OperationError::Name));
    }
    let first = act(&mut miner, &[id], name("full disk")).unwrap();
    let second = act(&mut miner, &[id], name("no space")).unwrap();
    assert_eq!(miner.name(id), Some("no space"));
    assert!(!miner.in_effect(&first) && miner.in_effect(&second));
    undo(&mut miner, second.id);
    assert_eq!(miner.name(id), Some("full disk"));
    assert_eq!(
        miner.operations().without(second.id).unwrap_err(),
        OperationError::UnknownOperation(second.id)
    );
    while miner.operations().len() < OPERATIONS_MAX {
        let operations = miner.plan(&[id], name("again"), NOW).unwrap();
        miner.set_operations(operations);
    }
    assert!(matches!(act(&mut miner, &[id], Action::Pin), Err(OperationError::Full(_))));

    let mut small = Miner::new(Config { templates_max: 4, ..Config::default() });
    let ids = ["one thing", "another one", "a third"].map(|line| mine(&mut small, line));
    act(&mut small, &ids[..1], Action::Pin).unwrap();
    act(&mut small, &ids[1..2], Action::Pin).unwrap();
    assert!(matches!(act(&mut small, &ids[2..], Action::Pin), Err(OperationError::Full(_))));
}

#[test]
fn operations_hold_for_a_miner_that_knows_nothing_and_damage_is_refused() {
    let mut miner = Miner::new(Config::default());
    let lines = ["queue alpha is full", "queue beta is full", "took 5 ms", "disk 7 failed"];
    let ids = lines.map(|line| mine(&mut miner, line));
    act(&mut miner, &ids[..2], Action::Merge).unwrap();
    act(&mut miner, &ids[2..3], variable(1)).unwrap();
    act(&mut miner, &ids[3..], example("disk 9 failed")).unwrap();
    act(&mut miner, &ids[3..], name("failing disk")).unwrap();
    act(&mut miner, &ids[3..], Action::Pin).unwrap();
    let bytes = miner.operations().save();
    let read = Operations::load(&bytes).unwrap();
    assert!(read.iter().eq(miner.operations().iter()));
    assert_eq!(read.save(), bytes);
    let mut fresh = Miner::new(Config::default());
    fresh.set_operations(read);
    for line in lines.iter().chain(&["took 6 ms", "disk 9 failed", "queue gamma is full"]) {
        assert_eq!(mined(&mut fresh, line), mined(&mut miner, line));
    }
    assert_eq!(fresh.name(ids[3]), Some("failing disk"));
    for length in 0..bytes.len() {
        assert!(Operations::load(&bytes[..length]).is_err(), "cut at {length}");
        let mut flipped = bytes.clone();
        flipped[length] ^= 4;
        assert!(Operations::load(&flipped).is_err(), "flipped at {length}");
    }
    assert_eq!(Operations::load(&miner.save()).unwrap_err(), LoadError::Foreign);
    assert_eq!(Operations::load(&Operations::default().save()).unwrap().len(), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Line(String),
    Act(prop::sample::Index, prop::sample::Index, u8),
    Undo(prop::sample::Index),
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(user|host) (ann|bob|cyd|dan|eve|fay|gus|hal) (left|came) (5|17|a|b2)",
        2 => "(queue|disk)( (full|empty|10\\.0\\.0\\.1|[0-9]{1,3}))( (ms|\\(ok\\)))?",
        1 => "[ -~éß漢]{0,40}",
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => line().prop_map(Step::Line),
        3 => (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..6).prop_map(|(a, b, kind)| Step::Act(a, b, kind)),
        1 => any::<prop::sample::Index>().prop_map(Step::Undo),
    ]
}

fn take(miner: &mut Miner, step: &Step, lines: &[String]) {
    match step {
        Step::Line(line) => {
            mine(miner, line);
        }
        Step::Act(one, other, kind) => {
            let ids: Vec<TemplateId> = miner.templates().map(|template| template.id).collect();
            if ids.is_empty() {
                return;
            }
            let (a, b) = (ids[one.index(ids.len())], ids[other.index(ids.len())]);
            let (ids, action) = match kind {
                0 => (vec![a], name("it")),
                1 => (vec![a], Action::Pin),
                2 => (vec![a], variable(1 + other.index(3))),
                3 if !lines.is_empty() => {
                    let line = &lines[other.index(lines.len())];
                    let Some(found) = miner.find(line, &mut Vec::new()) else { return };
                    (vec![found.template.id], example(line))
                }
                _ => (vec![a, b], Action::Merge),
            };
            // Many are refused, which must change nothing.
            let before = miner.operations().len();
            let done = act(miner, &ids, action).is_ok();
            assert_eq!(miner.operations().len(), before + usize::from(done));
        }
        Step::Undo(which) => {
            let ids: Vec<u64> = miner.operations().iter().map(|operation| operation.id).collect();
            if !ids.is_empty() {
                undo(miner, ids[which.index(ids.len())]);
            }
        }
    }
}

fn holds(miner: &mut Miner, line: &str) -> Result<(), TestCaseError> {
    let (mut found, mut variables) = (Vec::new(), Vec::new());
    let find = miner.find(line, &mut found);
    let mined = miner.mine(line, &mut variables);
    prop_assert_eq!(rebuilt(line, &variables), line);
    prop_assert_eq!(mined.template.id, TemplateId::of(&mined.template.text));
    prop_assert_eq!(miner.template(mined.template.id), Some(mined.template.clone()));
    prop_assert!(miner.aliases(mined.template.id).contains(&mined.template.id));
    if let Some(find) = find {
        prop_assert_eq!((find.shape, find.template.id), (mined.shape, mined.template.id));
        prop_assert_eq!(found, variables);
    }
    let ids: Vec<TemplateId> = miner.templates().map(|template| template.id).collect();
    prop_assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "each once");
    for id in ids {
        prop_assert_eq!(miner.current(id), id);
        prop_assert!(miner.describe(id).is_some());
        for alias in miner.aliases(id) {
            prop_assert!(miner.current(alias) == id, "{alias} is no alias of {id}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn lines_between_operations_lose_nothing(steps in prop::collection::vec(step(), 1..60), small: bool) {
        let config = if small { Config { shapes_max: 12, templates_max: 12 } } else { Config::default() };
        let mut miner = Miner::new(config);
        let mut lines = Vec::new();
        for step in &steps {
            take(&mut miner, step, &lines);
            if let Step::Line(line) = step {
                lines.push(line.clone());
                holds(&mut miner, line)?;
            }
        }
    }

    #[test]
    fn saved_loaded_and_decided_again_is_the_same(
        steps in prop::collection::vec(step(), 1..40), later in prop::collection::vec(line(), 1..20)
    ) {
        let mut one = Miner::new(Config::default());
        let mut lines = Vec::new();
        for step in &steps {
            take(&mut one, step, &lines);
            if let Step::Line(line) = step {
                lines.push(line.clone());
            }
        }
        let (miner, operations) = (one.save(), one.operations().save());
        let mut two = Miner::load(&miner, Config::default()).unwrap();
        two.set_operations(Operations::load(&operations).unwrap());
        prop_assert_eq!(two.save(), miner);
        for line in lines.iter().chain(&later) {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            let (first, second) = (one.mine(line, &mut a), two.mine(line, &mut b));
            prop_assert_eq!((first.shape, first.template, first.is_new), (second.shape, second.template, second.is_new));
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn without_operations_it_is_as_if_there_had_been_none(
        lines in prop::collection::vec(line(), 1..30), acts in prop::collection::vec(step(), 1..20)
    ) {
        let (mut plain, mut one) = (Miner::new(Config::default()), Miner::new(Config::default()));
        for line in &lines {
            mine(&mut plain, line);
            mine(&mut one, line);
        }
        for step in acts.iter().filter(|step| !matches!(step, Step::Line(_))) {
            take(&mut one, step, &lines);
        }
        one.set_operations(Operations::default());
        for line in &lines {
            let (a, b) = (plain.mine(line, &mut Vec::new()), one.mine(line, &mut Vec::new()));
            prop_assert_eq!((a.shape, a.template), (b.shape, b.template));
        }
        prop_assert_eq!(plain.len(), one.len());
    }
}
