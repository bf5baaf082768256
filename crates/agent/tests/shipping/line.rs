//! The way to a collector, which can be cut at any byte.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// When a connection ends: so many bytes of what was asked, or of what was answered, go through.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    Asked(usize),
    Answered(usize),
}

/// Passes on what goes to a collector.
pub(crate) struct Line {
    pub(crate) port: u16,
    /// Of the next connections, one each; further ones are whole.
    pub(crate) cuts: Arc<Mutex<VecDeque<Cut>>>,
    is_away: watch::Sender<bool>,
}

impl Line {
    pub(crate) async fn to(collector: u16, cuts: impl IntoIterator<Item = Cut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::new(Mutex::new(cuts.into_iter().collect::<VecDeque<_>>()));
        let line = Self { port, cuts: Arc::clone(&cuts), is_away: watch::channel(false).0 };
        let away = line.is_away.subscribe();
        let accepting = async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if !*away.borrow() {
                    let cut = cuts.lock().unwrap().pop_front();
                    drop(telemetry::task::spawn("line", pass(stream, collector, cut, away.clone())));
                }
            }
        };
        drop(telemetry::task::spawn("line", accepting));
        line
    }

    /// Ends what is open, and answers nobody; or is there again.
    pub(crate) fn is_away(&self, is_away: bool) {
        self.is_away.send_replace(is_away);
    }
}

async fn pass(stream: TcpStream, collector: u16, cut: Option<Cut>, mut away: watch::Receiver<bool>) {
    let (asking, answering) = stream.into_split();
    let (answers, asked) = TcpStream::connect(("127.0.0.1", collector)).await.unwrap().into_split();
    let (ask, answer) = match cut {
        Some(Cut::Asked(bytes)) => (bytes, usize::MAX),
        Some(Cut::Answered(bytes)) => (usize::MAX, bytes),
        None => (usize::MAX, usize::MAX),
    };
    // Whichever ends first ends both.
    tokio::select! {
        () = copy(asking, asked, ask) => {}
        () = copy(answers, answering, answer) => {}
        _ = away.wait_for(|is_away| *is_away) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut left: usize) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let part = read.min(left);
        if to.write_all(&bytes[..part]).await.is_err() {
            return;
        }
        left -= part;
        if left == 0 {
            return;
        }
    }
}
