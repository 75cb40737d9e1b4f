import type { Command } from "commander";
import type { DescribeOptions } from "../describe/describe-symbol.ts";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";
import { addSchemaOptions } from "../schema/schema-options.ts";
import { addTargetOptions } from "../target/target-options.ts";

export function addDescribeCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("describe")
    .summary("show a service, method, message or enum")
    .description("Prints a service, method, message or enum as it is declared in a .proto file.")
    .argument(
      "<symbol>",
      "full name, such as hello.v1.HelloService or hello.v1.SayHelloRequest; SERVICE/METHOD for a method",
    )
    .option("--template", "print a message to fill in instead, for call -d @FILE; for a method, its request");
  addOutputOption(command, ["table", "json"]);
  addTargetOptions(command);
  addSchemaOptions(command);
  command.action(async (symbol: string, options: DescribeOptions) => {
    const { describeSymbol } = await import("../describe/describe-symbol.ts");
    await describeSymbol(symbol, options, context);
  });
}
