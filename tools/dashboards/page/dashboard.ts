import type { FieldConfigSource } from "@grafana/data";

/** Of a dashboard's JSON, what is drawn. */
export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly transformations?: readonly { readonly id: string; readonly options: object }[];
  readonly fieldConfig: FieldConfigSource;
  // biome-ignore lint/suspicious/noExplicitAny: each type of panel has options of its own, which its component checks
  readonly options?: any;
  /** Of a row that is collapsed. */
  readonly panels?: readonly Panel[];
}

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly format?: string;
  readonly interval?: string;
  readonly legendFormat?: string;
}

/** All panels, as if each row were open: what stands below a row that was collapsed moves down. */
export function opened(panels: readonly Panel[]): Panel[] {
  let moved = 0;
  return panels.flatMap((panel) => {
    const own = below(panel, moved);
    if (panel.panels === undefined || panel.panels.length === 0) return [own];
    const top = Math.min(...panel.panels.map(({ gridPos }) => gridPos.y));
    const inside = panel.panels.map((child) => below(child, own.gridPos.y + 1 - top));
    moved =
      Math.max(...inside.map(({ gridPos }) => gridPos.y + gridPos.h)) - panel.gridPos.y - panel.gridPos.h;
    return [own, ...inside];
  });
}

function below(panel: Panel, rows: number): Panel {
  return { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + rows } };
}
