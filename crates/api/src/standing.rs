//! Answers that go on for a while end when who asked for them may no longer: their key was revoked or expired, they
//! signed out, or a first key was made.

use std::{sync::Arc, time::Duration};

use access::{Access, Caller};
use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, header, request::Parts},
};

use crate::clock::now;

/// How often it is asked whether they still may.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Whether who sent a request still may what they were admitted for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing(Option<Arc<Asker>>);

#[derive(Debug)]
struct Asker {
    access: Arc<Access>,
    caller: Caller,
    /// What a sign-in is recognised by.
    headers: HeaderMap,
}

impl Standing {
    pub(crate) fn new(access: &Arc<Access>, caller: &Caller, headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE).iter();
        let headers = cookies.map(|cookie| (header::COOKIE, cookie.clone()));
        Self(Some(Arc::new(Asker {
            access: Arc::clone(access),
            caller: caller.clone(),
            headers: headers.collect(),
        })))
    }

    /// Of a request that the access rules let through; of any other it never ends.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Waits until they may no longer.
    pub(crate) async fn ended(&self) {
        let Some(asker) = &self.0 else { return std::future::pending().await };
        while asker.access.holds(&asker.caller, &asker.headers, now()) {
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Standing {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}
