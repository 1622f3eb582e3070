//! A channel server with a fault on demand, for the tests of the benchmark's account:
//! `fake_channel PORT none|drop|double|refuse|busy|undeclared`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The fault shows at each event whose number in order of arrival is a multiple of this.
const EACH: usize = 100;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().context("no port")?.parse()?;
    let fault: &'static str = arguments.next().context("no fault")?.leak();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream, fault));
        }
    });
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let experimental = if fault == "undeclared" { json!({}) } else { json!({"claude/channel": {}}) };
        let answer = match request["method"].as_str() {
            Some("initialize") => {
                json!({"result": {"capabilities": {"tools": {}, "experimental": experimental}}})
            }
            Some("tools/list") => json!({"result": {"tools": []}}),
            Some("notifications/initialized") => continue,
            _ => json!({"error": {"code": -32601, "message": "Method not found"}}),
        };
        let mut answer = answer;
        answer["id"] = request["id"].clone();
        write_line(&answer)?;
    }
    Ok(())
}

fn serve(stream: &TcpStream, fault: &str) -> Result<()> {
    static EVENTS: AtomicUsize = AtomicUsize::new(0);
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            anyhow::ensure!(reader.read_line(&mut line)? > 0, "closed");
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let faulty = (EVENTS.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(EACH);
        let (times, status) = match fault {
            "drop" if faulty => (0, 200),
            "double" if faulty => (2, 200),
            "refuse" if faulty => (0, 401),
            "busy" if faulty => (0, 503),
            _ => (1, 200),
        };
        let event = json!({
            "method": "notifications/claude/channel",
            "params": {"content": String::from_utf8(body)?, "meta": {}},
        });
        for _ in 0..times {
            write_line(&event)?;
        }
        let mut stream = stream;
        stream.write_all(format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n").as_bytes())?;
    }
}

fn write_line(message: &Value) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{message}\n").as_bytes())?;
    Ok(stdout.flush()?)
}
