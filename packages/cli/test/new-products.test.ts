// What tercel new writes, for every combination of its flags.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadServiceConfig } from "@tercel/service/config";
import { builtInConcerns, knownProviders } from "@tercel/service/internal";
import { parse } from "yaml";
import { packageVersions } from "../src/new/plan/package-versions.ts";
import { libraryEndings, serviceNames } from "../src/new/plan/service-names.ts";
import { type Choices, concerns, equalCommand } from "../src/new/plan/service-plan.ts";
import { portsFor } from "../src/new/plan/service-ports.ts";
import { packageManagers } from "../src/new/plan/workspace-plan.ts";
import { renderProject } from "../src/new/render/render-project.ts";
import { planOf, products, render, root, sample, temporaryFolder, writeFiles } from "./new-projects.ts";

/** Projects that are no services. */
const others = [
  ...["user-client", "order-item-client"].map((name) =>
    renderProject({ type: "library", names: serviceNames(name, libraryEndings), version: "0.1.0" }),
  ),
  ...packageManagers.map((manager) => renderProject({ type: "workspace", name: "shop", manager, version: "0.1.0" })),
];

function pairsOf(all: readonly Choices[]): ReadonlySet<string> {
  const flags = all.map((chosen) => concerns.map((concern) => `${concern}=${chosen[concern]}`));
  return new Set(flags.flatMap((one) => one.flatMap((a) => one.map((b) => `${a} ${b}`))));
}

/** What files import, by file: relative paths resolved, packages by their name. */
function importsOf(files: ReadonlyMap<string, string>): (readonly [file: string, imported: string])[] {
  return [...files].flatMap(([file, text]) =>
    [...text.matchAll(/^(?:import|export) .*from "(.+)";$/gm)].map(([, from = ""]) => {
      const isRelative = from.startsWith(".");
      return [file, isRelative ? join(dirname(file), from) : (/^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from)] as const;
    }),
  );
}

describe("every combination of the flags", () => {
  it("is rendered without gaps: no empty file, no blank lines in a row, nothing undefined", () => {
    assert.equal(products.length, 3 * 3 * 3 * 2 * 3 * 5);
    assert.equal(pairsOf(sample).size, pairsOf(products).size);
    const nextToAnother = { hasGateway: true, ports: portsFor(50_052, false) };
    for (const [path, text] of sample.flatMap((chosen) => [...renderProject(planOf(chosen, nextToAnother))])) {
      assert.match(text, /^\S[\s\S]*\S\n$/, path);
      assert.doesNotMatch(text, /\n\n\n|[ \t]\n|\[object |^\s*undefined\b|\bNaN\b/m, path);
    }
    for (const chosen of products) {
      for (const [path, text] of render(chosen)) {
        const where = `${path} of ${equalCommand(planOf(chosen))}`;
        assert.match(text, /^\S[\s\S]*\S\n$/, where);
        assert.doesNotMatch(text, /\n\n\n|[ \t]\n|\[object |^\s*undefined\b|\bNaN\b/m, where);
      }
    }
  });

  it("imports only files and packages that it has, and has no package that it does not use", () => {
    // Loaded by a provider, by the generated code, or run by a script.
    const loaded = ["@bufbuild/protovalidate", "pg", "ioredis", "@nats-io/", "@opentelemetry/"];
    for (const chosen of products) {
      const files = render(chosen);
      const where = equalCommand(planOf(chosen));
      const { dependencies } = JSON.parse(files.get("package.json") ?? "") as { dependencies: Record<string, string> };
      const imports = importsOf(files);
      for (const [file, imported] of imports) {
        const isThere =
          imported.startsWith("node:") ||
          imported === "gen/user/v1/user_pb.ts" ||
          files.has(imported) ||
          dependencies[imported] !== undefined;
        assert.ok(isThere, `${file} imports ${imported}: ${where}`);
      }
      const imported = new Set(imports.map(([, name]) => name));
      const unused = Object.keys(dependencies).filter(
        (name) => !imported.has(name) && !loaded.some((prefix) => name.startsWith(prefix)),
      );
      assert.deepEqual(unused, [], where);
    }
  });

  it("says in tercel.yaml what was chosen, and the hashes of the files that Tercel manages", () => {
    for (const chosen of products) {
      const files = render(chosen);
      const record = parse(files.get("tercel.yaml") ?? "");
      assert.deepEqual(record.with, chosen);
      assert.deepEqual(Object.keys(record.managed), ["package.json", "tsconfig.json"]);
      for (const [path, hash] of Object.entries(record.managed)) {
        const text = files.get(path) ?? "";
        assert.equal(hash, `sha256:${createHash("sha256").update(text).digest("hex")}`);
      }
    }
  });

  it("has a configuration that the service loads, in development without a variable and in production with those it names", async (t) => {
    const folder = temporaryFolder(t);
    const providers = await knownProviders(builtInConcerns);
    const pem = join(folder, "any.pem");
    writeFileSync(pem, "");
    for (const [at, chosen] of sample.entries()) {
      // Every other one next to another service, and with REST.
      const changes = at % 2 === 0 ? {} : { hasGateway: true, ports: portsFor(50_052, false) };
      const files = renderProject(planOf(chosen, changes));
      writeFiles(folder, new Map([...files].filter(([path]) => path.startsWith("config/"))));
      const where = equalCommand(planOf(chosen));
      const development = await loadServiceConfig({ folder, providers, variables: {} });
      assert.deepEqual(development.warnings, [], where);
      assert.equal(development.value.service.name, "user-service");
      assert.equal(development.value.http !== undefined, at % 2 === 1, where);
      const listening = development.value.listeners.map(({ port }) => port);
      const metrics = chosen.monitoring === "prometheus" ? [9464 + (at % 2)] : [];
      assert.deepEqual(listening, [50_051 + (at % 2), ...metrics], where);
      const example = files.get(".env.example") ?? "";
      const addresses = [...example.matchAll(/^(\w+)=(.+)$/gm)].map(
        ([, name = "", value = ""]) => [name, value] as const,
      );
      const variables = {
        ...Object.fromEntries(addresses),
        ...(chosen.auth === "jwt" && {
          JWT_ISSUER: "https://login.example.com",
          JWT_JWKS_URL: "https://login.example.com/keys",
        }),
        TLS_CERT_FILE: pem,
        TLS_KEY_FILE: pem,
        NODE_ENV: "production",
      };
      const production = await loadServiceConfig({ folder, providers, variables });
      assert.deepEqual(production.warnings, [], where);
      assert.equal(production.value.grpc?.tls.enabled, true);
      // Of logging, which no flag chooses, every service has an entry.
      const { logging: _logging, ...chosenConcerns } = production.value.concerns;
      const types = Object.values(chosenConcerns).flatMap(({ entries }) => entries.map(({ type }) => type));
      const expected = (["database", "cache", "events", "monitoring", "discovery"] as const)
        .map((concern): string => chosen[concern])
        .filter((type) => type !== "none" && type !== "embedded");
      assert.deepEqual(types.toSorted(), expected.toSorted(), where);
    }
  });
});

describe("libraries and workspaces", () => {
  it("are rendered without gaps, and have the names of what they are about", () => {
    for (const [path, text] of others.flatMap((files) => [...files])) {
      assert.match(text, /^\S[\s\S]*\S\n$/, path);
      assert.doesNotMatch(text, /\n\n\n|[ \t]\n|\[object |^\s*undefined\b|\bNaN\b/m, path);
    }
  });
});

describe("a rendered project", () => {
  it("has every name from that of the service", () => {
    for (const chosen of sample) {
      const files = render(chosen, "order-item-service");
      for (const [path, text] of files) {
        assert.doesNotMatch(`${path}\n${text}`, /\busers?\b(?!:password)|\bUsers?[A-Z]|\bAda\b/, path);
      }
    }
  });

  it("is formatted as this repository is, and satisfies its linter", (t) => {
    const biome = join(root, "node_modules/.bin/biome");
    const names = ["user-service", "order-item-service"];
    const plans = [...products.flatMap((chosen) => names.map((name) => render(chosen, name))), ...others];
    // Most files are the same in many of them. The settings of the linter go by the names of folders.
    const checked = new Map<string, string>();
    for (const files of plans) {
      for (const [path, text] of files) {
        if (/\.(ts|json)$/.test(path)) checked.set(`${path}\n${text}`, path);
      }
    }
    assert.ok(checked.size > 100, `${checked.size} files`);
    const folder = temporaryFolder(t);
    const written = [...checked].map(([key, path], at) => [`${at}/${path}`, key.slice(path.length + 1)] as const);
    writeFiles(join(folder, "projects"), new Map(written));
    // There is no Git in the temporary folder to ask what is ignored.
    const { vcs: _vcs, ...settings } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
    mkdirSync(join(folder, "settings"));
    writeFileSync(join(folder, "settings/biome.json"), JSON.stringify(settings));
    const args = ["check", "--error-on-warnings", "--config-path=../settings", "."];
    const { status, stdout, stderr } = spawnSync(biome, args, { cwd: join(folder, "projects"), encoding: "utf8" });
    assert.equal(status, 0, stdout + stderr);
  });

  it("uses the versions of packages that this repository is tested with", () => {
    const manifests = [
      join(root, "package.json"),
      ...["service", "interceptors", "cli"].map((name) => join(root, "packages", name, "package.json")),
    ];
    const tested = new Map<string, string>();
    for (const manifest of manifests) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, "utf8"));
      for (const [name, range] of Object.entries<string>({ ...devDependencies, ...dependencies })) {
        tested.set(name, `^${range.replace("^", "")}`);
      }
    }
    for (const [name, range] of Object.entries(packageVersions)) assert.equal(range, tested.get(name), name);
  });
});
