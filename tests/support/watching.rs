//! The bot's HTTP server, as who watches over it asks it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Setup;

/// An address that nobody listens on.
pub fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap()
}

pub fn served_at(at: SocketAddr) -> Setup {
    Setup {
        more_config: format!("[http]\nlisten = \"{at}\"\n"),
        ..Setup::default()
    }
}

/// The status, the head and the body; nobody there is status 0.
pub async fn get(at: SocketAddr, path: &str) -> (u16, String, String) {
    let Ok(mut stream) = TcpStream::connect(at).await else {
        return (0, String::new(), String::new());
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: jitbot\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}
