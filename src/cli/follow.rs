//! Follows a run: its events to the terminal, to lines, and to a file.

use std::fs::File;
use std::future::Future;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;

use super::backend::{EVENT_QUEUE, Events};
use super::console::Console;
use super::context::{Ctx, Invocation};
use super::error::{CliError, ErrorCode};
use crate::domain::run_event::{Event, What};
use crate::render::event::{PlainLog, ndjson};
use crate::render::live::LiveView;
use crate::render::progress::LiveScreen;
use crate::render::table::RECORD_BELOW;

/// The live view is redrawn so often.
const REDRAW: Duration = Duration::from_millis(250);

/// Without a terminal, silence for so long is broken by a line: logs of pipelines are cut off without one.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// What is followed.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The fleet's name.
    pub fleet: String,
    /// The run's.
    pub run: String,
    /// Names of the clusters that may be named.
    pub clusters: Vec<String>,
}

/// Where events go.
enum Form {
    Live(LiveScreen),
    Plain(PlainLog),
}

struct Follower<'a> {
    console: &'a mut Console,
    invocation: &'a Invocation,
    form: Form,
    view: LiveView,
    log: PlainLog,
    file: Option<(BufWriter<File>, String)>,
    /// The file failed: said once, at the end.
    failed: Option<CliError>,
    silent_since: tokio::time::Instant,
}

/// Starts work that sends events and follows it to its end. Cancel safe as the work is.
pub async fn follow<T, F, Fut>(
    ctx: &mut Ctx,
    subject: &Subject,
    events_file: Option<&Path>,
    start: F,
) -> Result<T, CliError>
where
    F: FnOnce(Events) -> Fut,
    Fut: Future<Output = Result<T, CliError>>,
{
    let file = match events_file {
        Some(path) => Some((BufWriter::new(open(path)?), super::files::name(path))),
        None => None,
    };
    let invocation = ctx.invocation.clone();
    let mut follower = Follower::new(&mut ctx.console, &invocation, subject, file);
    let (sender, mut events) = mpsc::channel(EVENT_QUEUE);
    let mut work = pin!(start(sender));
    let mut redraw = tokio::time::interval(REDRAW);
    redraw.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut open = true;
    let result = loop {
        tokio::select! {
            event = events.recv(), if open => match event {
                Some(event) => follower.event(&event),
                None => open = false,
            },
            result = &mut work => break result,
            _ = redraw.tick() => follower.tick(),
        }
    };
    while let Ok(event) = events.try_recv() {
        follower.event(&event);
    }
    follower.end(result)
}

fn open(path: &Path) -> Result<File, CliError> {
    File::create(path).map_err(|error| {
        CliError::new(
            ErrorCode::FileFailed,
            format!("{} cannot be written", super::files::name(path)),
        )
        .because(error.to_string())
    })
}

impl<'a> Follower<'a> {
    fn new(
        console: &'a mut Console,
        invocation: &'a Invocation,
        subject: &Subject,
        file: Option<(BufWriter<File>, String)>,
    ) -> Self {
        let log = PlainLog::new(subject.clusters.iter().map(String::as_str));
        let wide_enough = console
            .err_frame()
            .width
            .is_some_and(|width| width >= RECORD_BELOW);
        // With -v the log shares stderr: rewriting lines would tear both.
        let live = console.is_live() && wide_enough && invocation.globals.verbose == 0;
        let form = if live {
            Form::Live(LiveScreen::stderr())
        } else {
            console.err(&log.heads());
            Form::Plain(log)
        };
        Self {
            console,
            invocation,
            form,
            view: LiveView::new(&subject.fleet, &subject.run),
            log,
            file,
            failed: None,
            silent_since: tokio::time::Instant::now(),
        }
    }

    fn event(&mut self, event: &Event) {
        self.silent_since = tokio::time::Instant::now();
        self.view.apply(event);
        if let Some((file, name)) = &mut self.file {
            let written = file
                .write_all(ndjson(event).as_bytes())
                .and_then(|()| file.flush());
            if let Err(error) = written {
                self.failed = Some(
                    CliError::new(ErrorCode::FileFailed, format!("{name} cannot be written"))
                        .because(error.to_string())
                        .because("the run itself went on; its journal has everything"),
                );
                self.file = None;
            }
        }
        match &self.form {
            Form::Plain(log) => self.console.err(&log.event(event)),
            Form::Live(screen) => {
                if is_remarkable(&event.what) {
                    screen.above(self.log.event(event).trim_end());
                }
            }
        }
    }

    fn tick(&mut self) {
        let now = self.invocation.now();
        match &mut self.form {
            Form::Live(screen) => screen.draw(&self.view.lines(now, &self.console.err_frame())),
            Form::Plain(log) => {
                if self.silent_since.elapsed() >= HEARTBEAT {
                    self.silent_since = tokio::time::Instant::now();
                    let line =
                        log.heartbeat(now, self.view.wave_number(), None, &self.view.words());
                    self.console.err(&line);
                }
            }
        }
    }

    fn end<T>(mut self, result: Result<T, CliError>) -> Result<T, CliError> {
        if let Form::Live(screen) = &mut self.form {
            screen.clear();
        }
        match (result, self.failed) {
            (Ok(value), None) => Ok(value),
            (Ok(value), Some(failed)) => {
                let text = failed.text(None).replacen("error:", "warning:", 1);
                self.console.err(&text);
                Ok(value)
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// Events that stay on the terminal above the live view.
const fn is_remarkable(what: &What) -> bool {
    matches!(
        what,
        What::ReleaseHandedBack { .. }
            | What::ReleaseUndone { .. }
            | What::ReleaseMovedOn { .. }
            | What::ReleaseStuck { .. }
            | What::BudgetSpent { .. }
            | What::WaveDone { .. }
            | What::Fenced { .. }
    )
}
