import type { Command } from "commander";
import type { DeployOptions, DeployTarget } from "../deploy/run-deploy.ts";
import type { CommandContext } from "../frame/context.ts";
import { collect } from "../target/target-options.ts";

const targets: readonly (readonly [target: DeployTarget, description: string])[] = [
  ["docker", "Writes a Dockerfile: the image contains the bundle of tercel build and runs as an unprivileged user."],
  [
    "compose",
    "Writes compose.yaml and the Dockerfile: the service and every server that it uses, on one machine. If the service has metrics, adds Prometheus with alerts and Grafana with a dashboard.",
  ],
  ["k8s", "Writes Kubernetes manifests, with a kustomization for kubectl apply --kustomize."],
  ["envoy", "Writes an Envoy configuration: gRPC-Web, CORS, health checks, outlier detection."],
];

export function addDeployCommand(program: Command, context: CommandContext): void {
  const deploy = program
    .command("deploy")
    .summary("write the deployment files of a service")
    .description(
      "Writes the files that deploy the service in this folder, from its production configuration. Do not edit them: the same command overwrites them. Put the settings of one cluster into an overlay.",
    );
  for (const [target, description] of targets) {
    deploy
      .command(target)
      .description(description)
      .option("--out <folder>", "output folder", "deploy")
      .option("--image <name:tag>", "image name (default: the name of the service and the version in package.json)")
      .option("--set <key=value>", "override a configuration key of the deployed service (repeatable)", collect, [])
      .option("--check", "write nothing; exit with code 8 when a file is out of date")
      .action(async (options: DeployOptions) => {
        const { deploy: run } = await import("../deploy/run-deploy.ts");
        await run(target, options, context);
      });
  }
}
