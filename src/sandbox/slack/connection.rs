//! TCP connections that can be cut: how a network failure after the effect, and an abrupt end of a socket,
//! look to a client (no answer, no closing frame).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::clock::real_wait;

#[derive(Default)]
struct Cut {
    done: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

/// Ends one connection without another byte.
#[derive(Clone)]
pub(super) struct Cutter(Arc<Cut>);

impl Cutter {
    pub(super) fn cut(&self) {
        self.0.done.store(true, Ordering::Release);
        self.0.reader.wake();
        self.0.writer.wake();
    }
}

/// All connections that are open, so that the end of the sandbox ends them.
#[derive(Clone, Default)]
pub(super) struct OpenConnections(Arc<Mutex<Vec<Weak<Cut>>>>);

impl OpenConnections {
    fn add(&self, cut: &Arc<Cut>) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|one| one.strong_count() > 0);
        open.push(Arc::downgrade(cut));
    }

    pub(super) fn cut_all(&self) {
        let open = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for cut in open.iter().filter_map(Weak::upgrade) {
            Cutter(cut).cut();
        }
    }
}

pub(super) struct CuttableListener {
    pub(super) listener: TcpListener,
    pub(super) open: OpenConnections,
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CuttableStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Without it small answers wait for the peer's delayed acknowledgement.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "no TCP_NODELAY on a sandbox connection");
                    }
                    let cut = Arc::new(Cut::default());
                    self.open.add(&cut);
                    return (CuttableStream { stream, cut }, peer);
                }
                Err(error) => {
                    // Out of file descriptors, mostly: others end, so try again.
                    tracing::warn!(%error, "the sandbox could not accept a connection");
                    real_wait(50).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        Cutter(stream.io().cut.clone())
    }
}

pub(super) struct CuttableStream {
    stream: TcpStream,
    cut: Arc<Cut>,
}

fn reset() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionReset,
        "the sandbox cut this connection",
    )
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.reader.register(cx.waker());
        if self.cut.done.load(Ordering::Acquire) {
            return Poll::Ready(Err(reset()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.writer.register(cx.waker());
        if self.cut.done.load(Ordering::Acquire) {
            return Poll::Ready(Err(reset()));
        }
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
