//! `rewardc train`.

mod begin;
mod live;
mod pretrain;
mod rl;
mod shown;

use super::args::{TrainArgs, TrainCommand};
use super::{Exit, Ui};

pub fn run(args: &TrainArgs, ui: &mut Ui) -> Exit {
    let done = match &args.command {
        TrainCommand::Pretrain(args) => pretrain::run(args, ui),
        TrainCommand::Rl(args) => rl::run(args, ui),
    };
    done.unwrap_or_else(|exit| exit)
}
