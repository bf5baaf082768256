//! Whether a request tried to sign in, and how that went.

use super::{request::Request, sign::Sign};

/// Words of paths where credentials are sent.
const WORDS: [&str; 12] = [
    "login",
    "logon",
    "signin",
    "sign_in",
    "sign-in",
    "authenticate",
    "/auth",
    "session",
    "token",
    "firstfactor",
    "xmlrpc.php",
    "administrator",
];

/// Those of pages with a form, which may come back with 200 and say that it was wrong.
const PAGES: [&str; 6] = ["login", "logon", "signin", "sign_in", "sign-in", "xmlrpc.php"];

/// Where a form that comes back with 200 says that the password was wrong: success is a redirection there.
const FORMS: [&str; 2] = ["/wp-login.php", "/administrator"];

/// A refusal of credentials that were sent, or a try whose outcome the status does not tell.
pub(super) fn sign(request: &Request<'_>) -> Option<Sign> {
    let status = request.status?;
    let is_post = request.method == Some("POST");
    // The first 401 only asks for credentials; with a name or a form they were there already.
    if status == 401 && (is_post || request.user.is_some()) {
        return Some(Sign::LoginFailed);
    }
    if !is_post || !matches!(status, 200..=204 | 302 | 303 | 403 | 422) {
        return None;
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let has = |word: &str| {
        path.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    if !WORDS.iter().any(|word| has(word)) {
        return None;
    }
    let is_form = FORMS.iter().any(|form| has(form));
    match status {
        403 | 422 => Some(Sign::LoginFailed),
        200 if is_form => Some(Sign::LoginFailed),
        200 if !has("/api/") && PAGES.iter().any(|page| has(page)) => Some(Sign::LoginTried),
        _ => Some(Sign::LoginPassed),
    }
}
