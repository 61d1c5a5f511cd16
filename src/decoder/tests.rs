//! The decoder against the sums it stands for, on models small enough to look at everything.

use candle_core::{D, Device};
use candle_nn::ops::log_softmax;

use super::{DecoderConfig, LazyDecoder, Weights, beam_search};
use crate::catalog::{Catalog, MemoryCatalog, Sids};

fn tiny(shape: &[u32]) -> DecoderConfig {
    DecoderConfig {
        history: 3,
        d_model: 8,
        d_ffn: 12,
        layers: 2,
        heads: 4,
        kv_groups: 2,
        kv_chunks: 2,
        ..DecoderConfig::small(shape)
    }
}

fn model(config: &DecoderConfig, seed: u64) -> LazyDecoder {
    LazyDecoder::new(config, &mut Weights::new(seed, &Device::Cpu)).unwrap()
}

const HISTORIES: [&[&[u32]]; 3] = [&[&[1, 2, 0], &[0, 1, 3]], &[], &[&[2, 2, 2], &[0, 0, 0], &[1, 1, 1]]];

fn histories() -> Vec<Vec<&'static [u32]>> {
    HISTORIES.iter().map(|h| h.to_vec()).collect()
}

/// log π of a SID by teacher forcing: Σ over levels.
fn log_prob(model: &LazyDecoder, request: usize, sid: &[u32]) -> f64 {
    let context = model.read(&[histories()[request].clone()]).unwrap();
    let logits = model.forced(&context, sid, 1).unwrap();
    let of = |level: usize| {
        let row: Vec<f32> = log_softmax(&logits[level], D::Minus1).unwrap().squeeze(0).unwrap().to_vec1().unwrap();
        f64::from(row[sid[level] as usize])
    };
    (0..sid.len()).map(of).sum()
}

#[test]
fn beams_are_the_best_of_all_legal_sids() {
    let shape = [3, 3, 4];
    // 20 of the 36 SIDs have an item; two items share one.
    let all: Vec<[u32; 3]> =
        (0..36).map(|i| [i / 12, i / 4 % 3, i % 4]).filter(|s| (s[0] + 2 * s[1] + s[2]) % 9 > 3).collect();
    let mut codes: Vec<u32> = all.iter().flatten().copied().collect();
    codes.extend(all[0]);
    let keys = (0..=all.len()).map(|i| format!("i{i}")).collect();
    let catalog = MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 3 })).unwrap();
    for seed in 0..4 {
        let model = model(&tiny(&shape), seed);
        let context = model.read(&histories()).unwrap();
        // Wide enough that nothing is cut before the last level: beam search is then exhaustive.
        for (width, found) in [(100, all.len()), (12, 12)] {
            let beams = beam_search(&model, &context, &catalog, width).unwrap();
            assert_eq!(beams.dead_ends, 0);
            for (request, beams) in beams.requests.iter().enumerate() {
                let mut expected: Vec<(f64, [u32; 3])> =
                    all.iter().map(|s| (log_prob(&model, request, s), *s)).collect();
                expected.sort_by(|a, b| b.0.total_cmp(&a.0));
                assert_eq!(beams.len(), found);
                for (beam, (log_prob, sid)) in beams.iter().zip(&expected) {
                    assert_eq!(beam.sid, sid, "seed {seed}, request {request}, width {width}");
                    assert!((beam.log_prob - log_prob).abs() < 1e-4);
                }
            }
        }
    }
}

#[test]
fn a_code_does_not_see_those_behind_it() {
    let model = model(&tiny(&[3, 3, 4]), 7);
    let context = model.read(&histories()).unwrap();
    let forced = |sids: &[u32]| model.forced(&context, sids, 2).unwrap();
    let of = |t: &candle_core::Tensor| t.to_vec2::<f32>().unwrap();
    let one = forced(&[0, 1, 2, 2, 0, 1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 2, 3]);
    let other = forced(&[0, 1, 3, 2, 0, 0, 0, 0, 2, 1, 1, 3, 2, 2, 0, 0, 2, 1]);
    // The last codes differ: no logits may.
    for (a, b) in one.iter().zip(&other) {
        assert_eq!(of(a), of(b));
    }
    // Prefix by prefix they are those of teacher forcing.
    let next = model.next(&context, &[0, 1, 2, 0, 0, 0, 1, 1, 2, 2, 0, 2], 2, 2).unwrap();
    for (a, b) in of(&next).iter().flatten().zip(of(&one[2]).iter().flatten()) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

#[test]
fn a_request_does_not_see_another_and_places_in_a_history_count() {
    let model = model(&tiny(&[3, 3, 4]), 3);
    let together = model.next(&model.read(&histories()).unwrap(), &[], 0, 1).unwrap().to_vec2::<f32>().unwrap();
    for (request, history) in histories().into_iter().enumerate() {
        let alone = model.next(&model.read(&[history]).unwrap(), &[], 0, 1).unwrap().to_vec2::<f32>().unwrap();
        for (a, b) in alone[0].iter().zip(&together[request]) {
            assert!((a - b).abs() < 1e-5, "request {request}");
        }
    }
    let turned: Vec<&[u32]> = HISTORIES[2].iter().rev().copied().collect();
    let turned = model.next(&model.read(&[turned]).unwrap(), &[], 0, 1).unwrap().to_vec2::<f32>().unwrap();
    assert!(turned[0].iter().zip(&together[2]).any(|(a, b)| (a - b).abs() > 1e-4));
}

/// Derivatives of a scalar of the whole model against finite differences.
#[test]
fn gradients_are_those_of_finite_differences() {
    let config = tiny(&[3, 3, 4]);
    let mut weights = Weights::new(11, &Device::Cpu);
    let model = LazyDecoder::new(&config, &mut weights).unwrap();
    let sids = [0, 1, 2, 2, 0, 1, 1, 2, 3];
    let loss = || {
        let context = model.read(&histories()).unwrap();
        let logits = model.forced(&context, &sids, 1).unwrap();
        let mut sum: Option<candle_core::Tensor> = None;
        for (level, logits) in logits.iter().enumerate() {
            let codes: Vec<u32> = sids.chunks(3).map(|s| s[level]).collect();
            let codes = candle_core::Tensor::from_vec(codes, (3, 1), &Device::Cpu).unwrap();
            let part = log_softmax(logits, D::Minus1).unwrap().gather(&codes, 1).unwrap().sum_all().unwrap();
            sum = Some(match sum {
                None => part,
                Some(sum) => (sum + part).unwrap(),
            });
        }
        sum.unwrap()
    };
    let grads = loss().backward().unwrap();
    for (name, var) in weights.vars() {
        let grad: Vec<f32> = grads.get(var.as_tensor()).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let values: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        // The entry with the largest derivative: there a wrong one shows above the rounding of f32.
        let at = (0..grad.len()).max_by(|a, b| grad[*a].abs().total_cmp(&grad[*b].abs())).unwrap();
        let moved = |by: f32| {
            let mut changed = values.clone();
            changed[at] += by;
            var.set(&candle_core::Tensor::from_vec(changed, var.shape(), &Device::Cpu).unwrap()).unwrap();
            let value = f64::from(loss().to_scalar::<f32>().unwrap());
            var.set(&candle_core::Tensor::from_vec(values.clone(), var.shape(), &Device::Cpu).unwrap()).unwrap();
            value
        };
        let by = 1e-2_f32;
        let found = (moved(by) - moved(-by)) / (2.0 * f64::from(by));
        let expected = f64::from(grad[at]);
        assert!(
            (found - expected).abs() < 0.02 * expected.abs() + 2e-3,
            "{name}: {found}, and the gradient {expected}"
        );
    }
}

#[test]
fn a_catalog_bounds_the_beams() {
    let catalog =
        MemoryCatalog::new(vec!["a".into(), "b".into()], Some(Sids { codes: &[0, 1, 2, 0, 1, 3], levels: 3 })).unwrap();
    let model = model(&tiny(&[3, 3, 4]), 1);
    let beams = beam_search(&model, &model.read(&histories()).unwrap(), &catalog, 10).unwrap();
    assert!(beams.requests.iter().all(|b| b.len() == 2));
    assert!(beams.requests.iter().flatten().all(|b| !catalog.behind(&b.sid).is_empty()));
    let empty = MemoryCatalog::new(vec!["a".into()], Some(Sids { codes: &[u32::MAX; 3], levels: 3 })).unwrap();
    let beams = beam_search(&model, &model.read(&histories()).unwrap(), &empty, 10).unwrap();
    assert_eq!((beams.requests.iter().map(Vec::len).sum::<usize>(), beams.dead_ends), (0, 3));
}
