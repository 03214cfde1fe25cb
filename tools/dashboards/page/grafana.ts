import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  FieldColorModeId,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  standardTransformers,
  standardTransformersRegistry,
  ThresholdsMode,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";
import type { Panel } from "./dashboard.js";
import { THEME } from "./settings.js";
import { timeSeriesTable } from "./time-series-table.js";

/** What Grafana's own code knows of these from its plugins, which are in no package. */
const OPTIONS =
  "unit decimals min max displayName noValue links mappings thresholds color description filterable";
const CUSTOM =
  "lineStyle lineWidth fillOpacity stacking cellOptions width minWidth hideFrom drawStyle axisLabel axisPlacement lineInterpolation " +
  "showPoints spanNulls thresholdsStyle align axisCenteredZero fillBelowTo barAlignment pointSize gradientMode scaleDistribution " +
  "axisColorMode axisBorderShow axisSoftMin axisSoftMax inspect wrapText tooltip";

const registry = new FieldConfigOptionsRegistry();
for (const path of OPTIONS.split(" ")) registry.register(property(path, path, false));
for (const path of CUSTOM.split(" ")) registry.register(property(`custom.${path}`, path, true));

function property(id: string, path: string, isCustom: boolean): FieldConfigPropertyItem {
  const nothing = () => null;
  return {
    id,
    path,
    isCustom,
    name: path,
    override: nothing,
    editor: nothing,
    process: (value: unknown) => value,
    shouldApply: () => true,
    settings: {},
  } as unknown as FieldConfigPropertyItem;
}

standardTransformersRegistry.setInit(() => {
  const all = [...Object.values(standardTransformers), timeSeriesTable];
  const each = new Map(all.map((it) => [it.id, it]));
  return [...each.values()].map((it) => ({
    id: it.id,
    name: it.name,
    transformation: async () => it,
    editor: () => null,
    imageDark: "",
    imageLight: "",
  })) as never;
});

/** What the panel makes of the answers: its transformations, then its units, colours and overrides. */
export async function shown(panel: Panel, answers: DataFrame[]): Promise<DataFrame[]> {
  const steps = (panel.transformations ?? []).map(({ id, options }) => ({ id, options }));
  const data = steps.length === 0 ? answers : await lastValueFrom(transformDataFrame(steps, answers));
  const { defaults, overrides } = panel.fieldConfig;
  const isGraph = panel.type === "timeseries";
  const ready = applyFieldOverrides({
    data,
    fieldConfig: {
      overrides,
      defaults: {
        color: { mode: isGraph ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds },
        thresholds: {
          mode: ThresholdsMode.Absolute,
          steps: [
            { value: Number.NEGATIVE_INFINITY, color: "green" },
            { value: 80, color: "red" },
          ],
        },
        ...defaults,
      },
    },
    replaceVariables: (text) => text,
    theme: THEME,
    timeZone: "utc",
    fieldConfigRegistry: registry,
  });
  cacheFieldDisplayNames(ready);
  return ready;
}
