// Pictures of one line width. They are decoration: what they mean stands beside them or in a label.
import { html } from '../html.js';

const PATHS = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  signals: 'M12 3l9 16H3zM12 10v4M12 16.5v.5',
  logs: 'M4 6h16M4 10h10M4 14h16M4 18h8',
  alerts: 'M6 16V11a6 6 0 0112 0v5l2 2H4zM10 20a2 2 0 004 0',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4',
  hosts: 'M4 5h16v5H4zM4 14h16v5H4zM7 7.5h.01M7 16.5h.01',
  processes: 'M5 5h6v4H5zM13 15h6v4h-6zM8 9v8h5M8 12h5M13 10.5h6v3h-6z',
  rules: 'M5 4h14v16H5zM8.5 9l1.5 1.5L13 8M8.5 15l1.5 1.5 3-2.5M15 9.5h1M15 15.5h1',
  anomalies: 'M3 15l4-3 3 2 4-9 3 8 4-2M14 5h.01',
  models: 'M12 4v5M12 9l-5 4M12 9l5 4M7 13v6M17 13v6M4 19h6M14 19h6',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  back: 'M14 6l-6 6 6 6',
  forward: 'M10 6l6 6-6 6',
  down: 'M6 9l6 6 6-6',
  plus: 'M12 6v12M6 12h12',
  minus: 'M6 12h12',
  clock: 'M12 7v5l3 2M12 3a9 9 0 100 18 9 9 0 000-18z',
  wider: 'M11 5a6 6 0 100 12 6 6 0 000-12zM15.5 15.5L20 20M8.5 11h5',
  search: 'M11 5a6 6 0 100 12 6 6 0 000-12zM15.5 15.5L20 20',
  play: 'M8 5l11 7-11 7z',
  pause: 'M8 5v14M16 5v14',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  link: 'M10 14a4 4 0 006 0l3-3a4 4 0 00-6-6l-1 1M14 10a4 4 0 00-6 0l-3 3a4 4 0 006 6l1-1',
  person: 'M12 4a4 4 0 100 8 4 4 0 000-8zM4 20c1-4 4-6 8-6s7 2 8 6',
  note: 'M5 4h14v11l-5 5H5zM14 20v-5h5',
  snooze: 'M12 21a8 8 0 100-16 8 8 0 000 16zM9.5 10.5h5l-5 5h5M4 6l3-3M20 6l-3-3',
  thumb: 'M4 11h3v9H4zM7 12l4-8c2 0 3 1 2 4l-.5 2H19l-2 9H7',
  undo: 'M8 5L4 9l4 4M4 9h10a5 5 0 010 10h-3',
  columns: 'M4 5h16v14H4zM10 5v14M15 5v14',
  wrap: 'M4 6h16M4 12h13a3 3 0 010 6h-4M15 16l-2 2 2 2M4 18h4',
  filter: 'M4 5h16l-6 8v6l-4-2v-4z',
  pattern: 'M4 7h4M11 7h9M4 12h9M16 12h4M4 17h2M9 17h11',
};

/** @param {{ name: keyof typeof PATHS }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
