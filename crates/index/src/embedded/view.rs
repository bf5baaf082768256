//! What queries see of the segment being written.
//!
//! Whoever writes is held up for no longer than it takes to copy what came in since the last query, a
//! block of rows at most; what is made of it is made outside of the writer's lock, once for all queries
//! that come before the next write.

use std::sync::Arc;

use event::{JournalId, Position};

use super::{
    block::{BlockBuilder, Packing},
    segment::{BlockPlace, Segment},
    shapes::{RowShape, ShapeTotals, Tables},
    writer::{Writer, freeze},
};

/// A copy of the segment being written, as of the last query.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// Of the writer, when this was copied.
    segment: u64,
    version: u64,
    /// Tables with the counters of `blocks` alone.
    tables: Tables,
    blocks: Vec<BlockPlace>,
    /// Rows behind them.
    open: BlockBuilder,
    covered: Vec<(JournalId, Position)>,
    /// What tables lack yet.
    news: News,
    view: Option<Arc<Segment>>,
}

/// What was added to tables.
#[derive(Debug, Default)]
struct News {
    shapes: Vec<Arc<RowShape>>,
    hosts: Vec<Arc<str>>,
    /// The counters, when blocks were added.
    counters: Option<(Vec<ShapeTotals>, Vec<u64>)>,
}

impl Mirror {
    /// Copies what is new; called with the writer's lock held.
    pub(super) fn catch_up(&mut self, writer: &Writer) {
        let (segment, version) = writer.version();
        if self.segment != segment {
            *self = Self { segment, ..Self::default() };
        } else if self.version == version {
            return;
        }
        self.version = version;
        self.view = None;
        let tables = writer.tables();
        // A view that was not made leaves news.
        let news = &mut self.news;
        news.shapes.extend_from_slice(&tables.shapes[self.tables.shapes.len() + news.shapes.len()..]);
        news.hosts.extend_from_slice(&tables.hosts[self.tables.hosts.len() + news.hosts.len()..]);
        let blocks = writer.blocks();
        if self.blocks.len() < blocks.len() {
            self.blocks.extend_from_slice(&blocks[self.blocks.len()..]);
            news.counters = Some((tables.totals.clone(), tables.host_rows.clone()));
            self.open.clear();
        }
        self.open.copy_new(writer.builder());
        self.covered = writer.covered().to_vec();
    }

    /// The segment being written as of the last copy; None when it has no rows.
    pub(super) fn view(&mut self) -> Option<Arc<Segment>> {
        if self.view.is_none() {
            self.take_news();
            if self.blocks.is_empty() && self.open.len() == 0 {
                return None;
            }
            let (mut tables, mut blocks) = (self.tables.clone(), self.blocks.clone());
            if self.open.len() > 0 {
                blocks.push(freeze(&self.open, &mut tables, Packing::Quick));
            }
            let view = Segment::in_memory(blocks, Arc::new(tables), self.covered.clone());
            self.view = Some(Arc::new(view));
        }
        self.view.clone()
    }

    fn take_news(&mut self) {
        let News { shapes, hosts, counters } = std::mem::take(&mut self.news);
        self.tables.shapes.extend(shapes);
        self.tables.hosts.extend(hosts);
        if let Some((totals, host_rows)) = counters {
            (self.tables.totals, self.tables.host_rows) = (totals, host_rows);
        }
        self.tables.totals.resize(self.tables.shapes.len(), ShapeTotals::EMPTY);
        self.tables.host_rows.resize(self.tables.hosts.len(), 0);
    }
}
