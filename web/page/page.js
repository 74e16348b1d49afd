// The page of stream.py: a tile for each source, made from /health once a second.
"use strict";

const STREAMS = 4; // browsers keep six connections to a host; beyond so many tiles pictures are asked for one by one
const PAUSE = 400; // ms between two of those
const ANSWER = 4000; // ms until an answer counts as missing
const STALE = 5; // s without a new picture until the tile says so
const STUCK = 8000; // ms that a live picture may stand still while the program has newer ones
const REFUSED = 60000; // ms of single pictures after a live one was refused, since too many are watched
const STATES = { up: "live", starting: "starting", frozen: "frozen", lost: "no signal", closed: "outside its hours", over: "ended" };

const at = id => document.getElementById(id);
const tiles = new Map();
let failures = 0, unanswered = 0, answered = Date.now(), crowded = false, connected = false;

// With its day, unless it is of today: a camera may be gone since Saturday.
function clock(ms) {
  const then = new Date(ms), time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const today = then.toDateString() === new Date().toDateString();
  return today ? then.toLocaleTimeString([], time) : then.toLocaleString([], { weekday: "short", day: "numeric", month: "short", ...time });
}

// Only what differs is written, or screen readers would say it each second.
function say(element, words) { if (element.textContent !== words) element.textContent = words; }

class Tile {
  constructor(name) {
    this.name = name;
    this.element = at("tile").content.firstElementChild.cloneNode(true);
    this.find = selector => this.element.querySelector(selector);
    this.take(this.find("img"));
    this.find("h2").textContent = name;
    this.element.setAttribute("aria-label", name);
    this.mode = "off";
    this.visible = false;
  }

  // From now on this element is the picture of the tile.
  take(image) {
    this.image = image;
    image.alt = `Live picture of ${this.name}`;
    image.addEventListener("load", () => image.classList.remove("broken"));
    image.addEventListener("error", () => { if (image === this.image) this.failed(); });
  }

  // Streams, single pictures, or nothing while nobody can see it.
  choose() {
    const seen = this.visible && !document.hidden && connected && this.age !== null && this.source.state !== "over";
    // A browser takes /mjpeg/.. for another folder.
    const single = crowded || Date.now() - this.refused < REFUSED || tiles.size > STREAMS || /^\.+$/.test(this.name);
    const mode = !seen ? "off" : single ? "single" : "stream";
    if (mode === this.mode) return;
    if (this.mode === "stream") this.freeze();
    this.mode = mode;
    this.moved = Date.now();
    clearTimeout(this.timer);
    if (mode !== "off") this.load();
  }

  load() {
    const name = encodeURIComponent(this.name);
    if (this.mode === "stream") { this.moved = Date.now(); this.image.src = `mjpeg/${name}?${Date.now()}`; }
    else this.fetch(`snapshot/${name}.jpg?${Date.now()}`);
  }

  // A single picture comes beside the one that is seen, which stays while there is no other.
  fetch(address) {
    const next = new Image();
    next.addEventListener("load", () => {
      if (this.mode !== "single") return;
      this.image.replaceWith(next);
      this.take(next);
      this.moved = Date.now();
      this.again(PAUSE);
    });
    next.addEventListener("error", () => { if (this.mode === "single") this.again(2000); });
    next.src = address;
  }

  failed() {
    this.image.classList.add("broken");
    if (this.mode !== "stream") return;
    this.refused = Date.now();
    this.choose();
  }

  again(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), pause);
  }

  // The connection is let go of; what was shown last stays, as a picture of its own.
  freeze() {
    if (!this.image.naturalWidth) { this.image.removeAttribute("src"); return; }
    const canvas = document.createElement("canvas");
    canvas.width = this.image.naturalWidth;
    canvas.height = this.image.naturalHeight;
    canvas.getContext("2d").drawImage(this.image, 0, 0);
    this.image.src = canvas.toDataURL("image/jpeg", 0.8);
  }

  // The program was started again without this source.
  leave() {
    this.mode = "off";
    clearTimeout(this.timer);
    watcher.unobserve(this.element);
    this.image.removeAttribute("src");
    this.element.remove();
    tiles.delete(this.name);
  }

  // Nobody tells that a live picture has stopped, so a small copy is compared.
  check() {
    if (this.mode !== "stream") return;
    const print = this.image.naturalWidth ? this.print() : this.printed;
    if (print !== this.printed) { this.printed = print; this.moved = Date.now(); }
    if (Date.now() - this.moved > STUCK && this.age !== null && this.age < STALE) this.load();
  }

  print() {
    this.probe ??= Object.assign(document.createElement("canvas"), { width: 32, height: 18 }).getContext("2d", { willReadFrequently: true });
    this.probe.drawImage(this.image, 0, 0, 32, 18);
    return this.probe.getImageData(0, 0, 32, 18).data.join();
  }

  update(source) {
    this.age = source.age;
    this.last = source.age === null ? null : Date.now() - source.age * 1000;
    this.source = source;
    const why = this.find(".why");
    why.hidden = !source.reason;
    say(why, source.reason);
    for (const cell of this.element.querySelectorAll("[data-number]")) say(cell, String(source[cell.dataset.number]));
    this.choose();
    if (source.state === "over") this.image.removeAttribute("src"); // the program shows its last picture no more either
    this.check();
    this.tell();
  }

  // What stands over the picture, if it is not live.
  tell() {
    const state = connected ? this.source.state : "unknown";
    say(this.find(".state"), STATES[state] ?? state);
    this.find(".state").dataset.state = state;
    let words = "";
    if (!connected) words = this.last === null ? "no picture" : `last picture ${clock(this.last)}`;
    else if (this.last === null) words = state === "starting" || state === "up" ? "waiting for the first picture" : STATES[state] ?? state;
    else if (state === "over") words = "ended";
    else if (state === "closed") words = "outside its hours";
    else if (state === "frozen") words = `picture frozen since ${clock(Date.now() - this.source.since * 1000)}`;
    else if (state === "lost" || this.source.age > STALE) words = `no signal since ${clock(this.last)}`;
    else if (this.mode === "single" && Date.now() - this.moved > STUCK) words = "no new picture";
    say(this.find(".message"), words);
    this.element.classList.toggle("stale", words !== "" && state !== "over");
  }
}

const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const tile = [...tiles.values()].find(each => each.element === entry.target);
    if (tile) { tile.visible = entry.isIntersecting; tile.choose(); }
  }
}, { rootMargin: "100px" });

function lasted(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

function show(health) {
  say(at("status"), health.status);
  at("status").dataset.status = health.status;
  say(at("reason"), health.reason);
  const spared = health.governor && `to keep up: ${health.governor}`;
  say(at("about"), [spared, `running for ${lasted(health.seconds)}`, health.device, health.version].filter(Boolean).join(" \u00b7 "));
  document.title = health.status === "ok" ? "stream.py" : `${health.status} \u2013 stream.py`;
  const names = new Set(health.sources.map(source => source.name));
  for (const tile of [...tiles.values()]) if (!names.has(tile.name)) tile.leave();
  for (const source of health.sources) {
    if (!tiles.has(source.name)) {
      const tile = new Tile(source.name);
      tiles.set(source.name, tile);
      at("tiles").append(tile.element);
      watcher.observe(tile.element);
    }
  }
  at("empty").hidden = tiles.size > 0;
  at("tiles").dataset.count = tiles.size;
  at("tiles").style.setProperty("--columns", Math.min(Math.ceil(Math.sqrt(tiles.size)), 4));
  for (const source of health.sources) tiles.get(source.name).update(source);
}

function lose(error) {
  failures += 1;
  if (error.name === "TimeoutError") unanswered += 1;
  if (failures < 2) return;
  connected = false;
  at("lost").hidden = false;
  say(at("lost"), `Connection lost: no answer since ${clock(answered)}. Trying again.`);
  say(at("status"), "no answer");
  at("status").dataset.status = "failing";
  say(at("reason"), "");
  document.title = "connection lost \u2013 stream.py";
  for (const tile of tiles.values()) { tile.choose(); tile.tell(); }
}

async function ask() {
  try {
    const answer = await fetch("health", { signal: AbortSignal.timeout(ANSWER) });
    const health = await answer.json();
    // Answers came again as soon as the live pictures were let go of: here and in other tabs they held all connections.
    if (failures === 2 && unanswered === 2) crowded = true;
    failures = unanswered = 0;
    answered = Date.now();
    connected = true;
    at("lost").hidden = true;
    show(health);
  } catch (error) {
    console.debug(error);
    lose(error);
  }
  setTimeout(ask, 1000);
}

document.addEventListener("visibilitychange", () => { for (const tile of tiles.values()) tile.choose(); });
ask();
