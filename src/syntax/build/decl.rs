//! Declarations.

use pest::iterators::Pair;

use super::super::ast::{Allow, Cap, CapSpan, ChannelKind, DeclKind, Enforcement, Expr, Name, Setting, Spanned};
use super::{Builder, Parsed, Rule};
use crate::diagnostic::{Diagnostic, code};
use crate::types::{Scale, Unit};

impl Builder<'_> {
    pub(super) fn declaration(&mut self, pair: Pair<'_, Rule>) -> Option<Parsed> {
        let kind = match pair.as_rule() {
            Rule::language_decl => return Some(Parsed::Language(self.first_int(pair)?)),
            Rule::version_decl => return Some(Parsed::Version(self.first_int(pair)?)),
            Rule::scenario_decl => {
                let part = pair.into_inner().find(|p| p.as_rule() == Rule::scenario_name)?;
                return Some(Parsed::Scenario(self.name(&part)));
            }
            Rule::schema_decl => {
                let (mut path, mut hosts) = (None, None);
                for part in pair.into_inner() {
                    match part.as_rule() {
                        Rule::text => path = Some(self.text(part)),
                        Rule::hosts => hosts = Some(self.names(part)),
                        _ => {}
                    }
                }
                return Some(Parsed::Schema(path?, hosts));
            }
            Rule::allow_decl => return self.allow(pair),
            Rule::param_decl => self.param(pair)?,
            Rule::let_decl => {
                let (name, value) = self.named(pair)?;
                DeclKind::Let { name, value }
            }
            Rule::fn_decl => self.function(pair)?,
            Rule::table_decl => self.table(pair)?,
            Rule::list_decl => {
                let names = self.names(pair.clone());
                let path = pair.into_inner().find(|p| p.as_rule() == Rule::text)?;
                let mut names = names.into_iter();
                DeclKind::List { name: names.next()?, feature: names.next()?, path: self.text(path) }
            }
            Rule::use_decl => {
                let path = pair.into_inner().find(|p| p.as_rule() == Rule::text)?;
                DeclKind::Use { path: self.text(path) }
            }
            Rule::term_decl => {
                let weight = pair.clone().into_inner().find(|p| p.as_rule() == Rule::constant_or_param);
                let weight = match weight {
                    Some(w) => Some(self.setting(w)?),
                    None => None,
                };
                let (name, value) = self.named(pair)?;
                DeclKind::Term { name, weight, value }
            }
            Rule::gate_decl => {
                let (name, condition) = self.named(pair)?;
                DeclKind::Gate { name, condition }
            }
            Rule::require_decl => {
                let value = pair.clone().into_inner().find(|p| p.as_rule() == Rule::constant_or_param)?;
                let hosts = pair.clone().into_inner().find(|p| p.as_rule() == Rule::hosts);
                let (value, hosts) = (self.setting(value)?, hosts.map(|h| self.names(h)));
                let (name, condition) = self.named(pair)?;
                DeclKind::Require { name, condition, value, hosts }
            }
            Rule::cap_decl => DeclKind::Cap(Box::new(self.cap_decl(pair)?)),
            Rule::reward_decl => DeclKind::Reward { formula: self.last_expr(pair)? },
            Rule::test_decl => DeclKind::Test(Box::new(self.test(pair)?)),
            _ => self.channel(pair)?,
        };
        Some(Parsed::Decl(kind))
    }

    fn first_int(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<u64>> {
        let part = pair.into_inner().find(|p| p.as_rule() == Rule::int)?;
        Some(self.int(&part))
    }

    /// All names directly inside a pair.
    pub(super) fn names(&mut self, pair: Pair<'_, Rule>) -> Vec<Name> {
        pair.into_inner().filter(|p| p.as_rule() == Rule::name).map(|p| self.name(&p)).collect()
    }

    /// The name and the expression of `WORD NAME … = EXPR`.
    fn named(&mut self, pair: Pair<'_, Rule>) -> Option<(Name, Expr)> {
        let name = pair.clone().into_inner().find(|p| p.as_rule() == Rule::name)?;
        Some((self.name(&name), self.last_expr(pair)?))
    }

    pub(super) fn setting(&mut self, pair: Pair<'_, Rule>) -> Option<Setting> {
        let inner = pair.into_inner().next()?;
        Some(match inner.as_rule() {
            Rule::constant => Setting::Constant(self.constant(inner)?),
            _ => Setting::Name(self.name(&inner)),
        })
    }

    fn allow(&mut self, pair: Pair<'_, Rule>) -> Option<Parsed> {
        let (mut code_name, mut until, mut because) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => code_name = Some(self.name(&part)),
                Rule::date => until = Some(self.name(&part)),
                Rule::text => because = Some(self.text(part)),
                _ => {}
            }
        }
        let until = until?;
        if until.node.parse::<jiff::civil::Date>().is_err() {
            self.found.push(Diagnostic::at(&code::ALLOW, until.span, format!("`{}` is not a date", until.node)));
        }
        Some(Parsed::Allow(Allow { code: code_name?, until, because: because? }))
    }

    fn param(&mut self, pair: Pair<'_, Rule>) -> Option<DeclKind> {
        let name = pair.clone().into_inner().find(|p| p.as_rule() == Rule::name)?;
        let name = self.name(&name);
        let mut constants = Vec::new();
        for part in pair.into_inner().filter(|p| p.as_rule() == Rule::constant) {
            constants.push(self.constant(part)?);
        }
        let mut constants = constants.into_iter();
        let default = constants.next()?;
        let range = constants.next().zip(constants.next());
        Some(DeclKind::Param { name, default, range })
    }

    fn function(&mut self, pair: Pair<'_, Rule>) -> Option<DeclKind> {
        let (mut name, mut params, mut body) = (None, Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::fn_param => {
                    let mut inner = part.into_inner();
                    let param = inner.next()?;
                    let param = self.name(&param);
                    let scale = inner.find(|p| p.as_rule() == Rule::scale)?;
                    if let Some(scale) = self.scale(&scale) {
                        params.push((param, scale));
                    }
                }
                Rule::expr => body = Some(self.expr(part)?),
                _ => {}
            }
        }
        Some(DeclKind::Fn { name: name?, params, body: body? })
    }

    fn scale(&mut self, pair: &Pair<'_, Rule>) -> Option<Spanned<Scale>> {
        let span = self.span(pair);
        let written = pair.as_str();
        let scale = Scale::parse(written);
        if scale.is_none() {
            let near = crate::diagnostic::did_you_mean(written, Scale::WORDS);
            let help = near
                .map_or_else(|| format!("scales are {}", Scale::WORDS.join(", ")), |n| format!("did you mean `{n}`?"));
            self.found.push(Diagnostic::at(&code::UNEXPECTED, span, format!("`{written}` is not a scale")).help(help));
        }
        scale.map(|node| Spanned { node, span })
    }

    fn table(&mut self, pair: Pair<'_, Rule>) -> Option<DeclKind> {
        let mut names = self.names(pair.clone()).into_iter();
        let name = names.next()?;
        let mut keys: Vec<Name> = names.collect();
        let value = keys.pop()?;
        let (mut path, mut scale) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => path = Some(self.text(part)),
                Rule::scale => scale = self.scale(&part),
                _ => {}
            }
        }
        Some(DeclKind::Table { name, path: path?, keys, value, scale })
    }

    fn channel(&mut self, pair: Pair<'_, Rule>) -> Option<DeclKind> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::slate_reward_decl => ChannelKind::SlateReward,
            Rule::advantage_decl => ChannelKind::Advantage,
            Rule::sample_decl => ChannelKind::SampleWeight,
            Rule::hint_decl => ChannelKind::Hint,
            Rule::monitor_decl => ChannelKind::Monitor,
            Rule::token_decl => match pair.clone().into_inner().nth(1)?.as_rule() {
                Rule::w_reward => ChannelKind::TokenReward,
                Rule::w_advantage => ChannelKind::TokenAdvantage,
                _ => ChannelKind::TokenWeight,
            },
            _ => return None,
        };
        let pick = match pair.clone().into_inner().find(|p| p.as_rule() == Rule::pick) {
            Some(pick) => Some(self.first_int(pick)?),
            None => None,
        };
        let (name, value) = if kind == ChannelKind::SlateReward {
            let written =
                Spanned { node: "slate_reward".to_string(), span: crate::source::Span { end: span.start + 5, ..span } };
            (written, self.last_expr(pair)?)
        } else {
            self.named(pair)?
        };
        Some(DeclKind::Channel { kind, name, value, pick })
    }

    fn cap_decl(&mut self, pair: Pair<'_, Rule>) -> Option<Cap> {
        let (mut name, mut on, mut bound, mut enforcements) = (None, None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::cap_on => on = Some(self.last_expr(part)?),
                Rule::bound => bound = Some(self.bound(part)?),
                Rule::enforcement => {
                    let span = self.span(&part);
                    let node = self.enforcement(part.into_inner().next()?)?;
                    enforcements.push(Spanned { node, span });
                }
                _ => {}
            }
        }
        let (least, bound, span, per) = bound?;
        Some(Cap { name: name?, on, least, bound, span, per, enforcements })
    }

    fn bound(&mut self, pair: Pair<'_, Rule>) -> Option<(bool, Setting, Spanned<CapSpan>, Option<Expr>)> {
        let (mut least, mut bound, mut span, mut per) = (false, None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::w_least => least = true,
                Rule::constant_or_param => bound = Some(self.setting(part)?),
                Rule::cap_span => span = Some(self.cap_span(part)?),
                Rule::per => per = Some(self.last_expr(part)?),
                _ => {}
            }
        }
        Some((least, bound?, span?, per))
    }

    fn cap_span(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<CapSpan>> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let word = parts.next()?.as_rule();
        let node = match word {
            Rule::w_slate => CapSpan::Slate,
            Rule::w_group => CapSpan::Group,
            Rule::w_session => CapSpan::Session,
            Rule::w_window => {
                let number = parts.find(|p| p.as_rule() == Rule::number)?;
                let number = self.number(number);
                let unit = number.unit.as_deref().and_then(|u| Unit::named(u, None));
                match unit.filter(|u| u.dimension == crate::types::Dimension::TIME) {
                    Some(unit) => CapSpan::Window(unit.to_base(number.decimal())),
                    None => {
                        self.found.push(
                            Diagnostic::at(&code::DIMENSION, span, "a window has a length in time")
                                .help("for example `window(1 day)`"),
                        );
                        CapSpan::Window(0.0)
                    }
                }
            }
            _ => {
                let n = parts.find(|p| p.as_rule() == Rule::int)?;
                let n = self.int(&n);
                if n.node == 0 {
                    self.found.push(Diagnostic::at(&code::CAP, span, "a span of no items"));
                }
                if word == Rule::w_first { CapSpan::First(n.node) } else { CapSpan::InRow(n.node) }
            }
        };
        Some(Spanned { node, span })
    }

    fn enforcement(&mut self, pair: Pair<'_, Rule>) -> Option<Enforcement> {
        let rule = pair.as_rule();
        let (mut setting, mut short, mut after_normalizing, mut refuse) = (None, false, false, false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::constant_or_param => setting = Some(self.setting(part)?),
                Rule::w_short => short = true,
                Rule::w_normalizing => after_normalizing = true,
                Rule::w_refuse => refuse = true,
                _ => {}
            }
        }
        Some(match rule {
            Rule::penalty => Enforcement::Penalty { weight: setting?, short, after_normalizing },
            Rule::scale_by => Enforcement::Scale(setting?),
            Rule::dual => Enforcement::Dual(setting?),
            Rule::hard => Enforcement::Hard { refuse },
            _ => return None,
        })
    }
}
