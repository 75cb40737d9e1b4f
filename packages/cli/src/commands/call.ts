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
      "Calls a unary or streaming method. Messages are proto3 JSON, one after another; a stream sends and prints them as they arrive.",
    )
    .argument("[method]", "SERVICE/METHOD, such as hello.v1.HelloService/SayHello; the package is optional")
    .option(
      "-d, --data <data>",
      "message to send: JSON, @FILE, @- for standard input, or FIELD=VALUE (repeatable; default: an empty message, for streams @-)",
      collect,
      [],
    )
    .option("--deadline <duration>", "deadline of the call, such as 500ms or 30s (default: none)")
    .addOption(
      new Option(
        "--include <parts>",
        "also print these parts of the response to standard error: headers, trailers, timing",
      ).argParser((value) => value.split(",")),
    )
    .option("--emit-defaults", "also print fields with their default value")
    .addOption(
      new Option(
        "-o, --output <format>",
        "ndjson is one line per response, json one document with headers and trailers (default: indented JSON; one line per response for streams)",
      ).choices(["ndjson", "json"]),
    )
    .option("--from <file>", "make the call saved in a file; options given here take precedence")
    .option("--save <file>", "save the call to a file for --from, without the values of secret headers")
    .option("-i, --interactive", "read calls from a prompt with completion and history");
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
