//! The real program, as a process of its own.

use std::{
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value as Json;

/// Why the program did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It did not start.
    #[error("{binary} did not start: {reason}")]
    Start {
        /// The program.
        binary: PathBuf,
        /// What it said.
        reason: String,
    },
    /// The operating system refused.
    #[error("the operating system refused")]
    Io(#[from] io::Error),
    /// A request failed.
    #[error("a request failed")]
    Http(#[from] reqwest::Error),
}

/// A running `log-sentinel`, on ports of its own; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where logs go and searches are answered: `http://127.0.0.1:PORT`; empty without a collector.
    pub url: String,
    /// Where the anomaly service answers; empty without one.
    pub anomaly_url: String,
    /// Where it answers over gRPC; empty without one.
    pub grpc_url: String,
    /// For requests.
    pub http: reqwest::Client,
}

impl Server {
    /// Starts `binary` on `data` with further settings (names and values of the environment) and waits
    /// until it says that it runs.
    ///
    /// # Errors
    /// When it ends before.
    pub fn start(binary: &Path, data: &Path, settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        Self::start_with(Command::new(binary), data, settings)
    }

    /// As [`Server::start`], in a role such as `collector`.
    ///
    /// # Errors
    /// When it ends before it runs.
    pub fn start_role(
        binary: &Path,
        role: &str,
        data: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, ServerError> {
        let mut command = Command::new(binary);
        command.arg(role);
        Self::start_with(command, data, settings)
    }

    /// As [`Server::start`], with a prepared command, such as one that pins it to a core.
    ///
    /// # Errors
    /// When it ends before it runs.
    pub fn start_with(
        mut command: Command,
        data: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, ServerError> {
        let binary = PathBuf::from(command.get_program());
        command
            .env("LOG_SENTINEL_ADDR", "127.0.0.1:0")
            .env("LOG_SENTINEL_ANOMALY_ADDR", "127.0.0.1:0")
            .env("LOG_SENTINEL_ANOMALY_GRPC_ADDR", "127.0.0.1:0")
            .env("LOG_SENTINEL_DATA", data)
            .env("LOG_SENTINEL_DIR", data.with_extension("watched"))
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let (mut url, mut anomaly_url, mut grpc_url) = (None, None, None);
        let (mut said, mut runs) = (String::new(), false);
        let mut lines = BufReader::new(stdout).lines();
        for line in lines.by_ref() {
            let line = line?;
            let address =
                line.split_ascii_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
            match line.trim_start().split_ascii_whitespace().next() {
                Some("collector") => url = address,
                Some("anomaly") => anomaly_url = address,
                Some("grpc") => grpc_url = address,
                _ => {}
            }
            said.push_str(&line);
            said.push('\n');
            if line.starts_with("Try") {
                runs = true;
                break;
            }
        }
        // The pipe stays read, or the program would meet a closed one.
        std::thread::Builder::new().name("server-stdout".to_owned()).spawn(move || lines.for_each(drop))?;
        if !runs {
            let status = child.wait()?;
            return Err(ServerError::Start { binary, reason: format!("{status}; it printed:\n{said}") });
        }
        Ok(Self {
            child,
            url: url.unwrap_or_default(),
            anomaly_url: anomaly_url.unwrap_or_default(),
            grpc_url: grpc_url.unwrap_or_default(),
            // Well before the server closes what is idle, or a request meets that very moment.
            http: reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(10)).build()?,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(mut self) -> Result<(), ServerError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn terminate(mut self) -> Result<ExitStatus, ServerError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("no process id"))?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(io::Error::from)?;
        Ok(self.child.wait()?)
    }

    /// The JSON answer of a GET below the collector's address.
    ///
    /// # Errors
    /// When there is none, or its status is no success.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Json, ServerError> {
        let response = self.http.get(format!("{}{path}", self.url)).query(query).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Posts logs and gives back status and JSON answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_logs(
        &self,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<(u16, Json), ServerError> {
        let request =
            self.http.post(format!("{}/logs", self.url)).header("content-type", content_type).body(body);
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// The number of events that match.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn count(&self, query: &str) -> Result<u64, ServerError> {
        let answer = self.get("/api/v1/search", &[("q", query), ("limit", "0")]).await?;
        Ok(answer["total"].as_u64().unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
