// tercel deploy: the files that it writes are compared with recordings, and read by the programs that they are for.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  kustomize,
  lintDockerfile,
  type Validation,
  validateCompose,
  validateEnvoy,
  validateKubernetes,
  withoutValidators,
} from "@tercel/test-support/peers";
import { parse, parseAllDocuments } from "yaml";
import type { Choices } from "../src/new/service-plan.ts";
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
    assert.match(before.stderr, /^error: files of deploy k8s are not up to date\n {2}deploy\/k8s\/deployment\.yaml\n/);
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
      [2, 'error: invalid --image "users": write a name and a tag, such as registry.example.com/user-service:1.4.0'],
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
