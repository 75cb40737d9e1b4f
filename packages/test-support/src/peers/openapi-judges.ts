import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "../find-program.ts";
import { buildOnce, peerSources, runStep } from "./build-once.ts";
import type { Validation } from "./validators.ts";

const npm = findProgram("npm");
const tsc = join(import.meta.dirname, "../../../../node_modules/.bin/tsc");

/** The reason to skip the validation of OpenAPI documents; false if npm is installed. */
export const withoutNpm: string | false =
  npm === undefined && "npm, which installs the judges of OpenAPI, is not installed";

/** Installs Redocly's linter and openapi-typescript if necessary, and returns their folder. */
export function buildOpenApiJudges(): string {
  const source = join(peerSources, "openapi-judges");
  return buildOnce(source, (target) => {
    for (const file of ["package.json", "package-lock.json", "redocly.yaml"]) {
      copyFileSync(join(source, file), join(target, file));
    }
    runStep(npm ?? "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], target);
  });
}

/** Checks a document with Redocly's recommended rules. Warnings count as errors. */
export function lintOpenApi(file: string): Validation {
  const folder = buildOpenApiJudges();
  return run(join(folder, "node_modules/@redocly/cli/bin/cli.js"), [
    "lint",
    file,
    "--config",
    join(folder, "redocly.yaml"),
  ]);
}

/**
 * Generates the types of a document with openapi-typescript, and type-checks them together with a program that imports them from "./api.ts". Both
 * files are written next to the document.
 */
export function checkOpenApiTypes(file: string, program: string): Validation {
  const written = join(dirname(file), "api.ts");
  const main = join(dirname(file), "main.ts");
  const generated = run(join(buildOpenApiJudges(), "node_modules/openapi-typescript/bin/cli.js"), [
    file,
    "-o",
    written,
  ]);
  if (!generated.isValid) return generated;
  writeFileSync(main, program);
  return run(tsc, [
    "--noEmit",
    "--ignoreConfig",
    "--strict",
    "--allowImportingTsExtensions",
    "--module",
    "nodenext",
    "--types",
    "",
    main,
  ]);
}

function run(script: string, args: readonly string[]): Validation {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
    env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
  });
  return { isValid: status === 0, output: `${error?.message ?? ""}${stdout}${stderr}` };
}
