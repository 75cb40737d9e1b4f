import type { Command } from "commander";
import type { DeployOptions, DeployTarget } from "../deploy/run-deploy.ts";
import type { CommandContext } from "../frame/context.ts";
import { collect } from "../target/target-options.ts";

const targets: readonly (readonly [target: DeployTarget, description: string])[] = [
  ["docker", "Writes a Dockerfile: the image holds the bundle of tercel build and runs as a user without rights."],
  [
    "compose",
    "Writes compose.yaml and the Dockerfile: the service with every server that it uses, on one machine. With metrics, also Prometheus with alerts, and Grafana with a dashboard.",
  ],
  ["k8s", "Writes manifests of Kubernetes, with a kustomization for kubectl apply --kustomize."],
  ["envoy", "Writes a configuration of Envoy: gRPC-Web, CORS, health checks, outlier detection."],
];

export function addDeployCommand(program: Command, context: CommandContext): void {
  const deploy = program
    .command("deploy")
    .summary("write the files that a service is deployed with")
    .description(
      "Writes what is needed to deploy the service in this folder, by its configuration for production. The files are written again by the same command and are not edited; what a cluster has of its own goes into an overlay.",
    );
  for (const [target, description] of targets) {
    deploy
      .command(target)
      .description(description)
      .option("--out <folder>", "where to write", "deploy")
      .option(
        "--image <name:tag>",
        "name of the image (default: the name of the service and the version in package.json)",
      )
      .option("--set <key=value>", "value of a key of the configuration of what is deployed (repeatable)", collect, [])
      .option("--check", "write nothing; exit with code 8 when a file is not up to date")
      .action(async (options: DeployOptions) => {
        const { deploy: run } = await import("../deploy/run-deploy.ts");
        await run(target, options, context);
      });
  }
}
