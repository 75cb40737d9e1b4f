import { stringify } from "yaml";
import type { DeploymentPlan } from "./deployment-plan.ts";
import { hasOutbox, serverFaults, withoutStreams } from "./prometheus-files.ts";

/** The data source of the dashboards. */
const dataSource = { type: "prometheus", uid: "prometheus" } as const;
/** Folder of the dashboards in the container. */
export const dashboardsFolder = "/var/lib/grafana/dashboards";

const panelWidth = 12;
const panelHeight = 8;

/** A graph: its title, Grafana's unit of its values, and its lines. */
interface Graph {
  readonly title: string;
  readonly description?: string;
  readonly unit: "reqps" | "percentunit" | "s" | "bytes" | "short";
  readonly lines: readonly (readonly [expression: string, legend: string])[];
}

/** Returns the files of `deploy/grafana/` by their paths in it; none for a service without metrics. */
export function grafanaFiles(plan: DeploymentPlan): ReadonlyMap<string, string> {
  if (plan.metricsPath === undefined) return new Map();
  return new Map([
    ["provisioning/datasources/prometheus.yaml", provisioning({ datasources: [source] })],
    ["provisioning/dashboards/dashboards.yaml", provisioning({ providers: [provider] })],
    [`dashboards/${plan.name}.json`, `${JSON.stringify(dashboard(plan), undefined, 2)}\n`],
  ]);
}

const source = {
  name: "Prometheus",
  type: dataSource.type,
  uid: dataSource.uid,
  url: "http://prometheus:9090",
  isDefault: true,
};

const provider = { name: "services", type: "file", options: { path: dashboardsFolder } };

function provisioning(rest: object): string {
  return `# Made by tercel deploy compose.\n${stringify({ apiVersion: 1, ...rest })}`;
}

function dashboard(plan: DeploymentPlan): object {
  return {
    uid: plan.name,
    title: plan.name,
    tags: ["tercel"],
    schemaVersion: 41,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    panels: graphs(plan).map(panel),
  };
}

function panel({ title, description, unit, lines }: Graph, at: number): object {
  return {
    id: at + 1,
    type: "timeseries",
    title,
    ...(description !== undefined && { description }),
    datasource: dataSource,
    gridPos: {
      x: (at % 2) * panelWidth,
      y: Math.floor(at / 2) * panelHeight,
      w: panelWidth,
      h: panelHeight,
    },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: lines.map(([expr, legendFormat], line) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + line),
      datasource: dataSource,
      expr,
      legendFormat,
    })),
  };
}

function graphs(plan: DeploymentPlan): readonly Graph[] {
  const job = `job="${plan.name}"`;
  const rate = `$__rate_interval`;
  const requests = `grpc_server_requests_total{${job}`;
  const durations = `rate(grpc_server_request_duration_seconds_bucket{${job}}[${rate}]) ${withoutStreams}`;
  const quantile = (share: number): readonly [string, string] => [
    `histogram_quantile(${share}, sum by (le) (${durations}))`,
    `p${share * 100}`,
  ];
  return [
    {
      title: "Calls",
      unit: "reqps",
      lines: [[`sum by (service, method) (rate(${requests}}[${rate}]))`, "{{service}}/{{method}}"]],
    },
    {
      title: "Failing calls",
      description: "Share of all calls that fail, by status, and share of those that fail by an error of the service.",
      unit: "percentunit",
      lines: [
        [
          `sum by (status) (rate(${requests}, status!="OK"}[${rate}])) / ignoring (status) group_left sum(rate(${requests}}[${rate}]))`,
          "{{status}}",
        ],
        [
          `sum(rate(${requests}, status=~"${serverFaults}"}[${rate}])) / sum(rate(${requests}}[${rate}]))`,
          "service errors",
        ],
      ],
    },
    {
      title: "Duration",
      description: "Unary calls only.",
      unit: "s",
      lines: [quantile(0.5), quantile(0.95), quantile(0.99)],
    },
    {
      title: "Duration by method, p99",
      unit: "s",
      lines: [[`histogram_quantile(0.99, sum by (service, method, le) (${durations}))`, "{{service}}/{{method}}"]],
    },
    {
      title: "Open calls and connections",
      unit: "short",
      lines: [
        [`sum(grpc_active_calls{${job}})`, "calls"],
        [`sum(grpc_active_connections{${job}})`, "connections"],
      ],
    },
    {
      title: "Dependencies",
      description: "1 while available.",
      unit: "short",
      lines: [[`min by (concern, name) (tercel_provider_up{${job}})`, "{{concern}} {{name}}"]],
    },
    ...(plan.database === undefined ? [] : databaseGraphs(job, rate)),
    ...(hasOutbox(plan) ? [outboxGraph(job)] : []),
    {
      title: "Event loop delay",
      description: "Time that each call waits in addition.",
      unit: "s",
      lines: [[`max by (quantile) (nodejs_eventloop_delay_seconds{${job}})`, "{{quantile}}"]],
    },
    {
      title: "Processor",
      description: "1 is one core.",
      unit: "short",
      lines: [[`sum by (instance) (rate(process_cpu_seconds_total{${job}}[${rate}]))`, "{{instance}}"]],
    },
    {
      title: "Memory",
      unit: "bytes",
      lines: [
        [`sum by (instance) (process_resident_memory_bytes{${job}})`, "{{instance}}"],
        [`sum by (instance) (nodejs_heap_size_used_bytes{${job}})`, "{{instance}} heap"],
      ],
    },
  ];
}

function databaseGraphs(job: string, rate: string): readonly Graph[] {
  return [
    {
      title: "Database, p99",
      unit: "s",
      lines: [
        [
          `histogram_quantile(0.99, sum by (database, operation, le) (rate(tercel_database_operation_seconds_bucket{${job}}[${rate}])))`,
          "{{database}} {{operation}}",
        ],
      ],
    },
    {
      title: "Database connections",
      unit: "short",
      lines: [[`sum by (database, state) (tercel_database_connections{${job}})`, "{{database}} {{state}}"]],
    },
  ];
}

function outboxGraph(job: string): Graph {
  return {
    title: "Events in the outbox",
    unit: "short",
    lines: [
      [`max by (database) (tercel_outbox_pending{${job}})`, "waiting"],
      [`max by (database) (tercel_outbox_parked{${job}})`, "parked"],
    ],
  };
}
