//! An object as one text, as the classifier learned it.

use lockgate_model::{Json, Kind};

/// Deepest that is gone. What is below says nothing to the classifier; rules read it.
const DEEPEST: usize = 64;

/// Every text of an object with the names of its parameters, a line each. What a tool is called, and of what type a parameter
/// is, says nothing.
pub fn flat(object: Json<'_>) -> String {
    let mut lines = String::new();
    collect(object, DEEPEST, &mut lines);
    lines
}

fn collect(value: Json<'_>, deep: usize, lines: &mut String) {
    let Some(deep) = deep.checked_sub(1) else { return };
    match value.kind() {
        Kind::String => line(&value.text().unwrap_or_default(), lines),
        Kind::Array => value.elements().for_each(|element| collect(element, deep, lines)),
        Kind::Object => {
            for (key, member) in value.members() {
                let name = key.text();
                match (name.as_ref(), member.kind()) {
                    ("server" | "type" | "$schema" | "format", Kind::String) => {}
                    ("properties", Kind::Object) => {
                        for (parameter, schema) in member.members() {
                            line(&parameter.text(), lines);
                            collect(schema, deep, lines);
                        }
                    }
                    _ => collect(member, deep, lines),
                }
            }
        }
        Kind::Number | Kind::Bool | Kind::Null => {}
    }
}

fn line(text: &str, lines: &mut String) {
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_its_texts() {
        let tool = br#"{"name":"add","description":"Adds.","inputSchema":{"type":"object","properties":{"type":{"type":"number","description":"First"}}},"tags":["x",1,null]}"#;
        let tool = Json::check(tool, 16).unwrap();
        assert_eq!(flat(tool), "add\nAdds.\ntype\nFirst\nx");
        let deep = format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(flat(Json::check(deep.as_bytes(), 128).unwrap()), "");
    }
}
