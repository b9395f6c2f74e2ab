//! The way of feedback through a graph (Seldon Core 1.9, `executor/predictor/predictor_process.go`): to the children that
//! answered the request, then to the node itself.

use std::{cell::RefCell, pin::Pin, time::Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use provost_domain::ErrorCode;
use serde_json::{Map, Value};

use super::{
    Learner, Node, Runs, Step,
    walk::{ALL, NONE, Stopped, Walk, child},
};
use crate::{
    error::RequestError,
    feedback::takes_feedback,
    node_server::{Reply, Server},
};

/// A feedback, as nodes are told of it.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    /// As it came.
    pub(crate) body: &'a Bytes,
    /// The child that was chosen, by router.
    pub(crate) routing: &'a Map<String, Value>,
    pub(crate) reward: f64,
    /// Number of instances.
    pub(crate) rows: usize,
    /// Routers that could not learn, since nothing tells which of their children answered.
    pub(crate) untaught: RefCell<Vec<String>>,
}

impl Walk<'_> {
    /// Tells the part of the graph from `node` on, and gives what the node itself answers, if it is told.
    pub(crate) fn tell<'b>(
        &'b self,
        node: &'b Node,
        told: &'b Told<'b>,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Reply>, Stopped>> + 'b>> {
        Box::pin(async move {
            let chosen = self.chosen(node, told)?;
            let children = match chosen {
                NONE => Vec::new(),
                ALL => node.children.iter().collect(),
                chosen => vec![child(node, chosen).map_err(|error| bad(error.info))?],
            };
            let answers = join_all(children.into_iter().map(|child| self.tell(child, told))).await;
            answers.into_iter().collect::<Result<Vec<_>, _>>()?;
            match (&node.feedback, &node.runs) {
                (Some(step), Runs::Learns(_, learner)) => {
                    self.teach((node, learner, step), chosen, told)?;
                    Ok(None)
                }
                (Some(step), Runs::Server(server)) => self.tell_server((server, step), told).await,
                _ => Ok(None),
            }
        })
    }

    /// The child of a node that answered the request, by its number; all where nothing is said.
    fn chosen(&self, node: &Node, told: &Told<'_>) -> Result<i64, RequestError> {
        if let Some(chosen) = told.routing.get(&node.name) {
            let whole = chosen.as_i64();
            return whole.ok_or_else(|| bad(format!("`response.meta.routing.{}` must be a child's number", node.name)));
        }
        let remembered = match &node.runs {
            Runs::Learns(_, learner) => learner.chosen(self.request_id()),
            _ => None,
        };
        Ok(remembered.and_then(|child| i64::try_from(child).ok()).unwrap_or(ALL))
    }

    /// Has a router learn of the child that it chose.
    fn teach(
        &self,
        (node, learner, step): (&Node, &Learner, &Step),
        chosen: i64,
        told: &Told<'_>,
    ) -> Result<(), RequestError> {
        let Told { reward, rows, .. } = *told;
        if !(0.0..=1.0).contains(&reward) {
            let name = &node.name;
            return Err(bad(format!("router `{name}` learns of rewards from 0 to 1, and `reward` is {reward}")));
        }
        match usize::try_from(chosen) {
            Ok(child) => {
                learner.learn(child, reward, rows);
                self.count_lesson(step, child, reward, rows);
            }
            Err(_) => told.untaught.borrow_mut().push(node.name.clone()),
        }
        Ok(())
    }

    /// Tells a program; `None` where it takes no feedback.
    async fn tell_server(&self, (server, step): (&Server, &Step), told: &Told<'_>) -> Result<Option<Reply>, Stopped> {
        let started = Instant::now();
        let Some(uri) = step.uri.clone() else { return Ok(None) };
        let reply = self.nodes().ask(server, self.question(uri, told.body.to_vec())).await;
        let status = reply.as_ref().map_or_else(|error| error.code.http_status(), |reply| reply.status.as_u16());
        self.count(step, status, started.elapsed());
        let reply = reply?;
        match reply.status.is_success() {
            true => Ok(Some(reply)),
            false if takes_feedback(&reply) => Err(Stopped::Refused(Box::new(reply))),
            false => Ok(None),
        }
    }
}

fn bad(info: String) -> RequestError {
    RequestError::new(ErrorCode::BadRequest, info)
}
