//! A server that speaks enough of Elasticsearch to be written to, remembers what it holds, and
//! misbehaves as it is told.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io::Read,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Value as Json, json};
use telemetry::task;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

pub(crate) const DATA_STREAM: &str = "logs-scripted";

/// What happens to a whole bulk, once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    ResetBefore,
    ResetAfter,
    HangBefore,
    HangAfter,
    Truncated,
    Garbage,
    /// Applied, and then one item too few in the answer.
    Short,
    /// Applied, and then the items in another order.
    Shuffled,
    /// An item with a status that means nothing.
    Odd,
    Status(u16),
    Html(u16),
    /// Applied, and answered after a while.
    Slow,
    /// A rollover before it is applied.
    RolloverBefore,
    /// Applied, no answer, and then a rollover.
    ResetAfterRollover,
}

/// What happens to one document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Item {
    /// Stored, answered with this status.
    Stored(u16),
    /// Refused this time only.
    Once(u16, &'static str),
    /// Refused always.
    Always(u16, &'static str),
    /// A bulk with it in it is refused as a whole, always.
    Poison(u16),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Backing indices: visible or not, and the document.
    pub(crate) indices: Vec<BTreeMap<String, (bool, Json)>>,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) items: HashMap<String, Item>,
    /// The answer to `GET /`.
    pub(crate) root: Option<(u16, String)>,
    /// The answer to everything.
    pub(crate) always: Option<(u16, String)>,
    /// How many bytes a body may have.
    pub(crate) body_max: Option<usize>,
    /// How long every bulk takes.
    pub(crate) delay: Duration,
    /// Documents in each bulk that was looked at.
    pub(crate) bulks: Vec<usize>,
    pub(crate) requests: Vec<String>,
    /// Bodies that came packed.
    pub(crate) packed: usize,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    listener: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// A request as it came in.
struct Asked {
    method: String,
    path: String,
    body: Vec<u8>,
    is_packed: bool,
}

/// What is sent back.
enum Reply {
    Answer(u16, String),
    /// Half of an answer.
    Half(String),
    Close,
    Hang,
    /// An answer after a while.
    Late(String),
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), None).await
    }

    pub(crate) async fn start_at(address: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { indices: vec![BTreeMap::new()], ..State::default() }));
        let shared = state.clone();
        let accept = async move {
            let mut connections = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, tls) = (shared.clone(), tls.clone());
                let connection = async move {
                    match tls {
                        // One who does not trust us goes away.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, shared).await;
                            }
                        }
                        None => serve(stream, shared).await,
                    }
                };
                connections.push(AbortOnDrop(task::spawn("connection", connection)));
            }
        };
        Self { address, state, listener: task::spawn("scripted", accept) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// A connection, plain or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl State {
    /// All documents there are, by id; one that stands in two indices is there twice.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.indices.iter().flat_map(|index| index.keys().cloned()).collect();
        ids.sort();
        ids
    }

    pub(crate) fn roll_over(&mut self) {
        self.indices.push(BTreeMap::new());
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.requests.iter().filter(|request| request.contains(path)).count()
    }
}

fn index_name(generation: usize) -> String {
    format!(".ds-{DATA_STREAM}-2024.06.01-{:06}", generation + 1)
}

async fn serve(mut stream: impl Stream, state: Arc<Mutex<State>>) {
    let mut buffer = Vec::new();
    while let Some(asked) = read(&mut stream, &mut buffer).await {
        let delay = {
            let mut state = state.lock().unwrap();
            state.requests.push(format!("{} {}", asked.method, asked.path));
            state.packed += usize::from(asked.is_packed);
            if asked.path.contains("_bulk") { state.delay } else { Duration::ZERO }
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let reply = answer(&mut state.lock().unwrap(), &asked);
        match reply {
            Reply::Answer(status, body) => {
                let sent = stream.write_all(head(status, &body, body.len()).as_bytes()).await;
                if sent.is_err() {
                    return;
                }
            }
            Reply::Half(body) => {
                let (half, length) = (&body[..body.len() / 2], body.len());
                drop(stream.write_all(head(200, half, length).as_bytes()).await);
                return;
            }
            Reply::Late(body) => {
                tokio::time::sleep(Duration::from_millis(30)).await;
                if stream.write_all(head(200, &body, body.len()).as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::Close => return,
            Reply::Hang => std::future::pending().await,
        }
    }
}

fn head(status: u16, body: &str, length: usize) -> String {
    let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
    format!("HTTP/1.1 {status} S\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The next request of a connection; None at its end.
async fn read(stream: &mut impl Stream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let mut chunk = vec![0; 64 << 10];
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).ok()?.to_lowercase();
            let header = |name: &str| {
                head.lines()
                    .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
            };
            let length: usize = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let first = String::from_utf8(buffer[..end].to_vec()).ok()?;
                let mut words = first.lines().next()?.split(' ');
                let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
                let mut body = buffer[end + 4..end + 4 + length].to_vec();
                buffer.drain(..end + 4 + length);
                let is_packed = header("content-encoding").as_deref() == Some("gzip");
                if is_packed {
                    let mut plain = Vec::new();
                    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).ok()?;
                    body = plain;
                }
                return Some(Asked { method, path, body, is_packed });
            }
        }
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => buffer.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}

fn ok(body: Json) -> Reply {
    Reply::Answer(200, body.to_string())
}

fn refusal(status: u16, kind: &str, reason: &str) -> Reply {
    let error = json!({"type": kind, "reason": reason, "root_cause": []});
    Reply::Answer(status, json!({"error": error, "status": status}).to_string())
}

fn answer(state: &mut State, asked: &Asked) -> Reply {
    if let Some((status, body)) = &state.always {
        return Reply::Answer(*status, body.clone());
    }
    let path = asked.path.split('?').next().unwrap_or_default();
    let within = format!("/{DATA_STREAM}/");
    match (&*asked.method, path) {
        ("GET", "/") => match &state.root {
            Some((status, body)) => Reply::Answer(*status, body.clone()),
            None => ok(json!({"cluster_name": "scripted", "version": {"number": "8.19.0"}})),
        },
        ("GET", "/_cluster/health") => ok(json!({"cluster_name": "scripted", "status": "green"})),
        ("POST", "/_bulk") => deletes(state, &asked.body),
        ("POST", "/_mget") => get(state, &asked.body),
        ("POST", path) if path == format!("{within}_bulk") => bulk(state, &asked.body),
        ("POST", path) if path == format!("{within}_refresh") => {
            for (visible, _) in state.indices.iter_mut().flat_map(BTreeMap::values_mut) {
                *visible = true;
            }
            ok(json!({"_shards": {"total": 1, "successful": 1, "failed": 0}}))
        }
        ("GET", path) if path.starts_with(&format!("{within}_settings")) => {
            let names = (0..state.indices.len()).map(|at| (index_name(at), json!({"settings": {}})));
            ok(Json::Object(names.collect()))
        }
        ("GET", path) if path.starts_with(&format!("{within}_stats")) => {
            let count = state.ids().len();
            ok(json!({"_all": {"primaries": {"docs": {"count": count}, "store": {"size_in_bytes": 7}}}}))
        }
        ("POST", path) if path == format!("{within}_search") => search(state, &asked.body),
        _ => refusal(405, "method_not_allowed", "no such route"),
    }
}

fn get(state: &State, body: &[u8]) -> Reply {
    let body: Json = serde_json::from_slice(body).unwrap();
    let docs = body["docs"].as_array().unwrap().iter().map(|wanted| {
        let id = wanted["_id"].as_str().unwrap();
        let at = (0..state.indices.len()).find(|at| wanted["_index"] == index_name(*at)).unwrap();
        let found = state.indices[at].get(id);
        let source = found.map_or(Json::Null, |(_, document)| document.clone());
        json!({"_id": id, "found": found.is_some(), "_source": source})
    });
    let docs: Vec<Json> = docs.collect();
    ok(json!({"docs": docs}))
}

/// The furthest event of a journal.
fn furthest(state: &State, range: &Json) -> Reply {
    let within = |id: &&String| {
        range["gte"].as_str().unwrap() <= id.as_str() && id.as_str() <= range["lte"].as_str().unwrap()
    };
    let hits: Vec<Json> =
        state.ids().iter().rfind(within).map(|id| json!({"_id": id, "sort": [id]})).into_iter().collect();
    ok(json!({"timed_out": false, "_shards": {"failed": 0}, "hits": {"hits": hits}}))
}

fn search(state: &State, body: &[u8]) -> Reply {
    let body: Json = serde_json::from_slice(body).unwrap();
    if let Some(range) = body["query"]["range"]["sentinel.id"].as_object() {
        return furthest(state, &Json::Object(range.clone()));
    }
    let wanted = body["query"]["ids"]["values"].as_array().unwrap();
    let mut hits = Vec::new();
    for (at, index) in state.indices.iter().enumerate() {
        for id in wanted {
            if let Some((true, document)) = index.get(id.as_str().unwrap()) {
                hits.push(json!({"_index": index_name(at), "_id": id, "_source": document}));
            }
        }
    }
    let total = json!({"value": hits.len(), "relation": "eq"});
    ok(json!({"timed_out": false, "_shards": {"failed": 0}, "hits": {"total": total, "hits": hits}}))
}

fn deletes(state: &mut State, body: &[u8]) -> Reply {
    let items = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
        let action: Json = serde_json::from_slice(line).unwrap();
        let (index, id) = (&action["delete"]["_index"], action["delete"]["_id"].as_str().unwrap());
        let at = (0..state.indices.len()).find(|at| *index == index_name(*at)).unwrap();
        let status = if state.indices[at].remove(id).is_some() { 200 } else { 404 };
        json!({"delete": {"_id": id, "status": status}})
    });
    let items: Vec<Json> = items.collect();
    ok(json!({"errors": false, "items": items}))
}

fn bulk(state: &mut State, body: &[u8]) -> Reply {
    if state.body_max.is_some_and(|max| body.len() > max) {
        return Reply::Answer(413, String::new());
    }
    assert_eq!(body.last(), Some(&b'\n'), "the last line is ended, too");
    let lines: Vec<Json> = body[..body.len() - 1]
        .split(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let documents: Vec<(String, Json)> = lines
        .chunks(2)
        .map(|pair| (pair[0]["create"]["_id"].as_str().unwrap().to_owned(), pair[1].clone()))
        .collect();
    state.bulks.push(documents.len());
    let fault = state.faults.pop_front().unwrap_or(Fault::None);
    match fault {
        Fault::ResetBefore => return Reply::Close,
        Fault::HangBefore => return Reply::Hang,
        Fault::Status(401) => return refusal(401, "security_exception", "unable to authenticate"),
        Fault::Status(403) => {
            return refusal(403, "cluster_block_exception", "blocked by: [FORBIDDEN/8/api]");
        }
        Fault::Status(404) => return refusal(404, "index_not_found_exception", "no such index"),
        Fault::Status(status) => return refusal(status, "some_exception", "not now"),
        Fault::Html(status) => return Reply::Answer(status, "<html>gateway</html>".to_owned()),
        Fault::RolloverBefore => state.roll_over(),
        _ => {}
    }
    let poison = documents.iter().find_map(|(id, _)| match state.items.get(id) {
        Some(Item::Poison(status)) => Some(*status),
        _ => None,
    });
    if let Some(status) = poison {
        return refusal(status, "parse_exception", "something in it");
    }
    let mut items: Vec<Json> =
        documents.into_iter().map(|(id, document)| apply(state, id, document)).collect();
    match fault {
        Fault::ResetAfter => return Reply::Close,
        Fault::HangAfter => return Reply::Hang,
        Fault::ResetAfterRollover => {
            state.roll_over();
            return Reply::Close;
        }
        Fault::Garbage => return Reply::Answer(200, "{\"items\": [{]".to_owned()),
        Fault::Short => drop(items.pop()),
        Fault::Shuffled if items.len() > 1 => items.reverse(),
        // A lone item cannot be out of order.
        Fault::Shuffled => items.clear(),
        Fault::Odd => items[0]["create"]["status"] = 302.into(),
        _ => {}
    }
    let body = json!({"errors": true, "took": 1, "items": items}).to_string();
    match fault {
        Fault::Truncated => Reply::Half(body),
        Fault::Slow => Reply::Late(body),
        _ => Reply::Answer(200, body),
    }
}

fn apply(state: &mut State, id: String, document: Json) -> Json {
    let refused = |status: u16, kind: &str| {
        let error = json!({"type": kind, "reason": format!("as scripted for {id}")});
        json!({"create": {"_id": id, "status": status, "error": error}})
    };
    let status = match state.items.get(&id).copied() {
        Some(Item::Once(status, kind)) => {
            state.items.remove(&id);
            return refused(status, kind);
        }
        Some(Item::Always(status, kind)) => return refused(status, kind),
        Some(Item::Stored(status)) => status,
        Some(Item::Poison(_)) | None => 201,
    };
    let name = index_name(state.indices.len() - 1);
    let index = state.indices.last_mut().unwrap();
    if index.contains_key(&id) {
        let mut conflict = refused(409, "version_conflict_engine_exception");
        conflict["create"]["error"]["index"] = name.into();
        return conflict;
    }
    assert_eq!(document["sentinel"]["id"], *id, "the document says which event it is");
    index.insert(id.clone(), (false, document));
    json!({"create": {"_id": id, "status": status}})
}
