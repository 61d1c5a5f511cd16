//! The decoder against the sums it stands for, on models small enough to look at everything.

use candle_core::{D, Device};
use candle_nn::ops::log_softmax;

use super::{DecoderConfig, LazyDecoder, Sampling, Tree, Weights, beam_search, describe, sample};
use crate::catalog::{Catalog, Free, Legal, MemoryCatalog, Sids, Taken};

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

/// 20 of the 36 SIDs have an item; two items share one.
fn some_of_36() -> (Vec<[u32; 3]>, MemoryCatalog) {
    let all: Vec<[u32; 3]> =
        (0..36).map(|i| [i / 12, i / 4 % 3, i % 4]).filter(|s| (s[0] + 2 * s[1] + s[2]) % 9 > 3).collect();
    let mut codes: Vec<u32> = all.iter().flatten().copied().collect();
    codes.extend(all[0]);
    let keys = (0..=all.len()).map(|i| format!("i{i}")).collect();
    (all, MemoryCatalog::new(keys, Some(Sids { codes: &codes, levels: 3 })).unwrap())
}

#[test]
fn beams_are_the_best_of_all_legal_sids() {
    let shape = [3, 3, 4];
    let (all, catalog) = some_of_36();
    for seed in 0..4 {
        let model = model(&tiny(&shape), seed);
        let context = model.read(&histories()).unwrap();
        // Wide enough that nothing is cut before the last level: beam search is then exhaustive.
        for (width, found) in [(100, all.len()), (12, 12)] {
            let beams = beam_search(&model, &context, &Legal::all(&catalog), width).unwrap();
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
    // Code by code, with keys and values kept, they are those of teacher forcing; beams may change places.
    let mut state = model.begin(&context).unwrap();
    assert!(near(state.logits(), &model.forced(&context, &[0; 9], 1).unwrap()[0]));
    let firsts = [0, 2, 0, 1, 2, 0];
    state = model.extend(&context, &state, &[0, 0, 1, 1, 2, 2], &firsts, 2).unwrap();
    assert!(near(state.logits(), &one[1]));
    // The second beam of each request goes on twice.
    state = model.extend(&context, &state, &[1, 1, 3, 3, 5, 5], &[0, 1, 1, 2, 2, 2], 2).unwrap();
    let twice = [2, 0, 9, 2, 1, 9, 1, 1, 9, 1, 2, 9, 0, 2, 9, 0, 2, 9];
    assert!(near(state.logits(), &forced(&twice.map(|c| c % 4))[2]));
}

/// What SIDs of a request have in common is worked out once, and comes to what each comes to alone.
#[test]
fn a_tree_is_its_sids_one_by_one() {
    let model = model(&tiny(&[3, 3, 4]), 11);
    let groups: [&[u32]; 3] = [&[0, 1, 2, 0, 1, 3, 2, 0, 0, 0, 2, 1], &[1, 1, 1], &[2, 2, 2, 2, 2, 2]];
    let trees = groups.map(|sids| Tree::new(sids.to_vec(), 3));
    let found = model.forced_trees(&model.read(&histories()).unwrap(), &trees).unwrap();
    for (level, found) in found.iter().enumerate() {
        let found = found.to_vec2::<f32>().unwrap();
        let mut rows = Tree::rows(&trees, level).into_iter();
        for (request, sids) in groups.iter().enumerate() {
            let context = model.read(&[histories()[request].clone()]).unwrap();
            for sid in sids.chunks(3) {
                let alone = model.forced(&context, sid, 1).unwrap()[level].to_vec2::<f32>().unwrap();
                let own = &found[rows.next().unwrap() as usize];
                assert!(own.iter().zip(&alone[0]).all(|(a, b)| (a - b).abs() < 1e-5), "{sid:?}, level {level}");
            }
        }
        assert_eq!(rows.next(), None);
    }
}

fn near(a: &candle_core::Tensor, b: &candle_core::Tensor) -> bool {
    (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-5
}

/// The sampled distribution is the product of the renormalized ones, and both log-probabilities are given.
#[test]
fn what_is_drawn_is_the_masked_distribution() {
    let (all, catalog) = some_of_36();
    let model = model(&tiny(&[3, 3, 4]), 2);
    let histories = histories();
    let context = model.read(&histories[..1]).unwrap();
    let temperature = 0.7;
    let n = 20_000;
    let drawn = sample(&model, &context, &Legal::all(&catalog), Sampling { n, temperature, seed: 5 }).unwrap();
    // By brute force: at each level the legal codes' shares of π^(1/T).
    let level_logits = |sid: &[u32; 3]| model.forced(&context, sid, 1).unwrap();
    for sid in &all {
        let logits = level_logits(sid);
        let mut masked = 0.0;
        for level in 0..3 {
            let row: Vec<f32> = logits[level].squeeze(0).unwrap().to_vec1().unwrap();
            let legal = |code: &usize| all.iter().any(|s| s[..level] == sid[..level] && s[level] == *code as u32);
            let weight = |code: usize| (f64::from(row[code]) / temperature).exp();
            let sum: f64 = (0..row.len()).filter(legal).map(weight).sum();
            masked += (weight(sid[level] as usize) / sum).ln();
        }
        let those: Vec<_> = drawn.requests[0].iter().filter(|w| w.sid == sid).collect();
        let (share, p) = (those.len() as f64 / n as f64, masked.exp());
        // Five standard errors.
        assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / n as f64).sqrt(), "{sid:?}: {share}, and {p}");
        for written in those.iter().take(1) {
            assert!((written.masked - masked).abs() < 1e-4);
            assert!((written.log_prob - log_prob(&model, 0, sid)).abs() < 1e-4);
        }
    }
    assert!(drawn.requests[0].iter().all(|w| all.iter().any(|s| w.sid == s)));
    // Without a mask, illegal ones are drawn as often as the model says.
    let free =
        sample(&model, &context, &Free { shape: &[3, 3, 4] }, Sampling { n, temperature: 1.0, seed: 6 }).unwrap();
    let legal = free.requests[0].iter().filter(|w| all.iter().any(|s| w.sid == s)).count() as f64 / n as f64;
    let p: f64 = all.iter().map(|sid| log_prob(&model, 0, sid).exp()).sum();
    assert!((legal - p).abs() < 5.0 * (p * (1.0 - p) / n as f64).sqrt(), "{legal}, and {p}");
    assert!(free.requests[0].iter().all(|w| (w.masked - w.log_prob).abs() < 1e-5));
}

/// A million draws under masks that differ from request to request.
#[test]
fn no_draw_leaves_the_mask() {
    let (_, catalog) = some_of_36();
    let model = model(&tiny(&[3, 3, 4]), 4);
    let requests = 40;
    let histories: Vec<Vec<&[u32]>> = (0..requests).map(|i| histories()[i % 3].clone()).collect();
    let places = catalog.by_sid().len() as u32;
    let mut taken = Taken::for_all(&(0..places).map(|p| p % 5 != 0).collect::<Vec<_>>());
    for request in 0..requests as u32 {
        let own = |p: &u32| taken.is_left(*p) && (p * 7 + request).is_multiple_of(1 + request % 4);
        taken.push((0..places).filter(own).collect());
    }
    let legal = Legal::without(&catalog, &taken);
    let context = model.read(&histories).unwrap();
    let mut drawn = 0;
    for seed in 0..25 {
        let found = sample(&model, &context, &legal, Sampling { n: 1_000, temperature: 2.0, seed }).unwrap();
        for (request, found) in found.requests.iter().enumerate() {
            assert_eq!(found.len(), if legal.beneath(request, &[]) > 0 { 1_000 } else { 0 });
            drawn += found.len();
            assert!(found.iter().all(|w| legal.allows(request, &w.sid)), "request {request}");
        }
    }
    // Requests of which everything is taken away write nothing.
    assert_eq!(drawn, 25_000 * (0..requests).filter(|r| legal.beneath(*r, &[]) > 0).count());
    assert!((700_000..1_000_000).contains(&drawn), "{drawn}");
}

/// The logits of the first code.
fn first(model: &LazyDecoder, histories: &[Vec<&[u32]>]) -> Vec<Vec<f32>> {
    model.begin(&model.read(histories).unwrap()).unwrap().logits().to_vec2().unwrap()
}

#[test]
fn a_request_does_not_see_another_and_places_in_a_history_count() {
    let model = model(&tiny(&[3, 3, 4]), 3);
    let together = first(&model, &histories());
    for (request, history) in histories().into_iter().enumerate() {
        let alone = first(&model, &[history]);
        for (a, b) in alone[0].iter().zip(&together[request]) {
            assert!((a - b).abs() < 1e-5, "request {request}");
        }
    }
    let turned: Vec<&[u32]> = HISTORIES[2].iter().rev().copied().collect();
    let turned = first(&model, &[turned]);
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
    let beams = beam_search(&model, &model.read(&histories()).unwrap(), &Legal::all(&catalog), 10).unwrap();
    assert!(beams.requests.iter().all(|b| b.len() == 2));
    assert!(beams.requests.iter().flatten().all(|b| !catalog.behind(&b.sid).is_empty()));
    let empty = MemoryCatalog::new(vec!["a".into()], Some(Sids { codes: &[u32::MAX; 3], levels: 3 })).unwrap();
    let beams = beam_search(&model, &model.read(&histories()).unwrap(), &Legal::all(&empty), 10).unwrap();
    assert_eq!((beams.requests.iter().map(Vec::len).sum::<usize>(), beams.dead_ends), (0, 3));
}

#[test]
fn what_is_described_is_what_there_is() {
    for (shape, layers, kv_chunks) in [(&[3, 3, 4][..], 2, 2), (&[5, 7], 1, 1)] {
        let config = DecoderConfig { layers, kv_chunks, ..tiny(shape) };
        let mut weights = Weights::new(1, &Device::Cpu);
        LazyDecoder::new(&config, &mut weights).unwrap();
        let parts = describe(&config, 4);
        assert_eq!(parts.iter().map(|p| p.parameters).sum::<u64>(), weights.n_params() as u64);
    }
    // One layer, d = 8, keys 4, two chunks, a history of 3, 3 codes. Multiplications: the context 3 · (2 · 8 · 8);
    // cross-attention 3 · (2 · 64 + 2 · 8 · 3); feed-forward 3 · (3 · 8 · 12); heads 10 · 8.
    let parts = describe(&DecoderConfig { layers: 1, ..tiny(&[3, 3, 4]) }, 1);
    let train = |part: &str| parts.iter().find(|p| p.part == part).unwrap().train_flops / 6;
    assert_eq!(train("context processor"), 384);
    assert_eq!(train("cross-attention"), 528);
    assert_eq!(train("feed-forward"), 864);
    assert_eq!(train("heads"), 80);
    // A search of one beam computes what a forward pass does, but for pairs that the causal mask hides.
    let decode: u64 = parts.iter().filter(|p| p.part != "self-attention").map(|p| p.decode_flops).sum();
    let forward: u64 = parts.iter().filter(|p| p.part != "self-attention").map(|p| p.train_flops / 3).sum();
    assert_eq!(decode, forward);
}

/// The same numbers on a GPU.
#[cfg(feature = "cuda")]
#[test]
fn a_gpu_gives_the_numbers_of_the_cpu() {
    let Ok(gpu) = Device::new_cuda(0) else {
        println!("skipped: no GPU");
        return;
    };
    let config = tiny(&[3, 3, 4]);
    let logits = |device: &Device| {
        let model = LazyDecoder::new(&config, &mut Weights::new(5, device)).unwrap();
        let context = model.read(&histories()).unwrap();
        let logits = model.forced(&context, &[0, 1, 2, 2, 0, 1, 1, 2, 3], 1).unwrap();
        logits.iter().flat_map(|l| l.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect::<Vec<_>>()
    };
    for (a, b) in logits(&Device::Cpu).iter().zip(logits(&gpu)) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
}
