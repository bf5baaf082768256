//! What one request of HTTP is: an attack, a probe, a failed login, or nothing to speak of.
//!
//! A request is decoded as the application behind the server may see it ([`decoding`]), all needles are looked for in
//! one pass ([`scan`]), and what is found is checked where it stands ([`text`]); both are linear in the request's length,
//! of which no more than a bound is looked at. Nothing in it is taken for anything but data.

mod agents;
mod decoding;
mod exploits;
mod known;
mod login;
mod places;
mod request;
mod scan;
mod sign;
mod text;

use std::sync::LazyLock;

use self::{decoding::Decoded, scan::Scan, text::Text};
pub use self::{request::Request, sign::Sign};

/// The automata; a table that does not compile is a fault of this crate that its tests find, and finds nothing.
static TARGET: LazyLock<Option<Scan>> = LazyLock::new(|| {
    Scan::new(exploits::ANYWHERE.iter().chain(exploits::TARGET).chain(known::TARGET).chain(places::TARGET))
        .ok()
});
static AGENT: LazyLock<Option<Scan>> =
    LazyLock::new(|| Scan::new(exploits::ANYWHERE.iter().chain(agents::AGENT)).ok());
static REFERRER: LazyLock<Option<Scan>> = LazyLock::new(|| Scan::new(exploits::ANYWHERE).ok());

impl Request<'_> {
    /// The gravest thing that the request betrays.
    pub fn sign(&self) -> Option<Sign> {
        let target = self.target_sign();
        if target.is_some_and(Sign::is_exploit) {
            return target;
        }
        let agent = self.agent.and_then(|text| self.header_sign(&AGENT, text));
        let referrer = self.referrer.and_then(|text| self.header_sign(&REFERRER, text));
        let told = [target, agent, referrer].into_iter().flatten().min();
        let own = [self.malformed(), self.false_crawler(), login::sign(self), self.too_many()];
        told.into_iter().chain(own.into_iter().flatten()).min()
    }

    fn target_sign(&self) -> Option<Sign> {
        let Decoded { bytes, query_at, hides_path, has_line_break } = decoding::target(&self.target);
        let text = Text { bytes: &bytes, query_at, hides_path, has_line_break, is_refused: self.is_refused };
        TARGET.as_ref()?.gravest(&text)
    }

    fn header_sign(&self, scan: &Option<Scan>, value: &str) -> Option<Sign> {
        let bytes = decoding::header(value);
        let text = Text {
            bytes: &bytes,
            query_at: 0,
            hides_path: false,
            has_line_break: false,
            is_refused: self.is_refused,
        };
        scan.as_ref()?.gravest(&text)
    }

    /// What came is no request, or speaks a version of HTTP that there never was.
    fn malformed(&self) -> Option<Sign> {
        const VERSIONS: [&str; 8] = ["0.9", "1.0", "1.1", "1", "2", "2.0", "3", "3.0"];
        let is_unknown = self.version.is_some_and(|version| !VERSIONS.contains(&version));
        (self.is_malformed || is_unknown).then_some(Sign::Malformed)
    }

    /// A search engine that fills in forms. Crawlers read.
    fn false_crawler(&self) -> Option<Sign> {
        const CRAWLERS: [&str; 6] =
            ["googlebot", "msnbot", "bingbot", "yandexbot", "baiduspider", "yahoo! slurp"];
        const FORMS: [&str; 6] = ["comment", "login", "xmlrpc", "register", "upload", "contact"];
        if self.method != Some("POST") {
            return None;
        }
        let agent = self.agent?.to_ascii_lowercase();
        let target = self.target.to_ascii_lowercase();
        (CRAWLERS.iter().any(|name| agent.contains(name)) && FORMS.iter().any(|form| target.contains(form)))
            .then_some(Sign::FalseCrawler)
    }

    /// [RFC 6585](https://www.rfc-editor.org/rfc/rfc6585#section-4).
    fn too_many(&self) -> Option<Sign> {
        (self.status == Some(429)).then_some(Sign::TooMany)
    }
}

/// Bytes that the automata take once they are built; they are shared by all.
pub fn memory_bytes() -> usize {
    [&TARGET, &AGENT, &REFERRER].iter().filter_map(|scan| scan.as_ref()).map(Scan::memory_bytes).sum()
}

#[cfg(test)]
mod tests;
