//! The admin API, over a real socket and a real port.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says what is wrong by failing"
)]

mod documentation;
mod hostile;
mod stage;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use lockgate_console::{BadListener, Listener, Tokens};
use serde_json::json;
use stage::{ALICE, BOB, Stage, bearer, listen, own_user, request, tokens};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

#[tokio::test]
async fn a_user_of_this_machine_approves_on_the_socket() {
    let stage = Stage::open().await;
    let list = stage.unix(&request("GET /v1/approvals", "", "")).await;
    assert_eq!((list.status, list.json()["approvals"].as_array().unwrap().len()), (200, 2));
    assert_eq!(list.json()["more"], false);
    let me = format!("local:{}", own_user(stage.folder.path()));
    let body = json!({ "approver": me, "reason": "known file", "scope": "session" }).to_string();
    let done = stage.unix(&request("POST /v1/approvals/apr-1/approve", "", &body)).await;
    assert_eq!((done.status, &done.json()["state"]), (200, &json!("approved")));
    let vote = &done.json()["votes"][0];
    assert_eq!((&vote["approver"], &vote["scope"]), (&json!(me), &json!("session")));
    let again = stage.unix(&request("POST /v1/approvals/apr-1/deny", "", "{}")).await;
    assert_eq!((again.status, again.code().as_str()), (409, "already_decided"));
    assert_eq!(stage.told(), format!("{me}: Approve apr-1"));
    let waiting = stage.unix(&request("GET /v1/approvals?all=false", "", "")).await;
    assert_eq!(waiting.json()["approvals"].as_array().unwrap().len(), 1);
    let all = stage.unix(&request("GET /v1/approvals?all=true", "", "")).await;
    assert_eq!(all.json()["approvals"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_people_approve_with_their_tokens() {
    let stage = Stage::open().await;
    let approve = |token| request("POST /v1/approvals/apr-2/approve", &bearer(token), "{}");
    let first = stage.tcp(&approve(ALICE)).await;
    assert_eq!((first.status, &first.json()["state"]), (200, &json!("waiting")));
    // The same person on the other door is still the same person.
    let again = stage.unix(&approve(ALICE)).await;
    assert_eq!((again.status, again.code().as_str()), (409, "already_voted"));
    let second = stage.unix(&approve(BOB)).await;
    assert_eq!((second.status, &second.json()["state"]), (200, &json!("approved")));
    assert_eq!(stage.told(), "alice: Approve apr-2\nbob: Approve apr-2");
}

#[tokio::test]
async fn stops_and_safe_mode() {
    let stage = Stage::open().await;
    let body = r#"{"target":{"server":"x"},"reason":"strange answers"}"#;
    let stopped = stage.tcp(&request("POST /v1/stops", &bearer(BOB), body)).await;
    assert_eq!((stopped.status, &stopped.json()["by"]), (200, &json!("bob")));
    let listed = stage.tcp(&request("GET /v1/stops", &bearer(ALICE), "")).await.json();
    assert_eq!(listed["stops"][0]["target"], json!({ "server": "x" }));
    assert_eq!(listed["safe_mode"], json!(null));
    let resumed = stage.tcp(&request("DELETE /v1/stops", &bearer(ALICE), body)).await;
    assert_eq!(resumed.status, 200);
    let twice = stage.tcp(&request("DELETE /v1/stops", &bearer(ALICE), body)).await;
    assert_eq!((twice.status, twice.code().as_str()), (404, "not_found"));
    for (on, expected) in [(true, json!("alice")), (false, json!(null))] {
        let body = json!({ "on": on, "reason": "drill" }).to_string();
        let mode = stage.tcp(&request("POST /v1/safe-mode", &bearer(ALICE), &body)).await;
        assert_eq!((mode.status, &mode.json()["safe_mode"]["by"]), (200, &expected));
    }
    assert_eq!(
        stage.told(),
        r#"bob: stop Server(ServerName("x"))
alice: resume Server(ServerName("x"))
alice: safe mode On
alice: safe mode Off"#
    );
}

#[tokio::test]
async fn slow_callers_do_not_keep_others_out() {
    let stage = Stage::open().await;
    let begun = Instant::now();
    // As many as may be connected: some say nothing, some stop in the headers, some in the body.
    let body = request("POST /v1/safe-mode", &bearer(ALICE), r#"{"on":true,"reason":"r"}"#);
    let (silent, half, cut) = ("", "GET /v1/stops HTTP/1.1\r\nHost: loc", &body[..body.len() - 1]);
    let mut slow = Vec::new();
    for said in [silent, half, cut, cut].iter().cycle().take(64) {
        let mut stream = stage.connect().await;
        stream.write_all(said.as_bytes()).await.unwrap();
        slow.push((*said, stream));
    }
    let waited = stage.tcp(&request("GET /healthz", &bearer(ALICE), "")).await;
    assert_eq!(waited.status, 200);
    // After what a request may take; that it was not what a connection may, is in what the others are answered below.
    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
    for (said, stream) in slow {
        let heard = listen(stream).await;
        if said == cut {
            assert_eq!((heard.status, heard.code().as_str()), (408, "body_timed_out"));
        } else {
            assert_eq!(heard.body, "", "{heard:?}");
        }
    }
    assert_eq!(stage.told(), "");
}

#[tokio::test]
async fn a_desk_that_hangs_is_not_waited_for() {
    let stage = Stage::open().await;
    let heard = stage.unix(&request("GET /v1/approvals/hangs", "", "")).await;
    assert_eq!((heard.status, heard.code().as_str()), (504, "desk_timed_out"));
}

#[tokio::test]
async fn a_socket_is_for_its_owner_and_leaves_nothing() {
    let stage = Stage::open().await;
    let socket = stage.socket();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(matches!(Listener::unix(&socket, Tokens::none()).await, Err(BadListener::InUse)));
    // What is being answered is answered.
    let mut open = UnixStream::connect(&socket).await.unwrap();
    open.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    tokio::task::yield_now().await;
    let folder = stage.close().await;
    assert!(!socket.exists());
    drop((open.read_u8().await, folder));
}

/// Somebody else's process, on a socket that somebody has opened to all by mistake.
#[tokio::test]
async fn another_user_is_turned_away() {
    const NOBODY: u32 = 65_534;
    let stage = Stage::open().await;
    if own_user(stage.folder.path()) != 0 {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let open = |path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    open(stage.folder.path().to_owned(), 0o755);
    open(stage.socket(), 0o666);
    let ask = "import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
try:
    s.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    print(len(s.recv(9)))
except OSError:
    print(0)";
    for (user, heard) in [(0, "9\n"), (NOBODY, "0\n")] {
        let mut python = tokio::process::Command::new("python3");
        let output = python.arg("-c").arg(ask).arg(stage.socket()).uid(user).output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), heard, "{user} {output:?}");
    }
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let left = std::fs::metadata(&path).unwrap().ino();
    let listener = Listener::unix(&path, Tokens::none()).await.unwrap();
    UnixStream::connect(&path).await.unwrap();
    drop((left, listener));
    // Something else in its place is nobody's to take away.
    std::fs::write(&path, "notes").unwrap();
    assert!(matches!(Listener::unix(&path, Tokens::none()).await, Err(BadListener::NotASocket)));
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(folder.path().join("other.sock"), &path).unwrap();
    assert!(matches!(Listener::unix(&path, Tokens::none()).await, Err(BadListener::NotASocket)));
}

#[tokio::test]
async fn what_a_listener_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(108));
    assert!(matches!(Listener::unix(&long, Tokens::none()).await, Err(BadListener::PathTooLong(109..))));
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Listener::unix(&open.join("a.sock"), Tokens::none()).await;
    assert!(matches!(refused, Err(BadListener::OpenFolder)));
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:127.0.0.1]:0"] {
        let refused = Listener::tcp(address.parse().unwrap(), tokens()).await;
        assert!(matches!(refused, Err(BadListener::NotLoopback)), "{address}");
    }
    let refused = Listener::tcp(([127, 0, 0, 1], 0).into(), Tokens::none()).await;
    assert!(matches!(refused, Err(BadListener::NoTokens)));
}
