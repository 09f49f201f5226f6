// The chart of twelve months, drawn over the still picture that is there without a script; and the button that prints.
"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A colour of the page's style sheet, as the browser has worked it out for this look.
function ink(name, place) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// The lines of what is shown on pointing at a month: its name, its parts, its total.
function told(said, names) {
  const parts = said.parts.map((text, place) => `${names[place]}: ${text}`);
  return [said.period, ...parts, said.total].join("\n");
}

function options(data, place) {
  const names = data.series.map((each) => each.name);
  const quiet = ink("--ink-quiet", place);
  const text = ink("--tblr-body-color", place);
  const compact = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });
  return {
    animation: false,
    color: [ink("--accent", place), ink("--ink-wait", place)],
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
    aria: { enabled: false },
    grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: text }, itemWidth: 14 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      axisPointer: { type: "shadow" },
      backgroundColor: ink("--surface", place),
      borderColor: quiet,
      textStyle: { color: text },
      formatter: (points) => told(data.said[points[0].dataIndex], names),
    },
    xAxis: { type: "category", data: data.labels, axisLabel: { color: quiet, hideOverlap: true }, axisTick: { show: false }, axisLine: { lineStyle: { color: quiet } } },
    yAxis: { type: "value", axisLabel: { color: quiet, formatter: (value) => compact.format(value / data.minor) }, splitLine: { lineStyle: { color: ink("--edge", place) } } },
    series: data.series.map((each) => ({ name: each.name, type: "bar", stack: "total", barMaxWidth: 36, data: each.values.map((value) => (value === null ? "-" : value)) })),
  };
}

for (const place of document.querySelectorAll("[data-months]")) {
  if (typeof echarts === "undefined") break;
  const data = JSON.parse(document.getElementById(place.dataset.months).textContent);
  const drawn = document.createElement("div");
  drawn.className = "chart-drawn";
  drawn.setAttribute("aria-hidden", "true"); // the still picture and the table say it to readers of screens
  place.prepend(drawn);
  const chart = echarts.init(drawn, null, { renderer: "canvas" });
  chart.setOption(options(data, place));
  window.addEventListener("resize", () => chart.resize());
}
