mod native;
mod oracle;
