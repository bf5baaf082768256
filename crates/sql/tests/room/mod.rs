//! Two small tables, and processes in one of them.

use sql::{Answer, Budget, Column, Failure, Kind, Question, Run, Table, Value};

const PROCESSES: &[Column] = &[
    Column { name: "pid", kind: Kind::Integer, what: "number" },
    Column { name: "ppid", kind: Kind::Integer, what: "number of the parent" },
    Column { name: "name", kind: Kind::Text, what: "short name" },
    Column { name: "command", kind: Kind::Text, what: "arguments" },
    Column { name: "rss_bytes", kind: Kind::Integer, what: "memory" },
    Column { name: "host", kind: Kind::Text, what: "machine" },
];
const LOGS: &[Column] = &[
    Column { name: "timestamp", kind: Kind::Text, what: "when" },
    Column { name: "message", kind: Kind::Text, what: "the sentence" },
];
const TABLES: &[Table] = &[
    Table { name: "processes", what: "a process", columns: PROCESSES },
    Table { name: "logs", what: "an event", columns: LOGS },
];

pub(crate) fn tables() -> &'static [Table] {
    TABLES
}

/// Three processes, each the parent of the next.
pub(crate) fn with_processes(sql: &str, budget: Budget) -> Run {
    let mut run = Run::begin(Question::check(sql, tables()).unwrap(), budget).unwrap();
    let row = |pid: i64, ppid: i64, name: &str, command: &str, rss: i64| {
        vec![
            Value::Integer(pid),
            Value::Integer(ppid),
            Value::Text(name.into()),
            Value::Text(command.into()),
            Value::Integer(rss),
            Value::Text("web-1".into()),
        ]
    };
    if run.question().tables().iter().any(|table| table.name == "processes") {
        let rows = [
            row(10, 1, "nginx", "nginx -g", 1000),
            row(20, 10, "sh", "sh -c id", 200),
            row(30, 20, "sh", "sh --password=x", 300),
        ];
        run.insert("processes", rows).unwrap();
    }
    run
}

pub(crate) fn ask(sql: &str) -> Result<Answer, Failure> {
    with_processes(sql, Budget::default()).answer()
}
