//! The one table of codes.
//!
//! A code never changes its meaning and is never used again for another. Its page under
//! `docs/errors/` is the text of `rewardc explain` and of the manual.

use super::Severity;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name, `RW` and four digits.
    pub id: &'static str,
    /// What it weighs where nobody says otherwise.
    pub severity: Severity,
    /// One line.
    pub title: &'static str,
    /// The page, Markdown.
    pub page: &'static str,
}

/// The code of this name, in any case, if there is one.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|c| c.id.eq_ignore_ascii_case(id))
}

macro_rules! codes {
    ($($name:ident $id:literal $severity:ident $title:literal;)*) => {
        /// The codes by name.
        pub mod table {
            use super::{Code, Severity};
            $(
                #[doc = $title]
                pub static $name: Code = Code {
                    id: $id,
                    severity: Severity::$severity,
                    title: $title,
                    page: include_str!(concat!("../../docs/errors/", $id, ".md")),
                };
            )*
        }

        /// All codes, in order.
        pub static ALL: &[&Code] = &[$(&table::$name),*];
    };
}

codes! {
    UNEXPECTED "RW0101" Error "text that the grammar does not expect here";
    NESTING "RW0102" Error "brackets, `if`, `match`, `not` or `-` nested too deep";
    CHAINED_COMPARISON "RW0103" Error "comparisons in a chain";
    MIXED_AND_OR "RW0104" Error "`and` and `or` mixed without brackets";
    MIXED_FALLBACK "RW0105" Error "`??` beside another operator without brackets";
    QUANTITY "RW0106" Error "a number and its unit written wrongly";
    UNKNOWN_DECLARATION "RW0107" Error "a line that begins with no declaration word";
    MISPLACED "RW0108" Error "a declaration in a block where it does not belong";
    BRACES "RW0109" Error "a block that is not closed, or closed twice";
    HEAD "RW0110" Error "the head of the file is incomplete or out of order";
    LITERAL "RW0111" Error "a literal that cannot be read";
    NEEDS_BRACKETS "RW0112" Error "`if` or `match` inside an expression without brackets";
    LANGUAGE_VERSION "RW0113" Error "a language version that this compiler does not know";
    ALLOW "RW0114" Error "an `allow` that cannot be used";
    UNKNOWN_NAME "RW0201" Error "a name that nothing declares";
    DECLARED_TWICE "RW0202" Error "a name declared twice";
    RESERVED "RW0203" Error "a reserved word used as a name";
    OUTPUT_NAME "RW0204" Error "a name that output columns already use";
    CIRCLE "RW0205" Error "declarations that need each other in a circle";
    UNKNOWN_FUNCTION "RW0206" Error "a function that does not exist";
    ARGUMENTS "RW0207" Error "a function called with the wrong arguments";
    PART_READ "RW0208" Error "a part of the score read as an input";
    PREFIX "RW0209" Error "a prefix that is not given here";
    UNKNOWN_CATEGORY "RW0210" Error "a category that the schema does not declare";
    HOST_NOT_NAMED "RW0211" Error "a host that does not exist or that the file does not name";
    TYPE "RW0301" Error "a value of the wrong type";
    DIMENSION "RW0302" Error "dimensions that do not go together";
    LEVEL "RW0303" Error "a narrow value where a wide one is needed";
    MISSING "RW0304" Error "a value that may be missing, used where it must be known";
    DOMAIN "RW0305" Error "an argument outside a function's domain";
    LIMIT "RW0306" Error "a number that may grow past 1e30";
    REAL_EQUALITY "RW0307" Error "real numbers compared with `==`";
    CONSTANT "RW0308" Error "an expression where a constant must stand";
    BOUND "RW0309" Error "a cap's bound that cannot be used";
    NARROWING "RW0310" Error "a narrowing that this span does not have";
    SPAN "RW0311" Error "a span or list that the schema does not provide";
    UNAVAILABLE "RW0312" Error "something read in a host where it does not exist";
    NO_SLATES "RW0313" Error "a part over `slate` for training without slates";
    UNREACHED "RW0314" Error "a part that reaches no channel";
    FORMULA "RW0315" Error "a `reward =` that is not a weighted sum of parts";
    CAP "RW0316" Error "a cap whose pieces do not go together";
    NEGATIVE_WEIGHT "RW0317" Error "a sample or token weight that may be negative";
    PARAM "RW0318" Error "a parameter outside its range";
    MATCH "RW0319" Error "a `match` that does not cover its values";
    WORK "RW0320" Error "more work than a request may cost";
    TABLE "RW0321" Error "a table or list file that breaks its contract";
    INTERVAL_ORDER "RW0322" Error "limits in the wrong order";
    USELESS_FALLBACK "RW0401" Warning "`??` after a value that is never missing";
    DEAD_BRANCH "RW0402" Warning "a branch that is never taken";
    DEAD_RULE "RW0403" Warning "a rule, gate or cap that can never fire, or always does";
    CLAMP_NEVER "RW0404" Warning "a `clamp` that never binds";
    CLAMP_ALWAYS "RW0405" Warning "a `clamp` that always binds";
    WRONG_DIRECTION "RW0406" Warning "a feature that moves the reward the wrong way";
    VALUE_ABOVE_LEAST "RW0407" Warning "a rule's VALUE above the least reward";
    BAN "RW0408" Warning "a cap that bans its class at the full slate";
    PENALTY_INSIDE "RW0412" Warning "a penalty inside what trainers normalize";
    MUCH_WORK "RW0413" Warning "much work per request";
    UNUSED_ALLOW "RW0414" Warning "an `allow` that silences nothing or has run out";
    YAML "RW0501" Error "a schema or controller file that is not YAML";
    UNKNOWN_KEY "RW0502" Error "a key that schemas or controller files do not have";
    SCHEMA_VALUE "RW0503" Error "a value that the key cannot take";
    SCHEMA_MISSING "RW0504" Error "a key that must be there";
    SCHEMA_NAME "RW0505" Error "a feature name that cannot be used";
    SCHEMA_REFERENCE "RW0506" Error "a source, column or feature that the schema does not have";
    DATA_FILE "RW0601" Error "a data file that cannot be read";
    COLUMN "RW0602" Error "a column that the data does not have";
    COLUMN_TYPE "RW0603" Error "a column of the wrong type";
    KEY_TWICE "RW0604" Error "a join key that matches twice";
    KEY_ABSENT "RW0605" Error "a join key without a match";
    REQUEST_DIFFERS "RW0606" Error "rows of one request that differ where they must agree";
    NO_SLATE_IN_DATA "RW0607" Error "a program over `slate` and data without slates";
    LIST_COLUMNS "RW0608" Error "list columns that do not fit together";
    NO_ROWS "RW0609" Error "data without rows";
    CONTRACT "RW0610" Error "values that break the schema's contract";
    CATALOG "RW0611" Error "a catalog that cannot be used";
    EXPECTATION "RW0701" Error "an expectation that does not hold";
    TEST_REFUSED "RW0702" Error "a test that cannot be run";
    UNREADABLE "RW0801" Error "a file that cannot be read";
    NOT_UTF8 "RW0802" Error "a text that is not UTF-8";
    TOO_LARGE "RW0803" Error "a file past its size limit";
    OUTSIDE_ROOT "RW0804" Error "a path out of the project root";
    UNWRITABLE "RW0805" Error "an output that cannot be written";
    SETTING "RW0806" Error "a `--set` that cannot be used";
    STATE "RW0807" Error "a control state that cannot be used";
    INTERRUPTED "RW0808" Error "a run that was stopped";
    ARGUMENT "RW0809" Error "a command line that cannot be used";
    FORMAT_REFUSED "RW0810" Error "a file that cannot be formatted";
    NOT_FORMATTED "RW0811" Error "a file that is not formatted";
    NOT_BUILT_IN "RW0812" Error "a command that this build does not have";
    NO_PROVIDER "RW0901" Error "features that nobody brings";
    HOST_INPUT "RW0902" Error "a step whose inputs do not fit";
    CAPACITY "RW0903" Error "a step past the capacity";
    SIGNAL "RW0904" Error "a signal source that fails";
    CONTROLLER "RW0905" Error "a controller that does not fit its reward";
    UNMEASURED "RW0906" Error "a controller that sees nothing";
    OBSERVED "RW0907" Error "a measurement that cannot be used";
    REFUSED_SLATE "RW0908" Error "a slate that cannot be chosen";
    CHECKPOINT "RW1001" Error "a checkpoint that cannot be used";
    ARITHMETIC "RW1002" Error "arithmetic that fails";
    DIVERGED "RW1003" Error "a loss that is no number";
    SEQUENCES "RW1004" Error "interactions that cannot be learned from";
    NOTHING_LEGAL "RW1005" Error "nothing that may be written";
    OBJECTIVE "RW1006" Error "a channel that an objective does not take";
}
