//! A small made-up feed: videos with semantic IDs, and what was shown to whom.

use std::fmt::Write;

/// Requests in the log, and items shown in each.
pub const REQUESTS: u64 = 200;
const SHOWN: u64 = 20;
const VIDEOS: u64 = 600;
const AUTHORS: u64 = 120;
/// A row in which several parts of the score speak.
pub const TELLING_ROW: usize = 249;

/// The two data files as texts.
pub struct Feed {
    pub videos: String,
    pub log: String,
}

/// splitmix64: small, and the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// In [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Near 0 more often than near 1.
    pub(super) fn skewed(&mut self, power: i32) -> f64 {
        self.unit().powi(power)
    }
}

struct Video {
    id: u64,
    sid: [u64; 3],
    author: u64,
    author_age_days: u64,
    duration_ms: u64,
    marketing: f64,
    ad: bool,
}

/// What an empty list of videos would give; there is none.
static NOBODY: Video =
    Video { id: 0, sid: [0; 3], author: 0, author_age_days: 0, duration_ms: 0, marketing: 0.0, ad: false };

/// Makes a feed; equal seeds give equal files.
pub fn make(seed: u64) -> Feed {
    let mut random = Random(seed);
    let videos: Vec<Video> = (0..VIDEOS).map(|id| video(id, &mut random)).collect();
    let mut csv = String::from("video_id,sid,author_id,author_age_days,duration_ms,marketing_score,is_ad\n");
    for v in &videos {
        let [a, b, c] = v.sid;
        // Writing to a string cannot fail.
        let _ = writeln!(
            csv,
            "v{},{a}|{b}|{c},a{},{},{},{:.3},{}",
            v.id, v.author, v.author_age_days, v.duration_ms, v.marketing, v.ad
        );
    }
    let mut log = String::new();
    let mut now = 1_780_000_000_000;
    for request in 0..REQUESTS {
        let history: Vec<&Video> = (0..random.below(12)).map(|_| pick(&videos, &mut random)).collect();
        for _ in 0..SHOWN {
            now += 1_000 + random.below(20_000);
            impression(request, now, &history, &videos, &mut random, &mut log);
        }
    }
    Feed { videos: csv, log }
}

fn video(id: u64, random: &mut Random) -> Video {
    let author = random.below(AUTHORS);
    Video {
        id,
        sid: [random.below(16), random.below(64), id % 64],
        author,
        author_age_days: if author.is_multiple_of(7) { author % 30 } else { 30 + author * 11 },
        // Some durations are not known and stand as 0.
        duration_ms: if random.below(60) == 0 { 0 } else { 5_000 + random.below(120_000) },
        marketing: random.skewed(3),
        ad: random.below(40) == 0,
    }
}

/// Popular videos come up more often.
fn pick<'v>(videos: &'v [Video], random: &mut Random) -> &'v Video {
    let at = (random.skewed(2) * videos.len() as f64) as usize;
    videos.get(at).or(videos.first()).unwrap_or(&NOBODY)
}

fn impression(request: u64, now: u64, history: &[&Video], videos: &[Video], random: &mut Random, log: &mut String) {
    let v = pick(videos, random);
    let [a, b, c] = v.sid;
    // A decoder now and then writes a SID that is nobody's.
    let sid = if random.below(50) == 0 { [a, b, (c + 1) % 64] } else { [a, b, c] };
    let liking = random.skewed(2);
    let seen: Vec<String> = history.iter().map(|h| format!("{:?}", h.sid)).collect();
    let authors: Vec<String> = history.iter().map(|h| format!("\"a{}\"", h.author)).collect();
    let watched: Vec<String> = history.iter().map(|h| (h.duration_ms / 2).to_string()).collect();
    let _ = writeln!(
        log,
        "{{\"request_id\":\"r{request}\",\"user_id\":\"u{}\",\"video_id\":\"v{}\",\"time_ms\":{now},\"sid\":{sid:?},\
         \"relevance\":{:.3},\"p_click\":{:.4},\"p_like\":{:.4},\"p_follow\":{:.5},\"p_hate\":{:.5},\
         \"p_watch_time_ms\":{},\"watch_time_ms\":{},\
         \"past.sid\":[{}],\"past.author_id\":[{}],\"past.watch_time\":[{}]}}",
        request / 2,
        v.id,
        0.2 + 0.8 * random.unit(),
        0.02 + 0.6 * liking,
        0.002 + 0.1 * liking,
        0.0005 + 0.01 * liking * random.unit(),
        0.0002 + 0.01 * random.skewed(6),
        (v.duration_ms.max(5_000) as f64 * (0.1 + liking)) as u64,
        (v.duration_ms.max(5_000) as f64 * random.skewed(2) * 1.5) as u64,
        seen.join(","),
        authors.join(","),
        watched.join(","),
    );
}
