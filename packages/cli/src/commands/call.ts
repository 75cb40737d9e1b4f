import { type Command, Option } from "commander";
import type { CallOptions } from "../call/call-method.ts";
import type { CommandContext } from "../frame/context.ts";
import { addSchemaOptions } from "../schema/schema-options.ts";
import { addTargetOptions, collect } from "../target/target-options.ts";

export function addCallCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("call")
    .summary("call a method")
    .description(
      "Calls a method of any kind. Messages are proto3 JSON, one after the other; those of a stream are sent and printed as they come.",
    )
    .argument("[method]", "SERVICE/METHOD, such as hello.v1.HelloService/SayHello; the package may be left out")
    .option(
      "-d, --data <data>",
      "message to send: JSON, @FILE, @- for standard input, or FIELD=VALUE (repeatable; default: an empty message, for streams @-)",
      collect,
      [],
    )
    .option("--deadline <duration>", "give the call up after this long, such as 500ms or 30s (default: none)")
    .addOption(
      new Option(
        "--include <parts>",
        "print more of the response on standard error: headers, trailers, timing",
      ).argParser((value) => value.split(",")),
    )
    .option("--emit-defaults", "print fields that have their zero value as well")
    .addOption(
      new Option(
        "-o, --output <format>",
        "a line for each response, or one document with headers and trailers too (default: JSON as people read it, a line each for streams)",
      ).choices(["ndjson", "json"]),
    )
    .option("--from <file>", "make the call that a file describes; other options go before it")
    .option("--save <file>", "write the call into a file for --from, without the values of secret headers")
    .option("-i, --interactive", "read calls from a prompt, with completion and history");
  addTargetOptions(command);
  addSchemaOptions(command);
  command.addHelpText(
    "after",
    `
Examples:
  tercel call hello.v1.HelloService/SayHello -d '{"name": "Ada"}'
  tercel call HelloService/Countdown -d from=3 --target 127.0.0.1:50051
  tercel call -i`,
  );
  command.action(async (method: string | undefined, options: CallOptions & { readonly interactive?: boolean }) => {
    if (options.interactive === true) {
      const { runRepl } = await import("../repl/run-repl.ts");
      await runRepl(method, options, context);
    } else {
      const { callMethod } = await import("../call/call-method.ts");
      await callMethod(method, options, context);
    }
  });
}
