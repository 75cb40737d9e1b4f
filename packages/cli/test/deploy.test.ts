// tercel deploy: the files that it writes are compared with recordings, and read by the programs that they are for.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import {
  checkPrometheus,
  kustomize,
  lintDockerfile,
  loadInEnvoy,
  testPrometheusRules,
  type Validation,
  validateCompose,
  validateEnvoy,
  validateKubernetes,
  withoutEnvoy,
  withoutPromtool,
  withoutValidators,
} from "@tercel/test-support/peers";
import { parse, parseAllDocuments, stringify } from "yaml";
import type { Choices } from "../src/new/plan/service-plan.ts";
import { defaults, products, render, temporaryFolder, writeFiles } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

const golden = join(import.meta.dirname, "golden/deploy");
const targets = ["docker", "compose", "k8s", "envoy"] as const;

/** A folder with the files of a new service. */
function project(t: TestContext, chosen: Partial<Choices> = {}, more: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder(t);
  writeFiles(folder, render(defaults(chosen)));
  writeFiles(folder, new Map(Object.entries(more)));
  return folder;
}

async function deploy(cwd: string, target: string, ...args: readonly string[]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await runCli(["deploy", target, ...args], { cwd });
  assert.equal(exitCode, 0, stderr);
  return stdout.trim().split("\n");
}

function isValid(what: string, { isValid: ok, output }: Validation): void {
  assert.ok(ok, `${what}: ${output}`);
}

/** The services whose files are kept: the default one, and one with everything. */
const kept = {
  sqlite: {},
  everything: {
    database: "postgres",
    cache: "redis",
    events: "nats",
    auth: "jwt",
    monitoring: "prometheus",
    discovery: "kubernetes",
  },
  otlp: { database: "none", cache: "none", events: "none", monitoring: "otlp", discovery: "consul" },
} as const satisfies Readonly<Record<string, Partial<Choices>>>;

describe("tercel deploy", () => {
  for (const [name, chosen] of Object.entries(kept)) {
    it(`writes the files that are expected: ${name} (UPDATE_GOLDEN=1 writes them)`, async (t) => {
      const cwd = project(t, chosen);
      for (const target of targets) await deploy(cwd, target);
      const paths = readdirSync(join(cwd, "deploy"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(cwd, "deploy/").length))
        .sort();
      const text = paths.map((path) => `=== ${path}\n${readFileSync(join(cwd, "deploy", path), "utf8")}`).join("\n");
      const file = join(golden, `${name}.txt`);
      if (process.env.UPDATE_GOLDEN === "1") {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      assert.equal(text, readFileSync(file, "utf8"));
    });
  }

  it("says with --check which files are not up to date, and writes none", async (t) => {
    const cwd = project(t);
    const before = await runCli(["deploy", "k8s", "--check"], { cwd });
    assert.equal(before.exitCode, 8);
    assert.match(
      before.stderr,
      /^error: files of tercel deploy k8s are out of date\n {2}deploy\/k8s\/deployment\.yaml\n/,
    );
    const paths = await deploy(cwd, "k8s");
    assert.equal((await runCli(["deploy", "k8s", "--check"], { cwd })).exitCode, 0);
    writeFileSync(join(cwd, paths[0] ?? ""), "changed");
    assert.equal((await runCli(["deploy", "k8s", "--check"], { cwd })).exitCode, 8);
  });

  it("takes the name of the image, the folder and settings", async (t) => {
    const cwd = project(t);
    const args = [
      "--image",
      "registry.example.com/users:1.4.0",
      "--out",
      "ops",
      "--set",
      "service.drain=12s",
      "--set",
      "service.port=7000",
    ];
    await deploy(cwd, "k8s", ...args);
    const text = readFileSync(join(cwd, "ops/k8s/deployment.yaml"), "utf8");
    assert.match(text, /image: registry\.example\.com\/users:1\.4\.0/);
    assert.match(text, /- name: TERCEL__SERVICE__PORT\n\s+value: "7000"/);
    assert.match(text, /containerPort: 7000/);
    // Five seconds before the stop, the drain, and fifteen for what is to be closed.
    assert.match(text, /terminationGracePeriodSeconds: 32/);
  });

  it("probes a service in cleartext by gRPC, and one with TLS where it answers in cleartext", async (t) => {
    const cwd = project(t);
    await deploy(cwd, "k8s");
    const withTls = readFileSync(join(cwd, "deploy/k8s/deployment.yaml"), "utf8");
    assert.match(withTls, /readinessProbe:\n\s+httpGet:\n\s+path: \/ready\n\s+port: 9464/);
    assert.match(withTls, /livenessProbe:\n\s+tcpSocket:\n\s+port: 50051/);
    assert.match(withTls, /secretName: user-service-tls/);
    writeFileSync(join(cwd, "config/production.yaml"), "service:\n  insecure: true\n");
    await deploy(cwd, "k8s");
    const cleartext = readFileSync(join(cwd, "deploy/k8s/deployment.yaml"), "utf8");
    assert.match(cleartext, /readinessProbe:\n\s+grpc:\n\s+port: 50051/);
    assert.match(cleartext, /livenessProbe:\n\s+grpc:\n\s+port: 50051\n\s+service: tercel\.live/);
    assert.doesNotMatch(cleartext, /tls/);
  });

  it("lets a service call those that its configuration names, and no others", async (t) => {
    const dependencies =
      "dependencies:\n  - name: order-service\n  - name: elsewhere\n    target: dns:///elsewhere:50051\n";
    const cwd = project(t, { discovery: "kubernetes" });
    writeFileSync(join(cwd, "config/production.yaml"), `service:\n  insecure: true\n${dependencies}`);
    await deploy(cwd, "k8s");
    const policy = parse(readFileSync(join(cwd, "deploy/k8s/network-policy.yaml"), "utf8"));
    const { egress } = policy.spec as { egress: { to?: { podSelector?: { matchLabels: object } }[] }[] };
    const called = egress.flatMap(({ to = [] }) => to.flatMap(({ podSelector }) => podSelector?.matchLabels ?? []));
    assert.deepEqual(called, [{ "app.kubernetes.io/name": "order-service" }]);
  });

  it("refuses what is not one service, or cannot be deployed", async (t) => {
    const empty = await runCli(["deploy", "k8s"], { cwd: temporaryFolder(t) });
    assert.equal(empty.exitCode, 5);
    const cwd = project(t);
    const image = await runCli(["deploy", "k8s", "--image", "users"], { cwd });
    assert.deepEqual(
      [image.exitCode, image.stderr.split("\n")[0]],
      [2, 'error: invalid --image "users": expected a name and a tag, such as registry.example.com/user-service:1.4.0'],
    );
    writeFileSync(join(cwd, "config/production.yaml"), "servce:\n  port: 1\n");
    const wrong = await runCli(["deploy", "k8s"], { cwd });
    assert.equal(wrong.exitCode, 4);
    assert.match(wrong.stderr, /config\/production\.yaml:1:1: unknown key servce; did you mean service\?/);
  });
});

describe("the files of tercel deploy", { skip: withoutValidators }, () => {
  /** Some of the services that there can be: every value of each flag is among them. */
  const sample = products.filter((_, at) => at % 77 === 0);

  it("satisfy hadolint, kubernetes-validate --strict, Envoy's own rules and compose's", async (t) => {
    const manifests: string[] = [];
    for (const chosen of sample) {
      for (const more of [{}, { "config/production.yaml": "service:\n  insecure: true\n" }]) {
        const cwd = project(t, chosen, more);
        for (const target of targets) await deploy(cwd, target);
        const file = (name: string): string => join(cwd, "deploy", name);
        isValid("Dockerfile", lintDockerfile(file("Dockerfile")));
        isValid("compose.yaml", validateCompose(file("compose.yaml")));
        isValid("envoy.yaml", validateEnvoy(file("envoy.yaml")));
        // It knows Kubernetes' own kinds.
        manifests.push(
          ...readdirSync(file("k8s"))
            .filter((name) => name !== "kustomization.yaml")
            .map((name) => file(`k8s/${name}`)),
        );
      }
    }
    isValid("manifests", validateKubernetes(manifests));
  });

  it("would not pass with a mistake in them", async (t) => {
    const cwd = project(t, kept.everything);
    for (const target of targets) await deploy(cwd, target);
    const file = (name: string): string => join(cwd, "deploy", name);
    const spoil = (name: string, from: string, to: string): string => {
      const text = readFileSync(file(name), "utf8");
      assert.ok(text.includes(from), `${name} has no ${from}`);
      writeFileSync(file(name), text.replace(from, to));
      return file(name);
    };
    assert.ok(!lintDockerfile(spoil("Dockerfile", "WORKDIR /app", "WORKDIR app")).isValid);
    assert.ok(!validateCompose(spoil("compose.yaml", "depends_on:", "depends_in:")).isValid);
    assert.match(
      validateEnvoy(spoil("envoy.yaml", "lb_policy: ROUND_ROBIN", "lb_policy: ROUND_ROBBIN")).output,
      /ROUND_ROBBIN/,
    );
    assert.ok(
      !validateKubernetes([spoil("k8s/deployment.yaml", "containerPort: 50051", 'containerPort: "x"')]).isValid,
    );
    assert.ok(!validateKubernetes([spoil("k8s/service.yaml", "clusterIP:", "clusterIp:")]).isValid);
  });

  it("are put together by kustomize", async (t) => {
    for (const chosen of Object.values(kept)) {
      const cwd = project(t, chosen);
      await deploy(cwd, "k8s");
      const { isValid: ok, output } = kustomize(join(cwd, "deploy/k8s"));
      assert.ok(ok, output);
      const kinds = parseAllDocuments(output).map((one) => one.toJS().kind as string);
      assert.ok(kinds.includes("Deployment") && kinds.includes("NetworkPolicy"), kinds.join());
    }
  });
});

describe("the file of tercel deploy envoy", { skip: withoutEnvoy || withoutOpenssl }, () => {
  it("is loaded by Envoy itself, for a service with a certificate and for one in cleartext", async (t) => {
    const authority = createAuthority();
    t.after(() => authority.dispose());
    const caFile = join(temporaryFolder(t), "ca.crt");
    writeFileSync(caFile, authority.cert);
    for (const more of [{}, { "config/production.yaml": "service:\n  insecure: true\n" }]) {
      const cwd = project(t, {}, more);
      await deploy(cwd, "envoy");
      const file = join(cwd, "deploy/envoy.yaml");
      const text = readFileSync(file, "utf8");
      assert.equal(text.includes("/etc/tls/ca.crt"), !("config/production.yaml" in more));
      // The one file that it names is on the machine that Envoy runs on.
      writeFileSync(file, text.replace("/etc/tls/ca.crt", caFile));
      isValid("envoy.yaml", loadInEnvoy(file));
      writeFileSync(file, text.replace("filters.http.grpc_web.v3.GrpcWeb", "filters.http.grpc_web.v3.GrpcWebb"));
      assert.match(loadInEnvoy(file).output, /GrpcWebb/);
    }
  });
});

describe("what tercel deploy compose writes for Prometheus and Grafana", { skip: withoutPromtool }, () => {
  /** The service with everything has every alert and every graph. */
  const chosen = kept.everything;

  it("is a configuration, with alerts, that promtool finds nothing in", async (t) => {
    for (const one of Object.values(kept)) {
      const cwd = project(t, one);
      await deploy(cwd, "compose");
      const file = join(cwd, "deploy/prometheus/prometheus.yml");
      assert.equal(existsSync(file), !("monitoring" in one) || one.monitoring === "prometheus");
      if (existsSync(file)) isValid("prometheus.yml", checkPrometheus(file));
    }
    const cwd = project(t, chosen);
    await deploy(cwd, "compose");
    const rules = join(cwd, "deploy/prometheus/alerts.yml");
    writeFileSync(rules, readFileSync(rules, "utf8").replace("== 0", "= 0"));
    assert.ok(!checkPrometheus(join(cwd, "deploy/prometheus/prometheus.yml")).isValid);
  });

  it("fires each alert when its time has come, and none for a service that is well", async (t) => {
    const cwd = project(t, chosen);
    await deploy(cwd, "compose");
    const job = '{job="user-service", instance="a"}';
    const calls = (status: string, method = "GetUser"): string =>
      `grpc_server_requests_total{job="user-service", instance="a", service="user.v1.UserService", method="${method}", status="${status}"}`;
    const took = (method: string, le: string): string =>
      `grpc_server_request_duration_seconds_bucket{job="user-service", instance="a", service="user.v1.UserService", method="${method}", le="${le}"}`;
    const well = {
      [`up${job}`]: "1x60",
      [calls("OK")]: "0+600x60",
      // Faults of callers are theirs.
      [calls("NOT_FOUND")]: "0+600x60",
      [took("GetUser", "0.1")]: "0+600x60",
      [took("GetUser", "+Inf")]: "0+600x60",
      // A stream that callers keep open for long is not slow.
      [took("WatchUser", "0.1")]: "0x60",
      [took("WatchUser", "10")]: "0x60",
      [took("WatchUser", "+Inf")]: "0+600x60",
      'grpc_server_stream_messages_sent_total{job="user-service", instance="a", service="user.v1.UserService", method="WatchUser"}':
        "0+1x60",
      'nodejs_eventloop_delay_seconds{job="user-service", instance="a", quantile="0.99"}': "0.01x60",
      'tercel_provider_up{job="user-service", instance="a", concern="cache", name="redis"}': "1x60",
      [`tercel_outbox_oldest_seconds${job}`]: "2x60",
      [`tercel_outbox_parked${job}`]: "0x60",
    };
    const troubles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      ServiceDown: { [`up${job}`]: "0x60" },
      CallsFail: { [calls("INTERNAL")]: "0+30x60" },
      CallsSlow: { [took("GetUser", "0.1")]: "0x60", [took("GetUser", "10")]: "0+600x60" },
      EventLoopBlocked: {
        'nodejs_eventloop_delay_seconds{job="user-service", instance="a", quantile="0.99"}': "0.5x60",
      },
      ProviderDown: { 'tercel_provider_up{job="user-service", instance="a", concern="cache", name="redis"}': "0x60" },
      EventsWait: { [`tercel_outbox_oldest_seconds${job}`]: "120x60" },
      EventsParked: { [`tercel_outbox_parked${job}`]: "3x60" },
    };
    const file = join(cwd, "deploy/prometheus/alerts.yml");
    const alerts = parse(readFileSync(file, "utf8")).groups[0].rules.map(({ alert }: { alert: string }) => alert);
    assert.deepEqual(alerts, Object.keys(troubles));
    const labelsOf: Readonly<Record<string, object>> = {
      ServiceDown: { instance: "a", job: "user-service", severity: "critical" },
      CallsFail: { job: "user-service", severity: "critical" },
      CallsSlow: {
        job: "user-service",
        service: "user.v1.UserService",
        method: "GetUser",
        severity: "warning",
      },
      EventLoopBlocked: { instance: "a", job: "user-service", quantile: "0.99", severity: "warning" },
      ProviderDown: { instance: "a", job: "user-service", concern: "cache", name: "redis", severity: "warning" },
      EventsWait: { job: "user-service", severity: "warning" },
      EventsParked: { job: "user-service", severity: "warning" },
    };
    const tests = [undefined, ...Object.keys(troubles)].map((trouble) => ({
      name: trouble ?? "well",
      interval: "1m",
      input_series: Object.entries({ ...well, ...troubles[trouble ?? ""] }).map(([series, values]) => ({
        series,
        values,
      })),
      alert_rule_test: alerts.map((alertname: string) => ({
        eval_time: "30m",
        alertname,
        // Their texts are compared with the recordings.
        exp_alerts: alertname === trouble ? [{ exp_labels: labelsOf[alertname] }] : [],
      })),
    }));
    // What an alert says is not repeated here.
    const rules = parse(readFileSync(file, "utf8"));
    for (const rule of rules.groups[0].rules) delete rule.annotations;
    writeFileSync(join(cwd, "rules.yml"), stringify(rules));
    writeFileSync(
      join(cwd, "tests.yml"),
      stringify({ rule_files: ["rules.yml"], evaluation_interval: "1m", tests }, { aliasDuplicateObjects: false }),
    );
    isValid("alerts", testPrometheusRules(join(cwd, "tests.yml")));
  });

  it("draws graphs by expressions that Prometheus reads", async (t) => {
    const cwd = project(t, chosen);
    await deploy(cwd, "compose");
    const dashboard = JSON.parse(readFileSync(join(cwd, "deploy/grafana/dashboards/user-service.json"), "utf8"));
    const panels = dashboard.panels as { title: string; targets: { expr: string }[] }[];
    const rules = panels
      .flatMap(({ targets }) => targets)
      // Grafana fills in what suits the width of the graph.
      .map(({ expr }, at) => ({ record: `graph:line:${at}`, expr: expr.replaceAll("$__rate_interval", "1m") }));
    assert.ok(rules.length > panels.length);
    writeFileSync(join(cwd, "rules.yml"), stringify({ groups: [{ name: "graphs", rules }] }));
    writeFileSync(join(cwd, "prometheus.yml"), "rule_files: [rules.yml]\n");
    isValid("graphs", checkPrometheus(join(cwd, "prometheus.yml")));
  });
});
