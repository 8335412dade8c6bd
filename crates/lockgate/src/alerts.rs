//! `lockgate alerts`: whether alerts arrive.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use lockgate_console::Unsent;
use lockgate_model::UnixMillis;
use lockgate_watch::alert::Alert;
use lockgate_watch::{Event, EventName};
use serde_json::json;

use crate::command::Told;
use crate::config::{AlertChannel, Config};
use crate::gateway::{channel, message};
use crate::signing;

/// What is done with alerts.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Send a test alert through every channel, and say which took it. Needs no gateway; exit code 1 where one did not
    Test(Test),
}

/// What is tried.
#[derive(Args)]
pub(crate) struct Test {
    /// The configuration
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    trusted: signing::Trusted,
    /// Only this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

/// Runs a command. Exit code 0, or 1 where a channel does not take an alert.
pub(crate) fn run(command: &Command) -> Result<Told, String> {
    let Command::Test(options) = command;
    let config = Config::load(&options.config, &options.trusted.surroundings())
        .map_err(|errors| errors.to_string())?;
    let alerts = config.alerts.ok_or_else(|| {
        let file = options.config.display();
        format!("{file} has no `alerts`\n  hint: write `alerts: {{ channels: {{ local: {{ file: alerts.jsonl }} }} }}`")
    })?;
    let wanted = |channel: &AlertChannel| options.channel.as_ref().is_none_or(|name| *name == channel.name);
    let chosen: Vec<AlertChannel> =
        alerts.channels.iter().filter(|channel| wanted(channel)).cloned().collect();
    if chosen.is_empty() {
        let known: Vec<_> = alerts.channels.iter().map(|channel| channel.name.as_str()).collect();
        return Err(format!("no such channel\n  hint: there is {}", known.join(", ")));
    }
    let all: Vec<_> = crate::gateway::block_on(send(chosen))?;
    let taken = all.iter().all(|(_, how)| how.is_ok());
    let text = if options.json {
        let one = |(name, how): &(String, Result<(), String>)| json!({ "channel": name, "taken": how.is_ok(), "why": how.as_ref().err() });
        format!("{}\n", json!({ "channels": all.iter().map(one).collect::<Vec<_>>() }))
    } else {
        let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, how): &(String, Result<(), String>)| match how {
            Ok(()) => format!("{name:width$}  taken\n"),
            Err(why) => format!("{name:width$}  NOT taken: {why}\n"),
        };
        all.iter().map(line).collect()
    };
    Ok(Told { text, code: u8::from(!taken) })
}

/// Sends a test alert to each, at the same time.
async fn send(channels: Vec<AlertChannel>) -> Vec<(String, Result<(), String>)> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let alert = Alert {
        id: format!("test-{:x}-{:x}", now, std::process::id()),
        rule: "test".to_owned(),
        at: UnixMillis(now),
        event: Event::new(EventName::Test),
        count: 1,
        swallowed: 0,
        left_out: 0,
        contain: None,
    };
    let message = message(&alert);
    let sending: Vec<_> = channels
        .into_iter()
        .map(|settings| {
            let message = message.clone();
            let name = settings.name.clone();
            let sending = tokio::spawn(async move {
                let sent = channel(&settings)?.send(&message, now / 1000).await;
                sent.map_err(|error: Unsent| error.to_string())
            });
            (name, sending)
        })
        .collect();
    let mut all = Vec::new();
    for (name, sending) in sending {
        all.push((name, sending.await.unwrap_or_else(|_| Err("it could not be tried".to_owned()))));
    }
    all
}
