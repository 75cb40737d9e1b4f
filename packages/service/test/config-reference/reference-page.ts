import { type Shape, shapeOf } from "../../src/config/schema/schema-shape.ts";
import { concernSection } from "../../src/config/service-schema/provider-entries.ts";
import { findType, knownConcerns, type ProviderType } from "../../src/config/service-schema/provider-types.ts";
import { plainSections } from "../../src/config/service-schema/service-config.ts";
import {
  metricsShort,
  registryShort,
  securityTlsShort,
  tracingShort,
} from "../../src/config/service-schema/short-forms.ts";

interface Types {
  readonly development: readonly ProviderType[];
  readonly production: readonly ProviderType[];
}

const opening = `# Configuration reference

This page lists every key of a service's configuration. The [guide](../guides/configuration.md) explains files, variables and \`--set\`. The page is
generated from the schema that checks the configuration.

- Defaults in parentheses are those of the production profile, where they differ.
- A change of a *live* key is applied [without a restart](../guides/configuration.md#change-values-without-a-restart).
- Values of *secret* keys are never shown.
- Durations have a unit: \`500ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`7d\`.
- Sizes are in bytes or have a unit: \`4194304\`, \`4MiB\`.
`;

const sectionNotes: Readonly<Record<string, string>> = {
  service: "The name, address, start and stop of the service.",
  config: "The folder of the overlays. Only the base file may set it.",
  dependencies:
    "A list of the services that this service calls, and the settings of their clients. Items of several files are merged by `name`.",
  security: "Authentication, and keys between services.",
  rate_limit:
    "The number of calls that a client may make. Without this section, calls are not limited. If the default cache is Redis, all instances share one count; otherwise each process counts its own calls.",
  load_shedding:
    "The number of calls that run at once, and the queue for further calls ([load shedding](../../packages/interceptors/src/load-shedding/README.md)). It is on by default. Without load, no call waits and none is refused.",
  idempotency:
    "Calls that must not run twice: the same request with the same `idempotency-key` gets the same response. This section switches it on, and so does the proto option `tercel.idempotency.v1`. Keys are stored in the default database, otherwise in the default cache if it is Redis, and otherwise in memory.",
  communication: "The servers of the service: gRPC and HTTP.",
  logging: "The destinations of log lines.",
  monitoring: "Metrics and traces.",
  discovery: "Service discovery.",
  database: "Databases.",
  cache: "Caches.",
  events: "Event streams.",
  registry: "Short for one entry of `discovery`. Its other keys are those of its type.",
  tracing: "Short for `monitoring.providers.jaeger` or `otlp`.",
  metrics: "Short for `monitoring.providers.prometheus`.",
};

/** The page of all keys, as Markdown. */
export function referencePage(types: Types): string {
  const development = plainSections({ isProduction: false });
  const production: Record<string, object> = plainSections({ isProduction: true });
  const blocks = [opening];
  for (const [key, schema] of Object.entries(development)) {
    blocks.push(heading(key), table(rowsOf(shapeOf(schema), shapeOf(production[key] ?? schema), "")));
    if (key === "security") blocks.push(shortTlsNote, table(rowsOf(shapeOf(securityTlsShort), undefined, "")));
  }
  for (const concern of knownConcerns) blocks.push(...concernBlocks(concern, types));
  for (const [key, schema] of Object.entries({
    registry: registryShort,
    tracing: tracingShort,
    metrics: metricsShort,
  })) {
    blocks.push(heading(key), table(rowsOf(shapeOf(schema), undefined, "")));
  }
  blocks.push("## app\n\nThe application's own settings. The schema `settings` of its definition checks them.\n");
  return blocks.join("\n");
}

function heading(key: string): string {
  return `## ${key}\n\n${sectionNotes[key] ?? ""}\n`;
}

function concernBlocks(concern: string, types: Types): string[] {
  const section = shapeOf(concernSection(concern));
  const own = types.development.filter((type) => type.concern === concern);
  const common = rowsOf(
    { ...section, entries: new Map([...section.entries].filter(([key]) => key !== "providers")) },
    undefined,
    "",
  );
  const entry = section.entries.get("providers")?.rest;
  const blocks = [
    heading(concern),
    table([...common, ...(entry === undefined ? [] : rowsOf(entry, undefined, "providers.<name>."))]),
  ];
  for (const { type, aliases = [], config } of own) {
    const names = aliases.length === 0 ? "" : `, also called ${aliases.map((alias) => `\`${alias}\``).join(", ")}`;
    const inProduction = findType(types.production, concern, type);
    const rows = rowsOf(shapeOf(config), inProduction && shapeOf(inProduction.config), "");
    const keys = rows.length === 0 ? "This type has no keys.\n" : table(rows);
    blocks.push(`### ${concern}.providers: type ${type}\n`, `\`type: ${type}\`${names}.\n`, keys);
  }
  return blocks;
}

const shortTlsNote = "Short for `communication.providers.grpc.tls`:\n";

interface Row {
  readonly key: string;
  readonly shape: Shape;
  readonly inProduction: Shape | undefined;
}

function rowsOf(shape: Shape, inProduction: Shape | undefined, prefix: string): Row[] {
  const rows: Row[] = [];
  const inner = shape.kind === "list" && shape.item?.kind === "map" ? shape.item : shape;
  for (const [key, child] of inner.entries) addRow(`${prefix}${key}`, child, inProduction?.entries.get(key));
  if (inner.rest !== undefined && inner.rest.kind !== "open")
    addRow(`${prefix}<name>`, { ...inner.rest, isRequired: false }, inProduction?.rest);
  return rows;

  function addRow(key: string, child: Shape, other: Shape | undefined): void {
    if (child.kind === "map") rows.push(...rowsOf(child, other, `${key}.`));
    else rows.push({ key, shape: child, inProduction: other });
  }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ key, shape, inProduction }) => {
    const item = shape.kind === "list" ? shape.item : undefined;
    const value = item === undefined ? (shape.expects ?? "") : `a list; each is ${item.expects ?? "text"}`;
    const marks = [shape.isLive && "*live*", shape.secret === true && "*secret*"].filter(Boolean);
    const text = [...marks, shape.description || item?.description || ""].join(" ").trim();
    return `| \`${key}\` | ${value} | ${defaultText(shape, inProduction)} | ${text.replaceAll("|", "\\|")} |`;
  });
  return ["| key | value | default | |", "|---|---|---|---|", ...lines, ""].join("\n");
}

function defaultText(shape: Shape, inProduction: Shape | undefined): string {
  if (shape.isRequired) return "required";
  const shown = valueText(shape.defaultValue);
  const other = inProduction === undefined ? shown : valueText(inProduction.defaultValue);
  return other === shown ? shown : `${shown} (${other})`;
}

function valueText(value: unknown): string {
  if (value === undefined) return "";
  return Array.isArray(value) ? `\`[${value.join(", ")}]\`` : `\`${value === "" ? '""' : String(value)}\``;
}
