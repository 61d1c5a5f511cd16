//! Saying what was expected, in the language's own words.

use super::build::Rule;
use super::tokens::{Token, TokenKind, scan};
use super::{DECLARATION_WORDS, cut::Cut};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::source::{FileId, Span};

/// A syntax fault: what pest tried at the furthest place, told as a message.
pub fn unexpected(text: &str, file: FileId, cut: &Cut, at: usize, tried: &[Rule]) -> Diagnostic {
    let at = at.min(cut.end);
    let rest = text.get(at..).unwrap_or("");
    let inside = at < cut.end;
    let found = scan(rest).into_iter().find(|t| t.kind != TokenKind::Comment);
    let Some(found) = found.filter(|_| inside) else {
        let before = last_token(text.get(..at).unwrap_or(""));
        let span = before.map_or(Span::new(file, at, at), |(start, end)| Span::new(file, start, end));
        return Diagnostic::at(
            &code::UNEXPECTED,
            span,
            format!("expected {}, but the declaration ends", wanted(tried)),
        )
        .saying("something is missing after this");
    };
    let start = at + found.start;
    let span = Span::new(file, start, start + found.text.len());
    if let Some(special) = special(text, span, &found, start, tried) {
        return special;
    }
    let message = format!("expected {}, found `{}`", wanted(tried), shorten(found.text));
    let words = tried.iter().filter_map(|r| describe(*r)).filter_map(quoted);
    let near = did_you_mean(found.text, words).filter(|_| found.kind == TokenKind::Word && found.text.len() > 1);
    let help = hint(&found, tried).or_else(|| near.map(|n| format!("did you mean `{n}`?")));
    Diagnostic::at(&code::UNEXPECTED, span, message).maybe_help(help)
}

/// Text before the first declaration.
pub fn leading(text: &str, file: FileId, range: (usize, usize)) -> Diagnostic {
    let found = scan(text.get(range.0..range.1).unwrap_or("")).into_iter().find(|t| t.kind != TokenKind::Comment);
    let (start, word) = found.map_or((range.0, ""), |t| (range.0 + t.start, t.text));
    let span = Span::new(file, start, start + word.len());
    unknown_declaration(span, word)
}

fn unknown_declaration(span: Span, word: &str) -> Diagnostic {
    let near = did_you_mean(word, DECLARATION_WORDS);
    let help = near.map_or_else(
        || "a declaration begins with its word, such as `let`, `term`, `cap` or `require`".to_string(),
        |n| format!("did you mean `{n}`?"),
    );
    Diagnostic::at(&code::UNKNOWN_DECLARATION, span, format!("`{}` does not begin a declaration", shorten(word)))
        .help(help)
}

/// Faults that have a better name than "unexpected".
fn special(text: &str, span: Span, found: &Token, start: usize, tried: &[Rule]) -> Option<Diagnostic> {
    let before = text.get(..start)?;
    if let Some(reserved) = reserved_name(span, found, tried) {
        return Some(reserved);
    }
    let line = before.rsplit('\n').next()?;
    let previous = last_token(before).and_then(|(s, e)| text.get(s..e));
    if found.kind == TokenKind::Word && line.trim().is_empty() {
        let follows = scan(text.get(start..start + found.text.len() + 200).or_else(|| text.get(start..))?);
        let declares =
            follows.get(1).is_some_and(|t| t.kind == TokenKind::Word) && follows.get(2).is_some_and(|t| t.is("="));
        if declares || did_you_mean(found.text, DECLARATION_WORDS).is_some_and(|n| n != found.text) {
            return Some(unknown_declaration(span, found.text));
        }
    }
    if matches!(found.text, "if" | "match") && previous.is_some_and(is_operator) {
        let message = format!("`{}` inside an expression needs brackets around it", found.text);
        return Some(
            Diagnostic::at(&code::NEEDS_BRACKETS, span, message)
                .help(format!("write `({} …)`, or give it a name with `let`", found.text)),
        );
    }
    if found.kind == TokenKind::Word && previous.is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit())) {
        let near = did_you_mean(found.text, ["ms", "s", "min", "h", "day", "days", "m", "km"]);
        let help = near.map_or_else(
            || "units are `ms s min h day days`, `m km` and the schema's currency".to_string(),
            |n| format!("did you mean `{n}`?"),
        );
        if near.is_some()
            || matches!(
                found.text,
                "month"
                    | "months"
                    | "year"
                    | "years"
                    | "yuan"
                    | "percent"
                    | "sec"
                    | "secs"
                    | "second"
                    | "seconds"
                    | "minute"
                    | "minutes"
                    | "hour"
                    | "hours"
                    | "d"
                    | "week"
                    | "weeks"
            )
        {
            return Some(Diagnostic::at(&code::QUANTITY, span, format!("`{}` is not a unit", found.text)).help(help));
        }
    }
    None
}

/// A word of the language where a declaration's name should stand.
fn reserved_name(span: Span, found: &Token, tried: &[Rule]) -> Option<Diagnostic> {
    let names =
        tried.iter().all(|r| matches!(r, Rule::name | Rule::k_of | Rule::k_from)) && tried.contains(&Rule::name);
    let reserved = found.kind == TokenKind::Word && crate::types::RESERVED.contains(&found.text);
    (names && reserved).then(|| {
        Diagnostic::at(
            &code::RESERVED,
            span,
            format!("`{}` is a word of the language and cannot be a name", found.text),
        )
        .help("choose another name")
    })
}

fn is_operator(text: &str) -> bool {
    matches!(text, "+" | "-" | "*" | "/" | "??" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or" | "not")
}

fn hint(found: &Token, tried: &[Rule]) -> Option<String> {
    let words = match found.text {
        "=" if tried.contains(&Rule::arrow) => "an arm has `->` between what it fits and its value",
        "=" if !tried.contains(&Rule::infix) => return None,
        "schema" => "the path of the schema stands in double quotes: `schema \"f.yaml\"`",
        "for" => "`for …` stands behind the schema's path",
        _ if !found.text.is_ascii() && found.kind == TokenKind::Mark => {
            "names are of ASCII letters, digits and `_`; other scripts are welcome in texts and comments"
        }
        "=" => "`==` compares; `=` stands only once, after the name that is declared",
        "&" | "&&" => "write `and`",
        "|" | "||" => "write `or`",
        "!" => "write `not`",
        "^" | "**" => "there is no power sign: write `pow(x, k)`",
        "%" => "there is no modulo; `10%` is a share, written without a space",
        "?" | ":" => "write `if … then … else …`",
        "'" => "texts stand in double quotes",
        ";" => "declarations need no mark at their end",
        "." => "a number has a digit on both sides of its dot",
        "{" if tried.contains(&Rule::infix) => "is a `cap`, `item` or `test` meant to begin here?",
        word if found.kind == TokenKind::Word && tried.contains(&Rule::name) => {
            return Some(format!("`{word}` is a word of the language and cannot be a name"));
        }
        _ => return None,
    };
    Some(words.to_string())
}

fn last_token(before: &str) -> Option<(usize, usize)> {
    // Only the last stretch is looked at: a token is never longer than its line.
    let mut from = before.trim_end().rfind('\n').map_or(0, |n| n + 1);
    loop {
        let tokens = scan(before.get(from..)?);
        if let Some(t) = tokens.iter().rev().find(|t| t.kind != TokenKind::Comment) {
            return Some((from + t.start, from + t.end()));
        }
        from = before.get(..from.checked_sub(1)?)?.rfind('\n').map_or(0, |n| n + 1);
    }
}

/// The word inside "`word`", for descriptions that are nothing else.
fn quoted(words: &'static str) -> Option<&'static str> {
    words.strip_prefix('`')?.strip_suffix('`').filter(|w| !w.contains('`'))
}

fn shorten(text: &str) -> String {
    if text.chars().count() > 40 { text.chars().take(40).chain(['…']).collect() } else { text.to_string() }
}

/// "a name, `=` or an expression".
fn wanted(tried: &[Rule]) -> String {
    // After a name a call could begin; said beside "an operator" it only distracts.
    let call = !tried.contains(&Rule::infix);
    let mut words: Vec<&str> =
        tried.iter().filter(|r| call || **r != Rule::open_round).filter_map(|r| describe(*r)).collect();
    words.sort_by_key(|w| (rank(w), *w));
    words.dedup();
    if words.len() > 5 {
        words.truncate(5);
    }
    match words.as_slice() {
        [] => "the end of the declaration".to_string(),
        [one] => (*one).to_string(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// Concrete words first, "the end of the declaration" last.
fn rank(words: &str) -> u8 {
    match words {
        "an expression" => 0,
        "an operator" => 8,
        "the end of the declaration" => 9,
        w if w.starts_with('`') => 4,
        _ => 2,
    }
}

fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::expr
        | Rule::operation
        | Rule::operand
        | Rule::primary
        | Rule::conditional
        | Rule::match_expr
        | Rule::call
        | Rule::call_body => "an expression",
        Rule::infix | Rule::known | Rule::membership | Rule::k_is | Rule::k_in => "an operator",
        Rule::closing | Rule::close_curly | Rule::end | Rule::EOI => "the end of the declaration",
        Rule::name | Rule::ident => "a name",
        Rule::path => "a name",
        Rule::field_name => "a feature's name",
        Rule::int | Rule::signed_int | Rule::int_before_dots => "a whole number",
        Rule::number | Rule::decimal => "a number",
        Rule::constant => "a constant",
        Rule::constant_or_param => "a constant or a `param`",
        Rule::text => "a text in double quotes",
        Rule::boolean => "`true` or `false`",
        Rule::scenario_name => "a dotted name such as `main.feed`",
        Rule::date => "a date such as 2027-01-31",
        Rule::scale => "a scale such as `probability` or `duration`",
        Rule::fn_param => "a parameter such as `x: ratio`",
        Rule::arm => "an arm such as `\"a\" -> 1`",
        Rule::pattern => "a text, a whole number, a range or `else`",
        Rule::open_round => "`(`",
        Rule::close_round => "`)`",
        Rule::open_square | Rule::list => "`[`",
        Rule::close_square => "`]`",
        Rule::open_curly => "`{`",
        Rule::comma => "`,`",
        Rule::colon => "`:`",
        Rule::equals => "`=`",
        Rule::arrow => "`->`",
        Rule::dots => "`..`",
        Rule::star => "`*`",
        Rule::bound | Rule::k_at => "`at most` or `at least`",
        Rule::k_at_random => "`at random`",
        Rule::enforcement | Rule::penalty | Rule::scale_by | Rule::dual | Rule::hard => {
            "`penalty`, `scale`, `dual` or `hard`"
        }
        Rule::w_most | Rule::w_least => "`most` or `least`",
        Rule::w_over_word | Rule::w_short => "`over` or `short`",
        Rule::cap_span => "`slate`, `first N`, `any N in a row`, `group`, `session` or `window(…)`",
        Rule::cap_on | Rule::k_on => "`on`",
        Rule::pick | Rule::k_pick => "`pick`",
        Rule::hosts | Rule::w_for => "`for`",
        Rule::over | Rule::k_over => "`over`",
        Rule::per | Rule::k_per => "`per`",
        Rule::filter | Rule::k_where => "`where`",
        Rule::narrowing => "`before this` and its like",
        Rule::at_least => "`at least`",
        Rule::k_among => "`among`",
        Rule::k_this => "`this`",
        Rule::k_then => "`then`",
        Rule::k_else => "`else`",
        Rule::k_if => "`if`",
        Rule::k_of => "`of`",
        Rule::k_to => "`to`",
        Rule::k_from => "`from`",
        Rule::k_after => "`after`",
        Rule::w_known => "`known`",
        Rule::w_first => "`first`",
        Rule::w_weight => "`weight`",
        Rule::w_until => "`until`",
        Rule::w_because => "`because`",
        Rule::w_normalizing => "`normalizing`",
        Rule::w_item => "`item`",
        Rule::w_up => "`up`",
        Rule::w_group => "`group`",
        Rule::w_slate => "`slate`",
        Rule::w_reward => "`reward`",
        Rule::w_refuse => "`refuse`",
        Rule::w_null => "`null`",
        Rule::item => "`item { … }`",
        Rule::item_entry | Rule::field => "a feature such as `p_click: 30%`",
        Rule::value => "a value",
        Rule::span_block => "`slate of N { … }` or `group of N { … }`",
        Rule::request_block => "`request { … }`",
        Rule::list_block => "`history { … }`",
        Rule::state_block => "`state { … }`",
        Rule::with_setting => "`with`",
        Rule::expect | Rule::k_expect => "`expect`",
        Rule::expect_verdict
        | Rule::expect_null
        | Rule::expect_relation
        | Rule::side
        | Rule::side_atom
        | Rule::quantity_of => "a number or `NAME of item N`",
        Rule::relation => "a comparison",
        Rule::tolerance | Rule::w_within => "`within`",
        Rule::state_entry => "`CAP: lambda 0.3`",
        Rule::state_field => "`lambda`, `share`, `shown` or `matching`",
        _ => return None,
    })
}
