//! Files that are not one document of YAML, and YAML that suites do without.

use std::fs;

use super::types::{Menu, mistake, mistakes, read};
use crate::diagnostic::Colour;
use crate::yaml::{Source, load};

#[test]
fn a_file_without_content_is_an_error() {
    insta::assert_snapshot!(mistakes::<Menu>(""), @"
    error: the file is empty
      --> my.yaml:1:1
       |
     1 | 
       | ^
    help: write something into it, or delete it
    ");
    insta::assert_snapshot!(mistake::<Menu>("\n# later\n"), @"
    the file is empty
    at 1:1 ``
    write something into it, or delete it
    ");
    insta::assert_snapshot!(mistake::<Menu>("---\n"), @"
    the file is empty
    at 1:1 `-`
    write something into it, or delete it
    ");
}

#[test]
fn a_second_document_is_an_error_and_the_first_is_read() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: x\ndishes: []\n---\nmenu: y\n"), @r#"
    error: a second document starts here
      --> my.yaml:3:1
       |
     3 | ---
       | ^^^
    help: put it into a file of its own; "---" may stand in the first line only
    "#);
    assert_eq!(read::<Menu>("menu: x\ndishes: []\n---\nmenu: y\n").value.unwrap().menu, "x");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let text = "\u{feff}menu: x\r\ndishes:\r\n  - { id: ä, rank: lsat }\r\n";
    insta::assert_snapshot!(mistakes::<Menu>(text), @r#"
    error: unknown rank "lsat"
      --> my.yaml:3:20
       |
     3 |   - { id: ä, rank: lsat }
       |                    ^^^^
       = one of: first, main_course, last
    help: did you mean "last"?
    "#);
}

#[test]
fn text_that_is_not_yaml_is_one_error() {
    let all = [
        "menu: x\n\tdishes: []\n",
        "menu: a: b\n",
        "menu: \"x\ndishes: []\n",
        "menu: x\ndishes: [a, b\n",
        "menu: x\ndishes: { a: b\nnote: x\n",
        "menu: @x\n",
        "menu: \"C:\\dir\"\n",
        "menu: x\ndishes\n",
        "menu: x\n  dishes: []\n",
        "menu: x\n - a\n",
        "menu: *x\n",
        "menu: %x\n",
        "menu: \"a\" b\n",
        "dishes: [a]]\n",
        "dishes:\n  - a\n  b: c\n",
        "menu: `x`\n",
        "menu: | x\n",
        "menu: - x\n",
        "menu: [- x]\n",
        "menu: [,]\n",
        "menu: x\ndishes\nnote: y\n",
        "menu: 'x\n  y: z\n",
        "menu: { note: slow: very }\n",
        "menu: x\u{7}y\n",
        "menu: \"x\n  \ty\"\ndishes:\n- a\n\t- b",
        "menu: {tv.user_code}/x\n",
        "menu: \"{tv.user_code} x\n",
    ];
    let said = all.map(|text| format!("{text:?}\n{}\n", mistake::<Menu>(text)));
    insta::assert_snapshot!(said.join("\n"), @r#"
    "menu: x\n\tdishes: []\n"
    there is a tab here
    at 2:1 `	`
    indent with spaces

    "menu: a: b\n"
    a ": " is not allowed here
    at 1:8 `:`
    quote text that contains ": ", or check the indentation

    "menu: \"x\ndishes: []\n"
    a quote that is opened here is not closed on its line
    at 1:7 `"`
    close it, or indent the lines that go on

    "menu: x\ndishes: [a, b\n"
    a comma or "]" is missing here
    at 2:14 ``
    close the bracket, or quote text that contains brackets or ": "

    "menu: x\ndishes: { a: b\nnote: x\n"
    a comma or "}" is missing here
    at 3:5 `:`
    close the bracket, or quote text that contains brackets or ": "

    "menu: @x\n"
    text may not start with this character
    at 1:7 `@`
    quote the text

    "menu: \"C:\\dir\"\n"
    a backslash in double quotes starts a special character, but not this one
    at 1:10 `\d`
    write \\ for a backslash, or use single quotes

    "menu: x\ndishes\n"
    this line is neither "key: value" nor "- item"
    at 2:1 `dishes`
    add the ":" behind the key, or check the indentation

    "menu: x\n  dishes: []\n"
    a ": " is not allowed here
    at 2:9 `:`
    quote text that contains ": ", or check the indentation

    "menu: x\n - a\n"
    missing key "dishes" in menu
    at 1:1 `menu`
    add "dishes: …"

    "menu: *x\n"
    text may not start with "*" here
    at 1:7 `*`
    quote text that starts with "*"

    "menu: %x\n"
    text may not start with this character
    at 1:7 `%`
    quote the text

    "menu: \"a\" b\n"
    there is something behind the closing quote
    at 1:11 `b`
    put the whole text into quotes

    "dishes: [a]]\n"
    there is a bracket too many
    at 1:12 `]`
    take it out, or quote the text

    "dishes:\n  - a\n  b: c\n"
    this line does not belong to the list above it
    at 3:3 `b`
    start it with "- ", or check the indentation

    "menu: `x`\n"
    text may not start with this character
    at 1:7 ```
    quote the text

    "menu: | x\n"
    "|" and ">" start a text of several lines, and this is not one
    at 1:7 `|`
    quote text that starts with "|" or ">"

    "menu: - x\n"
    a "- " is not allowed here
    at 1:7 `-`
    start the list on a line of its own, or quote the text

    "menu: [- x]\n"
    a "- " is not allowed between brackets
    at 1:8 `-`
    separate items by commas, or quote the text

    "menu: [,]\n"
    something is missing here
    at 1:8 `,`
    write a value, or take out the comma or bracket

    "menu: x\ndishes\nnote: y\n"
    this line is neither "key: value" nor "- item"
    at 2:1 `dishes`
    add the ":" behind the key, or check the indentation

    "menu: 'x\n  y: z\n"
    a quote that is opened here is never closed
    at 1:7 `'`
    close it

    "menu: { note: slow: very }\n"
    a comma or "}" is missing here
    at 1:19 `:`
    close the bracket, or quote text that contains brackets or ": "

    "menu: x\u{7}y\n"
    missing key "dishes" in menu
    at 1:1 `menu`
    add "dishes: …"

    "menu: \"x\n  \ty\"\ndishes:\n- a\n\t- b"
    there is a tab here
    at 5:1 `	`
    indent with spaces

    "menu: {tv.user_code}/x\n"
    there is something behind the closing bracket
    at 1:21 `/`
    put the whole text into quotes

    "menu: \"{tv.user_code} x\n"
    a quote that is opened here is never closed
    at 1:7 `"`
    close it
    "#);
    insta::assert_snapshot!(mistakes::<Menu>("menu: x\ndishes: [a, b\n"), @r#"
    error: a comma or "]" is missing here
      --> my.yaml:2:14
       |
     2 | dishes: [a, b
       |              ^
    help: close the bracket, or quote text that contains brackets or ": "
    "#);
}

#[test]
fn what_suites_do_without_says_what_to_write() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: &name x\nnote: *name\ndishes: []\n"), @r#"
    error: names for parts of the file (&) are not supported
      --> my.yaml:1:7
       |
     1 | menu: &name x
       |       ^
    help: leave it out; quote text that starts with "&"

    error: references to other parts of the file (*) are not supported
      --> my.yaml:2:7
       |
     2 | note: *name
       |       ^^^^^
    help: write it out; quote text that starts with "*"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\nnote: !text y\ndishes: []\n"), @r#"
    type tags (!) are not supported
    at 2:7 `!`
    leave it out; quote text that starts with "!"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\n<<: { note: y }\ndishes: []\n"), @"
    merging of maps (<<) is not supported
    at 2:1 `<<`
    write the keys out
    ");
    insta::assert_snapshot!(mistake::<Menu>("menu: x\n[a, b]: y\ndishes: []\n"), @"
    a key must be a word
    at 2:1 `[a, b]`
    quote text that starts with a bracket
    ");
}

#[test]
fn too_deep_nesting_is_an_error() {
    for text in ["[".repeat(100), "- ".repeat(5000), "[".repeat(100_000), "{a: ".repeat(300)] {
        let loaded = read::<Menu>(&text);
        assert_eq!(loaded.diagnostics.len(), 1);
        assert_eq!(loaded.diagnostics[0].code, "too-deep");
    }
}

#[test]
fn files_that_cannot_be_read_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let said = |name: &str| {
        let path = directory.path().join(name);
        let drawing = Source::read(&path).unwrap_err().draw(Colour::Plain);
        drawing.replace(&directory.path().display().to_string(), "dir").replace('\\', "/")
    };
    fs::write(directory.path().join("latin.yaml"), b"menu: x\nnote: caf\xe9 bar\n").unwrap();
    fs::write(directory.path().join("wide.yaml"), b"\xff\xfem\0").unwrap();
    fs::write(directory.path().join("good.yaml"), "menu: x\ndishes: []\n").unwrap();
    insta::assert_snapshot!(said("none.yaml"), @"
    error: there is no file dir/none.yaml
    help: check the spelling and the directory you are in
    ");
    insta::assert_snapshot!(said(""), @"
    error: dir/ is a directory, not a file
    help: name a file inside it
    ");
    insta::assert_snapshot!(said("wide.yaml"), @"
    error: dir/wide.yaml is not UTF-8 text
    help: it looks like UTF-16: save the file as UTF-8
    ");
    insta::assert_snapshot!(said("latin.yaml"), @"
    error: dir/latin.yaml is not UTF-8 text
      --> dir/latin.yaml:2:10
       |
     2 | note: caf� bar
       |          ^
    help: save the file as UTF-8
    ");
    let source = Source::read(directory.path().join("good.yaml")).unwrap();
    assert_eq!(load::<Menu>(&source).value.unwrap().menu, "x");
}
