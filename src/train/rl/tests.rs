//! Losses and advantages against `tests/reference/objectives.py`.

use candle_core::{Device, Tensor, Var};
use serde_json::Value;

use super::super::config::{Bound, Normalization};
use super::advantage::normalized;
use super::objective::policy_loss;

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
