import { versionOf } from "../plan/package-versions.ts";
import { chosenTexts } from "../plan/provider-texts.ts";
import type { ServicePlan } from "../plan/service-plan.ts";

/** Returns `package.json`. */
export function packageManifest(plan: ServicePlan): string {
  const own = `^${plan.version}`;
  const hasVariables = [...chosenTexts(plan).values()].some(({ variable }) => variable !== undefined);
  const node = hasVariables ? "node --env-file-if-exists=.env" : "node";
  const providers = [...chosenTexts(plan).values()].flatMap(({ packages = [] }) => packages);
  const shared = ["@bufbuild/protobuf", "@bufbuild/protovalidate", "@connectrpc/connect"];
  const tools = ["@bufbuild/buf", "@types/node", "esbuild", "typescript"];
  const manifest = {
    name: plan.names.service,
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=22.18" },
    scripts: {
      start: `${node} src/main.ts`,
      dev: "tercel dev",
      build: "tercel build",
      test: 'node --test "test/**/*.test.ts"',
      check: "tsc",
      generate: "tercel generate",
      lint: "tercel lint",
    },
    dependencies: sorted([
      ["@tercel/grpc", own],
      ["@tercel/service", own],
      ...[...shared, ...providers].map((name) => [name, versionOf(name)] as const),
    ]),
    devDependencies: sorted([["tercel", own], ...tools.map((name) => [name, versionOf(name)] as const)]),
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

function sorted(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
