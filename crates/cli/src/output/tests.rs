//! What each mode prints for the same rows, as golden text.

use pandodb::{Value, ValueRef};
use pandodb_testkit::assert_same_text;

use super::{Mode, Settings};

fn show(settings: &Settings, columns: &[&str], rows: &[Vec<Value>]) -> String {
    let mut renderer =
        settings.renderer(&columns.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    let mut out = Vec::new();
    for row in rows {
        let values: Vec<ValueRef<'_>> = row.iter().map(Value::as_ref).collect();
        renderer.row(&values, &mut out).unwrap();
    }
    renderer.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn trees() -> Vec<Vec<Value>> {
    vec![
        vec![1.into(), "oak".into(), 23.5.into(), Value::Null],
        vec![2.into(), "森の木, \"tall\"".into(), 100.0.into(), "it's\nbig".into()],
        vec![30.into(), "".into(), Value::Null, vec![0u8, 255].into()],
    ]
}

const COLUMNS: &[&str] = &["id", "name", "height", "note"];

fn check(mode: Mode, expected: &str) {
    let shown = show(&Settings::new(mode), COLUMNS, &trees());
    assert_same_text(expected.trim_start_matches('\n'), &shown);
}

#[test]
fn box_mode_aligns_by_display_width() {
    check(
        Mode::Box,
        "
┌────┬────────────────┬────────┬──────┐
│ id │      name      │ height │ note │
├────┼────────────────┼────────┼──────┤
│  1 │ oak            │   23.5 │ NULL │
│  2 │ 森の木, \"tall\" │  100.0 │ it's │
│    │                │        │ big  │
│ 30 │                │   NULL │ 00ff │
└────┴────────────────┴────────┴──────┘
",
    );
}

#[test]
fn table_and_column_modes() {
    check(
        Mode::Table,
        "
+----+----------------+--------+------+
| id |      name      | height | note |
+----+----------------+--------+------+
|  1 | oak            |   23.5 | NULL |
|  2 | 森の木, \"tall\" |  100.0 | it's |
|    |                |        | big  |
| 30 |                |   NULL | 00ff |
+----+----------------+--------+------+
",
    );
    check(
        Mode::Column,
        "
id  name            height  note
--  --------------  ------  ----
 1  oak               23.5  NULL
 2  森の木, \"tall\"   100.0  it's
                            big
30                    NULL  00ff
",
    );
    check(
        Mode::Markdown,
        "
| id |      name      | height |    note     |
|----|----------------|--------|-------------|
|  1 | oak            |   23.5 | NULL        |
|  2 | 森の木, \"tall\" |  100.0 | it's<br>big |
| 30 |                |   NULL | 00ff        |
",
    );
}

#[test]
fn separated_modes_quote_by_their_own_rules() {
    check(Mode::List, "1|oak|23.5|\n2|森の木, \"tall\"|100.0|it's\nbig\n30|||00ff\n");
    check(
        Mode::Csv,
        "1,oak,23.5,\n2,\"森の木, \"\"tall\"\"\",100.0,\"it's\nbig\"\n30,\"\",,00ff\n",
    );
    check(Mode::Tsv, "1\toak\t23.5\t\n2\t森の木, \"tall\"\t100.0\tit's\\nbig\n30\t\t\t00ff\n");
    check(
        Mode::Quote,
        "1,'oak',23.5,NULL\n2,'森の木, \"tall\"',100.0,'it''s\nbig'\n30,'',NULL,x'00ff'\n",
    );
    check(
        Mode::Insert,
        "INSERT INTO \"table\" VALUES(1,'oak',23.5,NULL);\n\
         INSERT INTO \"table\" VALUES(2,'森の木, \"tall\"',100.0,'it''s\nbig');\n\
         INSERT INTO \"table\" VALUES(30,'',NULL,x'00ff');\n",
    );
}

#[test]
fn json_modes_are_json() {
    let lines = [
        r#"{"id":1,"name":"oak","height":23.5,"note":null}"#,
        r#"{"id":2,"name":"森の木, \"tall\"","height":100.0,"note":"it's\nbig"}"#,
        r#"{"id":30,"name":"","height":null,"note":"00ff"}"#,
    ];
    check(Mode::Jsonl, &format!("{}\n", lines.join("\n")));
    check(Mode::Json, &format!("[{}]\n", lines.join(",\n")));
    assert_eq!(show(&Settings::new(Mode::Json), COLUMNS, &[]), "[]\n");
    assert_eq!(show(&Settings::new(Mode::Jsonl), COLUMNS, &[]), "");
}

#[test]
fn line_and_html_modes() {
    check(
        Mode::Line,
        "    id = 1
  name = oak
height = 23.5
  note = NULL

    id = 2
  name = 森の木, \"tall\"
height = 100.0
  note = it's
         big

    id = 30
  name = 
height = NULL
  note = 00ff
",
    );
    let rows = [vec![Value::from("<b>"), Value::Null]];
    assert_eq!(
        show(&Settings::new(Mode::Html), &["a", "b"], &rows),
        "<TR><TD>&lt;b&gt;</TD>\n<TD></TD>\n</TR>\n",
    );
}

#[test]
fn headers_null_and_separators_can_be_set() {
    let mut settings = Settings::new(Mode::Csv);
    settings.headers = Some(true);
    settings.null = Some("-".to_owned());
    settings.separator = Some(";".to_owned());
    let rows = [vec![Value::Null, "a;b".into()]];
    assert_eq!(show(&settings, &["x;y", "z"], &rows), "\"x;y\";z\n-;\"a;b\"\n");
    settings.mode = Mode::Insert;
    settings.insert_table = "new tree".to_owned();
    assert_eq!(
        show(&settings, &["a", "order"], &rows),
        "INSERT INTO \"new tree\"(a,\"order\") VALUES(NULL,'a;b');\n",
    );
}

#[test]
fn a_long_result_shows_its_ends_and_its_count() {
    let mut settings = Settings::new(Mode::Table);
    settings.rows_max = 4;
    let rows: Vec<Vec<Value>> = (1..=100).map(|number| vec![number.into()]).collect();
    let expected = "\
+-----+
|  n  |
+-----+
|   1 |
|   2 |
|   · |
|  99 |
| 100 |
+-----+
(100 rows, 4 shown)
";
    assert_same_text(expected, &show(&settings, &["n"], &rows));
    assert!(!show(&settings, &["n"], &rows[..4]).contains('·'));
}

#[test]
fn a_narrow_screen_narrows_the_widest_columns() {
    let mut settings = Settings::new(Mode::Table);
    settings.width_max = 30;
    let rows = [vec![Value::from(7), "a text that is far too long for this".into()]];
    for line in show(&settings, &["id", "text"], &rows).lines() {
        assert!(line.chars().count() <= 30, "{line}");
    }
    let rows = [(0..40).map(Value::from).collect::<Vec<_>>()];
    let names: Vec<String> = (0..40).map(|at| format!("c{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let shown = show(&settings, &names, &rows);
    assert!(shown.contains("c0") && shown.contains("c39"), "{shown}");
    assert!(shown.contains("40 columns"), "{shown}");
    assert!(shown.lines().all(|line| line.starts_with('(') || line.chars().count() <= 30));
}

#[test]
fn rows_behind_the_window_are_wrapped_not_widened() {
    let settings = Settings::new(Mode::Table);
    let mut rows: Vec<Vec<Value>> = (0..1000).map(|_| vec!["abc".into()]).collect();
    rows.push(vec!["abcdef".into()]);
    let shown = show(&settings, &["n"], &rows);
    let widths: std::collections::BTreeSet<usize> = shown.lines().map(str::len).collect();
    assert_eq!(widths.len(), 1);
    assert!(shown.ends_with("| abc |\n| def |\n+-----+\n"));
}

#[test]
fn fixed_widths_wrap_and_align() {
    let mut settings = Settings::new(Mode::Column);
    settings.widths = vec![-5, 3];
    let rows = [vec![Value::from("ab"), "one two".into()]];
    let expected = "    a  b\n-----  ---\n   ab  one\n       two\n";
    assert_same_text(expected, &show(&settings, &["a", "b"], &rows));
}

#[test]
fn the_only_row_is_lines_where_a_person_would_not_see_all_of_it() {
    let mut settings = Settings::new(Mode::Box);
    settings.width_max = 30;
    settings.footer = true;
    let columns = ["status", "source", "rows_inserted"];
    let row = || vec!["would merge this".into(), "two\nlines".into(), 7.into()];
    assert_eq!(
        show(&settings, &columns, &[row()]),
        "       status = would merge this\n       source = two\n                lines\n\
         rows_inserted = 7\n(1 row)\n"
    );
    // Of several rows some columns are shown, and how to see the others is said.
    settings.width_max = 22;
    let shown = show(&settings, &columns, &[row(), row()]);
    assert!(shown.ends_with("(2 rows; 3 columns, 2 shown; .mode line shows all)\n"), "{shown}");
    // Two rows, a result that fits, and what a program reads are tables as ever.
    assert!(show(&settings, &columns, &[row(), row()]).starts_with('┌'));
    assert!(show(&settings, &columns[..1], &[vec!["x".into()]]).starts_with('┌'));
    settings.footer = false;
    assert!(show(&settings, &columns, &[row()]).starts_with('┌'));
}
