//! The syntax tree: faithful to the text, every piece with its place.
//!
//! Equality ignores places, so that a formatted text can be compared with what it was made from.

use crate::source::Span;
pub use crate::types::{ChannelKind, Narrowing};
use crate::types::{Host, Scale};

/// Something with its place; equality looks at the thing alone.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    pub node: T,
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

/// A name as written.
pub type Name = Spanned<String>;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub head: Head,
    /// In the order of the text, blocks dissolved into each declaration's `block`.
    pub decls: Vec<Decl>,
    /// Names of declarations that have faults, so that nobody reports them as unknown too.
    pub broken: Vec<String>,
}

/// What stands at the top; which of these must be there depends on how the file is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    pub language: Option<Spanned<u64>>,
    pub scenario: Option<Spanned<String>>,
    pub version: Option<Spanned<u64>>,
    pub schema: Option<Spanned<String>>,
    pub hosts: Option<Vec<Spanned<String>>>,
}

/// The block a declaration stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    Top,
    Preference,
    Ecosystem,
    Format,
}

/// One declaration.
#[derive(Clone, Debug)]
pub struct Decl {
    pub block: Block,
    /// The comment lines directly above.
    pub description: Option<String>,
    pub allows: Vec<Allow>,
    pub kind: DeclKind,
    pub span: Span,
}

impl PartialEq for Decl {
    fn eq(&self, other: &Self) -> bool {
        self.block == other.block
            && self.description == other.description
            && self.allows == other.allows
            && self.kind == other.kind
    }
}

/// `allow RW0412 until 2027-01-31 because "…"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Allow {
    pub code: Name,
    pub until: Spanned<String>,
    pub because: Spanned<String>,
}

/// What is declared.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclKind {
    Param { name: Name, default: Constant, range: Option<(Constant, Constant)> },
    Let { name: Name, value: Expr },
    Fn { name: Name, params: Vec<(Name, Spanned<Scale>)>, body: Expr },
    Table { name: Name, path: Spanned<String>, keys: Vec<Name>, value: Name, scale: Option<Spanned<Scale>> },
    List { name: Name, feature: Name, path: Spanned<String> },
    Use { path: Spanned<String> },
    Term { name: Name, weight: Option<Setting>, value: Expr },
    Gate { name: Name, condition: Expr },
    Cap(Box<Cap>),
    Require { name: Name, condition: Expr, value: Setting, hosts: Option<Vec<Name>> },
    Reward { formula: Expr },
    Channel { kind: ChannelKind, name: Name, value: Expr, pick: Option<Spanned<u64>> },
    Test(Box<Test>),
}

impl DeclKind {
    /// The name it declares, if it declares one.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Param { name, .. }
            | Self::Let { name, .. }
            | Self::Fn { name, .. }
            | Self::Table { name, .. }
            | Self::List { name, .. }
            | Self::Term { name, .. }
            | Self::Gate { name, .. }
            | Self::Require { name, .. }
            | Self::Channel { name, .. } => Some(name),
            Self::Cap(cap) => Some(&cap.name),
            Self::Use { .. } | Self::Reward { .. } | Self::Test(_) => None,
        }
    }

    /// The word it begins with.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Param { .. } => "param",
            Self::Let { .. } => "let",
            Self::Fn { .. } => "fn",
            Self::Table { .. } => "table",
            Self::List { .. } => "list",
            Self::Use { .. } => "use",
            Self::Term { .. } => "term",
            Self::Gate { .. } => "gate",
            Self::Cap(_) => "cap",
            Self::Require { .. } => "require",
            Self::Reward { .. } => "reward",
            Self::Channel { kind, .. } => kind.word(),
            Self::Test(_) => "test",
        }
    }
}

/// A number as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// Digits without underscores.
    pub digits: String,
    pub percent: bool,
    pub unit: Option<String>,
}

impl Number {
    /// Written without point, `%`, `e` or unit (R5.2).
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.percent && self.unit.is_none() && self.digits.bytes().all(|b| b.is_ascii_digit())
    }

    /// The number before any unit, read directly as a decimal.
    #[must_use]
    pub fn decimal(&self) -> f64 {
        let text = if self.percent { format!("{}e-2", self.digits) } else { self.digits.clone() };
        // `1e-6%` would read `1e-6e-2`: only then are two steps needed.
        text.parse().unwrap_or_else(|_| self.digits.parse::<f64>().map_or(f64::NAN, |v| v / 100.0))
    }

    /// The number rounded once to f32 (R6.1), before any unit.
    #[must_use]
    pub fn single(&self) -> f64 {
        let text = if self.percent { format!("{}e-2", self.digits) } else { self.digits.clone() };
        text.parse::<f32>().map_or_else(|_| crate::types::round_to_f32(self.decimal()), f64::from)
    }
}

/// A constant as written.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstantKind {
    Number { number: Number, negative: bool },
    Bool(bool),
    Text(String),
}

/// A constant with its place.
pub type Constant = Spanned<ConstantKind>;

/// A constant, or a name that must be a `param` (or `lowest`, `drop`).
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    Constant(Constant),
    Name(Name),
}

impl Setting {
    /// Its place.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Constant(c) => c.span,
            Self::Name(n) => n.span,
        }
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    /// Longest way down to a leaf; the parser keeps it within a limit so that walks may recurse.
    pub depth: u16,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// Kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Number(Number),
    Text(String),
    Bool(bool),
    Sid(Vec<u64>),
    List(Vec<Expr>),
    Path { prefix: Option<Name>, name: Name },
    Unary { op: UnaryOp, operand: Box<Expr> },
    Binary { op: Spanned<BinaryOp>, left: Box<Expr>, right: Box<Expr> },
    Known { operand: Box<Expr>, negated: bool },
    In { operand: Box<Expr>, negated: bool, set: Box<Membership> },
    FirstIn { operand: Box<Expr>, span: Name, narrowing: Option<Spanned<Narrowing>> },
    If { arms: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    Match { subject: Box<Expr>, arms: Vec<(Spanned<Pattern>, Expr)>, otherwise: Option<Box<Expr>> },
    Call { name: Name, args: Vec<Expr>, among: Option<Box<Expr>>, over: Option<Box<Over>> },
}

/// What stands at the right of `in`.
#[derive(Clone, Debug, PartialEq)]
pub enum Membership {
    Catalog,
    List(Vec<Expr>),
    Path { prefix: Option<Name>, name: Name },
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    Not,
    Negate,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Fallback,
    Multiply,
    Divide,
}

impl BinaryOp {
    /// As written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Fallback => "??",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// Whether it compares.
    #[must_use]
    pub fn is_comparison(self) -> bool {
        use BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
    }
}

/// What a `match` arm fits.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Text(String),
    Range(i64, i64),
}

/// `over SPAN …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    pub span: Name,
    pub narrowing: Option<Spanned<Narrowing>>,
    pub per: Option<Expr>,
    pub filter: Option<Expr>,
    pub at_least: Option<Spanned<u64>>,
}

/// A cap.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    pub name: Name,
    pub on: Option<Expr>,
    pub least: bool,
    pub bound: Setting,
    pub span: Spanned<CapSpan>,
    pub per: Option<Expr>,
    pub enforcements: Vec<Spanned<Enforcement>>,
}

/// What a cap counts over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CapSpan {
    Slate,
    First(u64),
    InRow(u64),
    Group,
    Session,
    /// Seconds.
    Window(f64),
}

/// What a cap does.
#[derive(Clone, Debug, PartialEq)]
pub enum Enforcement {
    Penalty { weight: Setting, short: bool, after_normalizing: bool },
    Scale(Setting),
    Dual(Setting),
    Hard { refuse: bool },
}

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub name: Spanned<String>,
    pub host: Option<Spanned<Host>>,
    pub spans: Vec<TestSpan>,
    pub request: Vec<Field>,
    pub history: Option<Vec<TestItem>>,
    pub targets: Option<Vec<TestItem>>,
    pub state: Vec<StateEntry>,
    pub settings: Vec<(Name, Constant)>,
    pub expects: Vec<Spanned<Expect>>,
}

/// `slate of N { … }` or `group of N { … }`, with items and nested spans.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSpan {
    pub slate: bool,
    pub size: Spanned<u64>,
    pub entries: Vec<TestEntry>,
}

/// What stands in a test's slate or group.
#[derive(Clone, Debug, PartialEq)]
pub enum TestEntry {
    Span(TestSpan),
    Item(TestItem),
}

/// `item * 8 { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct TestItem {
    pub times: u64,
    pub in_catalog: bool,
    pub padding: bool,
    pub fields: Vec<Field>,
    pub span: Spanned<()>,
}

/// `name: value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub prefix: Option<Name>,
    pub name: Name,
    pub value: Spanned<TestValue>,
}

/// A value in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum TestValue {
    Constant(ConstantKind),
    Sid(Vec<u64>),
    List(Vec<Spanned<TestValue>>),
    Word(String),
}

/// `CAP: lambda 0.3`.
#[derive(Clone, Debug, PartialEq)]
pub struct StateEntry {
    pub cap: Name,
    pub fields: Vec<(Name, StateValue)>,
}

/// A value of a state field.
#[derive(Clone, Debug, PartialEq)]
pub enum StateValue {
    Constant(Constant),
    Counts(Vec<(String, u64)>),
}

/// One `expect` line.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    Verdict { item: Spanned<u64>, verdict: Name, reason: Option<Name> },
    Null { quantity: Quantity, negated: bool },
    Relation { left: Side, op: BinaryOp, right: Side, within: Option<Constant> },
}

/// A sum of atoms, each with its sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    pub atoms: Vec<(bool, SideAtom)>,
    pub span: Spanned<()>,
}

/// A piece of a side.
#[derive(Clone, Debug, PartialEq)]
pub enum SideAtom {
    Constant(Constant),
    List(Vec<Option<Constant>>),
    Quantity(Quantity),
}

/// `NAME of item N level L`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    pub name: Name,
    /// `raw` or `over`.
    pub field: Option<Name>,
    pub of: QuantityOf,
}

/// Whose number is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum QuantityOf {
    /// Of every item, in order.
    All,
    Item {
        item: Spanned<u64>,
        level: Option<Spanned<u64>>,
    },
    Slate,
}
