//! Requests that one predictor gets at once, as `KServe`'s batcher gathers them: up to a number of instances, or until the
//! first has waited so long. Each gets what is predicted for it.

mod gathering;
pub(crate) mod instances;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use provost_domain::{ErrorCode, routing_table::Batching};
use provost_inference::Predict;
use tokio::sync::oneshot;

use self::gathering::{Gathering, Joined};
use crate::{
    error::RequestError,
    native,
    node_server::{Form, Nodes, Question, Reply, Server},
    service::JSON,
};

/// Requests of one kind that are gathered, over all serving threads.
#[derive(Debug)]
pub(crate) struct Batcher<T, R> {
    wait: Duration,
    gathering: Mutex<Gathering<Member<T, R>>>,
}

/// Rows of numbers for a model of this process.
pub(crate) type OfRows = Batcher<Vec<f64>, Vec<f64>>;
/// Instances as they are written, for a program.
pub(crate) type OfInstances = Batcher<Bytes, Reply>;

/// A request that waits.
#[derive(Debug)]
struct Member<T, R> {
    item: T,
    rows: usize,
    answer: oneshot::Sender<Result<Share<R>, RequestError>>,
}

/// What a request gets of what its batch got.
#[derive(Debug)]
pub(crate) struct Share<R> {
    /// Its own part.
    pub(crate) of: R,
    /// The batch's id.
    pub(crate) batch: Arc<str>,
}

/// What a batch got, for each of its requests.
type Shares<R> = Result<Vec<R>, RequestError>;

impl<T: 'static, R: 'static> Batcher<T, R> {
    pub(crate) fn new(batching: Batching) -> Arc<Self> {
        let most = usize::try_from(batching.most).unwrap_or(usize::MAX);
        let wait = Duration::from_millis(batching.wait);
        Arc::new(Self { wait, gathering: Mutex::new(Gathering::new(most)) })
    }

    /// Has a request of so many rows answered with others. `ask` is how, for a batch that is sent from here, under this id;
    /// it gets the items with their rows, and gives as many shares.
    async fn submit<A, F>(
        self: &Arc<Self>,
        (item, rows): (T, usize),
        batch: String,
        ask: A,
    ) -> Result<Share<R>, RequestError>
    where
        A: Fn(Vec<(T, usize)>, Arc<str>) -> F + Clone + 'static,
        F: Future<Output = Shares<R>> + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let Joined { full, opened } = self.gathering().join(Member { item, rows, answer }, rows);
        let batch: Arc<str> = batch.into();
        // A caller that goes away leaves the others their answers.
        for members in full {
            tokio::task::spawn_local(send(members, Arc::clone(&batch), ask.clone()));
        }
        if let Some(number) = opened {
            let batcher = Arc::clone(self);
            tokio::task::spawn_local(async move {
                tokio::time::sleep(batcher.wait).await;
                let closed = batcher.gathering().close(number);
                if let Some(members) = closed {
                    send(members, batch, ask).await;
                }
            });
        }
        let given_up = || RequestError::new(ErrorCode::Unavailable, "the server stops: try again");
        answered.await.unwrap_or_else(|_| Err(given_up()))
    }

    fn gathering(&self) -> std::sync::MutexGuard<'_, Gathering<Member<T, R>>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send<T, R, F>(members: Vec<Member<T, R>>, batch: Arc<str>, ask: impl Fn(Vec<(T, usize)>, Arc<str>) -> F)
where
    F: Future<Output = Shares<R>>,
{
    let (mut items, mut answers) = (Vec::new(), Vec::new());
    for Member { item, rows, answer } in members {
        items.push((item, rows));
        answers.push(answer);
    }
    match ask(items, Arc::clone(&batch)).await {
        Ok(shares) => {
            for (answer, of) in answers.into_iter().zip(shares) {
                // Who asked may have gone.
                let _gone = answer.send(Ok(Share { of, batch: Arc::clone(&batch) }));
            }
        }
        Err(error) => {
            for answer in answers {
                let _gone = answer.send(Err(error.clone()));
            }
        }
    }
}

/// Predicts rows with others that come about now; the outputs are those of these rows.
pub(crate) async fn predict(
    batcher: &Arc<OfRows>,
    (model, row_cost): (Arc<dyn Predict>, Duration),
    (rows, columns, inputs): (usize, usize, Vec<f64>),
    batch: String,
) -> Result<Share<Vec<f64>>, RequestError> {
    let ask = move |items: Vec<(Vec<f64>, usize)>, _batch| {
        let model = Arc::clone(&model);
        async move {
            let total = items.iter().map(|(_, rows)| rows).sum();
            let inputs: Vec<f64> = items.iter().flat_map(|(inputs, _)| inputs).copied().collect();
            let outputs = predict_all(model, row_cost, (total, columns, inputs)).await?;
            let width = outputs.len() / total.max(1);
            let mut rest = &outputs[..];
            let take = |(_, rows): &(Vec<f64>, usize)| {
                let (own, others) = rest.split_at(rest.len().min(rows * width));
                rest = others;
                own.to_vec()
            };
            Ok(items.iter().map(take).collect())
        }
    };
    batcher.submit((inputs, rows), batch, ask).await
}

async fn predict_all(
    model: Arc<dyn Predict>,
    row_cost: Duration,
    (rows, columns, inputs): (usize, usize, Vec<f64>),
) -> Result<Vec<f64>, RequestError> {
    let work = move || {
        let mut outputs = Vec::new();
        native::predict(&*model, (rows, columns), &inputs, &mut outputs).map(|()| outputs)
    };
    if native::is_short(row_cost, rows) {
        return work();
    }
    tokio::task::spawn_blocking(work).await.map_err(|_| native::failed())?
}

/// Asks a program with others that come about now; `None` where a request says more than its instances, and so is asked
/// alone. A refusal is that of all.
pub(crate) async fn ask(
    batcher: &Arc<OfInstances>,
    (nodes, server, uri): (&Nodes, &Arc<Server>, &Uri),
    body: &Bytes,
    batch: String,
) -> Option<Result<Reply, RequestError>> {
    let (instances, rows) = instances::of_body(body)?;
    let (nodes, server, uri) = (nodes.clone(), Arc::clone(server), uri.clone());
    let ask = move |items: Vec<(Bytes, usize)>, batch: Arc<str>| {
        let (nodes, server, uri) = (nodes.clone(), Arc::clone(&server), uri.clone());
        async move { ask_all((nodes, server, uri), items, &batch).await }
    };
    Some(batcher.submit((instances, rows), batch, ask).await.map(|share| share.of))
}

/// Nothing of any caller's headers goes on: the request is of all of them.
async fn ask_all(
    (nodes, server, uri): (Nodes, Arc<Server>, Uri),
    items: Vec<(Bytes, usize)>,
    batch: &str,
) -> Shares<Reply> {
    let body = instances::together(items.iter().map(|(instances, _)| instances)).into();
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, JSON)]);
    let (request_id, headers, form) = (Some(batch), &headers, Form::Rest);
    let reply = nodes.ask(&server, Question { method: Method::POST, uri, headers, request_id, body, form }).await?;
    if !reply.status.is_success() {
        return Ok(vec![reply; items.len()]);
    }
    let told = instances::predictions(&reply.body).unwrap_or_default();
    let total: usize = items.iter().map(|(_, rows)| rows).sum();
    if told.len() != total {
        let (called, told) = (server.called(), told.len());
        let info = format!("{called} answered {told} `predictions` to a batch of {total} instances");
        return Err(RequestError::new(ErrorCode::Internal, info));
    }
    let mut rest = &told[..];
    let share = |(_, rows): &(Bytes, usize)| {
        let (own, others) = rest.split_at(*rows);
        rest = others;
        Reply::json(instances::answer(batch, own))
    };
    Ok(items.iter().map(share).collect())
}

/// Has an answer of V1 tell its batch, as `KServe`'s batcher does.
pub(crate) fn tell(batch: &str, body: &mut Vec<u8>) {
    body.splice(..1, instances::head(batch).into_bytes());
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    type Doubles = Batcher<usize, usize>;

    /// What was asked at once.
    type Seen = Rc<RefCell<Vec<Vec<usize>>>>;

    async fn submit(batcher: &Arc<Doubles>, item: usize, seen: &Seen) -> Result<(usize, String), RequestError> {
        let seen = Rc::clone(seen);
        let ask = move |items: Vec<(usize, usize)>, _batch: Arc<str>| {
            let items: Vec<usize> = items.into_iter().map(|(item, _)| item).collect();
            seen.borrow_mut().push(items.clone());
            async move {
                if items.contains(&13) {
                    return Err(RequestError::new(ErrorCode::BadRequest, "thirteen"));
                }
                Ok(items.iter().map(|item| 2 * item).collect())
            }
        };
        let share = batcher.submit((item, 1), format!("batch-{item}"), ask).await?;
        Ok((share.of, share.batch.to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn each_gets_its_own_of_what_all_got() {
        let batcher = Doubles::new(Batching { most: 3, wait: 1000 });
        let seen = Seen::default();
        let local = tokio::task::LocalSet::new();
        let asked = local.run_until(async {
            tokio::join!(
                submit(&batcher, 1, &seen),
                submit(&batcher, 2, &seen),
                submit(&batcher, 3, &seen),
                submit(&batcher, 4, &seen)
            )
        });
        let (one, two, three, four) = asked.await;
        let of = |result: Result<(usize, String), RequestError>| result.unwrap();
        assert_eq!(of(one), (2, "batch-3".to_owned()));
        assert_eq!((of(two).0, of(three).0), (4, 6));
        // It waited alone until its time was up.
        assert_eq!(of(four), (8, "batch-4".to_owned()));
        assert_eq!(*seen.borrow(), [vec![1, 2, 3], vec![4]]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_reaches_all_and_a_caller_that_goes_takes_nothing_with_it() {
        let batcher = Doubles::new(Batching { most: 8, wait: 1000 });
        let seen = Seen::default();
        let local = tokio::task::LocalSet::new();
        let both = local.run_until(async { tokio::join!(submit(&batcher, 1, &seen), submit(&batcher, 13, &seen)) });
        let (one, two) = both.await;
        assert_eq!((one.unwrap_err().info, two.unwrap_err().info), ("thirteen".to_owned(), "thirteen".to_owned()));
        let stays = local.run_until(async {
            let gone = tokio::time::timeout(Duration::from_millis(10), submit(&batcher, 5, &seen));
            let (gone, stays) = tokio::join!(gone, submit(&batcher, 6, &seen));
            assert!(gone.is_err());
            stays
        });
        assert_eq!(stays.await.unwrap().0, 12);
        assert_eq!(seen.borrow().last(), Some(&vec![5, 6]));
    }
}
