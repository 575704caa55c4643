import { html } from './html.ts';

/** The curve of certified accuracy and its table. */
export const PLOT_STYLE = html`<style>
  .plot {
    display: block;
    width: 100%;
    height: auto;
  }
  .plot.narrow {
    display: none;
  }
  @media (max-width: 560px) {
    .plot.narrow {
      display: block;
    }
    .plot.wide {
      display: none;
    }
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
  .plot .band {
    fill: var(--accent);
    opacity: 0.14;
  }
  .plot .ceiling {
    stroke: var(--soft);
    stroke-dasharray: 4 4;
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
  @media (max-width: 560px) {
    .curve-table th,
    .curve-table td {
      padding: 5px 2px;
    }
  }
  .curve-table td {
    white-space: nowrap;
  }
  .curve-table thead th {
    border-top: none;
    color: var(--soft);
  }
</style>`;
