import { html } from './html.ts';

/** The cards of the inputs. */
export const CARD_STYLE = html`<style>
  .inputs {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(240px, 100%), 1fr));
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
    min-width: 0;
    font-size: 16px;
    overflow-wrap: anywhere;
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
  .row {
    display: flex;
    justify-content: space-between;
    gap: 10px;
  }
  .row dt {
    white-space: nowrap;
  }
  .row dd {
    min-width: 0;
    text-align: right;
    overflow-wrap: anywhere;
  }
  .input > .small {
    overflow-wrap: anywhere;
  }
</style>`;
