//! Asking what may never answer, without waiting for it for ever.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Instant,
};

/// The thread needs little.
const STACK_BYTES: usize = 128 << 10;

/// A thread that answers one question at a time. While it stands still it is asked nothing else, so that what hangs
/// costs one thread however often it is asked for. The thread ends with this, or once it is free again.
#[derive(Debug)]
pub(crate) struct Patient<Q, A> {
    questions: SyncSender<Q>,
    answers: Receiver<A>,
    is_asked: bool,
}

impl<Q: Send + 'static, A: Send + 'static> Patient<Q, A> {
    /// Starts the thread.
    pub(crate) fn new(name: &str, mut answer: impl FnMut(Q) -> A + Send + 'static) -> std::io::Result<Self> {
        let (questions, asked) = sync_channel::<Q>(1);
        let (told, answers) = sync_channel(1);
        thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(move || {
            // Ends when either side is gone.
            while let Ok(question) = asked.recv() {
                if told.send(answer(question)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { questions, answers, is_asked: false })
    }

    /// Asks, unless it still stands at an earlier question. Its late answer is then the next.
    pub(crate) fn ask(&mut self, question: Q) {
        if !self.is_asked {
            self.is_asked = self.questions.send(question).is_ok();
        }
    }

    /// The answer, waited for until then; None when there is none yet.
    pub(crate) fn answer(&mut self, deadline: Instant) -> Option<A> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.answers.recv_timeout(left) {
            Ok(answer) => {
                self.is_asked = false;
                Some(answer)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_hangs_is_asked_once_and_answers_late() {
        let (go, gate) = sync_channel::<()>(1);
        let mut asked = 0;
        let mut patient = Patient::new("test", move |question: u32| {
            asked += 1;
            gate.recv().ok();
            (question, asked)
        })
        .unwrap();
        for question in 1..4 {
            patient.ask(question);
            assert_eq!(patient.answer(Instant::now()), None);
        }
        go.send(()).unwrap();
        let soon = || Instant::now() + Duration::from_secs(60);
        assert_eq!(patient.answer(soon()), Some((1, 1)));
        patient.ask(9);
        go.send(()).unwrap();
        assert_eq!(patient.answer(soon()), Some((9, 2)));
    }
}
