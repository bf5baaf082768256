//! Circles: files of one crate that need each other, so that none can be read before the others.
//!
//! A file needs another when it imports from it, or names what is in it by a path that begins with `crate`,
//! `self`, `super` or one of its modules. A name that is passed on counts for the file that defines it, and
//! for the file that passes it on only where that uses it. Methods are not seen, and tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The path of a module within its crate.
type Module = Vec<String>;

/// Files that need each other.
pub(crate) struct Circle {
    /// Below `src`, in order.
    pub(crate) files: Vec<String>,
    /// Who needs whom, and the first name that shows it.
    pub(crate) needs: Vec<String>,
}

/// A name that a file brings in.
struct Import {
    is_public: bool,
    path: Vec<String>,
    name: String,
}

/// One file.
#[derive(Default)]
struct Source {
    file: String,
    imports: Vec<Import>,
    modules: BTreeSet<String>,
    defines: BTreeSet<String>,
    /// What is left without imports and visibilities.
    tokens: Vec<String>,
}

/// The circles among these files below `src`.
pub(crate) fn circles(src: &Path, paths: &[PathBuf]) -> Vec<Circle> {
    let sources: BTreeMap<Module, Source> = paths
        .iter()
        .map(|path| {
            let file = path.strip_prefix(src).unwrap().to_str().unwrap();
            (module_of(file), Source::read(file, &fs::read_to_string(path).unwrap()))
        })
        .collect();
    let needs: BTreeMap<&Module, BTreeMap<Module, String>> =
        sources.iter().map(|(module, source)| (module, needs_of(&sources, module, source))).collect();
    let reached: BTreeMap<&Module, BTreeSet<Module>> =
        sources.keys().map(|module| (module, reached_from(&needs, module))).collect();
    let mut circles = Vec::new();
    let mut done = BTreeSet::new();
    for (module, own) in &reached {
        let circle: BTreeSet<&Module> = own.iter().filter(|other| reached[other].contains(*module)).collect();
        if circle.len() < 2 || !done.insert(circle.clone()) {
            continue;
        }
        let mut files: Vec<String> = circle.iter().map(|module| sources[*module].file.clone()).collect();
        files.sort();
        let within =
            circle.iter().flat_map(|from| needs[*from].iter().map(move |(to, name)| (from, to, name)));
        let needs = within
            .filter(|(_, to, _)| circle.contains(to))
            .map(|(from, to, name)| format!("{} → {} ({name})", sources[*from].file, sources[to].file))
            .collect();
        circles.push(Circle { files, needs });
    }
    circles
}

fn module_of(file: &str) -> Module {
    let mut parts: Module = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

fn reached_from(needs: &BTreeMap<&Module, BTreeMap<Module, String>>, start: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        for next in needs[module].keys() {
            if reached.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    reached
}

/// The modules that a file needs, each with a name that shows it.
fn needs_of(
    sources: &BTreeMap<Module, Source>,
    module: &Module,
    source: &Source,
) -> BTreeMap<Module, String> {
    let mut needs = BTreeMap::new();
    let mut need = |other: Option<Module>, name: &str| {
        if let Some(other) = other.filter(|other| other != module) {
            needs.entry(other).or_insert_with(|| name.to_owned());
        }
    };
    for Import { is_public, path, name } in &source.imports {
        if name == "*" {
            let Some(other) = resolve(sources, module, &path[..path.len() - 1], 0) else { continue };
            let used = sources[&other].defines.iter().find(|name| source.uses(name));
            if !is_public || used.is_some() {
                need(Some(other), used.map_or("*", String::as_str));
            }
        } else if !is_public || source.uses(name) {
            need(resolve(sources, module, path, 0), name);
        }
    }
    for path in source.paths() {
        let name = path.join("::");
        need(resolve(sources, module, &path, 0), &name);
    }
    needs
}

/// The module that defines what a path in `module` names; None for other crates.
fn resolve(
    sources: &BTreeMap<Module, Source>,
    module: &Module,
    path: &[String],
    depth: u32,
) -> Option<Module> {
    let (first, mut rest) = path.split_first()?;
    let mut at = module.clone();
    match first.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop();
            while let Some((next, further)) = rest.split_first().filter(|(next, _)| *next == "super") {
                debug_assert_eq!(next, "super");
                at.pop();
                rest = further;
            }
        }
        own if sources.get(module)?.modules.contains(own) => rest = path,
        _ => return None,
    }
    while let Some((next, further)) = rest.split_first() {
        let inner: Module = at.iter().chain([next]).cloned().collect();
        if !sources.contains_key(&inner) {
            break;
        }
        (at, rest) = (inner, further);
    }
    let source = sources.get(&at)?;
    let Some(name) = rest.first().filter(|name| !source.defines.contains(*name) && depth < 8) else {
        return Some(at);
    };
    let mut named = source.imports.iter().filter(|import| import.name == *name);
    let passed_on = named.find_map(|import| resolve(sources, &at, &import.path, depth + 1));
    let globs = source.imports.iter().filter(|import| import.name == "*");
    let from_glob = globs
        .filter_map(|import| resolve(sources, &at, &import.path[..import.path.len() - 1], depth + 1))
        .find(|other| sources[other].defines.contains(name));
    Some(passed_on.or(from_glob).unwrap_or(at))
}

impl Source {
    fn read(file: &str, text: &str) -> Self {
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let mut source = Self { file: file.to_owned(), ..Self::default() };
        let all = tokens(text);
        let (mut at, mut depth, mut is_public) = (0, 0, false);
        while at < all.len() {
            let next = all.get(at + 1).map_or("", String::as_str);
            match all[at].as_str() {
                "pub" => {
                    is_public = true;
                    at = if next == "(" { end_of(&all, at, ")") } else { at + 1 };
                    continue;
                }
                "use" if next != "<" => {
                    let end = end_of(&all, at, ";");
                    import(&all[at + 1..end - 1], &[], is_public, &mut source.imports);
                    at = end;
                    is_public = false;
                    continue;
                }
                "mod" if all.get(at + 2).is_some_and(|token| token == ";") => {
                    source.modules.insert(next.to_owned());
                }
                "struct" | "enum" | "trait" | "fn" | "type" | "const" | "static" | "union" | "mod"
                    if depth == 0 =>
                {
                    source.defines.insert(next.to_owned());
                }
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            is_public = false;
            source.tokens.push(all[at].clone());
            at += 1;
        }
        source
    }

    /// Whether a name stands in the file for what it names: of a function, where that is called.
    fn uses(&self, name: &str) -> bool {
        let is_called =
            |at: usize| self.tokens.get(at + 1).is_some_and(|next| ["(", "::"].contains(&next.as_str()));
        let is_function = name.starts_with(char::is_lowercase);
        let is_use =
            |at: usize| ![".", "fn", "mod"].contains(&self.before(at)) && (!is_function || is_called(at));
        self.tokens.iter().enumerate().any(|(at, token)| token == name && is_use(at))
    }

    fn before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |before| &self.tokens[before])
    }

    /// The paths in it that begin within the crate.
    fn paths(&self) -> Vec<Vec<String>> {
        let begins =
            |token: &str| ["crate", "self", "super"].contains(&token) || self.modules.contains(token);
        let mut paths = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            if !begins(token) || ["::", "."].contains(&self.before(at)) {
                continue;
            }
            let further = self.tokens[at + 1..].chunks(2);
            let further =
                further.take_while(|pair| pair[0] == "::" && pair.get(1).is_some_and(|name| is_name(name)));
            let path: Vec<String> =
                [token.clone()].into_iter().chain(further.map(|pair| pair[1].clone())).collect();
            if path.len() > 1 {
                paths.push(path);
            }
        }
        paths
    }
}

/// Behind the next such token.
fn end_of(tokens: &[String], from: usize, end: &str) -> usize {
    tokens[from..].iter().position(|token| token == end).map_or(tokens.len(), |length| from + length + 1)
}

/// The names that the tree of a `use` brings in.
fn import(tree: &[String], before: &[String], is_public: bool, imports: &mut Vec<Import>) {
    let mut path = before.to_vec();
    let mut at = 0;
    while let Some(token) = tree.get(at) {
        match token.as_str() {
            "::" => {}
            "{" => {
                for part in parts(&tree[at + 1..tree.len() - 1]) {
                    import(part, &path, is_public, imports);
                }
                return;
            }
            "as" => {
                imports.push(Import { is_public, path, name: tree[at + 1].clone() });
                return;
            }
            "self" if !path.is_empty() && at == 0 => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        imports.push(Import { is_public, path, name });
    }
}

/// What stands between the commas of the outermost braces.
fn parts(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    let is_comma = |token: &String| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        token == "," && depth == 0
    };
    tokens.split(is_comma).filter(|part| !part.is_empty()).collect()
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Names, `::` and other characters, without blanks, comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_len(rest),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#") => raw_string_len(rest),
            '\'' => character_len(rest),
            _ if is_name(rest) || first.is_numeric() => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push(rest[..end].to_owned());
                end
            }
            ':' if rest.starts_with("::") => {
                tokens.push("::".to_owned());
                2
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push(first.to_string());
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn string_len(text: &str) -> usize {
    let mut escaped = false;
    let end = text[1..].find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Of a raw string; of `r#name` the two characters in front.
fn raw_string_len(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    if text.as_bytes().get(1 + hashes) != Some(&b'"') {
        return 2;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[2 + hashes..].find(&end).map_or(text.len(), |at| 2 + hashes + at + end.len())
}

/// Of a character's literal; of a lifetime the quote.
fn character_len(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(1, |end| end + 4),
        Some(_) if characters.next().is_some_and(|(_, third)| third == '\'') => {
            text.char_indices().nth(2).map_or(1, |(at, _)| at + 1)
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether files with these texts make a circle, and the names that show it.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: BTreeMap<Module, Source> =
            files.iter().map(|(file, text)| (module_of(file), Source::read(file, text))).collect();
        let mut needs = Vec::new();
        for (module, source) in &sources {
            for (other, name) in needs_of(&sources, module, source) {
                needs.push(format!("{} → {} ({name})", source.file, sources[&other].file));
            }
        }
        needs
    }

    #[test]
    fn what_a_file_needs_is_seen_through_what_is_passed_on() {
        let root = "mod a;\npub(crate) mod b;\npub use a::{One, inner::Two as Second};\npub use b::*;\n";
        let needs = found(&[
            ("lib.rs", root),
            ("a.rs", "mod inner;\nuse crate::b::Three;\npub struct One(Three);\n"),
            (
                "a/inner.rs",
                "pub struct Two;\n// crate::b::Three\nfn f() { \"super::One\"; super::super::Three; }",
            ),
            (
                "b.rs",
                "use std::fmt;\nuse crate::{One, Second};\npub struct Three;\nimpl<'a> One { fn Two() {} }",
            ),
        ]);
        assert_eq!(
            needs,
            [
                "a.rs → b.rs (Three)",
                "a/inner.rs → b.rs (super::super::Three)",
                "b.rs → a.rs (One)",
                "b.rs → a/inner.rs (Second)",
            ]
        );
    }

    #[test]
    fn who_passes_on_and_uses_needs_it() {
        let needs = found(&[
            ("lib.rs", "mod a;\nmod b;\npub use a::One;\npub use b::two;\nfn f(one: One) { one.two() }"),
            ("a.rs", "pub struct One;"),
            ("b.rs", "pub fn two() { self::three(); let c = '\\''; crate::f() }\nfn three() {}"),
        ]);
        assert_eq!(needs, ["lib.rs → a.rs (One)", "b.rs → lib.rs (crate::f)"]);
    }
}
