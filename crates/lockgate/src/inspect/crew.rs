//! Work that is shared among threads and comes back in order.

use std::sync::mpsc::sync_channel;
use std::thread;

/// Does each job, on so many threads, and hands on what came of it in the order of the jobs, until `take` fails. Of each
/// thread no more than one job waits to be done and one to be taken.
pub(super) fn in_order<Job: Send, Done: Send, Error>(
    threads: usize,
    jobs: impl Iterator<Item = Job> + Send,
    work: impl Fn(Job) -> Done + Sync,
    mut take: impl FnMut(Done) -> Result<(), Error>,
) -> Result<(), Error> {
    if threads <= 1 {
        return jobs.map(work).try_for_each(take);
    }
    let work = &work;
    thread::scope(|scope| {
        let (mut hands, mut results) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let (hand, given) = sync_channel(1);
            let (finish, finished) = sync_channel(1);
            scope.spawn(move || {
                for job in given {
                    if finish.send(work(job)).is_err() {
                        break;
                    }
                }
            });
            hands.push(hand);
            results.push(finished);
        }
        // By turns: so whose turn it is says which job comes back next, and who has nothing is behind the last.
        scope.spawn(move || {
            for (job, hand) in jobs.zip(hands.iter().cycle()) {
                if hand.send(job).is_err() {
                    break;
                }
            }
        });
        results.iter().cycle().map_while(|finished| finished.recv().ok()).try_for_each(&mut take)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_comes_in_order() {
        for threads in [1, 2, 3, 8] {
            for jobs in [0_u32, 1, 2, 7, 1000] {
                let mut seen = Vec::new();
                let uneven = |job: u32| (0..(job % 5) * 1000).fold(job, |job, _| std::hint::black_box(job));
                let done: Result<(), ()> = in_order(threads, 0..jobs, uneven, |job| {
                    seen.push(job);
                    Ok(())
                });
                assert_eq!(done, Ok(()));
                assert_eq!(seen, (0..jobs).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn whoever_takes_may_stop_it() {
        for threads in [1, 4] {
            let mut seen = 0;
            let stopped = in_order(
                threads,
                0..,
                |job: u32| job,
                |job| {
                    seen = job;
                    if job == 10 { Err("enough") } else { Ok(()) }
                },
            );
            assert_eq!((stopped, seen), (Err("enough"), 10));
        }
    }
}
