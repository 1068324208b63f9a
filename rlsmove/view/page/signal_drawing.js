// Long signals drawn fast: minima and maxima at every scale, computed once.

export const MISSING = -32768;
const FACTOR = 4;

/** Smallest and largest values of an Int16Array at scales of 1, 4, 16, ... points. */
export class Pyramid {
  constructor(values) {
    this.length = values.length;
    this.levels = [{ points: 1, low: values, high: values }];
    let last = this.levels[0];
    while (last.low.length > 1024) {
      const n = Math.ceil(last.low.length / FACTOR);
      const low = new Int16Array(n);
      const high = new Int16Array(n);
      for (let i = 0; i < n; i++) {
        let smallest = 32767;
        let largest = MISSING;
        const end = Math.min((i + 1) * FACTOR, last.low.length);
        for (let j = i * FACTOR; j < end; j++) {
          if (last.high[j] === MISSING) continue;
          if (last.low[j] < smallest) smallest = last.low[j];
          if (last.high[j] > largest) largest = last.high[j];
        }
        low[i] = largest === MISSING ? MISSING : smallest;
        high[i] = largest;
      }
      last = { points: last.points * FACTOR, low, high };
      this.levels.push(last);
    }
  }

  /** Smallest and largest value of points first to last; null where nothing was recorded.
   *
   * At its ends it may take in up to the fourth part of what was asked for.
   */
  range(first, last) {
    const wanted = last - first;
    let level = this.levels[0];
    for (const candidate of this.levels) {
      if (candidate.points * FACTOR <= wanted) level = candidate;
    }
    let low = 32767;
    let high = MISSING;
    const start = Math.max(Math.floor(first / level.points), 0);
    const end = Math.min(Math.ceil(last / level.points), level.low.length);
    for (let i = start; i < end; i++) {
      if (level.high[i] === MISSING) continue;
      if (level.low[i] < low) low = level.low[i];
      if (level.high[i] > high) high = level.high[i];
    }
    return high === MISSING ? null : [low, high];
  }
}

/** Ranges of a signal for each column of a picture. */
export function columns(pyramid, clock, fromS, toS, width) {
  const [startS, stepS] = clock;
  const found = new Array(width);
  for (let x = 0; x < width; x++) {
    const first = (fromS + ((toS - fromS) * x) / width - startS) / stepS;
    const last = (fromS + ((toS - fromS) * (x + 1)) / width - startS) / stepS;
    if (last < 0 || first > pyramid.length) {
      found[x] = null;
    } else {
      found[x] = pyramid.range(Math.floor(first), Math.max(Math.ceil(last), Math.floor(first) + 1));
    }
  }
  return found;
}

/** Draw columns, each joined to the one before it so that lines have no holes. */
export function drawColumns(context, found, left, yOf, color) {
  context.fillStyle = color;
  let before = null;
  for (let x = 0; x < found.length; x++) {
    const range = found[x];
    if (range !== null) {
      let low = range[0];
      let high = range[1];
      if (before !== null) {
        low = Math.min(low, before[1]);
        high = Math.max(high, before[0]);
      }
      const top = yOf(high);
      context.fillRect(left + x, top, 1, Math.max(yOf(low) - top, 1));
    }
    before = range;
  }
}

/** Draw a line through single points, where there are fewer of them than columns. */
export function drawPoints(context, values, clock, fromS, toS, left, width, yOf, color) {
  const [startS, stepS] = clock;
  const first = Math.max(Math.floor((fromS - startS) / stepS) - 1, 0);
  const last = Math.min(Math.ceil((toS - startS) / stepS) + 1, values.length - 1);
  context.strokeStyle = color;
  context.lineWidth = 1.25;
  context.beginPath();
  let drawing = false;
  for (let i = first; i <= last; i++) {
    if (values[i] === MISSING) {
      drawing = false;
      continue;
    }
    const x = left + ((startS + i * stepS - fromS) / (toS - fromS)) * width;
    if (drawing) context.lineTo(x, yOf(values[i]));
    else context.moveTo(x, yOf(values[i]));
    drawing = true;
  }
  context.stroke();
}

/** Steps of an axis of time in seconds, as people read clocks. */
export const TIME_STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800,
];
