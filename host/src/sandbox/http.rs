//! `http`: requests to the granted endpoints, as the call's purpose permits them.

use super::{
    bindings::{
        http::{self, Problem, Request},
        types::{self, KeptFile},
    },
    call::Call,
    store::HostState,
    wasi_http::{Way, log_denial},
};
use crate::{
    egress::{self, Asked, Body, Content, Part},
    lane::kept,
};

/// Requests that one call may make, over `wasi:http` too.
pub(super) const REQUESTS: usize = 64;

impl http::Host for HostState {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<http::Response, Problem>> {
        let endpoint = request.endpoint.clone();
        let Outgoing { way: Way { egress, permit, within }, asked } = match self.outgoing(request)? {
            Ok(outgoing) => outgoing,
            Err(problem) => return Ok(Err(self.failed(problem))),
        };
        let answered = egress.send(&permit, &endpoint, asked, within).await;
        self.outlet.note(&permit, &answered);
        match answered {
            Ok(egress::Answer { status, headers, body, .. }) => Ok(Ok(http::Response { status, headers, body })),
            Err(problem) => Ok(Err(self.failed(problem))),
        }
    }

    async fn download(&mut self, request: Request, name: String) -> wasmtime::Result<Result<KeptFile, Problem>> {
        let endpoint = request.endpoint.clone();
        let Outgoing { way: Way { egress, permit, within }, asked } = match self.outgoing(request)? {
            Ok(outgoing) => outgoing,
            Err(problem) => return Ok(Err(self.failed(problem))),
        };
        match egress.download(&permit, &endpoint, asked, &name, within).await {
            Ok(file) => {
                self.outlet.note_download(&file.id);
                Ok(Ok(kept(&file)))
            }
            Err(problem) => Ok(Err(self.failed(problem))),
        }
    }
}

/// A request on its way out.
struct Outgoing {
    way: Way,
    asked: Asked,
}

impl HostState {
    fn outgoing(&mut self, request: Request) -> wasmtime::Result<Result<Outgoing, egress::Problem>> {
        let asked = asked(self.call()?, request);
        let outgoing = self.outlet.request().and_then(|way| Ok(Outgoing { way, asked: asked? }));
        Ok(outgoing.map_err(|reason| egress::Problem::Denied(reason.to_owned())))
    }

    /// What the adapter is told.
    fn failed(&self, problem: egress::Problem) -> Problem {
        log_denial(&self.log, &problem);
        problem.into()
    }
}

/// The request in the host's words, with the files that it names.
fn asked(call: &Call, request: Request) -> Result<Asked, &'static str> {
    let part = |part: http::Part| {
        let content = match part.body {
            types::Content::Bytes(bytes) => Content::Bytes(bytes),
            types::Content::File(id) => {
                let file = call.surroundings.file(&id);
                Content::File(file.ok_or("a part names a file that the host does not keep for this adapter")?)
            }
        };
        Ok(Part { name: part.name, file_name: part.file_name, media_type: part.media_type, content })
    };
    let body = match request.body {
        http::Body::Empty => Body::Empty,
        http::Body::Json(text) => Body::Json(text),
        http::Body::Form(fields) => Body::Form(fields),
        http::Body::Multipart(parts) => {
            Body::Multipart(parts.into_iter().map(part).collect::<Result<_, &'static str>>()?)
        }
        http::Body::Bytes(bytes) => Body::Bytes(bytes),
    };
    Ok(Asked { vars: request.vars, headers: request.headers, body })
}

impl From<egress::Problem> for Problem {
    fn from(problem: egress::Problem) -> Self {
        match problem {
            egress::Problem::Denied(reason) => Self::Denied(reason),
            egress::Problem::TooLarge => Self::TooLarge,
            egress::Problem::TimedOut => Self::TimedOut,
            egress::Problem::Unreachable(reason) | egress::Problem::Broken(reason) => Self::Unreachable(reason),
        }
    }
}
