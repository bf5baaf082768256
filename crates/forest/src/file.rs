//! The forest as bytes. Sealed as `disk::sealed` describes, magic `LSFOREST`; the body:
//!
//! ```text
//! u8       kind of splits: 0 one column, 1 two columns
//! f32      expected depth
//! u32      columns, then for each: u8 flags (bit 0: constant), f32 missing value, f32 constant
//! u32      trees, then for each 256 thresholds (f32), with two columns 256 weights (f32),
//!          256 columns (u16), with two columns 256 second columns (u16), 256 depths (f32)
//! ```
//! Entry 0 of the node arrays is unused: nodes are numbered like a heap, from 1.

use disk::sealed::{Reader, SealedError, Writer};

use crate::{
    params::Splits,
    tree::{AxisTree, COLUMNS_MAX, Column, Forest, LEAVES, TREES_MAX, Trees, TwoColumnTree},
};

const MAGIC: &[u8; 8] = b"LSFOREST";
const VERSION: u32 = 1;

impl Forest {
    /// The forest as checksummed bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::sealed(MAGIC, VERSION);
        let (kind, count) = match &self.trees {
            Trees::Axis(trees) => (Splits::Axis, trees.len()),
            Trees::TwoColumns(trees) => (Splits::TwoColumns, trees.len()),
        };
        out.u8(kind as u8);
        out.f32(self.expected);
        out.u32(self.columns.len() as u32);
        for column in &self.columns {
            out.u8(u8::from(column.constant.is_some()));
            out.f32(column.missing);
            out.f32(column.constant.unwrap_or_default());
        }
        out.u32(count as u32);
        match &self.trees {
            Trees::Axis(trees) => {
                for tree in trees {
                    put_floats(&mut out, &tree.thresholds);
                    put_columns(&mut out, &tree.columns);
                    put_floats(&mut out, &tree.depths);
                }
            }
            Trees::TwoColumns(trees) => {
                for tree in trees {
                    put_floats(&mut out, &tree.thresholds);
                    put_floats(&mut out, &tree.weights);
                    put_columns(&mut out, &tree.firsts);
                    put_columns(&mut out, &tree.seconds);
                    put_floats(&mut out, &tree.depths);
                }
            }
        }
        out.seal()
    }

    /// The forest that [`Forest::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else, of another version, cut short or altered.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealedError> {
        let mut input = Reader::sealed(bytes, MAGIC, VERSION, "the forest")?;
        let kind = input.u8()?;
        let expected = input.f32()?;
        let width = input.count(9, COLUMNS_MAX)?;
        let mut columns = Vec::with_capacity(width);
        for _ in 0..width {
            let (flags, missing, constant) = (input.u8()?, input.f32()?, input.f32()?);
            columns.push(Column { missing, constant: (flags & 1 == 1).then_some(constant) });
        }
        let count = input.count(LEAVES * 10, TREES_MAX)?;
        if columns.is_empty() || count == 0 || expected <= 0.0 {
            return Err(input.damaged());
        }
        let trees =
            match kind {
                0 => Trees::Axis(
                    (0..count).map(|_| read_axis(&mut input, width)).collect::<Result<_, SealedError>>()?,
                ),
                1 => Trees::TwoColumns(
                    (0..count)
                        .map(|_| read_two_columns(&mut input, width))
                        .collect::<Result<_, SealedError>>()?,
                ),
                _ => return Err(input.damaged()),
            };
        input.end()?;
        Ok(Self { columns, expected, trees })
    }
}

fn read_axis(input: &mut Reader<'_>, width: usize) -> Result<AxisTree, SealedError> {
    Ok(AxisTree { thresholds: floats(input)?, columns: columns(input, width)?, depths: floats(input)? })
}

fn read_two_columns(input: &mut Reader<'_>, width: usize) -> Result<TwoColumnTree, SealedError> {
    Ok(TwoColumnTree {
        thresholds: floats(input)?,
        weights: floats(input)?,
        firsts: columns(input, width)?,
        seconds: columns(input, width)?,
        depths: floats(input)?,
    })
}

fn put_floats(out: &mut Writer, values: &[f32; LEAVES]) {
    values.iter().for_each(|value| out.f32(*value));
}

fn put_columns(out: &mut Writer, values: &[u16; LEAVES]) {
    values.iter().for_each(|value| out.u16(*value));
}

fn floats(input: &mut Reader<'_>) -> Result<[f32; LEAVES], SealedError> {
    let (quads, _) = input.take(LEAVES * 4)?.as_chunks::<4>();
    let mut values = [0.0; LEAVES];
    for (value, bytes) in values.iter_mut().zip(quads) {
        *value = f32::from_le_bytes(*bytes);
    }
    if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(input.damaged()) }
}

fn columns(input: &mut Reader<'_>, width: usize) -> Result<[u16; LEAVES], SealedError> {
    let (pairs, _) = input.take(LEAVES * 2)?.as_chunks::<2>();
    let mut values = [0; LEAVES];
    for (value, bytes) in values.iter_mut().zip(pairs) {
        *value = u16::from_le_bytes(*bytes);
    }
    if values.iter().all(|value| usize::from(*value) < width) { Ok(values) } else { Err(input.damaged()) }
}
