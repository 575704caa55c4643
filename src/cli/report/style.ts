import { html } from './html.ts';

/** The report's style sheet. Colours are those of the system's light or dark mode; nothing is loaded. */
export const STYLE_ELEMENT = html`<style>
  :root {
    color-scheme: light dark;
    --page: #f6f7f9;
    --card: #ffffff;
    --line: #dfe3e8;
    --text: #1b2430;
    --soft: #5c6877;
    --accent: #2458c5;
    --fill: #2458c51f;
    --good: #1a7f4b;
    --warn: #9a6200;
    --bad: #b3261e;
    --good-bg: #e3f4ea;
    --warn-bg: #fbf0d9;
    --bad-bg: #fbe4e2;
    --track: #e8ebf0;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --page: #11151b;
      --card: #1a2029;
      --line: #2e3744;
      --text: #e6eaf0;
      --soft: #9aa7b6;
      --accent: #7ea6ff;
      --fill: #7ea6ff26;
      --good: #62d196;
      --warn: #efb95b;
      --bad: #ff8f86;
      --good-bg: #17342a;
      --warn-bg: #3a2f18;
      --bad-bg: #40201f;
      --track: #2a323e;
    }
  }
  * {
    box-sizing: border-box;
  }
  body {
    margin: 0;
    background: var(--page);
    color: var(--text);
    font:
      15px/1.55 system-ui,
      -apple-system,
      'Segoe UI',
      Roboto,
      'Liberation Sans',
      sans-serif;
  }
  main {
    max-width: 1080px;
    margin: 0 auto;
    padding: 36px 24px 56px;
  }
  h1 {
    font-size: 28px;
    line-height: 1.2;
    margin: 0 0 8px;
    letter-spacing: -0.01em;
  }
  h2 {
    font-size: 18px;
    margin: 40px 0 12px;
  }
  p {
    margin: 0 0 10px;
    max-width: 78ch;
  }
  .brand {
    color: var(--accent);
    font-weight: 650;
    letter-spacing: 0.02em;
    margin: 0 0 6px;
  }
  .soft {
    color: var(--soft);
  }
  .small {
    font-size: 13px;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: 10px;
    padding: 18px;
  }
  .tiles {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
    gap: 12px;
    margin: 24px 0 0;
  }
  .tile {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: 10px;
    padding: 14px 16px;
  }
  .tile b {
    display: block;
    font-size: 26px;
    line-height: 1.2;
    font-weight: 650;
    font-variant-numeric: tabular-nums;
  }
  .tile.good b {
    color: var(--good);
  }
  .tile.warn b {
    color: var(--warn);
  }
  .tile.bad b {
    color: var(--bad);
  }
  .plot {
    display: block;
    width: 100%;
    height: auto;
  }
  .plot text {
    fill: var(--soft);
    font-size: 12px;
    text-anchor: middle;
  }
  .plot .end {
    text-anchor: end;
  }
  .plot .name {
    fill: var(--text);
    font-size: 13px;
  }
  .plot .grid {
    stroke: var(--line);
  }
  .plot .mark,
  .plot .axis {
    stroke: var(--soft);
  }
  .plot .curve {
    fill: none;
    stroke: var(--accent);
    stroke-width: 2.5;
    stroke-linejoin: round;
  }
  .plot .area {
    fill: var(--fill);
  }
  .plot .ceiling {
    stroke: var(--soft);
    stroke-dasharray: 4 4;
  }
  .scroll {
    overflow-x: auto;
  }
  table {
    border-collapse: collapse;
    font-variant-numeric: tabular-nums;
  }
  .curve-table {
    width: 100%;
    margin: 14px 0 6px;
    font-size: 13px;
  }
  .curve-table th,
  .curve-table td {
    padding: 5px 8px;
    text-align: center;
    border-top: 1px solid var(--line);
    font-weight: 500;
  }
  .curve-table th[scope='row'] {
    text-align: left;
    color: var(--soft);
    white-space: nowrap;
  }
  .inputs {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(240px, 1fr));
    gap: 14px;
  }
  .input {
    padding: 14px;
    display: flex;
    flex-direction: column;
    gap: 10px;
  }
  .input.abstained {
    border-color: var(--warn);
  }
  .input.wrong,
  .input.failed {
    border-color: var(--bad);
  }
  .head {
    display: flex;
    justify-content: space-between;
    align-items: baseline;
    gap: 8px;
  }
  .head strong {
    font-size: 16px;
  }
  .badge {
    font-size: 12px;
    font-weight: 600;
    padding: 2px 9px;
    border-radius: 99px;
    white-space: nowrap;
  }
  .badge.correct {
    color: var(--good);
    background: var(--good-bg);
  }
  .badge.abstained {
    color: var(--warn);
    background: var(--warn-bg);
  }
  .badge.wrong,
  .badge.failed {
    color: var(--bad);
    background: var(--bad-bg);
  }
  .pictures {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 8px;
  }
  figure {
    margin: 0;
  }
  figure img {
    display: block;
    width: 100%;
    aspect-ratio: 1;
    object-fit: contain;
    image-rendering: pixelated;
    border-radius: 6px;
    background: #000;
  }
  figcaption {
    font-size: 11.5px;
    color: var(--soft);
    margin-top: 4px;
  }
  .bar {
    height: 6px;
    border-radius: 3px;
    background: var(--track);
    overflow: hidden;
  }
  .bar i {
    display: block;
    height: 100%;
    background: var(--accent);
    border-radius: 3px;
  }
  dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 3px 14px;
    margin: 0;
    font-size: 13px;
  }
  dt {
    color: var(--soft);
  }
  dd {
    margin: 0;
    text-align: right;
    font-variant-numeric: tabular-nums;
  }
  dl.facts {
    gap: 6px 22px;
  }
  dl.facts dd {
    text-align: left;
    overflow-wrap: anywhere;
  }
  code {
    font:
      12.5px/1.5 ui-monospace,
      'SF Mono',
      Menlo,
      Consolas,
      'Liberation Mono',
      monospace;
    overflow-wrap: anywhere;
  }
  pre {
    margin: 14px 0 0;
    padding: 12px 14px;
    border-radius: 8px;
    background: var(--track);
    white-space: pre-wrap;
  }
  footer {
    margin-top: 36px;
  }
  @media print {
    .card,
    .tile,
    .input {
      break-inside: avoid;
    }
  }
</style>`;
