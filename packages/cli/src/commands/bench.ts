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
      "Calls a method again and again. With --rate the load is an open loop: each call is due at its time whatever became of the others, and its latency counts from there, so a server that stands still shows. With --concurrency it is a closed loop: a slow server slows the load down.",
    )
    .argument("<method>", "SERVICE/METHOD; the package may be left out")
    .option("-d, --data <data>", "message to send, as for call; several are sent in turn", collect, [])
    .addOption(new Option("--rate <calls>", "calls per second, open loop").conflicts(["concurrency", "stages"]))
    .addOption(
      new Option("--stages <stages>", "rates one after the other, such as 10s:100,30s:500").conflicts("concurrency"),
    )
    .option("--concurrency <calls>", "calls at a time, closed loop (default: 10, when no rate is given)")
    .option("--duration <duration>", "how long to measure", "10s")
    .option("--warmup <duration>", "how long to call before that, unmeasured", "1s")
    .option("--connections <count>", "connections in all", "1")
    .option("--workers <count>", "threads that make the calls", "1")
    .option("--deadline <duration>", "deadline of each call", "10s")
    .option("--max-in-flight <calls>", "calls that may be open at once; one more is counted as an error", "10000")
    .option("--max-error-rate <share>", "exit with code 3 when more calls fail, such as 0.01")
    .option("--max-p99 <duration>", "exit with code 3 when the 99th percentile of the latency is longer")
    .option("--compare <file>", "show the difference to an earlier result, which -o json printed")
    .addOption(
      new Option(
        "-o, --output <format>",
        "format of the result; html is a page with a chart, hgrm what HdrHistogram's plotter reads",
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
