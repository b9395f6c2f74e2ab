//! A bucket in memory whose store can be away, fail from some call on, and be slow in telling what is there.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures_util::{
    FutureExt as _,
    stream::{BoxStream, StreamExt as _},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};

use crate::Bucket;

#[derive(Debug, Default)]
pub(super) struct Store {
    memory: Arc<InMemory>,
    is_away: AtomicBool,
    /// Calls that read an object.
    pub(super) gets: AtomicUsize,
    /// All calls.
    pub(super) calls: AtomicUsize,
    /// From which call on all fail, counted from 0; none where it is 0 itself.
    crash_at: usize,
    /// The listing of objects that began before something changed, and how many of its keys came before that.
    torn: Mutex<Option<(Arc<InMemory>, usize)>>,
    /// How often others have their turn before each call, call after call.
    turns: Mutex<Vec<u8>>,
}

impl std::fmt::Display for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("store")
    }
}

impl Store {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Another one with the same content.
    pub(super) fn duplicate(&self) -> Arc<Self> {
        Arc::new(Self { memory: Arc::new(self.memory.fork()), ..Self::default() })
    }

    /// Another way to the same content, on which all calls fail from this one on.
    pub(super) fn crash_at(&self, call: usize) -> Arc<Self> {
        Arc::new(Self { memory: Arc::clone(&self.memory), crash_at: call, ..Self::default() })
    }

    /// Another way to the same content, which lets others have their turn.
    pub(super) fn in_turns(&self, turns: &[u8]) -> Arc<Self> {
        Arc::new(Self { memory: Arc::clone(&self.memory), turns: Mutex::new(turns.to_vec()), ..Self::default() })
    }

    /// The next listing of objects gives so many keys of what was there `before`, and of the rest what is there then.
    pub(super) fn tear(&self, before: &Self, count: usize) {
        *self.torn.lock().unwrap() = Some((Arc::clone(&before.memory), count));
    }

    pub(super) fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    pub(super) fn bucket(self: &Arc<Self>) -> Bucket {
        let store: Arc<dyn ObjectStore> = self.clone();
        let path = Path::parse("team/a").unwrap();
        Bucket { store, path, uri: "s3://logs/team/a".into(), explain: ToString::to_string }
    }

    /// Keys, in order.
    pub(super) async fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> =
            self.memory.list(None).map(|object| object.unwrap().location.to_string()).collect().await;
        keys.sort();
        keys
    }

    /// Keys with their length.
    pub(super) async fn sizes(&self) -> Vec<(String, u64)> {
        let object =
            |object: Result<ObjectMeta>| object.map(|object| (object.location.to_string(), object.size)).unwrap();
        self.memory.list(None).map(object).collect().await
    }

    fn check(&self) -> Result<()> {
        let away = || Error::Generic { store: "S3", source: "connection refused".into() };
        let is_over = self.calls.fetch_add(1, Ordering::SeqCst) >= self.crash_at && self.crash_at > 0;
        if is_over || self.is_away.load(Ordering::SeqCst) { Err(away()) } else { Ok(()) }
    }

    async fn take_turns(&self) {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}

/// A listing that lasts: its first keys are of what was there before.
async fn torn(before: &InMemory, now: &InMemory, prefix: Option<&Path>, count: usize) -> Vec<Result<ObjectMeta>> {
    let mut objects: Vec<_> = before.list(prefix).collect().await;
    objects.truncate(count);
    let last = objects.last().map(|object| object.as_ref().unwrap().location.clone());
    let rest = now.list(prefix).filter(|object| {
        let location = object.as_ref().unwrap().location.clone();
        std::future::ready(last.as_ref().is_none_or(|last| location > *last))
    });
    objects.extend(rest.collect::<Vec<_>>().await);
    objects
}

#[async_trait]
impl ObjectStore for Store {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.take_turns().await;
        self.check()?;
        self.memory.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check()?;
        self.memory.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.take_turns().await;
        self.check()?;
        self.gets.fetch_add(1, Ordering::SeqCst);
        self.memory.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        // All at once is what a test can make of it: as far as calls go.
        let locations: Vec<_> = locations.collect::<Vec<_>>().now_or_never().unwrap();
        let is_allowed = locations.into_iter().map(|location| self.check().and(location));
        let (memory, allowed) = (Arc::clone(&self.memory), is_allowed.collect::<Vec<_>>());
        let removed = futures_util::stream::iter(allowed).then(move |location| {
            let memory = Arc::clone(&memory);
            async move {
                let location = location?;
                memory.delete(&location).await.map(|()| location)
            }
        });
        removed.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.check() {
            return futures_util::stream::once(std::future::ready(Err(error))).boxed();
        }
        match self.torn.lock().unwrap().take() {
            Some((before, count)) => {
                let objects = torn(&before, &self.memory, prefix, count).now_or_never().unwrap();
                futures_util::stream::iter(objects).boxed()
            }
            None => self.memory.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check()?;
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}
