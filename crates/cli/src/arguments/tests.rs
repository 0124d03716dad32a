//! What command lines mean.

use clap::{CommandFactory, Parser};

use super::{Arguments, BranchAction, Mode, Verb, examples, normalise};

fn parse(line: &[&str]) -> Arguments {
    let arguments = normalise(line.iter().map(|&word| word.to_owned()));
    let line = std::iter::once("pando".to_owned()).chain(arguments);
    Arguments::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_command_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn options_with_one_dash_work_as_with_two() {
    let arguments = parse(&["-json", "-header", "-cmd", "-- first", "a.pando", "SELECT 1"]);
    assert_eq!(arguments.output.chosen(), Some(Mode::Json));
    assert_eq!(arguments.output.headers(), Some(true));
    assert_eq!(arguments.shell.cmd, ["-- first"]);
    assert_eq!(arguments.file.as_deref(), Some("a.pando"));
    assert_eq!(arguments.sql, ["SELECT 1"]);
    let arguments = parse(&["-db", "a.pando", "-bail", "-separator", "-csv", "-readonly"]);
    assert_eq!(arguments.global.db.as_deref(), Some("a.pando"));
    assert_eq!(arguments.output.separator.as_deref(), Some("-csv"));
    assert!(arguments.shell.bail && arguments.global.readonly);
    assert_eq!(parse(&["-table"]).output.chosen(), Some(Mode::Table));
    assert_eq!(parse(&["-insert", "t"]).output.insert.as_deref(), Some("t"));
}

#[test]
fn a_database_may_stand_before_its_verb() {
    let arguments = parse(&["a.pando", "branch", "create", "dev", "--from", "main"]);
    assert_eq!(arguments.file.as_deref(), Some("a.pando"));
    let Some(Verb::Branch(branch)) = arguments.verb else { panic!("no verb") };
    let Some(BranchAction::Create(create)) = branch.action else { panic!("no action") };
    assert_eq!((create.name.as_str(), create.from.as_deref()), ("dev", Some("main")));
}

#[test]
fn global_options_stand_before_and_behind_the_verb() {
    for line in [
        &["--db", "a", "--branch", "dev", "table", "create", "t"][..],
        &["table", "create", "t", "--branch", "dev", "--db", "a"],
    ] {
        let arguments = parse(line);
        assert_eq!(arguments.global.branch.as_deref(), Some("dev"));
        assert_eq!(arguments.global.db.as_deref(), Some("a"));
        assert!(matches!(arguments.verb, Some(Verb::Table { .. })));
    }
}

#[test]
fn git_spelling_of_branches() {
    let Some(Verb::Branch(branch)) = parse(&["branch", "-m", "old", "new"]).verb else {
        panic!("no verb")
    };
    assert_eq!(branch.rename, ["old", "new"]);
    let Some(Verb::Branch(branch)) = parse(&["branch", "dev", "main"]).verb else {
        panic!("no verb")
    };
    assert_eq!((branch.name.as_deref(), branch.start.as_deref()), (Some("dev"), Some("main")));
}

#[test]
fn other_programs_words_are_verbs_too() {
    assert!(matches!(parse(&["use-branch", "dev"]).verb, Some(Verb::Switch { .. })));
    assert!(matches!(
        parse(&["create-branch", "a", "from", "b"]).verb,
        Some(Verb::CreateBranch { .. })
    ));
    assert!(matches!(parse(&["add", "t", "{\"a\":1}"]).verb, Some(Verb::Add { .. })));
    assert!(matches!(parse(&["usage"]).verb, Some(Verb::Stat)));
}

#[test]
fn the_examples_of_verbs_are_command_lines() {
    let mut read = 0;
    for line in examples::ALL.iter().flat_map(|text| text.lines().skip(1)) {
        // What an example does stands behind many blanks.
        let typed = line.trim().split("   ").next().unwrap_or("");
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for letter in typed.chars() {
            match letter {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                other => words.last_mut().unwrap().push(other),
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words[0], "pando", "{line}");
        assert!(parse(&words[1..]).verb.is_some(), "{line}");
        read += 1;
    }
    assert!(read > 30, "{read}");
}
