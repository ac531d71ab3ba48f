//! Many futures, few at a time.

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};

/// Runs all, at most `limit` at once, whichever is free next; results in the order of the futures.
///
/// Boxed, because closures over borrowed items cannot be proven `Send` for all lifetimes by this compiler.
pub async fn bounded<T: Send>(limit: usize, futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let numbered: Vec<BoxFuture<'_, (usize, T)>> = futures
        .into_iter()
        .enumerate()
        .map(|(number, future)| future.map(move |result| (number, result)).boxed())
        .collect();
    let mut done: Vec<(usize, T)> = stream::iter(numbered)
        .buffer_unordered(limit.max(1))
        .collect()
        .await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
