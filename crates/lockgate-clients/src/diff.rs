//! What would change, line by line, for people.

/// Lines around a change.
const AROUND: usize = 3;

/// A unified diff of two texts, as one change from the first line that differs to the last; empty where none does.
/// Linear in their length.
pub fn unified(before: &str, after: &str, name: &str) -> String {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let same = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    if same == old.len() && same == new.len() {
        return String::new();
    }
    let most = old.len().min(new.len()) - same;
    let tail =
        old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
    let first = same.saturating_sub(AROUND);
    let last = tail.saturating_sub(AROUND);
    let count = |lines: usize| lines - first - last;
    let begin = |lines: usize| if count(lines) == 0 { first } else { first + 1 };
    let mut out = format!(
        "--- {name}\n+++ {name}\n@@ -{},{} +{},{} @@\n",
        begin(old.len()),
        count(old.len()),
        begin(new.len()),
        count(new.len())
    );
    let mut say = |sign: char, lines: Option<&[&str]>| {
        for line in lines.unwrap_or_default() {
            out.push(sign);
            out.push_str(line);
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    };
    say(' ', old.get(first..same));
    say('-', old.get(same..old.len() - tail));
    say('+', new.get(same..new.len() - tail));
    say(' ', old.get(old.len() - tail..old.len() - last));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_change_with_what_stands_around_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let after = "a\nb\nc\nd\nE\nF\nf\ng\nh\n";
        let shown = unified(before, after, "x");
        assert_eq!(shown, "--- x\n+++ x\n@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n+F\n f\n g\n h\n");
        assert_eq!(unified("a\n", "a\n", "x"), "");
        assert_eq!(
            unified("", "a", "x"),
            "--- x\n+++ x\n@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("a\na\n", "a\na\na\n", "x"), "--- x\n+++ x\n@@ -1,2 +1,3 @@\n a\n a\n+a\n");
    }
}
