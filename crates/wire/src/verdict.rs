//! Verdicts.

use event::{Verdict, VerdictState};

use crate::v1;

impl From<VerdictState> for v1::VerdictState {
    fn from(state: VerdictState) -> Self {
        match state {
            VerdictState::Scored => Self::Scored,
            VerdictState::WarmingUp => Self::WarmingUp,
            VerdictState::Unscored => Self::Unscored,
        }
    }
}

impl From<v1::VerdictState> for VerdictState {
    fn from(state: v1::VerdictState) -> Self {
        match state {
            v1::VerdictState::Scored => Self::Scored,
            v1::VerdictState::WarmingUp => Self::WarmingUp,
            v1::VerdictState::Unscored | v1::VerdictState::Unspecified => Self::Unscored,
        }
    }
}

impl From<Verdict> for v1::Verdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            anomaly_score: verdict.score,
            is_anomaly: verdict.is_anomaly,
            state: v1::VerdictState::from(verdict.state).into(),
            reasons: verdict.reasons,
            problem: String::new(),
        }
    }
}

impl From<v1::Verdict> for Verdict {
    /// The problem of a record that was not scored becomes its reason.
    fn from(verdict: v1::Verdict) -> Self {
        let state = VerdictState::from(verdict.state());
        let mut reasons = verdict.reasons;
        if !verdict.problem.is_empty() {
            reasons.push(verdict.problem);
        }
        Self { score: Self::quantize(verdict.anomaly_score), is_anomaly: verdict.is_anomaly, state, reasons }
    }
}

impl v1::Verdict {
    /// The verdict on a record that could not be scored.
    pub fn refused(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), ..Verdict::unscored().into() }
    }
}
