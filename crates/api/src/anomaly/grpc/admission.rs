//! Who may make which call.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use access::{Needs, Refusal, Scope};
use axum::http::{Method, Request, Response};
use tonic::{Status, body::Body};
use tower::Service;

use crate::{
    access::{Access, FOREIGN_ORIGIN},
    listen::Line,
    route::{ADMIN, OPEN, READ_ALL},
};

/// Verdicts that are learned from. They tell of templates, which are of all organizations.
const SCORE: Needs = Needs::Whole(Scope::Ingest);

/// What each call needs, by the name of its method. A call that does not stand here needs a key, and there is none.
pub(crate) const CALLS: &[(&str, Needs)] = &[
    ("Score", SCORE),
    ("ScoreBatch", SCORE),
    ("Predict", READ_ALL),
    ("Train", ADMIN),
    ("GetModel", READ_ALL),
    ("ListModels", READ_ALL),
    ("ActivateModel", ADMIN),
    ("RollBackModel", ADMIN),
    ("CompareModels", READ_ALL),
    ("ExportModel", READ_ALL),
    ("ImportModel", ADMIN),
    ("GetRules", READ_ALL),
    ("ListStarters", READ_ALL),
    ("StartFrom", ADMIN),
    ("GiveFeedback", ADMIN),
    ("ListFeedback", READ_ALL),
    ("TakeBackFeedback", ADMIN),
    ("ListTemplates", READ_ALL),
    ("GetTemplate", READ_ALL),
    ("NameTemplate", ADMIN),
    ("PinTemplate", ADMIN),
    ("SplitTemplate", ADMIN),
    ("MergeTemplates", ADMIN),
    ("ListTemplateOperations", READ_ALL),
    ("UndoTemplateOperation", ADMIN),
    ("ListStrangeSessions", READ_ALL),
];

fn needs(path: &str) -> Needs {
    let Some((service, method)) = path.trim_start_matches('/').split_once('/') else { return Needs::Key };
    match service {
        "grpc.health.v1.Health" => OPEN,
        "log_sentinel.v1.AnomalyService" => {
            CALLS.iter().find(|(name, _)| *name == method).map_or(Needs::Key, |(_, needs)| *needs)
        }
        _ => Needs::Key,
    }
}

/// Calls that may be made.
#[derive(Clone)]
pub(super) struct Admitted<S> {
    inner: S,
    access: Access,
}

impl Access {
    /// A service whose calls are made by who may.
    pub(super) fn around<S>(&self, inner: S) -> Admitted<S> {
        Admitted { inner, access: self.clone() }
    }

    fn check_call(&self, request: &Request<Body>) -> Result<Option<access::Caller>, Status> {
        if !self.accepts_origin(request.headers(), None) {
            return Err(Status::permission_denied(FOREIGN_ORIGIN));
        }
        let line = request.extensions().get::<Line>();
        let asked = (&Method::POST, request.uri().query());
        self.admit(needs(request.uri().path()), asked, request.headers(), line)
            .map_err(|refusal| status(&refusal))
    }
}

fn status(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Missing => Status::unauthenticated("a key is needed: metadata 'authorization: Bearer KEY'"),
        Refusal::Slowed { .. } => Status::resource_exhausted(refusal.to_string()),
        refusal if refusal.is_forbidden() => Status::permission_denied(refusal.to_string()),
        refusal => Status::unauthenticated(refusal.to_string()),
    }
}

impl<S> Service<Request<Body>> for Admitted<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.access.check_call(&request) {
            Ok(caller) => {
                if let Some(caller) = &caller {
                    let standing = self.access.standing(caller, request.headers());
                    request.extensions_mut().insert(standing);
                }
                let by = self.access.by(caller, request.extensions().get::<Line>());
                request.extensions_mut().insert(by);
                Box::pin(self.inner.call(request))
            }
            Err(status) => Box::pin(async move { Ok(status.into_http()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_method_of_the_service_stands_in_the_table() {
        let proto = include_str!("../../../../../proto/log_sentinel/v1/anomaly.proto");
        let calls = proto.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split_once('('));
        let defined: BTreeSet<String> = calls.map(|(name, _)| name.to_owned()).collect();
        let listed: BTreeSet<String> = CALLS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(defined, listed);
        assert_eq!(listed.len(), CALLS.len());
        for (name, expected) in CALLS {
            assert_eq!(needs(&format!("/log_sentinel.v1.AnomalyService/{name}")), *expected);
        }
        assert_eq!(needs("/grpc.health.v1.Health/Check"), OPEN);
        for other in
            ["/log_sentinel.v1.AnomalyService/Other", "/grpc.reflection.v1.ServerReflection/X", "/", ""]
        {
            assert_eq!(needs(other), Needs::Key, "{other}");
        }
    }
}
