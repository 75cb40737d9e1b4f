import { type Command, Option } from "commander";
import type { BenchOptions } from "../bench/bench-options.ts";
import type { CommandContext } from "../frame/context.ts";
import { addSchemaOptions } from "../schema/schema-options.ts";
import { addTargetOptions, collect } from "../target/target-options.ts";

export function addBenchCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("bench")
    .summary("measure the latency and throughput of a method")
    .description(
      "Calls a method repeatedly and measures its latency. --rate is an open loop: each call is due at a fixed time, even while earlier calls are running, and its latency counts from then, so the pauses of a stalled server show. --concurrency is a closed loop: a slow server slows the load down.",
    )
    .argument("<method>", "SERVICE/METHOD; the package is optional")
    .option("-d, --data <data>", "message to send, as for tercel call; several are sent in rotation", collect, [])
    .addOption(new Option("--rate <calls>", "calls per second (open loop)").conflicts(["concurrency", "stages"]))
    .addOption(new Option("--stages <stages>", "rates in sequence, such as 10s:100,30s:500").conflicts("concurrency"))
    .option("--concurrency <calls>", "calls in flight (closed loop; default: 10, unless a rate is given)")
    .option("--duration <duration>", "length of the measurement", "10s")
    .option("--warmup <duration>", "length of the warm-up before it, which is not measured", "1s")
    .option("--connections <count>", "number of connections", "1")
    .option("--workers <count>", "number of threads that make calls", "1")
    .option("--deadline <duration>", "deadline of each call", "10s")
    .option("--max-in-flight <calls>", "limit on calls in flight; a call above it counts as an error", "10000")
    .option("--max-error-rate <share>", "exit with code 3 when a larger share of the calls fails, such as 0.01")
    .option("--max-p99 <duration>", "exit with code 3 when the 99th percentile of the latency is higher, such as 20ms")
    .option("--compare <file>", "show the difference from an earlier result of -o json")
    .addOption(
      new Option(
        "-o, --output <format>",
        "output format; html is a page with a chart, hgrm a file for HdrHistogram's plotter",
      )
        .choices(["table", "json", "html", "hgrm"])
        .default("table"),
    );
  addTargetOptions(command);
  addSchemaOptions(command);
  command.addHelpText(
    "after",
    `
Examples:
  tercel bench HelloService/SayHello -d name=Ada --rate 1000 --duration 30s
  tercel bench HelloService/SayHello --concurrency 50 --max-p99 20ms`,
  );
  command.action(async (method: string, options: BenchOptions) => {
    const { runBench } = await import("../bench/run-bench.ts");
    await runBench(method, options, context);
  });
}
