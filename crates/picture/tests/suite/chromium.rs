//! A browser, driven by the DevTools protocol over two pipes
//! (<https://chromedevtools.github.io/devtools-protocol/>): JSON messages, each ended by a zero
//! byte.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A page in a browser of its own.
pub(crate) struct Browser {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// Of the page.
    session: Option<String>,
    /// Whether pages run theirs.
    scripts: bool,
    number: u64,
    /// What the page said unasked.
    events: VecDeque<Value>,
    _profile: TempDir,
}

/// Names of the program, the Debian one first.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

fn program() -> Option<&'static str> {
    let paths = std::env::var_os("PATH")?;
    let there =
        |program: &&str| std::env::split_paths(&paths).any(|dir| dir.join(program).is_file());
    PROGRAMS.into_iter().find(there)
}

impl Browser {
    /// Starts one. `None` where there is none, which is said; a failure where `CI` is set.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            let text = "chromium is not installed: NOT CHECKED how pages look in a browser";
            assert!(std::env::var_os("CI").is_none(), "{text}");
            eprintln!("{text}");
            return None;
        };
        let profile = TempDir::new().unwrap();
        // The pipe's ends are file descriptors 3 and 4.
        let mut process = Command::new("sh")
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
                "sh",
            ])
            .args([
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (
            process.stdin.take().unwrap(),
            process.stdout.take().unwrap(),
        );
        let mut browser = Self {
            process,
            to,
            from: BufReader::new(from),
            session: None,
            scripts: true,
            number: 0,
            events: VecDeque::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.ask("Target.attachToTarget", attach);
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn next(&mut self) -> Value {
        let mut message = Vec::new();
        self.from.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "the browser has gone");
        serde_json::from_slice(&message).unwrap()
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut command = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut text = serde_json::to_vec(&command).unwrap();
        text.push(0);
        self.to.write_all(&text).unwrap();
        self.to.flush().unwrap();
        loop {
            let message = self.next();
            if message["id"] == self.number {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    /// Waits for an event of the page.
    fn wait(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.next();
            self.events.push_back(message);
        }
    }

    /// How the page is seen from here on: width in pixels, and whether the reader wants it dark.
    pub(crate) fn look(&mut self, width: u32, dark: bool) {
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}),
        );
        let scheme = if dark { "dark" } else { "light" };
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// Opens a file and waits until it has loaded.
    pub(crate) fn open(&mut self, path: &Path) {
        self.events.clear();
        let url = format!("file://{}", path.display());
        let answer = self.ask("Page.navigate", json!({"url": url}));
        assert!(answer.get("errorText").is_none(), "{answer}");
        self.wait("Page.loadEventFired");
        if self.scripts {
            self.settle();
        }
    }

    /// Lets no script of a page run.
    pub(crate) fn forbid_scripts(&mut self) {
        self.ask(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": true}),
        );
        self.scripts = false;
    }

    /// Waits until what has been asked of the page is painted.
    pub(crate) fn settle(&mut self) {
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }

    /// The value of an expression in the page; of a promise, what it comes to.
    pub(crate) fn run(&mut self, expression: &str) -> Value {
        let answer = self.ask(
            "Runtime.evaluate",
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        );
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Clicks with the mouse at the middle of an element.
    pub(crate) fn click(&mut self, selector: &str) {
        let selector = json!(selector);
        let at = self.run(&format!(
            "(() => {{ const e = document.querySelector({selector}); e.scrollIntoView({{block: 'center', inline: 'center'}}); \
             const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            self.ask(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}),
            );
        }
        self.settle();
    }

    /// What went wrong in the page, and what it loaded beside itself.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // Whatever is still under way comes before the answer.
        self.run("1");
        let events = self.events.iter();
        let complaints = events.filter_map(|event| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" | "Log.entryAdded" => Some(parameters.to_string()),
                "Runtime.consoleAPICalled" if parameters["type"] != "log" => {
                    Some(parameters.to_string())
                }
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str()?;
                    (!url.starts_with("file://")).then(|| format!("loads {url}"))
                }
                _ => None,
            }
        });
        complaints.collect()
    }

    /// The whole page as a PNG. Kept where `VPCSIM_SCREENSHOTS` names a directory.
    pub(crate) fn screenshot(&mut self, name: &str) -> Vec<u8> {
        let answer = self.ask(
            "Page.captureScreenshot",
            json!({"captureBeyondViewport": true}),
        );
        let text = answer["data"].as_str().unwrap();
        let picture = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text);
        let picture = picture.unwrap();
        if let Some(directory) = std::env::var_os("VPCSIM_SCREENSHOTS") {
            let path = Path::new(&directory).join(format!("{name}.png"));
            std::fs::write(path, &picture).unwrap();
        }
        picture
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of the pipe ends the browser; whoever hangs is ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let mut rest = Vec::new();
        let _ = self.from.read_to_end(&mut rest);
    }
}
