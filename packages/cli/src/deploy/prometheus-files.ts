import { stringify } from "yaml";
import type { DeploymentPlan } from "./deployment-plan.ts";

/** A Prometheus alert. */
interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** Statuses that are errors of the server, not of the caller, by OpenTelemetry's conventions for RPC servers. */
export const serverFaults = "UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS";

/** Excludes streams: the caller decides how long a stream lasts. */
export const withoutStreams =
  "unless on (job, instance, service, method) (grpc_server_stream_messages_sent_total or grpc_server_stream_messages_received_total)";

/** Returns the files of `deploy/prometheus/` by name; none for a service without metrics. */
export function prometheusFiles(plan: DeploymentPlan): ReadonlyMap<string, string> {
  if (plan.metricsPath === undefined) return new Map();
  return new Map([
    ["prometheus.yml", file("", scrapeConfig(plan))],
    ["alerts.yml", file("The thresholds are starting points: adjust them to the service's objectives.", alerts(plan))],
  ]);
}

function file(comment: string, document: object): string {
  const lines = ["Made by tercel deploy compose.", comment].filter((line) => line !== "");
  return `${lines.map((line) => `# ${line}\n`).join("")}${stringify(document, { lineWidth: 0 })}`;
}

function scrapeConfig({ name, pagesPort, metricsPath }: DeploymentPlan): object {
  return {
    rule_files: ["alerts.yml"],
    scrape_configs: [
      {
        job_name: name,
        metrics_path: metricsPath,
        scrape_interval: "10s",
        static_configs: [{ targets: [`${name}:${pagesPort}`] }],
      },
    ],
  };
}

function alerts(plan: DeploymentPlan): object {
  const { name } = plan;
  const job = `job="${name}"`;
  const rules: readonly Alert[] = [
    {
      alert: "ServiceDown",
      expr: `up{${job}} == 0`,
      for: "1m",
      labels: { severity: "critical" },
      annotations: {
        summary: `${name} is down`,
        description: "{{ $labels.instance }} has not responded for a minute.",
      },
    },
    {
      alert: "CallsFail",
      expr: `sum by (job) (rate(grpc_server_requests_total{${job}, status=~"${serverFaults}"}[5m])) / sum by (job) (rate(grpc_server_requests_total{${job}}[5m])) > 0.01`,
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: `${name} fails`,
        description: "{{ $value | humanizePercentage }} of the calls fail by an error of the service.",
      },
    },
    {
      alert: "CallsSlow",
      expr: `histogram_quantile(0.99, sum by (job, service, method, le) (rate(grpc_server_request_duration_seconds_bucket{${job}}[5m]) ${withoutStreams})) > 1`,
      for: "10m",
      labels: { severity: "warning" },
      annotations: {
        summary: `${name} is slow`,
        description:
          "One call in a hundred of {{ $labels.service }}/{{ $labels.method }} takes {{ $value | humanizeDuration }} or more.",
      },
    },
    {
      alert: "EventLoopBlocked",
      expr: `nodejs_eventloop_delay_seconds{${job}, quantile="0.99"} > 0.2`,
      for: "5m",
      labels: { severity: "warning" },
      annotations: {
        summary: `the event loop of ${name} is blocked`,
        description: "Calls to {{ $labels.instance }} wait up to {{ $value | humanizeDuration }}.",
      },
    },
    {
      alert: "ProviderDown",
      expr: `tercel_provider_up{${job}} == 0`,
      for: "2m",
      labels: { severity: "warning" },
      annotations: {
        summary: `${name} cannot use its {{ $labels.concern }}`,
        description:
          "{{ $labels.concern }} {{ $labels.name }} has been unavailable to {{ $labels.instance }} for two minutes; /ready shows why.",
      },
    },
    ...(hasOutbox(plan) ? outboxAlerts(name, job) : []),
  ];
  return { groups: [{ name, rules }] };
}

/** Whether events are stored in the database until a broker has them. */
export function hasOutbox({ database, engines }: DeploymentPlan): boolean {
  return database !== undefined && engines.includes("nats");
}

function outboxAlerts(name: string, job: string): readonly Alert[] {
  return [
    {
      alert: "EventsWait",
      expr: `max by (job) (tercel_outbox_oldest_seconds{${job}}) > 60`,
      for: "5m",
      labels: { severity: "warning" },
      annotations: {
        summary: `${name} cannot publish its events`,
        description: "The oldest event has been in the outbox for {{ $value | humanizeDuration }}.",
      },
    },
    {
      alert: "EventsParked",
      expr: `max by (job) (tercel_outbox_parked{${job}}) > 0`,
      for: "1m",
      labels: { severity: "warning" },
      annotations: {
        summary: `the broker rejects events of ${name}`,
        description: "{{ $value }} events are parked; tercel_outbox_parked has the reasons.",
      },
    },
  ];
}
