import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { composeFile } from "./compose-file.ts";
import type { DeploymentPlan } from "./deployment-plan.ts";
import { dockerfile, dockerignore } from "./dockerfile.ts";
import { envoyFile } from "./envoy-file.ts";
import { grafanaFiles } from "./grafana-files.ts";
import { kubernetesFiles } from "./kubernetes-files.ts";
import { planDeployment } from "./plan-deployment.ts";
import { prometheusFiles } from "./prometheus-files.ts";

/** The options of the command line, as commander names them. */
export interface DeployOptions {
  readonly out: string;
  readonly image?: string;
  readonly check?: boolean;
  readonly set: readonly string[];
}

export const deployTargets = ["docker", "compose", "k8s", "envoy"] as const;
export type DeployTarget = (typeof deployTargets)[number];

/** Returns the files of a target by their path in the output folder. */
export function deployFiles(target: DeployTarget, plan: DeploymentPlan): ReadonlyMap<string, string> {
  switch (target) {
    case "docker":
      return new Map([
        ["Dockerfile", dockerfile(plan)],
        ["Dockerfile.dockerignore", dockerignore()],
      ]);
    case "compose":
      return new Map([
        ...deployFiles("docker", plan),
        ["compose.yaml", composeFile(plan)],
        ["secrets/.gitignore", "*\n"],
        ...inFolder("prometheus", prometheusFiles(plan)),
        ...inFolder("grafana", grafanaFiles(plan)),
      ]);
    case "k8s":
      return inFolder("k8s", kubernetesFiles(plan));
    case "envoy":
      return new Map([["envoy.yaml", envoyFile(plan)]]);
  }
}

function inFolder(folder: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].map(([file, text]) => [`${folder}/${file}`, text]));
}

/** `tercel deploy` */
export async function deploy(target: DeployTarget, options: DeployOptions, context: CommandContext): Promise<void> {
  const plan = await planDeployment(context.cwd, {
    set: options.set,
    ...(options.image !== undefined && { image: options.image }),
  });
  const folder = resolve(context.cwd, options.out);
  const files = [...deployFiles(target, plan)].map(([file, text]) => ({ path: join(folder, file), text }));
  const changed = files.filter(({ path, text }) => readIfThere(path) !== text);
  const shown = (path: string): string => relative(context.cwd, path);
  if (options.check === true) {
    if (changed.length === 0) return;
    throw new CommandFailure(exitCodes.stale, `files of tercel deploy ${target} are out of date`, {
      lines: changed.map(({ path }) => shown(path)),
      hint: `run tercel deploy ${target} and commit the result`,
    });
  }
  for (const { path, text } of changed) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  for (const { path } of files) await context.stdout.line(shown(path));
  for (const line of nextSteps(target, plan, shown(folder))) await context.stderr.line(line);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Returns the steps that remain before the files can be used. */
function nextSteps(target: DeployTarget, plan: DeploymentPlan, out: string): readonly string[] {
  const notes: string[] = [];
  if (plan.database === "sqlite" && target === "k8s") {
    notes.push(
      "note: SQLite allows a single pod, which a release stops before it starts the next; PostgreSQL allows several",
    );
  }
  if (target === "docker") {
    return [...notes, `next: docker build --file ${out}/Dockerfile --tag ${plan.image} .`];
  }
  if (target === "compose") {
    return [
      ...notes,
      `next: write the files of ${out}/secrets, then docker compose --file ${out}/compose.yaml up --build`,
    ];
  }
  if (target === "envoy") return notes;
  const keys = plan.variables.filter(({ kind }) => kind !== "tls").map(({ name }) => `--from-literal=${name}=…`);
  return [
    ...notes,
    "next:",
    ...(keys.length > 0 ? [`  kubectl create secret generic ${plan.name} ${keys.join(" ")}`] : []),
    ...(plan.tls === undefined ? [] : [`  kubectl create secret tls ${plan.name}-tls --cert=tls.crt --key=tls.key`]),
    `  kubectl apply --kustomize ${out}/k8s`,
  ];
}
