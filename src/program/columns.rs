//! The fixed set of output columns of a program, in their order.

use super::{ChannelKind, Part, Program};
use crate::types::Level;

/// A number of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    Reward,
    Cost,
    Total,
    Preference,
    Ecosystem,
    /// What a part adds, takes or charges; by its place among the parts.
    Part(usize),
    /// A term before its weight.
    Raw(usize),
    /// Whether a cap's bound is passed by this candidate.
    Over(usize),
    Clamp,
    Channel(usize),
}

/// All columns in order.
#[must_use]
pub fn columns(program: &Program) -> Vec<Column> {
    let mut all = vec![Column::Reward, Column::Cost, Column::Total, Column::Preference, Column::Ecosystem];
    for (i, part) in program.parts.iter().enumerate() {
        all.push(Column::Part(i));
        match part {
            Part::Term(_) => all.push(Column::Raw(i)),
            Part::Gate(_) => {}
            Part::Cap(_) => all.push(Column::Over(i)),
        }
    }
    if program.formula.clamp.is_some() {
        all.push(Column::Clamp);
    }
    all.extend((0..program.channels.len()).map(Column::Channel));
    all
}

/// The name of a column in score files, messages and tests.
#[must_use]
pub fn column_names(program: &Program, column: Column) -> String {
    let part = |i: usize| program.parts.get(i).map_or("", Part::name);
    match column {
        Column::Reward => "reward".into(),
        Column::Cost => "cost".into(),
        Column::Total => "total".into(),
        Column::Preference => "preference".into(),
        Column::Ecosystem => "ecosystem".into(),
        Column::Part(i) => part(i).into(),
        Column::Raw(i) => format!("{}.raw", part(i)),
        Column::Over(i) => format!("{}.over", part(i)),
        Column::Clamp => "clamp".into(),
        Column::Channel(i) => program.channels.get(i).map_or(String::new(), |c| c.name.clone()),
    }
}

impl Program {
    /// The column of a name as tests, monitors and commands write it.
    #[must_use]
    pub fn column(&self, name: &str, field: Option<&str>) -> Option<Column> {
        let full = field.map_or_else(|| name.to_string(), |f| format!("{name}.{f}"));
        columns(self).into_iter().find(|c| column_names(self, *c) == full)
    }

    /// Whether a column gives one number for each SID level.
    #[must_use]
    pub fn is_token(&self, column: Column) -> bool {
        match column {
            Column::Channel(i) => self.channels.get(i).is_some_and(|c| {
                c.kind.is_token() || (c.kind == ChannelKind::Monitor && self.expr(c.value).level == Level::Token)
            }),
            _ => false,
        }
    }

    /// The slate reward's column, if the file has one.
    #[must_use]
    pub fn slate_reward(&self) -> Option<usize> {
        self.channels.iter().position(|c| c.kind == ChannelKind::SlateReward)
    }
}
