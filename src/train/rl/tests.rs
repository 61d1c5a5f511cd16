//! Losses and advantages against `tests/reference/objectives.py`.

use candle_core::{Device, Tensor, Var};
use serde_json::Value;

use super::super::config::{Bound, Normalization, RlConfig};
use super::super::requests::{Lengths, Prompts};
use super::super::samples::Sequences;
use super::advantage::{Advantages, normalized};
use super::objective::policy_loss;
use super::task::Task;
use crate::catalog::{Legal, MemoryCatalog, Sids};
use crate::decoder::{DecoderConfig, Generated, LazyDecoder, Weights, Written};

fn reference() -> Value {
    serde_json::from_str(include_str!("../../../tests/reference/objectives.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|v| if v.is_array() { numbers(v) } else { vec![v.as_f64().unwrap()] })
        .collect()
}

#[test]
fn losses_and_their_derivatives_are_the_formulas() {
    let reference = reference();
    let points = numbers(&reference["points"]);
    let column = |i: usize| -> Tensor {
        let own: Vec<f32> = points.chunks(3).map(|p| p[i] as f32).collect();
        Tensor::from_vec(own, (points.len() / 12, 4), &Device::Cpu).unwrap()
    };
    let bounds = [
        ("none", Bound::None),
        ("ppo", Bound::Ppo { epsilon: 0.2 }),
        ("ecpo", Bound::Ecpo { epsilon: 0.2, delta: 0.1 }),
        ("gbpo", Bound::Gbpo),
    ];
    for (name, bound) in bounds {
        let log_prob = Var::from_tensor(&column(0)).unwrap();
        let loss = policy_loss(bound, log_prob.as_tensor(), &column(1), &column(2)).unwrap();
        let grads = loss.sum_all().unwrap().backward().unwrap();
        let grads: Vec<f32> = grads.get(&log_prob).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let found: Vec<f32> = loss.flatten_all().unwrap().to_vec1().unwrap();
        let expected = numbers(&reference["losses"][name]);
        let slopes = numbers(&reference["derivatives"][name]);
        assert_eq!(found.len(), expected.len());
        for (i, point) in points.chunks(3).enumerate() {
            let near = |a: f32, b: f64| (f64::from(a) - b).abs() < 2e-4 * (1.0 + b.abs());
            assert!(near(found[i], expected[i]), "{name} at {point:?}: {} and {}", found[i], expected[i]);
            assert!(near(grads[i], slopes[i]), "{name} at {point:?}: slope {} and {}", grads[i], slopes[i]);
        }
    }
}

#[test]
fn advantages_are_the_formulas() {
    let reference = reference();
    let rewards: Vec<Option<f64>> = numbers(&reference["rewards"]).into_iter().map(Some).collect();
    let part = |p: &Value| (p[0].as_f64().unwrap(), numbers(&p[1]).into_iter().map(Some).collect());
    let parts: Vec<(f64, Vec<Option<f64>>)> = reference["terms"].as_array().unwrap().iter().map(part).collect();
    let offsets = [0, 4, 7, 9];
    let kinds = [
        ("z_score", Normalization::ZScore),
        ("mean_only", Normalization::MeanOnly),
        ("per_term", Normalization::PerTerm),
    ];
    for (name, kind) in kinds {
        let found = normalized(kind, &rewards, &parts, &offsets);
        for (found, expected) in found.iter().zip(numbers(&reference[name])) {
            assert!((found.unwrap() - expected).abs() < 1e-9, "{name}: {found:?} and {expected}");
        }
    }
    // What has no reward has no advantage, and no part in anybody's mean.
    let mut cut = rewards.clone();
    cut[0] = None;
    let found = normalized(Normalization::MeanOnly, &cut, &[], &offsets);
    let rest = (rewards[1].unwrap() + rewards[2].unwrap() + rewards[3].unwrap()) / 3.0;
    assert_eq!((found[0], found[1]), (None, Some(rewards[1].unwrap() - rest)));
}

/// A batch of groups of unequal length has the loss and the gradient that its requests have one by one, in the first
/// update and in one behind it.
#[test]
fn groups_of_unequal_length_teach_what_they_teach_alone() {
    let codes: Vec<u32> = (0..8).flat_map(|i| [i / 4, i % 4]).collect();
    let keys = (0..8).map(|i| format!("i{i}")).collect();
    let catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 2 })).unwrap();
    let sequences = Sequences { users: vec![vec![1, 2, 3], vec![4, 5, 6], vec![7, 0, 2]], ..Sequences::default() };
    let config = DecoderConfig { d_model: 8, d_ffn: 8, layers: 1, ..DecoderConfig::small(&[2, 4]) };
    let groups: [&[u32]; 3] = [&[0, 3, 6], &[5], &[2, 2]];
    let written = |item: &u32| Written { sid: vec![item / 4, item % 4], ..Written::default() };
    let bounded =
        RlConfig { bound: Bound::Ecpo { epsilon: 0.2, delta: 0.1 }, joint: 0.0, kl: 0.2, ..RlConfig::default() };
    let legal = Legal::all(&catalog);
    // Rollouts, and what they come to: losses of both updates, and the second's gradient.
    let found = |requests: &[usize]| {
        let places: Vec<_> = requests.iter().map(|r| (*r as u32, 2)).collect();
        let prompts = Prompts::new(&sequences, &places, Lengths { history: 4, past: 0 }, &catalog);
        let rows: Vec<Vec<Written>> = requests.iter().map(|r| groups[*r].iter().map(written).collect()).collect();
        let generated = Generated { requests: rows, ..Generated::default() };
        let mut task = Task::new(&prompts, &generated, &legal, 2, 1.0);
        let n: usize = requests.iter().map(|r| groups[*r].len()).sum();
        let value = |r: usize| (0..groups[r].len() * 2).map(move |i| (i as f64 + r as f64).sin() as f32);
        let values: Vec<f32> = requests.iter().copied().flat_map(value).collect();
        task.set(&Advantages { weights: vec![1.0; values.len()], values, ..Advantages::default() });
        let model = |seed| {
            let mut weights = Weights::new(seed, &Device::Cpu);
            (LazyDecoder::new(&config, &mut weights).unwrap(), weights)
        };
        let ((before, _), (reference, _)) = (model(1), model(2));
        let (first, seen) = task.loss(&before, Some(&reference), &bounded, 0..requests.len()).unwrap();
        task.set_old(vec![seen.log_prob]);
        // Weights that have moved since.
        let (after, weights) = model(3);
        let (second, _) = task.loss(&after, Some(&reference), &bounded, 0..requests.len()).unwrap();
        let grads = second.backward().unwrap();
        let slopes = weights.vars().values().filter_map(|v| grads.get(v.as_tensor()));
        let slopes = slopes.flat_map(|g| g.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let losses = [first, second].map(|loss| loss.to_scalar::<f32>().unwrap());
        (n as f64, losses.into_iter().chain(slopes).map(f64::from).collect::<Vec<_>>())
    };
    let (n, whole) = found(&[0, 1, 2]);
    let alone: Vec<_> = (0..3).map(|r| found(&[r])).collect();
    for (i, whole) in whole.iter().enumerate() {
        let sum: f64 = alone.iter().map(|(own, numbers)| own / n * numbers[i]).sum();
        assert!((whole - sum).abs() < 1e-5 * (1.0 + whole.abs()), "number {i}: {whole} and {sum}");
    }
    assert!(whole[0].abs() > 1e-3 && whole[0] != whole[1] && whole.len() > 100);
}
