//! `WITH (key = value, ...)` and points in time: words to values.
//!
//! An option that is known does what it says; any other one of a branch is kept as it is and
//! shown, one of a merge is refused. Neighbours: `life` and `merge`.

use pandodb_branch::merge::{MergeOptions, Policy};
use pandodb_branch::registry::{BranchOptions, Strategy};
use pandodb_ds::record::{Value, ValueRef};

use crate::ast::{BranchOption, OptionValue};
use crate::catalog::build::literal_value;
use crate::error::{Error, Result};
use crate::function;
use crate::session::Session;

/// The value of an option as text.
fn text(option: &BranchOption) -> String {
    match &option.value {
        OptionValue::Boolean(value) => value.to_string(),
        OptionValue::Word(word) => word.text.to_string(),
        OptionValue::Literal(literal) => match literal_value(literal) {
            Some(Value::Text(text)) => String::from_utf8_lossy(&text).into_owned(),
            Some(Value::Integer(number)) => number.to_string(),
            Some(Value::Real(number)) => number.to_string(),
            _ => String::new(),
        },
    }
}

fn boolean(option: &BranchOption) -> Result<bool> {
    match text(option).to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        other => {
            Err(Error::invalid(format!("option {} is no yes or no: {other}", option.key.text))
                .at(option.key.span)
                .with_hint("true or false"))
        }
    }
}

/// Seconds, or a number with `s`, `m`, `h`, `d`, `w`; in microseconds.
fn duration(option: &BranchOption) -> Result<i64> {
    let text = text(option);
    let digits = text.trim().trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.trim()[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => 0,
    };
    let number: Option<i64> = digits.trim().parse().ok().filter(|number| *number >= 0);
    number
        .filter(|_| unit > 0)
        .and_then(|number| number.checked_mul(unit)?.checked_mul(1_000_000))
        .ok_or_else(|| {
            Error::invalid(format!("option {} is no duration: {text}", option.key.text))
                .at(option.key.span)
                .with_hint("seconds, or a number with s, m, h, d or w, such as '7d'")
        })
}

/// The option that a key differs from in one letter, or two that changed places.
fn slip(key: &str) -> Option<&'static str> {
    const KNOWN: [&str; 8] = [
        "description",
        "comment",
        "read_only",
        "protected",
        "temporary",
        "auto_delete",
        "auto_gc",
        "strategy",
    ];
    KNOWN.into_iter().find(|known| crate::suggest::distance(key, known) == 1)
}

/// Puts the options of CREATE or ALTER BRANCH into `known`.
pub(super) fn branch_options(options: &[BranchOption], known: &mut BranchOptions) -> Result<()> {
    for option in options {
        match option.key.text.to_ascii_lowercase().as_str() {
            "description" | "comment" => known.description = text(option),
            "read_only" | "readonly" => known.read_only = boolean(option)?,
            "protected" => known.protected = boolean(option)?,
            "temporary" => known.temporary = boolean(option)?,
            "auto_delete" | "auto_gc" => known.auto_delete = boolean(option)?,
            "owner" => known.owner = text(option),
            "ttl" => {
                known.ttl = match &option.value {
                    OptionValue::Literal(literal)
                        if literal_value(literal) == Some(Value::Null) =>
                    {
                        None
                    }
                    _ => Some(duration(option)?),
                };
            }
            "strategy" => known.strategy = Strategy::parse(&text(option))?,
            // A key of the user's own, unless it is a slip in one of those above.
            other => {
                if let Some(meant) = slip(other) {
                    let message = format!("there is no option {other}");
                    let hint = format!("did you mean {meant}? Keys of your own differ more");
                    return Err(Error::invalid(message).at(option.key.span).with_hint(hint));
                }
                known.free.insert(option.key.text.to_string(), text(option));
            }
        }
    }
    Ok(())
}

/// What MERGE was asked for beside the policy.
#[derive(Clone, Debug, Default)]
pub(super) struct MergeRequest {
    /// The policy and its company.
    pub(super) options: MergeOptions,
    /// Nothing is changed.
    pub(super) dry_run: bool,
    /// The source is dropped.
    pub(super) delete_branch_after: bool,
    /// The message of the commit.
    pub(super) message: String,
    /// The author of the commit.
    pub(super) author: String,
}

impl MergeRequest {
    /// What an open merge keeps of it until it is continued.
    pub(super) fn encode(&self) -> Vec<u8> {
        let flags = [self.options.renumber, self.options.merges_json, self.delete_branch_after];
        let mut bytes: Vec<u8> = flags.map(u8::from).to_vec();
        // The author's length comes first, so that either text may hold anything.
        bytes.extend_from_slice(&(self.author.len() as u32).to_be_bytes());
        bytes.extend_from_slice(self.author.as_bytes());
        bytes.extend_from_slice(self.message.as_bytes());
        bytes
    }

    /// The other way round; what is not there has its default.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let mut request = Self::default();
        let Some((flags, rest)) = bytes.split_first_chunk::<3>() else { return request };
        let [renumber, merges_json, delete_branch_after] = flags.map(|flag| flag != 0);
        request.options.renumber = renumber;
        request.options.merges_json = merges_json;
        request.delete_branch_after = delete_branch_after;
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return request };
        let (author, message) = rest.split_at(rest.len().min(u32::from_be_bytes(*length) as usize));
        request.author = String::from_utf8_lossy(author).into_owned();
        request.message = String::from_utf8_lossy(message).into_owned();
        request
    }
}

/// The options of MERGE.
pub(super) fn merge_request(options: &[BranchOption]) -> Result<MergeRequest> {
    let mut request = MergeRequest::default();
    for option in options {
        match option.key.text.to_ascii_lowercase().as_str() {
            "conflict_resolution" | "strategy" | "policy" => {
                let (policy, renumber) = Policy::parse(&text(option))?;
                request.options.policy = policy;
                request.options.renumber |= renumber;
            }
            "renumber" => request.options.renumber = boolean(option)?,
            "merge_json" => request.options.merges_json = boolean(option)?,
            "dry_run" => request.dry_run = boolean(option)?,
            "delete_branch_after" => request.delete_branch_after = boolean(option)?,
            "message" => request.message = text(option),
            "author" => request.author = text(option),
            other => {
                let message = format!("a merge has no option {other}");
                return Err(Error::invalid(message).at(option.key.span).with_hint(
                    "conflict_resolution, renumber, merge_json, dry_run, delete_branch_after, \
                     message, author",
                ));
            }
        }
    }
    Ok(request)
}

/// A time as SQL's `datetime` reads it, in microseconds since 1970.
pub(super) fn timestamp(session: &Session, text: &str) -> Result<i64> {
    let arguments = [ValueRef::Text(text.as_bytes()), ValueRef::Text(b"subsec")];
    let seconds = match call(session, "unixepoch", &arguments)? {
        Value::Integer(seconds) => seconds as f64,
        Value::Real(seconds) => seconds,
        _ => {
            return Err(Error::invalid(format!("not a time: {text}")).with_hint(
                "'YYYY-MM-DD HH:MM:SS.SSS' in UTC, or another form that datetime() reads",
            ));
        }
    };
    // All of that millisecond: a commit that is shown with a time is there at that time.
    Ok((seconds * 1e3).round() as i64 * 1000 + 999)
}

/// A time as text, to the millisecond that it is in.
pub(crate) fn time_text(session: &Session, micros: i64) -> Result<Value> {
    let seconds = micros.div_euclid(1000) as f64 / 1e3;
    let arguments = [
        ValueRef::Text(b"%Y-%m-%d %H:%M:%f"),
        ValueRef::Real(seconds),
        ValueRef::Text(b"unixepoch"),
    ];
    call(session, "strftime", &arguments)
}

/// A value as SQL writes it.
pub(super) fn quoted(value: &Value) -> String {
    match value {
        // Most keys are numbers.
        Value::Integer(number) => number.to_string(),
        _ => String::from_utf8_lossy(&function::literal(value.as_ref())).into_owned(),
    }
}

/// Calls one of the built-in functions.
fn call(session: &Session, name: &str, arguments: &[ValueRef<'_>]) -> Result<Value> {
    let function = session.with_functions(|functions| functions.find(name, arguments.len()))?;
    let mut cache = function::Cache::default();
    function.call(&mut function::Context::new(session, &mut cache), arguments)
}
