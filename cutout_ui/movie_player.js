// A movie of pixels: play, step, speed. All frames travel as one picture, a sheet of tiles; the
// browser cuts them out and enlarges them.

const players = new WeakMap();
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

function draw(player) {
  const { data, ctx, sheet, canvas } = player;
  if (!sheet.complete || !sheet.naturalWidth) return;
  const { nx, ny, columns, marks } = data, k = canvas.width / nx, i = player.frame;
  ctx.imageSmoothingEnabled = false;
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  const [sx, sy] = [(i % columns) * nx, Math.floor(i / columns) * ny];
  ctx.drawImage(sheet, sx, sy, nx, ny, 0, 0, canvas.width, canvas.height);
  if (marks && marks[i]) {
    const [x, y] = [(marks[i][0] + 0.5) * k, canvas.height - (marks[i][1] + 0.5) * k];
    for (const [style, width] of [["#000", 5], ["#ffb000", 2.5]]) {
      ctx.strokeStyle = style;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.arc(x, y, Math.max(1.6 * k, 9), 0, 2 * Math.PI);
      ctx.stroke();
    }
  }
  player.time.textContent = data.labels[i];
  player.slider.value = i;
  player.slider.setAttribute("aria-valuetext", data.labels[i]);
}

function show(player, frame) {
  const n = player.data.labels.length;
  player.frame = ((frame % n) + n) % n;
  draw(player);
}

function play(player, on) {
  clearInterval(player.timer);
  player.playing = on;
  player.button.textContent = on ? "Pause" : "Play";
  player.button.setAttribute("aria-pressed", on);
  if (!on) return;
  // Beyond 30 a second frames are left out, not squeezed in.
  const perSecond = Number(player.speed.value), step = Math.max(1, Math.round(perSecond / 30));
  player.timer = setInterval(() => {
    if (!player.canvas.isConnected) { clearInterval(player.timer); return; }
    show(player, player.frame + step);
  }, (1000 * step) / perSecond);
}

function start(root) {
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const canvas = root.querySelector("canvas");
  const player = {
    canvas, ctx: canvas.getContext("2d"), sheet: new Image(), frame: 0, playing: false,
    button: find("play"), slider: find("slider"), speed: find("speed"), time: find("time"),
  };
  player.sheet.onload = () => draw(player);
  player.button.onclick = () => play(player, !player.playing);
  find("back").onclick = () => { play(player, false); show(player, player.frame - 1); };
  find("forth").onclick = () => { play(player, false); show(player, player.frame + 1); };
  player.slider.oninput = () => { play(player, false); show(player, Number(player.slider.value)); };
  player.speed.onchange = () => play(player, player.playing);
  return player;
}

export default function ({ data, parentElement }) {
  let player = players.get(parentElement);
  if (!player) {
    player = start(parentElement);
    players.set(parentElement, player);
  }
  if (player.data?.id !== data.id) {
    play(player, false);
    player.frame = 0;
    player.sheet.src = `data:image/png;base64,${data.sheet}`;
    const k = Math.max(1, Math.floor(560 / Math.max(data.nx, data.ny)));
    player.canvas.width = data.nx * k;
    player.canvas.height = data.ny * k;
    player.canvas.setAttribute("aria-label", data.alt);
    player.slider.max = data.labels.length - 1;
    if (still.matches) player.speed.value = "10";
  }
  player.data = data;
  draw(player);
  return () => clearInterval(player.timer);
}
