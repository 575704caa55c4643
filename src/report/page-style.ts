import { html } from './html.ts';

/** The page and what its parts share. Colours are those of the system's light or dark mode; nothing is loaded. */
export const PAGE_STYLE = html`<style>
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
  @media (min-width: 1900px) {
    main {
      max-width: 1720px;
    }
  }
  @media (max-width: 560px) {
    main {
      padding: 24px 14px 40px;
    }
  }
  h1 {
    overflow-wrap: anywhere;
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
  table {
    border-collapse: collapse;
    font-variant-numeric: tabular-nums;
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
  dl {
    margin: 0;
    font-size: 13px;
  }
  dt {
    color: var(--soft);
  }
  dd {
    margin: 0;
    font-variant-numeric: tabular-nums;
  }
  .facts {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 6px 22px;
  }
  .facts dd {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  @media (max-width: 560px) {
    .facts {
      grid-template-columns: 1fr;
      gap: 0;
    }
    .facts dd {
      margin-bottom: 10px;
    }
    .tiles {
      grid-template-columns: 1fr 1fr;
    }
  }
  .card > :last-child {
    margin-bottom: 0;
  }
</style>`;
