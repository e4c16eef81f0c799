// One image large: zoom, pan, value and position under the pointer, ruler, blink and cross-fade.
// All of it happens here, without a rerun of the page. Pixel (0, 0) is the centre of the first
// FITS pixel, x to the right, y upward; the canvas has y downward.

const RAD = Math.PI / 180;
const views = new WeakMap();
// What is drawn over the picture. One choice for all viewers of a visit.
const switches = { target: false, compass: true, bar: true, grid: false };

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

// ---- the sky: gnomonic (TAN) projection, Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3

function toSky(wcs, x, y) {
  const dx = x + 1 - wcs.crpix[0], dy = y + 1 - wcs.crpix[1];
  const xi = (wcs.cd[0] * dx + wcs.cd[1] * dy) * RAD;
  const eta = (wcs.cd[2] * dx + wcs.cd[3] * dy) * RAD;
  const d0 = wcs.crval[1] * RAD;
  const base = Math.cos(d0) - eta * Math.sin(d0);
  const ra = wcs.crval[0] + Math.atan2(xi, base) / RAD;
  const dec = Math.atan2(Math.sin(d0) + eta * Math.cos(d0), Math.hypot(xi, base)) / RAD;
  return [((ra % 360) + 360) % 360, dec];
}

function toPixel(wcs, ra, dec) {
  const d0 = wcs.crval[1] * RAD, d = dec * RAD, a = (ra - wcs.crval[0]) * RAD;
  const den = Math.sin(d) * Math.sin(d0) + Math.cos(d) * Math.cos(d0) * Math.cos(a);
  const xi = (Math.cos(d) * Math.sin(a)) / den / RAD;
  const eta = (Math.sin(d) * Math.cos(d0) - Math.cos(d) * Math.sin(d0) * Math.cos(a)) / den / RAD;
  const [a11, a12, a21, a22] = wcs.cd;
  const det = a11 * a22 - a12 * a21;
  return [
    (a22 * xi - a12 * eta) / det + wcs.crpix[0] - 1,
    (-a21 * xi + a11 * eta) / det + wcs.crpix[1] - 1,
  ];
}

function pixelArcsec(wcs) {
  return Math.sqrt(Math.abs(wcs.cd[0] * wcs.cd[3] - wcs.cd[1] * wcs.cd[2])) * 3600;
}

function separation(p, q) {
  // Vincenty's formula: good at all angles. Returns arcsec and position angle (east of north).
  const [a1, d1, a2, d2] = [p[0], p[1], q[0], q[1]].map((v) => v * RAD);
  const s = Math.sin(a2 - a1), c = Math.cos(a2 - a1);
  const u = Math.cos(d2) * s;
  const v = Math.cos(d1) * Math.sin(d2) - Math.sin(d1) * Math.cos(d2) * c;
  const w = Math.sin(d1) * Math.sin(d2) + Math.cos(d1) * Math.cos(d2) * c;
  const angle = Math.atan2(u, v) / RAD;
  return [(Math.atan2(Math.hypot(u, v), w) / RAD) * 3600, (angle + 360) % 360];
}

// ---- numbers in words

function sexagesimal(value, perDegree, digits) {
  // Rounded as a whole first, so that no 60.0 appears.
  const scale = 10 ** digits;
  const units = Math.round(Math.abs(value) * 3600 * perDegree * scale);
  const whole = Math.floor(units / (60 * scale));
  return [Math.floor(whole / 60), whole % 60, (units % (60 * scale)) / scale];
}

const two = (n) => String(n).padStart(2, "0");
const seconds = (s, digits) => s.toFixed(digits).padStart(digits ? 3 + digits : 2, "0");

function raText(ra, digits) {
  const [h, m, s] = sexagesimal(ra, 1 / 15, digits);
  return `${two(h % 24)}h${two(m)}m${seconds(s, digits)}s`;
}

function decText(dec, digits) {
  const [d, m, s] = sexagesimal(dec, 1, digits);
  return `${dec < 0 ? "−" : "+"}${two(d)}°${two(m)}′${seconds(s, digits)}″`;
}

const angleText = (arcsec) =>
  arcsec >= 3600 ? `${+(arcsec / 3600).toFixed(2)}°`
  : arcsec >= 60 ? `${+(arcsec / 60).toFixed(2)}′` : `${+arcsec.toFixed(2)}″`;

function valueText(value) {
  if (!Number.isFinite(value)) return "no data";
  return String(+value.toPrecision(4)).replace("-", "−").replace("e", " × 10^");
}

// ---- between picture and screen

function place(view, x, y) {
  return [
    view.width / 2 + (x - view.x) * view.zoom,
    view.height / 2 - (y - view.y) * view.zoom,
  ];
}

function unplace(view, sx, sy) {
  return [view.x + (sx - view.width / 2) / view.zoom, view.y - (sy - view.height / 2) / view.zoom];
}

function onBase(view, layer, x, y) {
  const base = view.data.layers[0];
  return layer === base ? [x, y] : toPixel(base.wcs, ...toSky(layer.wcs, x, y));
}

// ---- drawing

function drawLayer(ctx, view, layer) {
  const picture = view.pictures.get(layer.id);
  if (!picture) return;
  // Where three corners of this layer fall: an affine map, exact enough over a cutout for images
  // of one field in the same projection.
  const corner = (x, y) => place(view, ...onBase(view, layer, x, y));
  const top = corner(-0.5, layer.ny - 0.5);
  const right = corner(layer.nx - 0.5, layer.ny - 0.5);
  const bottom = corner(-0.5, -0.5);
  ctx.save();
  // Pixels that no exposure covered are transparent: stripes show through.
  ctx.beginPath();
  const far = [right[0] + bottom[0] - top[0], right[1] + bottom[1] - top[1]];
  [top, right, far, bottom].forEach((p, i) => (i ? ctx.lineTo(...p) : ctx.moveTo(...p)));
  ctx.fillStyle = view.stripes;
  ctx.fill();
  ctx.transform(
    (right[0] - top[0]) / picture.width, (right[1] - top[1]) / picture.width,
    (bottom[0] - top[0]) / picture.height, (bottom[1] - top[1]) / picture.height,
    top[0], top[1],
  );
  const shown = Math.hypot(right[0] - top[0], right[1] - top[1]) / picture.width;
  // Little enlarged it is smooth; whoever comes closer wants to see the pixels.
  ctx.imageSmoothingEnabled = shown * view.ratio < 3;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(picture, 0, 0);
  ctx.restore();
}

function drawThrough(view, layer, alpha) {
  // Stripes and picture as one, half transparent.
  const buffer = view.buffer.getContext("2d");
  view.buffer.width = view.canvas.width;
  view.buffer.height = view.canvas.height;
  buffer.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  drawLayer(buffer, view, layer);
  view.ctx.save();
  view.ctx.globalAlpha = alpha;
  view.ctx.setTransform(1, 0, 0, 1, 0, 0);
  view.ctx.drawImage(view.buffer, 0, 0);
  view.ctx.restore();
}

function stripes(ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 12;
  const t = tile.getContext("2d");
  t.fillStyle = "#1b2230";
  t.fillRect(0, 0, 12, 12);
  t.strokeStyle = "#2c3649";
  t.lineWidth = 3;
  t.beginPath();
  for (const d of [-12, 0, 12]) { t.moveTo(d - 2, 14); t.lineTo(d + 14, -2); }
  t.stroke();
  return ctx.createPattern(tile, "repeat");
}

function haloLine(ctx, points, width = 2) {
  ctx.lineCap = ctx.lineJoin = "round";
  for (const [style, w] of [["rgba(0,0,0,.6)", width + 2.5], ["#fff", width]]) {
    ctx.strokeStyle = style;
    ctx.lineWidth = w;
    ctx.beginPath();
    points.forEach((p, i) => (i ? ctx.lineTo(...p) : ctx.moveTo(...p)));
    ctx.stroke();
  }
}

function haloText(view, text, x, y, align = "left", size = 13) {
  const { ctx } = view;
  ctx.font = `600 ${size}px ${view.font}`;
  ctx.textAlign = align;
  ctx.lineJoin = "round";
  ctx.strokeStyle = "rgba(0,0,0,.75)";
  ctx.lineWidth = 4;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = "#fff";
  ctx.fillText(text, x, y);
}

const NICE = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
  60, 120, 300, 600, 1200, 1800, 3600, 7200];

function drawScaleBar(view, wcs) {
  const perPixel = pixelArcsec(wcs) / view.zoom;
  const room = Math.min(view.width * 0.3, 220) * perPixel;
  const length = NICE.filter((n) => n <= room).pop() ?? NICE[0];
  const w = length / perPixel, x = 18, y = view.height - 20;
  haloLine(view.ctx, [[x, y - 5], [x, y], [x + w, y], [x + w, y - 5]]);
  haloText(view, angleText(length), x + w / 2, y - 11, "center");
}

function drawCompass(view, wcs) {
  const [ra, dec] = toSky(wcs, view.x, view.y);
  const step = pixelArcsec(wcs) / 3600;
  const at = place(view, view.x, view.y);
  const x0 = view.width - 58, y0 = view.height - 52;
  const ends = { N: [ra, dec + step], E: [ra + step / Math.cos(dec * RAD), dec] };
  for (const [letter, sky] of Object.entries(ends)) {
    const p = place(view, ...toPixel(wcs, ...sky));
    const norm = Math.hypot(p[0] - at[0], p[1] - at[1]) || 1;
    const [ux, uy] = [(p[0] - at[0]) / norm, (p[1] - at[1]) / norm];
    haloLine(view.ctx, [[x0, y0], [x0 + ux * 26, y0 + uy * 26]]);
    haloText(view, letter, x0 + ux * 38, y0 + uy * 38 + 5, "center");
  }
}

function drawTarget(view, wcs) {
  const [x, y] = place(view, ...toPixel(wcs, ...view.data.target));
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    haloLine(view.ctx, [[x + dx * 12, y + dy * 12], [x + dx * 24, y + dy * 24]], 1.5);
  }
}

const digitsOf = (step) => Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));

function drawGrid(view, wcs) {
  const { ctx, width, height } = view;
  const edge = [[0, 0], [width, 0], [0, height], [width, height], [width / 2, 0], [width / 2, height],
    [0, height / 2], [width, height / 2]].map((c) => toSky(wcs, ...unplace(view, ...c)));
  const [ra0] = toSky(wcs, view.x, view.y);
  const offsets = edge.map(([ra]) => ((ra - ra0 + 540) % 360) - 180);
  const decs = edge.map((c) => c[1]);
  const low = Math.max(-89.9, Math.min(...decs)), high = Math.min(89.9, Math.max(...decs));
  const left = Math.min(...offsets), right = Math.max(...offsets);
  const lines = Math.max(2.5, Math.min(6, width / 150));
  const decStep = (NICE.find((n) => n >= ((high - low) * 3600) / lines) ?? 7200) / 3600;
  // Right ascension in seconds of time: 1 s = 15 arcsec.
  const raStep = ((NICE.find((n) => n >= ((right - left) * 240) / lines) ?? 7200) * 15) / 3600;
  const line = (f) => Array.from({ length: 41 }, (_, i) => place(view, ...toPixel(wcs, ...f(i / 40))));
  const stroke = (points) => {
    ctx.beginPath();
    points.forEach((p, i) => (i ? ctx.lineTo(...p) : ctx.moveTo(...p)));
    ctx.stroke();
  };
  ctx.save();
  const labels = [];
  ctx.strokeStyle = "rgba(150,200,255,.55)";
  ctx.lineWidth = 1;
  for (let d = Math.ceil(low / decStep) * decStep; d <= high; d += decStep) {
    const points = line((t) => [ra0 + left + (right - left) * t, d]);
    stroke(points);
    const [label] = points.filter((p) => p[0] >= 0 && p[0] <= width).sort((p, q) => p[0] - q[0]);
    if (label && label[1] > 56 && label[1] < height - 56) {
      labels.push([decText(d, digitsOf(decStep * 3600)), 10, label[1] - 4, "left"]);
    }
  }
  for (let a = Math.ceil((ra0 + left) / raStep) * raStep; a <= ra0 + right; a += raStep) {
    const points = line((t) => [a, low + (high - low) * t]);
    stroke(points);
    const [label] = points.filter((p) => p[1] >= 0 && p[1] <= height).sort((p, q) => p[1] - q[1]);
    if (label && label[0] > 56 && label[0] < width - 56) {
      const text = raText(((a % 360) + 360) % 360, digitsOf(raStep * 240));
      labels.push([text, label[0], 18, "center"]);
    }
  }
  ctx.restore();
  labels.forEach(([text, x, y, align]) => haloText(view, text, x, y, align, 12));
}

function drawRuler(view) {
  const [a, b] = view.ruler.map((p) => place(view, ...p));
  haloLine(view.ctx, [a, b]);
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const [ux, uy] = [((b[1] - a[1]) / length) * 6, ((a[0] - b[0]) / length) * 6];
  for (const p of [a, b]) haloLine(view.ctx, [[p[0] - ux, p[1] - uy], [p[0] + ux, p[1] + uy]]);
  haloText(view, rulerText(view), (a[0] + b[0]) / 2 + 10, (a[1] + b[1]) / 2 - 10);
}

function rulerText(view) {
  const [p, q] = view.ruler, { wcs } = view.data.layers[0];
  if (!wcs) return `${Math.hypot(p[0] - q[0], p[1] - q[1]).toFixed(1)} pixels`;
  const [arcsec, angle] = separation(toSky(wcs, ...p), toSky(wcs, ...q));
  return `${angleText(arcsec)} at ${Math.round(angle) % 360}° E of N`;
}

function drawCentre(view) {
  const [x, y] = [view.width / 2, view.height / 2];
  haloLine(view.ctx, [[x - 9, y], [x + 9, y]], 1);
  haloLine(view.ctx, [[x, y - 9], [x, y + 9]], 1);
}

function drawLabels(view, label, y) {
  haloText(view, label, 16, y, "left", 15);
  const { credit } = view.data;
  if (!credit) return;
  // Side by side where there is room, else one below the other.
  const taken = view.ctx.measureText(label).width;
  view.ctx.font = `600 12px ${view.font}`;
  const narrow = taken + view.ctx.measureText(credit).width + 48 > view.width;
  haloText(view, credit, narrow ? 16 : view.width - 16, narrow ? y + 19 : y, narrow ? "left" : "right", 12);
}

function share(view) {
  // Of the second layer, 0 to 1.
  if (view.data.layers.length < 2) return 0;
  return view.blinking ? Number(view.blinkOn) : view.slider.value / 100;
}

function paint(view) {
  const { ctx, data, ratio } = view;
  if (!data || !view.width) return;
  // Until the new pictures are decoded, the old ones stay.
  if (view.painted && data.layers.some((layer) => !view.pictures.has(layer.id))) return;
  view.painted = true;
  const [base, other] = data.layers;
  const mix = share(view);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.fillStyle = "#05070c";
  ctx.fillRect(0, 0, view.width, view.height);
  if (mix < 1) drawLayer(ctx, view, base);
  if (mix === 1) drawLayer(ctx, view, other);
  else if (mix > 0) drawThrough(view, other, mix);
  if (base.wcs) {
    if (switches.grid) drawGrid(view, base.wcs);
    if (switches.bar) drawScaleBar(view, base.wcs);
    if (switches.compass) drawCompass(view, base.wcs);
    if (switches.target && data.target) drawTarget(view, base.wcs);
  }
  drawLabels(view, (mix >= 0.5 ? other : base).label, switches.grid && base.wcs ? 42 : 26);
  if (view.ruler) drawRuler(view);
  if (view.focused && !view.inside) drawCentre(view);
}

function draw(view) {
  if (view.waiting) return;
  view.waiting = true;
  requestAnimationFrame(() => {
    view.waiting = false;
    paint(view);
  });
}

// ---- the line below the picture

function valueAt(view, probe, sky, x, y) {
  const [px, py] = probe.wcs && sky ? toPixel(probe.wcs, ...sky) : [x, y];
  const [i, j] = [Math.round(px), Math.round(py)];
  if (!(i >= 0 && j >= 0 && i < probe.nx && j < probe.ny)) return null;
  return valueText(probe.values[j * probe.nx + i]);
}

function readOut(view, x, y, spoken = false) {
  const { data } = view, base = data.layers[0];
  const parts = [];
  const sky = base.wcs && toSky(base.wcs, x, y);
  if (sky) parts.push(["RA", raText(sky[0], 2)], ["Dec", decText(sky[1], 1)]);
  const [i, j] = [Math.round(x), Math.round(y)];
  if (i >= 0 && j >= 0 && i < base.nx && j < base.ny) {
    const step = data.binning;
    const fits = [i, j].map((n) => Math.round(n * step + (step + 1) / 2));
    if (step) parts.push(["pixel", `${fits[0]}, ${fits[1]}`]);
    for (const probe of data.probes) {
      const value = valueAt(view, probe, sky, x, y);
      if (value !== null) {
        const unit = value === "no data" || !probe.unit ? "" : ` ${probe.unit}`;
        parts.push([data.probes.length > 1 ? probe.label : "value", value + unit]);
      }
    }
  }
  if (view.ruler) parts.push(["ruler", rulerText(view)]);
  view.out.replaceChildren(...parts.map(([name, text]) => {
    const span = document.createElement("span");
    const label = document.createElement("small");
    label.textContent = `${name} `;
    span.append(label, text);
    return span;
  }));
  if (spoken) {
    clearTimeout(view.saying);
    const text = parts.map((p) => p.join(" ")).join(", ");
    view.saying = setTimeout(() => { view.spoken.textContent = text; }, 400);
  }
}

const HOW = "Point at the picture to read position and brightness. Wheel or fingers zoom, dragging moves.";

// ---- what the hand does

function fitZoom(view) {
  const base = view.data.layers[0];
  return Math.min(view.width / base.nx, view.height / base.ny);
}

function fit(view) {
  const base = view.data.layers[0];
  view.zoom = fitZoom(view);
  view.x = (base.nx - 1) / 2;
  view.y = (base.ny - 1) / 2;
  settle(view);
}

function settle(view) {
  view.fitted = Math.abs(view.zoom / fitZoom(view) - 1) < 1e-6;
  // While the whole picture is in sight a finger scrolls the page, and two fingers zoom.
  view.canvas.style.touchAction = view.fitted && !view.measuring ? "pan-y" : "none";
}

function zoomAt(view, factor, sx = view.width / 2, sy = view.height / 2) {
  const least = Math.min(1, fitZoom(view)) / 2;
  const [x, y] = unplace(view, sx, sy);
  view.zoom = Math.min(64, Math.max(least, view.zoom * factor));
  const [x1, y1] = unplace(view, sx, sy);
  moveBy(view, x - x1, y - y1);
}

function moveBy(view, dx, dy) {
  // The centre stays on the picture: it cannot be lost.
  const base = view.data.layers[0];
  view.x = Math.min(base.nx, Math.max(-1, view.x + dx));
  view.y = Math.min(base.ny, Math.max(-1, view.y + dy));
  settle(view);
}

function measure(view, on) {
  view.measuring = on;
  view.ruler = null;
  view.root.querySelector('[data-do="ruler"]').setAttribute("aria-pressed", on);
  view.canvas.classList.toggle("measuring", on);
  settle(view);
}

function markCentre(view) {
  // The ruler by keyboard: the first press is one end, then the other follows the centre.
  if (!view.measuring) measure(view, true);
  view.following = !view.following;
  if (view.following) view.ruler = [[view.x, view.y], [view.x, view.y]];
}

function blink(view, on) {
  clearInterval(view.timer);
  if (still.matches && on) {
    // No motion by itself: every press shows the other one.
    view.slider.value = share(view) >= 0.5 ? 0 : 100;
    return;
  }
  view.blinking = on;
  view.blinkButton.setAttribute("aria-pressed", on);
  if (!on) return;
  view.blinkOn = share(view) < 0.5;
  view.timer = setInterval(() => {
    if (!view.canvas.isConnected) { clearInterval(view.timer); return; }
    view.blinkOn = !view.blinkOn;
    draw(view);
  }, 700);
}

function save(view) {
  const { focused } = view;
  view.focused = false;
  paint(view);
  view.focused = focused;
  view.canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = view.data.save_as;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    draw(view);
  });
}

function fullScreen(view) {
  if (document.fullscreenElement) document.exitFullscreen();
  else view.root.querySelector(".viewer").requestFullscreen?.();
}

function onKey(view, e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const step = (e.shiftKey ? 80 : 16) / view.zoom;
  const actions = {
    ArrowLeft: () => moveBy(view, -step, 0),
    ArrowRight: () => moveBy(view, step, 0),
    ArrowUp: () => moveBy(view, 0, step),
    ArrowDown: () => moveBy(view, 0, -step),
    "+": () => zoomAt(view, 1.25),
    "=": () => zoomAt(view, 1.25),
    "-": () => zoomAt(view, 0.8),
    0: () => fit(view),
    1: () => zoomAt(view, 1 / view.zoom),
    r: () => markCentre(view),
    g: () => flip(view, "grid"),
    b: () => view.data.layers.length > 1 && blink(view, !view.blinking),
    Escape: () => { view.following = false; measure(view, false); },
  };
  const action = actions[e.key.length === 1 ? e.key.toLowerCase() : e.key];
  // Escape also leaves the full screen: that is the browser's.
  if (!action || (e.key === "Escape" && !view.measuring)) return;
  e.preventDefault();
  action();
  view.inside = false;
  if (view.following && view.ruler) view.ruler[1] = [view.x, view.y];
  draw(view);
  readOut(view, view.x, view.y, true);
}

function flip(view, name) {
  switches[name] = !switches[name];
  showSwitches(view);
}

function showSwitches(view) {
  for (const button of view.root.querySelectorAll("[data-switch]")) {
    button.setAttribute("aria-pressed", switches[button.dataset.switch]);
  }
}

function listenToPointer(view) {
  const { canvas } = view;
  const fingers = new Map();
  const spot = (e) => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  canvas.addEventListener("wheel", (e) => {
    // A page that is scrolled past under a resting pointer goes on scrolling; whoever has moved
    // the pointer on the picture means the picture.
    if (!view.meant && !e.ctrlKey) return;
    e.preventDefault();
    const lines = e.deltaMode === 1 ? 30 : 1;
    zoomAt(view, Math.exp(-e.deltaY * lines * (e.ctrlKey ? 0.01 : 0.0015)), ...spot(e));
    draw(view);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, spot(e));
    view.meant = true;
    if (view.measuring && fingers.size === 1) {
      const p = unplace(view, ...spot(e));
      view.following = false;
      view.ruler = [p, p];
    }
  });
  canvas.addEventListener("pointermove", (e) => {
    const screen = `${e.screenX} ${e.screenY}`;
    if (view.screen && view.screen !== screen) view.meant = true;
    view.screen = screen;
    view.inside = true;
    const now = spot(e), before = fingers.get(e.pointerId);
    if (before && fingers.size === 2) {
      const [, other] = [...fingers].find(([id]) => id !== e.pointerId);
      const length = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      zoomAt(view, length(now) / length(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (before && view.measuring && view.ruler) {
      view.ruler = [view.ruler[0], unplace(view, ...now)];
    } else if (before) {
      moveBy(view, (before[0] - now[0]) / view.zoom, (now[1] - before[1]) / view.zoom);
    }
    if (before) fingers.set(e.pointerId, now);
    draw(view);
    readOut(view, ...unplace(view, ...now));
  });
  const up = (e) => fingers.delete(e.pointerId);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => {
    view.inside = view.meant = false;
    view.screen = null;
    draw(view);
  });
  canvas.addEventListener("dblclick", () => { fit(view); draw(view); });
}

function listen(view) {
  const { canvas, root } = view;
  listenToPointer(view);
  canvas.addEventListener("focus", () => { view.focused = true; draw(view); });
  canvas.addEventListener("blur", () => { view.focused = false; draw(view); });
  canvas.addEventListener("keydown", (e) => onKey(view, e));
  const actions = {
    in: () => zoomAt(view, 1.5),
    out: () => zoomAt(view, 1 / 1.5),
    fit: () => fit(view),
    ruler: () => measure(view, !view.measuring),
    blink: () => blink(view, !view.blinking),
    save: () => save(view),
    full: () => fullScreen(view),
  };
  for (const [name, action] of Object.entries(actions)) {
    root.querySelector(`[data-do="${name}"]`).addEventListener("click", () => {
      action();
      draw(view);
    });
  }
  for (const button of root.querySelectorAll("[data-switch]")) {
    button.addEventListener("click", () => { flip(view, button.dataset.switch); draw(view); });
  }
  view.slider.addEventListener("input", () => { blink(view, false); draw(view); });
}

// ---- life of the component

function start(root) {
  const canvas = root.querySelector("canvas");
  const view = {
    root, canvas, ctx: canvas.getContext("2d"),
    out: root.querySelector(".read-out"), spoken: root.querySelector(".spoken"),
    slider: root.querySelector(".fade"), blinkButton: root.querySelector('[data-do="blink"]'),
    buffer: document.createElement("canvas"), pictures: new Map(), blinking: false, blinkOn: false, fitted: true,
    zoom: 0, x: 0, y: 0, width: 0, height: 0, ratio: 1,
  };
  view.stripes = stripes(view.ctx);
  listen(view);
  showSwitches(view);
  new ResizeObserver(() => { if (view.data) { resize(view); paint(view); } }).observe(canvas);
  return view;
}

function resize(view) {
  const box = view.canvas.getBoundingClientRect();
  if (!box.width) return;
  view.ratio = window.devicePixelRatio || 1;
  view.width = box.width;
  view.height = box.height;
  view.canvas.width = Math.round(box.width * view.ratio);
  view.canvas.height = Math.round(box.height * view.ratio);
  if (view.fitted || !view.zoom) fit(view);
}

function unpack(bytes) {
  // A length, a header in JSON, then pictures and arrays at the places that the header names.
  const whole = bytes.slice();
  const length = new DataView(whole.buffer).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  for (const probe of data.probes) {
    probe.values = new Float32Array(whole.buffer, probe.at, probe.nx * probe.ny);
  }
  for (const layer of data.layers) layer.picture = whole.subarray(layer.at, layer.at + layer.size);
  return data;
}

function keepPlace(view, before, base) {
  // Another filter of the same field: the same piece of sky stays in sight, and the ruler on it.
  const carry = (p) => toPixel(base.wcs, ...toSky(before.wcs, ...p));
  view.zoom *= pixelArcsec(base.wcs) / pixelArcsec(before.wcs);
  [view.x, view.y] = carry([view.x, view.y]);
  if (view.ruler) view.ruler = view.ruler.map(carry);
}

function take(view, data) {
  const before = view.data?.layers[0], field = view.data?.field;
  const base = data.layers[0];
  view.data = data;
  view.font = getComputedStyle(view.canvas).fontFamily;
  view.canvas.setAttribute("aria-label", data.alt);
  if (!before || field !== data.field || (view.fitted && !view.ruler)) {
    view.zoom = 0;
    view.fitted = true;
    view.ruler = null;
  } else if (before.wcs && base.wcs) {
    keepPlace(view, before, base);
  }
  for (const layer of data.layers) {
    if (view.pictures.has(layer.id)) continue;
    // Without a type: the browser looks into the bytes, PNG or JPEG.
    createImageBitmap(new Blob([layer.picture])).then((picture) => {
      if (!view.data.layers.some((l) => l.id === layer.id)) return;
      view.pictures.set(layer.id, picture);
      for (const id of view.pictures.keys()) {
        if (!view.data.layers.some((l) => l.id === id)) view.pictures.delete(id);
      }
      view.canvas.dataset.drawn = view.data.layers.map((l) => l.id).join(" ");
      draw(view);
    });
  }
  const compare = data.layers.length > 1;
  view.root.querySelector(".compare").hidden = !compare;
  if (compare) {
    view.root.querySelector(".first").textContent = data.layers[0].label;
    view.root.querySelector(".second").textContent = data.layers[1].label;
    view.blinkButton.lastElementChild.textContent = still.matches ? "Flip" : "Blink";
  } else {
    blink(view, false);
  }
  for (const button of view.root.querySelectorAll("[data-switch]")) {
    button.hidden = !base.wcs || (button.dataset.switch === "target" && !data.target);
  }
  if (!view.out.childElementCount) view.out.textContent = HOW;
}

export default function ({ data, parentElement }) {
  let view = views.get(parentElement);
  if (!view) {
    view = start(parentElement);
    views.set(parentElement, view);
  }
  take(view, unpack(data));
  resize(view);
  paint(view);
  return () => clearInterval(view.timer);
}
