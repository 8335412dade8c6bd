use std::path::Path;

use tokio::task::JoinHandle;

use super::*;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_mins(1);
/// What waits at the end has this long: a busy machine needs longer than a process may take to end.
const FAREWELL: Duration = Duration::from_secs(20);

pub(super) fn message(id: &str) -> Message {
    let text = |text: &str| text.to_owned();
    Message {
        id: text(id),
        name: text("test"),
        severity: 6,
        time: text("2026-07-28T09:30:00.000000Z"),
        subject: text("[info] test"),
        text: text("test (info)"),
        json: format!("{{\"id\":\"{id}\"}}"),
    }
}

struct Running {
    courier: Arc<Courier>,
    close: watch::Sender<bool>,
    task: JoinHandle<(usize, usize)>,
}

/// A courier that brings lines to a file.
fn start(folder: &Path, file: &Path) -> Running {
    let mut courier = Courier::new(Channel::lines(file.to_owned()), folder.join("alerts/file"));
    courier.pace =
        Pace { first: Duration::from_millis(5), longest: Duration::from_millis(20), farewell: FAREWELL };
    let courier = Arc::new(courier);
    let (close, closing) = watch::channel(false);
    let running = Arc::clone(&courier);
    Running { courier, close, task: tokio::spawn(async move { running.run(closing).await }) }
}

impl Running {
    async fn until(&self, is: impl Fn(Carried) -> bool) {
        let waiting = async {
            while !is(self.courier.carried()) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(LONG, waiting).await.unwrap();
    }

    async fn end(self) -> (usize, usize) {
        self.close.send_replace(true);
        timeout(LONG, self.task).await.unwrap().unwrap()
    }
}

fn ids(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let id = |line: &str| line.split('"').nth(3).unwrap().to_owned();
    text.lines().map(id).collect()
}

#[tokio::test]
async fn what_a_channel_does_not_take_waits_for_it_in_order_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("away/alerts.jsonl");
    let running = start(folder.path(), &file);
    for id in ["a", "b"] {
        running.courier.tell(message(id));
    }
    running.until(|carried| carried.failing.is_some() && carried.unkept == 0).await;
    assert_eq!(running.courier.carried().failing, Some(Unsent::Io(std::io::ErrorKind::NotFound)));
    assert_eq!(running.end().await, (2, 0));
    // The next process goes on, also with what another one tells meanwhile.
    let running = start(folder.path(), &file);
    running.courier.tell(message("c"));
    running.until(|carried| carried.failing.is_some() && carried.unkept == 0).await;
    std::fs::create_dir(folder.path().join("away")).unwrap();
    running.until(|carried| carried.taken == 3).await;
    assert_eq!(running.courier.carried().failing, None);
    assert_eq!(ids(&file), ["a", "b", "c"]);
    assert_eq!(running.end().await, (0, 0));
}

#[tokio::test]
async fn a_full_disk_keeps_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    // No folder can be made where a file is.
    std::fs::write(folder.path().join("alerts"), "").unwrap();
    let file = folder.path().join("alerts.jsonl");
    let running = start(folder.path(), &file);
    for id in ["a", "b"] {
        running.courier.tell(message(id));
    }
    running.until(|carried| carried.taken == 2 && carried.unkept == 0).await;
    assert_eq!(ids(&file), ["a", "b"]);
    assert_eq!(running.end().await, (0, 0));
}

/// The process ends while the very first message is on its way: it is told, and once.
#[tokio::test]
async fn what_is_told_at_the_end_is_told_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alerts.jsonl");
        let running = start(folder.path(), &file);
        tokio::task::yield_now().await;
        running.courier.tell(message("a"));
        assert_eq!(running.end().await, (0, 0));
        assert_eq!(ids(&file), ["a"]);
    }
}

#[tokio::test]
async fn two_processes_tell_each_message_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alerts.jsonl");
    let running = [start(folder.path(), &file), start(folder.path(), &file)];
    for number in 0..20 {
        running[number % 2].courier.tell(message(&number.to_string()));
    }
    let taken = || running.iter().map(|running| running.courier.carried().taken).sum::<u64>();
    timeout(LONG, async {
        while taken() < 20 {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .unwrap();
    let mut all: Vec<u32> = ids(&file).iter().map(|id| id.parse().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_does_not_fit_in_memory_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let courier = Courier::new(Channel::lines(folder.path().join("x")), folder.path().join("spool"));
    for number in 0..MOST + 7 {
        courier.tell(message(&number.to_string()));
    }
    assert_eq!(courier.carried(), Carried { dropped: 7, unkept: MOST, ..Carried::default() });
}

/// One message that a receiver never takes does not keep those behind it waiting.
#[tokio::test]
async fn a_message_that_is_refused_lets_others_pass() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut text, mut bytes) = (String::new(), [0; 4096]);
            while !text.ends_with('}') {
                let read = stream.read(&mut bytes).await.unwrap();
                text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
            }
            let status = if text.contains("poison") { 400 } else { 200 };
            let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let channel = Channel::webhook(&format!("http://127.0.0.1:{port}/"), b"0123456789abcdef").unwrap();
    let mut courier = Courier::new(channel, folder.path().join("spool"));
    courier.pace = Pace {
        first: Duration::from_millis(5),
        longest: Duration::from_millis(20),
        farewell: super::FAREWELL,
    };
    let courier = Arc::new(courier);
    for id in ["poison", "next", "last"] {
        courier.tell(message(id));
    }
    let (close, closing) = watch::channel(false);
    let running = Arc::clone(&courier);
    let running = Running { courier, close, task: tokio::spawn(async move { running.run(closing).await }) };
    running.until(|carried| carried.taken == 2).await;
    assert_eq!(running.end().await, (1, 0));
}
