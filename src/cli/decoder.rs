//! `rewardc decoder`.

use std::path::Path;

use super::args::{DecoderArgs, DecoderCommand, SummaryFormat};
use super::ground::config;
use super::{Exit, Ui};
use crate::decoder::{Describes, describe};

pub fn run(args: &DecoderArgs, ui: &mut Ui) -> Exit {
    let DecoderCommand::Describe { config, beams, format } = &args.command;
    told(config, *beams, *format, ui).unwrap_or_else(|exit| exit)
}

fn told(path: &Path, beams: u64, format: SummaryFormat, ui: &mut Ui) -> Result<Exit, Exit> {
    let (config, _) = config(path, ui)?;
    let parts = describe(&config.decoder, beams);
    match format {
        SummaryFormat::Human => ui.print(&text(&parts, beams)),
        SummaryFormat::Json => ui.print(&format!("{:#}\n", serde_json::to_value(&parts).unwrap_or_default())),
    }
    Ok(Exit::Fine)
}

fn text(parts: &[Describes], beams: u64) -> String {
    let decode = format!("decode {beams} beams");
    let mut text = format!("{:<28}{:>14}{:>18}{:>18}\n", "", "parameters", "train a sample", decode);
    let row = |name: &str, params: u64, train: u64, decode: u64| {
        format!("{name:<28}{params:>14}{:>18}{:>18}\n", flops(train), flops(decode))
    };
    for part in parts {
        text += &row(part.part, part.parameters, part.train_flops, part.decode_flops);
    }
    let sum = |of: fn(&Describes) -> u64| parts.iter().map(of).sum();
    text += &row("=", sum(|p| p.parameters), sum(|p| p.train_flops), sum(|p| p.decode_flops));
    text + "\na multiplication and an addition are two operations; a training step costs forward three times\n"
}

fn flops(n: u64) -> String {
    match n as f64 {
        n if n >= 1e9 => format!("{:.2} GFLOP", n / 1e9),
        n if n >= 1e6 => format!("{:.2} MFLOP", n / 1e6),
        n => format!("{:.1} kFLOP", n / 1e3),
    }
}
