// Reviewing a night: what is looked at, what is chosen, what is sent. Text stays text throughout.

import { Pyramid, TIME_STEPS, columns, drawColumns, drawPoints } from "./signal_drawing.js";

const COUNTS_PER_G = 2048;
const SHORTEST_S = 1;
const LEFT = 72;
const EDGE_PX = 6;

const element = (id) => document.getElementById(id);
const signals = element("signals");
const whole = element("whole");

let night = null; // its state, as the server tells it
let legs = []; // for each leg: clock, channels x y z and strength as arrays and pyramids
let view = { from: 0, to: 1 };
let span = { from: 0, to: 1 };
let movementByName = new Map(); // each movement of a single leg, with its side
let itemByName = new Map(); // the scored movement that each became part of
let chosen = []; // names of the movements of single legs that are chosen
let gain = 1;
let dragging = null;
let marked = null; // a stretch marked to be added: leg, from, to
let lanes = [];
let colors = {};
let drawAsked = false;

// Talking to the server.

async function ask(path, body) {
  const options =
    body === undefined
      ? {}
      : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("the server does not answer; nothing was saved since the last edit listed below");
  }
  if (!answer.ok) {
    let sentence = `the server answered ${answer.status}`;
    try {
      sentence = (await answer.json()).error;
    } catch {
      // Without a sentence of its own the status has to do.
    }
    throw new Error(sentence);
  }
  return answer;
}

function tell(trouble) {
  element("trouble").hidden = !trouble;
  element("trouble").textContent = trouble ?? "";
}

async function attempt(act) {
  try {
    const result = await act();
    tell(null);
    return result;
  } catch (error) {
    tell(error.message);
    return null;
  }
}

const nightPath = () => `nights/${encodeURIComponent(element("night").value)}`;

async function openNight(from, to) {
  document.body.dataset.ready = "no";
  await attempt(async () => {
    const state = await (await ask(`${nightPath()}/state`)).json();
    legs = await Promise.all(state.legs.map(readLeg));
    take(state);
    span = wholeSpan();
    element("side").replaceChildren(...state.legs.map((leg) => new Option(leg.side)));
    chosen = [];
    show(from ?? span.from, to ?? span.to);
    document.body.dataset.ready = "yes";
  });
}

async function readLeg(leg, number) {
  if (leg.clock === null) return null;
  const [samples, strength] = await Promise.all(
    ["samples", "strength"].map(async (what) => {
      const answer = await ask(`${nightPath()}/${what}/${number}`);
      return new Int16Array(await answer.arrayBuffer());
    }),
  );
  const axes = [0, 1, 2].map((axis) => {
    const values = new Int16Array(strength.length);
    for (let i = 0; i < values.length; i++) values[i] = samples[3 * i + axis];
    return { values, pyramid: new Pyramid(values) };
  });
  return { clock: leg.clock, axes, strength: { values: strength, pyramid: new Pyramid(strength) } };
}

function wholeSpan() {
  const ends = [];
  for (const leg of legs) {
    if (leg) ends.push(leg.clock[0], leg.clock[0] + leg.clock[1] * leg.clock[2]);
  }
  for (const [from, to] of night.analysable) ends.push(from, to);
  for (const item of night.items) ends.push(item.onset_s, item.onset_s + item.duration_s);
  const from = ends.length ? Math.min(...ends) : 0;
  return { from, to: Math.max(from + 10, ...ends) };
}

function take(state) {
  night = state;
  element("title").textContent = state.title;
  document.title = `${state.title} – rlsmove view`;
  element("simulated").hidden = !state.simulated;
  movementByName = new Map();
  for (const leg of state.legs) {
    for (const movement of leg.movements) movementByName.set(movement.name, { ...movement, side: leg.side });
  }
  itemByName = new Map();
  for (const item of state.items) for (const name of item.members) itemByName.set(name, item);
  chosen = chosen.filter((name) => movementByName.has(name));
  showIndices();
  showEdits();
  showChosen();
  draw();
}

async function send(edit) {
  await attempt(async () => {
    const fields = { who: element("who").value.trim(), why: element("why").value.trim(), ...edit };
    sessionStorage.setItem("who", fields.who);
    const state = await (await ask(`${nightPath()}/edits`, fields)).json();
    const before = new Set(night.edits.map((one) => one.edit));
    take(state);
    const mine = state.edits.filter((one) => !before.has(one.edit)).at(-1);
    if (edit.action === "add" && mine) {
      choose([`${edit.side}+${mine.edit}`]);
      marked = null;
    }
  });
}

// Edits that another tab makes show here as well.
async function keepUp() {
  if (night && !document.hidden) {
    try {
      const { version } = await (await ask(`${nightPath()}/version`)).json();
      if (version !== night.version) take(await (await ask(`${nightPath()}/state`)).json());
      if (element("trouble").textContent.startsWith("the server does not answer")) tell(null);
    } catch (error) {
      tell(error.message);
    }
  }
  setTimeout(keepUp, 2000);
}

// Words beside the picture.

const rounded = (value, decimals = 1) => (value === null ? "–" : value.toFixed(decimals));

function clock(timeS, decimals = 0) {
  const parts = night.start_time.match(/T(\d\d):(\d\d):(\d\d(?:\.\d+)?)/);
  const at = 3600 * +parts[1] + 60 * +parts[2] + +parts[3] + timeS;
  const scale = 10 ** decimals;
  const ticks = Math.round(at * scale);
  const day = 86400 * scale;
  const inDay = (((ticks % day) + day) % day) / scale;
  const hours = String(Math.floor(inDay / 3600)).padStart(2, "0");
  const minutes = String(Math.floor((inDay % 3600) / 60)).padStart(2, "0");
  const seconds = (inDay % 60).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0");
  return `${hours}:${minutes}:${seconds}`;
}

function showIndices() {
  const now = night.indices;
  const then = night.as_detected;
  const reviewed = night.edits.some((edit) => edit.in_effect);
  const shown = [
    ["PLMS per hour of sleep", "plms_per_hour", 1],
    ["PLM", "plm_count", 0],
    ["LM per hour in bed", "lm_per_hour_tib", 1],
    ["LM", "lm_count", 0],
    ["series", "series_count", 0],
    ["hours of sleep", "sleep_hours", 2],
  ];
  element("indices").replaceChildren(
    ...shown.map(([name, key, decimals]) => {
      const part = document.createElement("span");
      const value = document.createElement("b");
      value.id = key;
      value.textContent = rounded(now[key], decimals);
      part.append(value, ` ${name}`);
      if (reviewed && now[key] !== then[key]) {
        const before = document.createElement("small");
        before.textContent = ` (${rounded(then[key], decimals)} as detected)`;
        part.append(before);
      }
      return part;
    }),
  );
}

function showEdits() {
  element("no-edits").hidden = night.edits.length > 0;
  element("edits").replaceChildren(
    ...[...night.edits].reverse().map((edit) => {
      const line = document.createElement("li");
      const what = document.createElement("span");
      const about = edit.movements.join(", ");
      what.textContent = `${edit.at.slice(0, 19).replace("T", " ")} ${edit.who}: ${edit.action} ${about}`;
      if (!edit.in_effect && edit.action !== "undo") what.className = "undone";
      const why = document.createElement("span");
      why.className = "why";
      why.textContent = edit.why ? ` – ${edit.why}` : "";
      line.append(what, why);
      return line;
    }),
  );
  element("undo").disabled = !night.edits.some((edit) => edit.in_effect);
}

const movementsOf = (names) => names.map((name) => movementByName.get(name)).filter(Boolean);

function showChosen() {
  const movements = movementsOf(chosen);
  for (const id of ["accept", "reject"]) element(id).disabled = movements.length === 0;
  element("change").disabled = movements.length !== 1;
  if (movements.length === 0) {
    element("chosen").textContent = "None is chosen: click one, or step with n and p.";
    return;
  }
  const item = itemByName.get(movements[0].name);
  const words = movements.map((movement) => {
    const measured = [
      movement.peak_g === null ? "" : `peak ${(1000 * movement.peak_g).toFixed(0)} mg`,
      movement.tilt_deg === null ? "" : `turn ${movement.tilt_deg.toFixed(1)}°`,
      movement.probability === null ? "" : `probability ${movement.probability.toFixed(2)}`,
    ];
    const kind = movement.kind.replaceAll("_", " ");
    return [
      `${movement.side}: ${kind} at ${clock(movement.onset_s, 2)}, ${movement.duration_s.toFixed(2)} s`,
      ...measured,
      movement.state,
    ].filter(Boolean).join(", ");
  });
  if (item) {
    const scored = [
      item.plm ? `periodic, series ${item.series}` : item.clm ? "candidate, not periodic" : "not counted",
      item.imi_s === null ? "" : `${item.imi_s.toFixed(1)} s after the one before`,
      item.stage ? `stage ${item.stage}` : "",
      item.reason,
    ];
    words.push(`Scored: ${scored.filter(Boolean).join(", ")}.`);
  }
  element("chosen").textContent = words.join(". ");
  if (document.activeElement !== element("onset") && document.activeElement !== element("duration")) {
    element("side").value = movements[0].side;
    element("onset").value = movements[0].onset_s.toFixed(3);
    element("duration").value = movements[0].duration_s.toFixed(3);
  }
}

// What is looked at.

function show(from, to) {
  const length = Math.min(Math.max(to - from, SHORTEST_S), span.to - span.from);
  const middle = (from + to) / 2;
  const first = Math.min(Math.max(middle - length / 2, span.from), span.to - length);
  view = { from: first, to: first + length };
  remember();
  draw();
}

const move = (share) => {
  const by = share * (view.to - view.from);
  show(view.from + by, view.to + by);
};

function zoom(factor, at = (view.from + view.to) / 2) {
  const length = Math.min(Math.max((view.to - view.from) * factor, SHORTEST_S), span.to - span.from);
  const share = (at - view.from) / (view.to - view.from);
  const from = at - share * length;
  show(from, from + length);
}

let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const place = new URLSearchParams({
      night: element("night").value,
      from: view.from.toFixed(2),
      to: view.to.toFixed(2),
    });
    history.replaceState(null, "", `#${place}`);
  }, 200);
}

function choose(names) {
  chosen = names;
  showChosen();
  draw();
}

function step(direction) {
  const through = element("step-through").value;
  const faint = 1.5;
  const strength = (item) => Math.max(...movementsOf(item.members).map((one) => one.probability ?? Infinity));
  const items = night.items.filter((item) => {
    if (through === "leg") return item.kind === "leg_movement" && item.reason !== "rejected in the review";
    if (through === "left-out") return !item.clm;
    if (through === "faint") return item.kind === "leg_movement" && strength(item) < faint;
    return true;
  });
  if (items.length === 0) {
    element("chosen").textContent = "There is none of these in the night.";
    return;
  }
  const current = itemByName.get(chosen[0]);
  const here = current ? current.onset_s : direction > 0 ? view.from - 1e-6 : view.to;
  const next =
    direction > 0
      ? items.find((item) => item.onset_s > here)
      : items.findLast((item) => item.onset_s < here);
  if (!next) {
    element("chosen").textContent = direction > 0 ? "That was the last one." : "That was the first one.";
    return;
  }
  choose([...next.members]);
  const middle = next.onset_s + next.duration_s / 2;
  const length = Math.min(view.to - view.from, 60);
  const margin = length / 8;
  const inside = next.onset_s > view.from + margin && next.onset_s + next.duration_s < view.to - margin;
  if (view.to - view.from > 60 || !inside) show(middle - length / 2, middle + length / 2);
}

// Drawing.

function readColors() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "muted", "grid", "paper", "x", "y", "z", "strength", "plm", "other", "body"]) {
    colors[name] = style.getPropertyValue(`--${name}`).trim();
  }
  for (const name of ["rejected", "series", "sleep", "wake", "missing", "chosen"]) {
    colors[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

function fit(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return [context, width, height];
}

function draw() {
  if (drawAsked || !night) return;
  drawAsked = true;
  requestAnimationFrame(() => {
    drawAsked = false;
    const begun = performance.now();
    drawWhole();
    drawSignals();
    signals.dataset.drawMs = (performance.now() - begun).toFixed(2);
    signals.dataset.from = view.from.toFixed(3);
    signals.dataset.to = view.to.toFixed(3);
    signals.dataset.drawn = String(Number(signals.dataset.drawn ?? 0) + 1);
  });
}

const logHeight = (hundredths) => Math.log(Math.max(hundredths, 30) / 30) / Math.log(32767 / 30);

function drawWhole() {
  const [context, width, height] = fit(whole);
  const inner = width - LEFT;
  const xOf = (timeS) => LEFT + ((timeS - span.from) / (span.to - span.from)) * inner;
  drawSleep(context, xOf, height - 8, 8, inner);
  legs.forEach((leg, number) => {
    const share = (height - 20) / legs.length;
    const top = 10 + number * share;
    context.fillStyle = colors.muted;
    context.fillText(night.legs[number].side, 4, top + share / 2 + 4);
    if (!leg) return;
    const found = columns(leg.strength.pyramid, leg.clock, span.from, span.to, Math.floor(inner));
    const yOf = (value) => top + share * (1 - logHeight(value));
    const filled = found.map((range) => (range ? [0, range[1]] : null));
    drawColumns(context, filled, LEFT, yOf, colors.strength);
  });
  context.fillStyle = colors.series;
  for (const [from, to] of night.series) context.fillRect(xOf(from), 0, Math.max(xOf(to) - xOf(from), 1), 7);
  const from = xOf(view.from);
  const to = Math.max(xOf(view.to), from + 3);
  context.strokeStyle = colors.chosen;
  context.lineWidth = 2;
  context.strokeRect(from, 1, to - from, height - 2);
}

function drawSleep(context, xOf, top, height, inner) {
  for (const [from, to, stage] of night.sleep) {
    const x = Math.max(xOf(from), LEFT);
    const end = Math.min(xOf(to), LEFT + inner);
    if (end <= LEFT || x >= LEFT + inner || end <= x) continue;
    context.fillStyle = stage === "W" ? colors.wake : colors.sleep;
    context.fillRect(x, top, end - x + 0.5, height);
  }
}

function drawSignals() {
  const [context, width, height] = fit(signals);
  const inner = Math.floor(width - LEFT - 4);
  const xOf = (timeS) => LEFT + ((timeS - view.from) / (view.to - view.from)) * inner;
  const axisHeight = 20;
  const stripHeight = 14;
  const laneHeight = (height - axisHeight - stripHeight - 6) / Math.max(legs.length, 1);
  drawTimeAxis(context, xOf, height - axisHeight, inner);
  drawStages(context, xOf, stripHeight, inner);
  lanes = legs.map((leg, number) => {
    const top = stripHeight + 4 + number * laneHeight;
    const lane = { top, height: laneHeight - 6, number };
    drawLane(context, leg, lane, xOf, inner);
    return lane;
  });
  context.fillStyle = colors.series;
  for (const [from, to] of night.series) {
    const x = Math.max(xOf(from), LEFT);
    const end = Math.min(xOf(to), LEFT + inner);
    if (end > x) context.fillRect(x, stripHeight - 1, Math.max(end - x, 1), 4);
  }
  const seen = night.items.filter((item) => item.onset_s < view.to && item.onset_s + item.duration_s > view.from);
  signals.setAttribute(
    "aria-label",
    `Signals from ${clock(view.from)} to ${clock(view.to)}, ${seen.length} movements, ` +
      `${seen.filter((item) => item.plm).length} of them periodic`,
  );
}

function drawTimeAxis(context, xOf, top, inner) {
  const length = view.to - view.from;
  const stepS = TIME_STEPS.find((candidate) => length / candidate <= inner / 90) ?? TIME_STEPS.at(-1);
  const parts = night.start_time.match(/T(\d\d):(\d\d):(\d\d(?:\.\d+)?)/);
  const startOfDay = -(3600 * +parts[1] + 60 * +parts[2] + +parts[3]);
  context.fillStyle = colors.ink;
  context.strokeStyle = colors.grid;
  context.lineWidth = 1;
  context.beginPath();
  const first = Math.ceil((view.from - startOfDay) / stepS);
  for (let number = first; startOfDay + number * stepS <= view.to; number++) {
    const at = startOfDay + number * stepS;
    const x = Math.round(xOf(at)) + 0.5;
    context.moveTo(x, 14);
    context.lineTo(x, top);
    const words = clock(at, stepS < 1 ? 1 : 0);
    context.fillText(stepS >= 60 ? words.slice(0, 5) : words, x + 2, top + 14);
  }
  context.stroke();
}

/** Epochs of one stage in a row, as one. */
function runsOfSleep() {
  const runs = [];
  for (const [from, to, stage] of night.sleep) {
    const last = runs.at(-1);
    if (last && last[2] === stage && last[1] === from) last[1] = to;
    else runs.push([from, to, stage]);
  }
  return runs;
}

function drawStages(context, xOf, height, inner) {
  drawSleep(context, xOf, 0, height - 2, inner);
  context.fillStyle = colors.ink;
  for (const [from, to, stage] of runsOfSleep()) {
    const x = Math.max(xOf(from), LEFT);
    const end = Math.min(xOf(to), LEFT + inner);
    if (end - x > context.measureText(stage).width + 4) context.fillText(stage, x + 2, height - 4);
  }
  context.fillStyle = colors.muted;
  context.fillText("stage", 4, height - 4);
}

function drawLane(context, leg, lane, xOf, inner) {
  const side = night.legs[lane.number].side;
  const rawHeight = lane.height * 0.66;
  const strengthTop = lane.top + rawHeight + 4;
  const strengthHeight = lane.height - rawHeight - 4;
  for (const [from, to] of night.legs[lane.number].missing) {
    const x = Math.max(xOf(from), LEFT);
    const end = Math.min(xOf(to), LEFT + inner);
    context.fillStyle = colors.missing;
    if (end > x) context.fillRect(x, lane.top, end - x, lane.height);
  }
  drawMovements(context, lane, xOf, inner);
  context.save();
  context.beginPath();
  context.rect(LEFT, lane.top, inner, lane.height);
  context.clip();
  if (leg) {
    const scale = drawRaw(context, leg, lane.top, rawHeight, inner);
    drawStrength(context, leg, strengthTop, strengthHeight, inner);
    context.restore();
    context.fillStyle = colors.ink;
    context.fillText(side, 4, lane.top + 12);
    const half = scale >= COUNTS_PER_G ? `${(scale / COUNTS_PER_G).toFixed(1)} g` : `${((1000 * scale) / COUNTS_PER_G).toFixed(0)} mg`;
    context.fillStyle = colors.muted;
    context.fillText(`± ${half}`, 4, lane.top + 28);
    context.fillText("strength", 4, strengthTop + 12);
  } else {
    context.restore();
    context.fillStyle = colors.muted;
    context.fillText(`${side}: the signal was not kept; open with --recordings FOLDER`, LEFT + 8, lane.top + 20);
  }
}

function drawRaw(context, leg, top, height, inner) {
  const length = view.to - view.from;
  const perColumn = length / leg.clock[1] / inner;
  const bands = leg.axes.map((axis) => columns(axis.pyramid, leg.clock, view.from, view.to, inner));
  const middles = bands.map((found) => {
    const values = found.filter(Boolean).map(([low, high]) => (low + high) / 2).sort((a, b) => a - b);
    return values.length ? values[values.length >> 1] : 0;
  });
  let reach = 20; // about 10 mg: noise alone shall not fill the lane
  bands.forEach((found, axis) => {
    for (const range of found) {
      if (range) reach = Math.max(reach, range[1] - middles[axis], middles[axis] - range[0]);
    }
  });
  reach /= gain;
  ["x", "y", "z"].forEach((name, axis) => {
    const yOf = (value) => top + (height / 2) * (1 - (value - middles[axis]) / reach);
    if (perColumn > 1) drawColumns(context, bands[axis], LEFT, yOf, colors[name]);
    else drawPoints(context, leg.axes[axis].values, leg.clock, view.from, view.to, LEFT, inner, yOf, colors[name]);
  });
  return reach;
}

function drawStrength(context, leg, top, height, inner) {
  const yOf = (value) => top + height * (1 - logHeight(value));
  const perColumn = (view.to - view.from) / leg.clock[1] / inner;
  if (perColumn > 1) {
    const found = columns(leg.strength.pyramid, leg.clock, view.from, view.to, inner);
    drawColumns(context, found, LEFT, yOf, colors.strength);
  } else {
    drawPoints(context, leg.strength.values, leg.clock, view.from, view.to, LEFT, inner, yOf, colors.strength);
  }
  context.strokeStyle = colors.muted;
  context.setLineDash([4, 3]);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(LEFT, yOf(100));
  context.lineTo(LEFT + inner, yOf(100));
  context.stroke();
  context.setLineDash([]);
}

function drawMovements(context, lane, xOf, inner) {
  const names = new Set(chosen);
  for (const movement of night.legs[lane.number].movements) {
    const from = movement.onset_s;
    const to = from + movement.duration_s;
    if (to < view.from || from > view.to) continue;
    const item = itemByName.get(movement.name);
    const x = Math.max(xOf(from), LEFT);
    const wide = Math.max(Math.min(xOf(to), LEFT + inner) - x, 1.5);
    const rejected = movement.state === "rejected";
    const color = rejected ? colors.rejected : item?.plm ? colors.plm : item?.clm ? colors.other : colors.body;
    context.globalAlpha = rejected ? 0.12 : 0.25;
    context.fillStyle = color;
    context.fillRect(x, lane.top, wide, lane.height);
    context.globalAlpha = 1;
    context.fillRect(x, lane.top, wide, 3);
    if (rejected && wide > 4) {
      context.strokeStyle = color;
      context.setLineDash([3, 3]);
      context.strokeRect(x, lane.top + 1, wide, lane.height - 2);
      context.setLineDash([]);
    }
    if (names.has(movement.name)) {
      context.strokeStyle = colors.chosen;
      context.lineWidth = 2;
      context.strokeRect(x, lane.top + 1, wide, lane.height - 2);
    }
  }
  const stretch = marked ?? (dragging?.kind === "change" ? dragging : null);
  if (stretch && stretch.leg === lane.number) {
    context.strokeStyle = colors.chosen;
    context.setLineDash([5, 3]);
    context.lineWidth = 2;
    const x = xOf(Math.min(stretch.from, stretch.to));
    context.strokeRect(x, lane.top + 1, Math.abs(xOf(stretch.to) - xOf(stretch.from)), lane.height - 2);
    context.setLineDash([]);
  }
}

// Mouse and finger.

const timeAt = (event) => {
  const box = signals.getBoundingClientRect();
  const inner = Math.floor(box.width - LEFT - 4);
  return view.from + ((event.clientX - box.left - LEFT) / inner) * (view.to - view.from);
};

const laneAt = (event) => {
  const y = event.clientY - signals.getBoundingClientRect().top;
  return lanes.find((lane) => y >= lane.top && y <= lane.top + lane.height);
};

const secondsPerPixel = () => (view.to - view.from) / Math.max(signals.clientWidth - LEFT - 4, 1);

/** The chosen movement whose end is under the pointer, and which end. */
function endAt(event) {
  const lane = laneAt(event);
  if (!lane || chosen.length !== 1) return null;
  const movement = night.legs[lane.number].movements.find((one) => one.name === chosen[0]);
  if (!movement) return null;
  const at = timeAt(event);
  const near = EDGE_PX * secondsPerPixel();
  const offset = movement.onset_s + movement.duration_s;
  if (Math.abs(at - offset) < near) return { movement, lane, end: "to" };
  if (Math.abs(at - movement.onset_s) < near) return { movement, lane, end: "from" };
  return null;
}

signals.addEventListener("pointerdown", (event) => {
  if (!night || event.button !== 0) return;
  signals.setPointerCapture(event.pointerId);
  const lane = laneAt(event);
  const at = timeAt(event);
  const end = endAt(event);
  if (event.shiftKey && lane) {
    dragging = { kind: "mark" };
    marked = { leg: lane.number, from: at, to: at };
  } else if (end) {
    const { movement } = end;
    dragging = {
      kind: "change",
      leg: end.lane.number,
      end: end.end,
      name: movement.name,
      from: movement.onset_s,
      to: movement.onset_s + movement.duration_s,
    };
  } else {
    dragging = { kind: "pan", x: event.clientX, from: view.from, to: view.to, moved: false };
  }
});

signals.addEventListener("pointermove", (event) => {
  if (!night) return;
  if (!dragging) {
    signals.style.cursor = endAt(event) ? "ew-resize" : "crosshair";
  } else if (dragging.kind === "pan") {
    const by = (event.clientX - dragging.x) * secondsPerPixel();
    if (Math.abs(event.clientX - dragging.x) > 3) dragging.moved = true;
    if (dragging.moved) show(dragging.from - by, dragging.to - by);
  } else if (dragging.kind === "mark") {
    marked.to = timeAt(event);
    draw();
  } else {
    dragging[dragging.end] = timeAt(event);
    draw();
  }
});

signals.addEventListener("pointerup", (event) => {
  const done = dragging;
  dragging = null;
  if (!night || !done) return;
  if (done.kind === "mark") finishMark();
  else if (done.kind === "change") finishChange(done);
  else if (!done.moved) chooseAt(event);
});

signals.addEventListener("pointercancel", () => {
  dragging = null;
  draw();
});

function finishMark() {
  const from = Math.min(marked.from, marked.to);
  const to = Math.max(marked.from, marked.to);
  if (to - from < 0.04) marked = null;
  else {
    chosen = [];
    showChosen();
    element("side").value = night.legs[marked.leg].side;
    element("onset").value = from.toFixed(3);
    element("duration").value = (to - from).toFixed(3);
    element("chosen").textContent = "A stretch is marked: “add as a movement” adds it.";
  }
  draw();
}

function finishChange(done) {
  const from = Math.min(done.from, done.to);
  const to = Math.max(done.from, done.to);
  const [movement] = movementsOf([done.name]);
  const moved =
    Math.abs(from - movement.onset_s) + Math.abs(to - movement.onset_s - movement.duration_s) > 0.005;
  if (moved && to - from >= 0.04) {
    send({ action: "change", movements: [done.name], onset_s: +from.toFixed(3), duration_s: +(to - from).toFixed(3) });
  }
  draw();
}

function chooseAt(event) {
  const lane = laneAt(event);
  if (!lane) return;
  const at = timeAt(event);
  const near = 3 * secondsPerPixel();
  const hit = night.legs[lane.number].movements
    .filter((one) => at >= one.onset_s - near && at <= one.onset_s + one.duration_s + near)
    .sort((one, other) => one.duration_s - other.duration_s)[0];
  marked = null;
  choose(hit ? [hit.name] : []);
}

signals.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      move((event.deltaX || event.deltaY) / 1000);
    } else {
      zoom(Math.exp(event.deltaY / 400), timeAt(event));
    }
  },
  { passive: false },
);

let wholeDragging = false;
const goTo = (event) => {
  const box = whole.getBoundingClientRect();
  const share = (event.clientX - box.left - LEFT) / (box.width - LEFT);
  const at = span.from + share * (span.to - span.from);
  const half = (view.to - view.from) / 2;
  show(at - half, at + half);
};
whole.addEventListener("pointerdown", (event) => {
  if (!night) return;
  wholeDragging = true;
  whole.setPointerCapture(event.pointerId);
  goTo(event);
});
whole.addEventListener("pointermove", (event) => wholeDragging && goTo(event));
whole.addEventListener("pointerup", () => (wholeDragging = false));
whole.addEventListener("pointercancel", () => (wholeDragging = false));

// Buttons and keys: each act has one name.

const acts = {
  previous: () => step(-1),
  next: () => step(1),
  "zoom-in": () => zoom(0.5),
  "zoom-out": () => zoom(2),
  "whole-night": () => show(span.from, span.to),
  higher: () => ((gain *= 1.5), draw()),
  lower: () => ((gain /= 1.5), draw()),
  accept: () => chosen.length && send({ action: "accept", movements: chosen }),
  reject: () => chosen.length && send({ action: "reject", movements: chosen }),
  undo: () => {
    const last = night.edits.findLast((edit) => edit.in_effect);
    if (last) send({ action: "undo", undoes: last.edit });
  },
  change: () =>
    chosen.length === 1 && send({ action: "change", movements: chosen, ...timesGiven() }),
  add: () => send({ action: "add", side: element("side").value, ...timesGiven() }),
};

const timesGiven = () => ({
  onset_s: element("onset").valueAsNumber,
  duration_s: element("duration").valueAsNumber,
});

for (const [id, act] of Object.entries(acts)) {
  element(id).addEventListener("click", () => night && act());
}

const keys = {
  n: acts.next,
  p: acts.previous,
  a: acts.accept,
  r: acts.reject,
  u: acts.undo,
  "+": acts["zoom-in"],
  "=": acts["zoom-in"],
  "-": acts["zoom-out"],
  0: acts["whole-night"],
  ArrowRight: () => move(0.25),
  ArrowLeft: () => move(-0.25),
  PageDown: () => move(0.9),
  PageUp: () => move(-0.9),
  Home: () => show(span.from, span.from + view.to - view.from),
  End: () => show(span.to - (view.to - view.from), span.to),
  ArrowUp: acts.higher,
  ArrowDown: acts.lower,
  Escape: () => ((marked = null), choose([])),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (!night || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

element("night").addEventListener("change", () => openNight());
element("step-through").addEventListener("change", (event) => event.target.blur());
new ResizeObserver(draw).observe(signals);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (readColors(), draw()));

async function begin() {
  readColors();
  const place = new URLSearchParams(location.hash.slice(1));
  const known = await attempt(async () => (await ask("nights")).json());
  if (!known) return;
  element("night").replaceChildren(...known.nights.map((name) => new Option(name, name)));
  element("night-choice").hidden = known.nights.length < 2;
  if (known.nights.includes(place.get("night"))) element("night").value = place.get("night");
  element("who").value = sessionStorage.getItem("who") ?? known.reviewer;
  const given = place.has("from") && place.has("to");
  await openNight(given ? +place.get("from") : undefined, given ? +place.get("to") : undefined);
  keepUp();
}

begin();
