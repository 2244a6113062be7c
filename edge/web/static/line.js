// The line to the box: server-sent events, watched. A line that is silent is as broken as one that is cut.

// The box sends something every second; the page must say within 3 s that it does not.
const SILENT_MS = 2200;
const LOOK_EVERY_MS = 250;
const RETRY_FIRST_MS = 1000;
const RETRY_LAST_MS = 8000;
const RENEW_MS = 200;

// Calls onState(document), onBeat(nowMs), onBroken(). After onBroken the next onState means: connected again; until
// then it comes once more with each try that failed. onEnded(): the box has ended this session; the line is tried again,
// for it may have been renewed (own password changed). Returns what closes the line for good.
export function openLine({ onState, onBeat, onBroken, onEnded }) {
  let source = null;
  let heardAt = performance.now();
  let retryAt = Infinity;
  let retryMs = RETRY_FIRST_MS;

  function connect() {
    source?.close();
    retryAt = Infinity;
    heardAt = performance.now();
    source = new EventSource("/events");
    source.addEventListener("state", (event) => {
      heard();
      onState(JSON.parse(event.data));
    });
    source.addEventListener("beat", (event) => {
      heard();
      onBeat(JSON.parse(event.data).now_ms);
    });
    source.addEventListener("ended", () => {
      source.close();
      retryAt = performance.now() + RENEW_MS;
      onEnded();
    });
    source.addEventListener("error", lost);
  }

  function heard() {
    heardAt = performance.now();
    retryMs = RETRY_FIRST_MS;
  }

  // Our own retry instead of the browser's: that one gives up for ever at an answer like 503.
  function lost() {
    source.close();
    if (retryAt !== Infinity) return;
    onBroken();
    retryAt = performance.now() + retryMs * (0.5 + Math.random() / 2); // jitter: many phones, one box
    retryMs = Math.min(retryMs * 2, RETRY_LAST_MS);
  }

  function look() {
    const now = performance.now();
    if (now >= retryAt) connect();
    else if (retryAt === Infinity && now - heardAt > SILENT_MS) lost();
  }

  connect();
  const timer = setInterval(look, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", look); // a phone taken out of the pocket: timers slept
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
    source.close();
  };
}
