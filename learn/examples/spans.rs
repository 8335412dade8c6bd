use lockgate_detect::{Genre, injection::model::Model};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let m = Model::with(&std::fs::read(&a[1]).unwrap()).unwrap();
    let rows = learn::read_sessions(a[2].as_ref()).unwrap();
    let mut v: Vec<_> = rows
        .iter()
        .filter(|r| r.source.ends_with(&a[3]))
        .map(|r| {
            let s = m.score(Genre::Result, &r.text);
            (s.score, r.text[s.span].to_string())
        })
        .collect();
    v.sort_by(|x, y| if a[4] == "top" { y.0.total_cmp(&x.0) } else { x.0.total_cmp(&y.0) });
    v.dedup_by(|x, y| x.1 == y.1);
    for (s, t) in v.iter().take(14) {
        println!("{s:.3} {}", t.replace('\n', "\\n").chars().take(330).collect::<String>());
    }
}
