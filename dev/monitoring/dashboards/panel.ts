/* Panels and dashboards as Grafana stores them, from what differs between ours. */

export interface Query {
  readonly expr: string;
  /** How a line is called; `{{label}}` stands for a label's value. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly kind: 'stat' | 'timeseries';
  /** Grafana's name of a unit: s, ms, short, bytes, Bps, reqps, percentunit. */
  readonly unit: string;
  readonly description: string;
  readonly queries: readonly Query[];
  /** Colours a stat red from this value on; the other way round with `redBelow`. */
  readonly redFrom?: number;
  readonly redBelow?: number;
}

export interface Dashboard {
  /** Its file name, and the end of its address. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
}

type Options = Partial<Pick<Panel, 'redFrom' | 'redBelow'>>;

/** One number that is looked at first. */
export function stat(
  title: string,
  unit: string,
  description: string,
  expr: string,
  options: Options = {},
): Panel {
  return { title, kind: 'stat', unit, description, queries: [{ expr, legend: '' }], ...options };
}

/** Lines over time, by expression and legend. */
export function lines(
  title: string,
  unit: string,
  description: string,
  queries: Readonly<Record<string, string>>,
): Panel {
  const list = Object.entries(queries).map(([legend, expr]) => ({ legend, expr }));
  return { title, kind: 'timeseries', unit, description, queries: list };
}

const datasource = { type: 'prometheus', uid: 'signalbox-prometheus' };
const columns = 24;
const sizes = { stat: { w: 4, h: 4 }, timeseries: { w: 12, h: 8 } };

/** The dashboard in Grafana's model; panels are laid out in their order, row by row. */
export function render(dashboard: Dashboard): object {
  const { name, title, description } = dashboard;
  return {
    uid: `signalbox-${name}`,
    title: `Signalbox: ${title}`,
    description,
    tags: ['signalbox'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [firingAlerts] },
    templating: { list: [] },
    links: [{ type: 'dashboards', title: 'Signalbox', tags: ['signalbox'], asDropdown: true }],
    panels: placed(dashboard.panels).map(({ panel, gridPos }, index) =>
      renderPanel(panel, gridPos, index + 1),
    ),
  };
}

const firingAlerts = {
  name: 'Alerts',
  datasource,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertstate="firing"}',
  titleFormat: '{{alertname}}',
};

interface Position {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function placed(panels: readonly Panel[]): { panel: Panel; gridPos: Position }[] {
  let [x, y, height] = [0, 0, 0];
  return panels.map((panel) => {
    const { w, h } = sizes[panel.kind];
    if (x + w > columns || (height > 0 && h !== height)) {
      y += height;
      x = 0;
    }
    height = h;
    const gridPos = { x, y, w, h };
    x += w;
    return { panel, gridPos };
  });
}

function renderPanel(panel: Panel, gridPos: Position, id: number): object {
  const { title, kind, unit, description, queries } = panel;
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCodePoint(65 + index),
    datasource,
    expr,
    legendFormat: legend,
  }));
  const options =
    kind === 'stat'
      ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'area' }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } };
  const fieldConfig = { defaults: { unit, min: 0, thresholds: thresholds(panel) }, overrides: [] };
  return { id, title, type: kind, description, datasource, gridPos, fieldConfig, options, targets };
}

function thresholds({ redFrom, redBelow }: Panel): object {
  const steps =
    redBelow === undefined
      ? [
          { color: 'green', value: null },
          ...(redFrom === undefined ? [] : [{ color: 'red', value: redFrom }]),
        ]
      : [
          { color: 'red', value: null },
          { color: 'green', value: redBelow },
        ];
  return { mode: 'absolute', steps };
}
