use std::path::Component;

use proptest::prelude::*;

use super::super::{BadTest, Hosts, Networks, Operator, PathTest, RepoTest, UrlTest};
use super::{ask, check_all, list};

fn inside(roots: &[&str]) -> Operator {
    Operator::path(PathTest::new(&list(roots), &[]).unwrap())
}

#[test]
fn paths_stay_inside() {
    check_all(
        &inside(&["/srv/data", "/tmp/out/"]),
        &[
            ('+', "/srv/data"),
            ('+', "/srv/data/"),
            ('+', "/srv/data/a.txt"),
            ('+', "/srv/data/a/../b"),
            ('+', "/srv/./data//a"),
            ('+', "/srv/data/..a"),
            ('+', "/srv/data/.git/config"),
            ('+', "/srv/data/a%20b"),
            ('+', "/srv/data/100%.txt"),
            ('+', "/srv/data/100%25.txt"),
            ('+', "/srv/data/file~"),
            ('+', "/srv/data/[slug]/page.tsx"),
            ('+', "/srv/data/*.txt"),
            ('+', "/srv/data/naïve/日本語.txt"),
            ('+', "/srv/data/a b (1).txt"),
            ('+', "/srv/data/$100"),
            ('+', "file:///srv/data/a"),
            ('+', "FILE:///srv/data/a%20b"),
            ('+', "/tmp/out/x"),
            ('+', "/tmp/../srv/data/x"),
            ('-', "/srv/database"),
            ('-', "/srv"),
            ('-', "/"),
            ('-', "/etc/passwd"),
            ('-', "/srv/data/../../etc/passwd"),
            ('-', "/srv/data/.."),
            ('-', "/srv/data/a/../../x"),
            ('-', "file:///etc/passwd"),
            ('-', "/tmp/outer"),
            ('?', ""),
            ('?', "a.txt"),
            ('?', "./a"),
            ('?', "/srv/data/../../../etc/passwd"),
            ('?', "/.."),
            ('?', "../etc"),
            ('?', "/srv/data/%2e%2e/secret"),
            ('?', "/srv/data/%2E%2E%2Fsecret"),
            ('?', "/srv/data/..%2f..%2fetc"),
            ('?', "/srv/data/%252e%252e/secret"),
            ('?', "/srv/data/%25252e%25252e/secret"),
            ('?', "/srv/data/%2525252525252e/secret"),
            ('?', "/srv/data/%c0%ae%c0%ae/secret"),
            ('?', "/srv/data/%e0%80%af/secret"),
            ('?', "/srv/data/%uff0e%uff0e/x"),
            ('?', "/srv/data/%00.txt"),
            ('?', "/srv/data/a\0.txt"),
            ('?', "/srv/data/a\n"),
            ('?', " /srv/data/a"),
            ('?', "/srv/data/a "),
            ('?', "/srv/data/%5c..%5cx"),
            ('?', "/srv/data\\..\\..\\etc"),
            ('?', "\\\\server\\share"),
            ('?', "//server/share/srv/data"),
            ('?', "//srv/data/a"),
            ('?', "C:/srv/data"),
            ('?', "c:\\srv"),
            ('?', "~/x"),
            ('?', "~root/x"),
            ('?', "$HOME/x"),
            ('?', "/srv/data/${X}"),
            ('?', "/srv/data/$X/y"),
            ('?', "/srv/data/$(id)"),
            ('?', "/srv/data/`id`"),
            ('?', "/srv/data/{..,a}/x"),
            ('?', "/srv/data/.*/x"),
            ('?', "/srv/data/.?/x"),
            ('?', "/srv/*/x"),
            ('?', "/s[r]v/secret"),
            ('?', "/srv/data/．．/x"),
            ('?', "/srv/data／..／x"),
            ('?', "/srv/data/‥/x"),
            ('?', "/srv/data/…"),
            ('?', "/srv/data/.\u{200b}./x"),
            ('?', "/srv/data/\u{202e}x"),
            ('?', "/srv/data/a∕b"),
            ('?', "/srv/data/a⁄b"),
            ('?', "/srv/data/... /x"),
            ('?', "/srv/data/.../x"),
            ('?', "/srv/data/.. /x"),
            ('?', "/srv/data/..;/x"),
            ('?', "/srv/data/..;a=b/x"),
            ('?', "/srv/data/..?x"),
            ('?', "/srv/data/..#x"),
            ('?', "/srv/data/..::$INDEX_ALLOCATION/x"),
            ('?', "/srv/data/％2e％2e/x"),
            ('+', "/srv/data/a;b"),
            ('+', "/srv/data/12:30#1.txt"),
            ('?', "/SRV/data/x"),
            ('?', "/srv/Data"),
            ('?', "/ｓrv/data"),
            ('?', "file://localhost/srv/data"),
            ('?', "file:/srv/data"),
            ('?', "file:srv/data"),
            ('?', "file:///srv/data/../x"),
            ('?', "file:///srv/data/a?b"),
            ('?', "file:///srv/data/a#b"),
            ('?', "http://host/srv/data"),
            ('?', "zip:///srv/data/x"),
            ('?', "file:////srv/data"),
        ],
    );
    assert_eq!(ask(&inside(&["/"]), &"/a".repeat(2049)), '?');
    assert_eq!(ask(&inside(&["/"]), &"/a".repeat(2000)), '+');
}

#[test]
fn relative_paths_need_a_relative_root() {
    check_all(
        &inside(&["work"]),
        &[
            ('+', "work"),
            ('+', "work/a"),
            ('+', "./work/a"),
            ('+', "other/../work/a"),
            ('-', "other"),
            ('-', "work/../other"),
            ('?', "../work/a"),
            ('?', "/srv/a"),
            ('?', "Work/a"),
        ],
    );
    check_all(
        &inside(&["."]),
        &[('+', "a"), ('+', "."), ('+', "a/.."), ('?', ".."), ('?', "a/../.."), ('?', "/a")],
    );
    check_all(&inside(&["/srv", "work"]), &[('+', "/srv/a"), ('+', "work/a"), ('?', "/etc"), ('?', "x")]);
}

#[test]
fn aliases_are_followed() {
    let alias = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    let test = PathTest::new(
        &list(&["/srv/data", "/home/me"]),
        &alias(&[
            ("/srv/data/out", "/mnt/big/out"),
            ("/d", "/srv/data"),
            ("/home", "/var/home"),
            ("/x", "/d/deep"),
        ]),
    );
    check_all(
        &Operator::path(test.unwrap()),
        &[
            ('+', "/srv/data/a"),
            ('+', "/d/a"),
            ('+', "/d"),
            ('+', "/x/a"),
            ('+', "/srv/data/deep/.."),
            // Text says /x/.. is /; the system says it is /srv/data.
            ('?', "/x/../a"),
            ('-', "/srv/data/out"),
            ('-', "/srv/data/out/secret"),
            ('-', "/d/out/secret"),
            ('-', "/mnt/big/out"),
            ('?', "/srv/data/out/../a"),
            ('+', "/home/me/a"),
            ('+', "/var/home/me/a"),
            ('-', "/var/home/you"),
            ('?', "/D/a"),
        ],
    );
    for pairs in [&[("/a", "/b"), ("/b", "/a")][..], &[("/a", "/a/b")]] {
        assert!(
            matches!(PathTest::new(&list(&["/a"]), &alias(pairs)), Err(BadTest::AliasLoop(_))),
            "{pairs:?}"
        );
    }
}

#[test]
fn roots_must_be_plain() {
    for root in [
        "",
        "/a/../b",
        "/a/./b",
        "//a",
        "/a//b",
        "~/x",
        "C:\\x",
        "/a%20b",
        "/a/*",
        "/a\0",
        " /a",
        "file:///a",
        "..",
    ] {
        assert!(matches!(PathTest::new(&list(&[root]), &[]), Err(BadTest::BadPath(_))), "{root:?}");
    }
    assert!(matches!(PathTest::new(&[], &[]), Err(BadTest::EmptyList("path"))));
}

/// Where a plain reader ends up, by the rules of the standard library and no others.
fn followed(path: &str) -> Option<std::path::PathBuf> {
    let mut at = std::path::PathBuf::new();
    for part in std::path::Path::new(path).components() {
        match part {
            Component::ParentDir => {
                if !at.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            part @ (Component::Normal(_) | Component::RootDir | Component::Prefix(_)) => at.push(part),
        }
    }
    Some(at)
}

fn decoded(path: &str) -> String {
    let mut text = path.to_owned();
    for _ in 0..8 {
        for (code, plain) in [("%2e", "."), ("%2f", "/"), ("%25", "%"), ("%5c", "\\"), ("%61", "a")] {
            text = text.replace(code, plain);
        }
    }
    text.replace('\\', "/")
}

proptest! {
    #[test]
    fn no_reading_of_an_accepted_path_escapes(
        parts in proptest::collection::vec("(r|d|a|\\.|\\.\\.|%2e|%252e|%61|\\\\|)", 0..8),
        start in prop_oneof![Just("/r/d/"), Just("/"), Just("")],
    ) {
        let path = format!("{start}{}", parts.join("/"));
        if ask(&inside(&["/r/d"]), &path) == '+' {
            for reading in [path.clone(), decoded(&path)] {
                prop_assert!(followed(&reading).unwrap().starts_with("/r/d"), "{}", path);
            }
        }
    }

    #[test]
    fn plain_paths_are_told_exactly(parts in proptest::collection::vec("(r|d|a|\\.\\.)", 0..6)) {
        let path = format!("/{}", parts.join("/"));
        let expected = match followed(&path) {
            Some(place) => if place.starts_with("/r/d") { '+' } else { '-' },
            None => '?',
        };
        prop_assert_eq!(ask(&inside(&["/r/d"]), &path), expected);
    }

    #[test]
    fn nothing_panics(text in any::<String>(), odd in "[/.~%\\\\:@\\[\\]a0-9 \"'*$-]{0,24}") {
        let operators = [
            inside(&["/a"]),
            Operator::url(UrlTest::new(None, Some(&list(&["a.example"])), None).unwrap()),
            Operator::hostname(Hosts::new(&list(&["a.example"])).unwrap()),
            Operator::cidr(Networks::new(&list(&["10.0.0.0/8"])).unwrap()),
            Operator::email(list(&["a.example"])).unwrap(),
            Operator::repo(RepoTest::new(&list(&["a/*"]), Some("a.example")).unwrap()),
            Operator::shell(list(&["ls"])).unwrap(),
        ];
        for operator in &operators {
            ask(operator, &text);
            ask(operator, &odd);
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn urls_have_one_reading() {
    let hosts =
        list(&["example.com", "*.example.org", "192.0.2.7", "[2001:db8::1]", "xn--bcher-kva.example"]);
    check_all(
        &Operator::url(UrlTest::new(None, Some(&hosts), None).unwrap()),
        &[
            ('+', "https://example.com"),
            ('+', "https://example.com/"),
            ('+', "http://EXAMPLE.com:8080/a?b#c"),
            ('+', "HTTPS://example.com/@user"),
            ('+', "https://example.com/a:b@c"),
            ('+', "https://a.example.org/x"),
            ('+', "https://a.b.example.org"),
            ('+', "https://192.0.2.7/"),
            ('+', "https://[2001:db8:0::1]:443/"),
            ('+', "https://xn--bcher-kva.example/"),
            ('+', "https://example.com?q=1"),
            ('+', "https://example.com/ü"),
            ('-', "https://example.org"),
            ('-', "https://evil.com/example.com"),
            ('-', "https://example.com.evil.com"),
            ('-', "https://evilexample.org"),
            ('-', "https://notexample.com"),
            ('-', "https://127.0.0.1/"),
            ('-', "https://[::1]/"),
            ('-', "https://[::ffff:127.0.0.1]/"),
            ('+', "https://[::ffff:192.0.2.7]/"),
            ('?', "https://example.com@evil.com/"),
            ('?', "https://user@example.com/"),
            ('?', "https://user:pass@example.com/"),
            ('?', "https://evil.com\\@example.com/"),
            ('?', "https://example.com\\.evil.com"),
            ('?', "https://evil.com#@example.com"),
            ('?', "https://example.com#@evil.com"),
            ('?', "https://example.com?@evil.com"),
            ('?', "https://example.com:80:443/"),
            ('?', "https://example.com:/"),
            ('?', "https://example.com:0443/"),
            ('?', "https://example.com:99999/"),
            ('?', "https://example.com:4 43/"),
            ('?', "https://example.com./"),
            ('?', "https://example.com%2eevil.com/"),
            ('?', "https://example.com%00.evil.com/"),
            ('?', "https://exa\tmple.com/"),
            ('?', "https://example.com/ a"),
            ('?', " https://example.com/"),
            ('?', "https://example.com/\n"),
            ('?', "https:/example.com/"),
            ('?', "https:example.com/"),
            ('?', "https:///example.com/"),
            ('?', "//example.com/"),
            ('?', "example.com"),
            ('?', ""),
            ('?', "https://"),
            ('?', "https://2130706433/"),
            ('?', "https://0x7f.1/"),
            ('?', "https://0177.0.0.1/"),
            ('?', "https://127.1/"),
            ('?', "https://192.0.2.07/"),
            ('?', "https://192.0.2.0x7/"),
            ('?', "https://[::1%25eth0]/"),
            ('?', "https://[::1"),
            ('?', "https://[example.com]/"),
            ('?', "https://ｅxample.com/"),
            ('?', "https://еxample.com/"),
            ('?', "https://example。com/"),
            ('?', "https://bücher.example/"),
            ('?', "https://example.com,evil.com/"),
            ('?', "https://example.com;evil.com/"),
            ('?', "https://-example.com/"),
            ('?', "javascript:alert(1)"),
            ('?', "javascript://example.com/%0aalert(1)"),
            ('?', "ftp://example.com/"),
            ('?', "file:///etc/passwd"),
            ('?', "data:text/plain,x"),
        ],
    );
    let schemes = list(&["https", "file", "git+ssh"]);
    check_all(
        &Operator::url(UrlTest::new(Some(&schemes), None, None).unwrap()),
        &[
            ('+', "https://anything.example/"),
            ('+', "HTTPS://anything.example/"),
            ('+', "file:///etc/hosts"),
            ('+', "git+ssh://host.example/a"),
            ('-', "http://anything.example/"),
            ('-', "gopher://anything.example/"),
            ('?', "file://host/share"),
            ('?', "https:///x"),
        ],
    );
    check_all(
        &Operator::url(UrlTest::new(Some(&schemes), Some(&hosts), Some(&[443, 8443])).unwrap()),
        &[
            ('+', "https://example.com/"),
            ('+', "https://example.com:443/"),
            ('+', "https://example.com:8443/"),
            ('-', "https://example.com:80/"),
            ('-', "https://example.com:22/"),
            ('?', "git+ssh://example.com/"),
            ('+', "git+ssh://example.com:443/"),
        ],
    );
}

#[test]
fn bad_hosts_are_refused_at_load() {
    for host in [
        "",
        "*",
        "*.",
        "a b",
        "a/b",
        "https://a",
        "a:80",
        "a..b",
        "a.",
        "*.*.a",
        "*a.b",
        "127.1",
        "*.1.2.3.4",
        "ü.de",
    ] {
        assert!(matches!(Hosts::new(&list(&[host])), Err(BadTest::BadHost(_))), "{host:?}");
    }
    assert!(matches!(UrlTest::new(None, None, None), Err(BadTest::TestsNothing("url"))));
    assert!(matches!(UrlTest::new(Some(&list(&["https:"])), None, None), Err(BadTest::BadScheme(_))));
    assert!(matches!(UrlTest::new(Some(&[]), None, None), Err(BadTest::EmptyList("url"))));
    assert!(matches!(UrlTest::new(None, None, Some(&[])), Err(BadTest::EmptyList("url"))));
    assert!(matches!(UrlTest::new(None, None, Some(&[0])), Err(BadTest::BadPort(_))));
}

#[test]
fn hostnames_are_bare() {
    let hosts = Hosts::new(&list(&["db.internal", "*.example.com", "10.0.0.5", "::1"])).unwrap();
    check_all(
        &Operator::hostname(hosts),
        &[
            ('+', "db.internal"),
            ('+', "DB.Internal"),
            ('+', "a.example.com"),
            ('+', "10.0.0.5"),
            ('+', "::1"),
            ('+', "[::1]"),
            ('+', "0:0:0:0:0:0:0:1"),
            ('+', "::ffff:10.0.0.5"),
            ('-', "example.com"),
            ('-', "db.internal.evil.com"),
            ('-', "10.0.0.50"),
            ('-', "localhost"),
            ('?', "db.internal."),
            ('?', "db.internal:5432"),
            ('?', "http://db.internal"),
            ('?', "db.internal/x"),
            ('?', "user@db.internal"),
            ('?', " db.internal"),
            ('?', "db.internal\0"),
            ('?', "10.5"),
            ('?', "010.0.0.5"),
            ('?', "0xa000005"),
            ('?', "167772165"),
            ('?', "10.0.0.5 "),
            ('?', "а.example.com"),
            ('?', "-o.example.com"),
            ('?', ".example.com"),
            ('?', ""),
            ('?', "*.example.com"),
        ],
    );
}

#[test]
fn addresses_are_within_networks() {
    let networks = Networks::new(&list(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "0.0.0.0/32"])).unwrap();
    check_all(
        &Operator::cidr(networks),
        &[
            ('+', "10.0.0.0"),
            ('+', "10.255.255.255"),
            ('+', "192.0.2.7"),
            ('+', "2001:db8::1"),
            ('+', "2001:DB8:ffff::"),
            ('+', "::ffff:10.1.2.3"),
            ('+', "::ffff:0a01:0203"),
            ('-', "11.0.0.0"),
            ('-', "9.255.255.255"),
            ('-', "192.0.2.8"),
            ('-', "2001:db9::"),
            ('-', "::1"),
            ('-', "::ffff:11.0.0.1"),
            ('-', "fe80::1"),
            ('?', "64:ff9b::a00:1"),
            ('?', "2002:0a00:0001::"),
            ('?', "::10.0.0.1"),
            ('?', "2001:0:0a00:1::"),
            ('?', "10.1"),
            ('?', "10.0.0.01"),
            ('?', "0x0a000001"),
            ('?', "167772161"),
            ('?', "10.0.0.0/8"),
            ('?', "10.0.0.1:80"),
            ('?', "[2001:db8::1]"),
            ('?', "fe80::1%eth0"),
            ('?', "10.0.0.1 "),
            ('?', "localhost"),
            ('?', ""),
        ],
    );
    for (text, expected) in [
        ("10.1.2.3/8", BadTest::HostBits("10.1.2.3/8".into())),
        ("2001:db8::1/32", BadTest::HostBits("2001:db8::1/32".into())),
        ("10.0.0.0/33", BadTest::BadNetwork("10.0.0.0/33".into())),
        ("10.0.0.0/08", BadTest::BadNetwork("10.0.0.0/08".into())),
        ("10.0.0.0/", BadTest::BadNetwork("10.0.0.0/".into())),
        ("10.0.0.0/+8", BadTest::BadNetwork("10.0.0.0/+8".into())),
        ("10/8", BadTest::BadNetwork("10/8".into())),
        ("::ffff:0:0/96", BadTest::BadNetwork("::ffff:0:0/96".into())),
        ("host", BadTest::BadNetwork("host".into())),
    ] {
        assert_eq!(Networks::new(&list(&[text])).unwrap_err(), expected);
    }
    let all = Networks::new(&list(&["0.0.0.0/0", "::/0"])).unwrap();
    check_all(&Operator::cidr(all), &[('+', "1.2.3.4"), ('+', "::1"), ('+', "64:ff9b::1")]);
}

#[test]
fn mail_addresses_are_plain() {
    check_all(
        &Operator::email(list(&["example.com", "*.example.org"])).unwrap(),
        &[
            ('+', "alice@example.com"),
            ('+', "Alice.B@EXAMPLE.com"),
            ('+', "a+tag_x-1@example.com"),
            ('+', "o'neil@example.com"),
            ('+', "bounce+a=b@a.example.org"),
            ('-', "alice@example.org"),
            ('-', "alice@evil.com"),
            ('-', "alice@example.com.evil.com"),
            ('-', "alice@notexample.com"),
            ('?', "alice@evil.com@example.com"),
            ('?', "alice@evil.com,bob@example.com"),
            ('?', "bob@example.com,alice@evil.com"),
            ('?', "bob@example.com;alice@evil.com"),
            ('?', "bob@example.com alice@evil.com"),
            ('?', "bob@example.com\nbcc: alice@evil.com"),
            ('?', "bob@example.com\r\n"),
            ('?', "Alice <alice@example.com>"),
            ('?', "<alice@example.com>"),
            ('?', "\"a@evil.com\"@example.com"),
            ('?', "\"a b\"@example.com"),
            ('?', "alice(comment)@example.com"),
            ('?', "alice@(x)example.com"),
            ('?', "alice@[10.0.0.1]"),
            ('?', "alice@10.0.0.1"),
            ('?', "alice%evil.com@example.com"),
            ('?', "evil.com!alice@example.com"),
            ('?', "=?utf-8?q?alice=40evil.com=3e?=@example.com"),
            ('?', ".alice@example.com"),
            ('?', "alice.@example.com"),
            ('?', "a..b@example.com"),
            ('?', "-oQ/tmp@example.com"),
            ('?', "@example.com"),
            ('?', "alice@"),
            ('?', "alice"),
            ('?', ""),
            ('?', "álice@example.com"),
            ('?', "alice@exаmple.com"),
            ('?', "alice@example.com."),
            ('?', "alice@example.com\0"),
            ('?', "mailto:alice@example.com"),
            ('?', "alice@example.com?cc=evil@evil.com"),
        ],
    );
    assert_eq!(
        ask(&Operator::email(list(&["example.com"])).unwrap(), &format!("{}@example.com", "a".repeat(65))),
        '?'
    );
}

#[test]
fn repositories_are_named_plainly() {
    let with_host = RepoTest::new(&list(&["acme/*", "other/tool-*"]), Some("github.com")).unwrap();
    check_all(
        &Operator::repo(with_host),
        &[
            ('+', "acme/site"),
            ('+', "Acme/Site"),
            ('+', "acme/site.git"),
            ('+', "https://github.com/acme/site"),
            ('+', "https://GitHub.com/acme/site.git"),
            ('+', "git@github.com:acme/site.git"),
            ('+', "ssh://git@github.com/acme/site"),
            ('+', "other/tool-1"),
            ('-', "other/secret"),
            ('-', "evil/acme"),
            ('-', "acme2/site"),
            ('-', "https://github.com/evil/site"),
            ('?', "acme"),
            ('?', "acme/"),
            ('?', "/acme/site"),
            ('?', "acme/site/tree"),
            ('?', "acme/../evil/x"),
            ('?', "acme/.."),
            ('?', "./acme"),
            ('?', "acme/%2e%2e"),
            ('?', "acme/site?x"),
            ('?', "acme/site#x"),
            ('?', "acme/site\n"),
            ('?', "acme\\site"),
            ('?', "acme/.git"),
            ('?', "acme/site.git.git"),
            ('?', "-acme/site"),
            ('?', "acme/--upload-pack=x"),
            ('?', "http://github.com/acme/site"),
            ('?', "https://github.com:444/acme/site"),
            ('?', "https://user@github.com/acme/site"),
            ('?', "https://github.com.evil.com/acme/site"),
            ('?', "https://evil.com/acme/site"),
            ('?', "git@evil.com:acme/site"),
            ('?', "git@github.com:/acme/site"),
            ('?', "ssh://evil@github.com/acme/site"),
            ('?', "ext::sh -c id"),
            ('?', "file:///acme/site"),
            ('?', ""),
        ],
    );
    let bare = RepoTest::new(&list(&["acme/site"]), None).unwrap();
    check_all(
        &Operator::repo(bare),
        &[('+', "acme/site"), ('-', "acme/x"), ('?', "https://github.com/acme/site")],
    );
    for bad in ["acme", "acme/", "/x", "a/b/c", "*", "a b/c", "acme/**", "acme/[a]"] {
        assert!(matches!(RepoTest::new(&list(&[bad]), None), Err(BadTest::BadRepository(_))), "{bad}");
    }
}

#[test]
fn command_lines_are_simple() {
    let programs = list(&["git", "ls", "/usr/bin/wc", "./run.sh", "echo"]);
    check_all(
        &Operator::shell(programs).unwrap(),
        &[
            ('+', "ls"),
            ('+', "ls -la /tmp"),
            ('+', "  git status  "),
            ('+', "git commit -m 'it; is | quoted & $fine'"),
            ('+', "git commit -m \"plain words; here | and & there\""),
            ('+', "git log --format=\"%h %s\" --since=2.weeks"),
            ('+', "echo 'a\"b' \"c'd\""),
            ('+', "echo a@b,c:d%e+f=g"),
            ('+', "/usr/bin/wc -l a"),
            ('+', "./run.sh"),
            ('+', "echo 'ü'"),
            ('-', "rm -rf /"),
            ('-', "/bin/ls"),
            ('-', "./ls"),
            ('-', "../ls"),
            ('-', "wc"),
            ('-', "gitk"),
            ('-', "GIT"),
            ('-', "sudo ls"),
            ('?', ""),
            ('?', "   "),
            ('?', "ls; rm x"),
            ('?', "ls && rm x"),
            ('?', "ls || rm x"),
            ('?', "ls | sh"),
            ('?', "ls & rm x"),
            ('?', "ls\nrm x"),
            ('?', "ls\r\nrm x"),
            ('?', "ls > /etc/x"),
            ('?', "ls < x"),
            ('?', "ls 2>&1"),
            ('?', "ls $(id)"),
            ('?', "ls `id`"),
            ('?', "ls $HOME"),
            ('?', "ls \"$HOME\""),
            ('?', "ls \"`id`\""),
            ('?', "ls \"a\\\"b\""),
            ('?', "ls \"!!\""),
            ('?', "ls !!"),
            ('?', "ls *"),
            ('?', "ls ?"),
            ('?', "ls [a]"),
            ('?', "ls {a,b}"),
            ('?', "ls ~"),
            ('?', "ls #x"),
            ('?', "ls \\; rm"),
            ('?', "ls 'open"),
            ('?', "ls \"open"),
            ('?', "ls $'a\\nb'"),
            ('?', "X=1 ls"),
            ('?', "PATH=/evil ls"),
            ('?', "ls=1"),
            ('?', "'ls'"),
            ('?', "\"ls\""),
            ('?', "l's'"),
            ('?', "(ls)"),
            ('?', "{ ls; }"),
            ('?', "ls <(id)"),
            ('?', "ls a\0b"),
            ('?', "ls 'a\nb'"),
            ('?', "ls ^a^b"),
            ('?', "ls =git"),
            ('?', "ls\u{a0}x"),
            ('?', "ls ；rm"),
            ('?', "l\\s"),
        ],
    );
    for bad in ["", "-x", "a b", "a;b", "$x", "X=1", "bin/", "ü"] {
        assert!(matches!(Operator::shell(list(&[bad])), Err(BadTest::BadProgram(_))), "{bad:?}");
    }
    for bad in ["eval", "exec", "source", ".", "command"] {
        assert!(matches!(Operator::shell(list(&[bad])), Err(BadTest::RunsAnything(_))), "{bad:?}");
    }
}
