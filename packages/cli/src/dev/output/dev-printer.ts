import type { styleText } from "node:util";
import type { CommandContext } from "../../frame/context.ts";
import { type DevEvent, eventsOfLine, noteEvent } from "../events/dev-event.ts";
import { type LogLevel, parseLogLine } from "./log-text.ts";
import { Screen } from "./screen.ts";
import { type ServiceStatus, statusLines } from "./status-lines.ts";

type Style = Parameters<typeof styleText>[0];

const nameStyles: readonly Style[] = ["cyan", "magenta", "blue", "green", "yellow"];
const levelStyles: Readonly<Partial<Record<LogLevel, Style>>> = { debug: "dim", warn: "yellow", error: "red" };

/** Prints the output of several services and of this program, each line with the name of its service in its own colour. */
export class DevPrinter {
  readonly #context: CommandContext;
  readonly #screen: Screen;
  readonly #names: readonly string[];
  readonly #width: number;
  readonly #publish: (events: () => readonly DevEvent[]) => void;

  /**
   * @param names of the services, and of other sources of lines
   * @param publish receives the printed lines as events
   */
  constructor(
    context: CommandContext,
    names: readonly string[],
    statuses: () => readonly ServiceStatus[],
    publish: (events: () => readonly DevEvent[]) => void,
  ) {
    const { stderr } = context;
    this.#context = context;
    this.#names = names;
    this.#publish = publish;
    this.#width = Math.max(...names.map((name) => name.length));
    this.#screen = new Screen(context, () => statusLines(statuses(), (style, text) => stderr.style(style, text)));
  }

  /** Prints a line of a service's output. */
  log(name: string, line: string): void {
    const { stdout } = this.#context;
    const { time, level, message, fields } = parseLogLine(line);
    const style = level === undefined ? undefined : levelStyles[level];
    const shownLevel = level?.toUpperCase().padEnd(5);
    const parts = [
      time === "" ? "" : `${stdout.style("dim", time)} `,
      shownLevel === undefined ? "" : `${style === undefined ? shownLevel : stdout.style(style, shownLevel)} `,
      message,
      fields === "" ? "" : stdout.style("dim", fields),
    ];
    this.#print(name, parts.join(""), "stdout");
    this.#publish(() => eventsOfLine(name, line, Date.now()));
  }

  /** Prints a message of this program about a service. */
  note(name: string, text: string): void {
    this.#print(name, this.#context.stderr.style("bold", text), "stderr");
    this.#publish(() => [noteEvent(name, "info", text, Date.now())]);
  }

  /** Prints an error with its details on separate lines. */
  problem(name: string, title: string, output: string): void {
    const { stderr } = this.#context;
    const details = output === "" ? "" : `\n${output}`.replaceAll("\n", "\n  ");
    this.#print(name, `${stderr.style("red", `error: ${title}`)}${details}`, "stderr");
    this.#publish(() => [noteEvent(name, "error", output === "" ? title : `${title}\n${output}`, Date.now())]);
  }

  /** Draws the status lines again after a state change. */
  refresh(): void {
    this.#screen.refresh();
  }

  close(): void {
    this.#screen.close();
  }

  #print(name: string, text: string, to: "stdout" | "stderr"): void {
    const output = this.#context[to];
    const style = nameStyles[this.#names.indexOf(name) % nameStyles.length] ?? "dim";
    const prefix = `${output.style(style, name.padEnd(this.#width))}  `;
    for (const line of text.split("\n")) {
      if (to === "stdout") this.#screen.log(prefix + line);
      else this.#screen.note(prefix + line);
    }
  }
}
