//! A made-up world to train in: videos in series by topic, and users who follow some of them.

use std::fmt::Write;

use super::feed::Random;

const TOPICS: u64 = 24;
const VIDEOS: u64 = 1_440;
const IN_TOPIC: u64 = VIDEOS / TOPICS;
const USERS: u64 = 3_000;

/// The two data files as texts.
pub struct World {
    pub videos: String,
    pub users: String,
}

/// Makes a world; equal seeds give equal files. A video's first code is its topic. Marketing is found among all
/// videos, and often among the popular ones of each topic.
pub fn make(seed: u64) -> World {
    let mut random = Random(seed);
    let mut videos = String::from("video_id,sid,marketing_score\n");
    for id in 0..VIDEOS {
        let (topic, place) = (id / IN_TOPIC, id % IN_TOPIC);
        let often = if place < IN_TOPIC / 7 { 7 } else { 1 };
        let marketing = if random.below(10) < often { 0.75 } else { 0.05 } + 0.2 * random.unit();
        // Writing to a string cannot fail.
        let _ = writeln!(videos, "v{id},{topic}|{}|{},{marketing:.3}", place / 8, place % 8 + 8 * random.below(2));
    }
    let mut users = String::new();
    for user in 0..USERS {
        let topics = [random.below(TOPICS), random.below(TOPICS), random.below(TOPICS)];
        let mut last = topics[0] * IN_TOPIC + random.below(IN_TOPIC);
        let taken: Vec<String> = (0..8 + random.below(8))
            .map(|_| {
                let topic = topics.get(random.below(3) as usize).copied().unwrap_or(0);
                last = match random.below(10) {
                    // The next of a series; a popular one of a topic; any of it.
                    0..5 => last / IN_TOPIC * IN_TOPIC + (last + 1) % IN_TOPIC,
                    5..8 => topic * IN_TOPIC + (random.skewed(3) * IN_TOPIC as f64) as u64,
                    _ => topic * IN_TOPIC + random.below(IN_TOPIC),
                };
                format!("\"v{last}\"")
            })
            .collect();
        let _ = writeln!(users, "{{\"user_id\":\"u{user}\",\"videos\":[{}]}}", taken.join(","));
    }
    World { videos, users }
}
